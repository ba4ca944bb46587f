# SPDX-License-Identifier: Apache-2.0
"""What the doctor looks at. Imports nothing beyond the standard library before it is known to be
there: an installation without its Python packages is examined, too."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from turret_ai import network, requirements, share
from turret_ai.errors import TurretError


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination. level: "ok", "note" (optional) or "missing" (needed)."""

    level: str
    subject: str
    text: str


def examine() -> list[Finding]:
    """Everything that the doctor looks at, without changing anything."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _core,
        _ros,
        _extras,
        _models,
        _compute,
        _network,
        _gazebo,
    )
    return [finding for check in checks for finding in check()]


def tell() -> int:
    """Print the findings in plain words.

    Returns:
        1 if something is missing that is needed, else 0.
    """
    findings = examine()
    for finding in findings:
        print(f"{finding.level:8}{finding.subject}: {finding.text}")
    return int(any(finding.level == "missing" for finding in findings))


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    level = "ok" if sys.version_info >= (3, 10) else "missing"
    yield Finding(level, "python", f"{version} on {platform.platform()}")


def _extra_requirements(extra: str) -> list[str]:
    """Names of the distributions that an extra of the package needs."""
    names = []
    for line in importlib.metadata.requires("turret_ai") or []:
        requirement, _, marker = line.partition(";")
        if f'extra == "{extra}"' in marker.replace("'", '"'):
            names.append(re.split(r"[<>=!~\[ (]", requirement.strip())[0])
    return names


def _core() -> Iterator[Finding]:
    try:
        missing = requirements.missing()
    except TurretError as error:
        yield Finding("missing", "core packages", str(error))
        return
    if missing:
        text = f"{', '.join(missing)}. {requirements.advice()}"
        yield Finding("missing", "core packages", text)
    else:
        version = requirements.installed("turret_ai") or "in place"
        yield Finding("ok", "core packages", f"turret_ai {version}")


def _ros() -> Iterator[Finding]:
    distribution = os.environ.get("ROS_DISTRO", "")
    plain = os.environ.get("TURRET_AI_RUNTIME", "").strip().lower() == "dds"
    if importlib.util.find_spec("rclpy") is None or plain:
        text = "not sourced; nodes talk over Cyclone DDS in ROS 2's wire format instead"
        yield Finding("note", "ROS 2", text)
        return
    middleware = os.environ.get("RMW_IMPLEMENTATION", "")
    yield Finding("ok", "ROS 2", f"{distribution}, {middleware or 'its default middleware'}")
    if "cyclonedds" not in middleware:
        text = "nodes without ROS are reached with RMW_IMPLEMENTATION=rmw_cyclonedds_cpp only"
        yield Finding("note", "middleware", text)
    if importlib.util.find_spec("cv_bridge") is None:
        text = "images are converted without it: apt install ros-$ROS_DISTRO-cv-bridge"
        yield Finding("note", "cv_bridge", text)
    version = requirements.installed("numpy") or "0"
    if int(version.split(".")[0]) >= 2:
        text = (
            f"{version} over ROS's own: its binaries, such as cv_bridge, crash with NumPy 2. "
            f"{requirements.advice()}"
        )
        yield Finding("missing", "numpy < 2", text)


def _extras() -> Iterator[Finding]:
    try:
        names = importlib.metadata.metadata("turret_ai").get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for extra in names:
        missing = [
            name for name in _extra_requirements(extra) if requirements.installed(name) is None
        ]
        if missing:
            text = f"without {', '.join(missing)}: pip install 'turret_ai[{extra}]'"
            yield Finding("note", f"extra {extra}", text)
        else:
            yield Finding("ok", f"extra {extra}", "installed")


def _models() -> Iterator[Finding]:
    try:
        folder = share.path("models")
    except TurretError as error:
        yield Finding("missing", "models", str(error))
        return
    found = sorted(p.name for p in folder.iterdir() if (p / "model.yaml").is_file())
    level = "ok" if found else "missing"
    yield Finding(level, "models", f"{', '.join(found) or 'none'} in {folder}")


def _compute() -> Iterator[Finding]:
    try:
        import onnxruntime
    except ImportError as error:
        yield Finding("missing", "ONNX Runtime", str(error))
        return
    providers = ", ".join(onnxruntime.get_available_providers())
    yield Finding("ok", "ONNX Runtime", f"{onnxruntime.__version__}: {providers}")
    if shutil.which("nvidia-smi") is None:
        yield Finding("note", "GPU", "no NVIDIA driver found: the models run on the CPU")
    elif "CUDAExecutionProvider" not in providers:
        yield Finding("note", "GPU", "driver found: pip install 'turret_ai[gpu]' to use it")
    yield Finding("ok", "CPU", f"{os.cpu_count()} cores")


def _network() -> Iterator[Finding]:
    hint, limit = network.buffer_hint(), network.buffer_limit()
    if hint:
        yield Finding("note", "network", hint)
    elif limit is not None:
        yield Finding("ok", "network", f"receive buffers up to {limit // 1024 // 1024} MiB")
    yield Finding("ok", "ROS_DOMAIN_ID", os.environ.get("ROS_DOMAIN_ID", "0 (not set)"))


def _gazebo() -> Iterator[Finding]:
    """What gazebo.launch.py checks; it is the only thing that needs it."""
    if not shutil.which("gz") and not shutil.which("ign"):
        yield Finding("note", "Gazebo", "not installed; only gazebo.launch.py needs it")
        return
    from turret_ai.graph.gazebo_preflight import check

    report = check(headless=True)
    if report.release and not report.problems:
        yield Finding("ok", "Gazebo", f"{report.release.name} ({report.version}), headless too")
    for text in (*report.problems, *report.warnings):
        yield Finding("note", "Gazebo", text)
