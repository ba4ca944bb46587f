"""`turret-ai doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from turret_ai import share
from turret_ai.errors import TurretError

BUFFER_WANTED = 16 * 1024 * 1024
"""Bytes of receive buffer with which uncompressed images of 4 MB cross hosts without loss."""


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


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Name what is missing on this machine and how to get it; exit code 1 if it is needed."""
    import json

    from rich.console import Console
    from rich.markup import escape

    findings = examine()
    if as_json:
        for finding in findings:
            print(
                json.dumps(
                    {"level": finding.level, "subject": finding.subject, "text": finding.text}
                )
            )
    else:
        signs = {
            "ok": "[green]ok     [/]",
            "note": "[yellow]note   [/]",
            "missing": "[red]missing[/]",
        }
        console = Console()
        for finding in findings:
            text = escape(finding.text)
            console.print(f"{signs[finding.level]} [bold]{finding.subject}[/]: {text}")
    raise typer.Exit(int(any(finding.level == "missing" for finding in findings)))


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    level = "ok" if sys.version_info >= (3, 10) else "missing"
    yield Finding(level, "python", f"{version} on {platform.platform()}")


def _installed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requirements(extra: str | None) -> list[str]:
    """Names of the distributions that the package, or one of its extras, needs."""
    try:
        lines = importlib.metadata.requires("turret_ai") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    names = []
    for line in lines:
        requirement, _, marker = line.partition(";")
        belongs = f'extra == "{extra}"' in marker.replace("'", '"')
        if belongs if extra else "extra ==" not in marker:
            name = requirement.strip()
            for sign in "<>=!~[ (":
                name = name.split(sign)[0]
            names.append(name)
    return names


def _core() -> Iterator[Finding]:
    missing = [name for name in _requirements(None) if _installed(name) is None]
    if missing:
        text = f"{', '.join(missing)}: pip install {' '.join(missing)}"
        yield Finding("missing", "core packages", text)
    else:
        yield Finding("ok", "core packages", f"turret_ai {_installed('turret_ai') or 'in place'}")


def _ros() -> Iterator[Finding]:
    from turret_ai.ros import RUNTIME

    distribution = os.environ.get("ROS_DISTRO")
    if RUNTIME == "rclpy":
        yield Finding("ok", "ROS 2", f"{distribution}, {os.environ.get('RMW_IMPLEMENTATION', '')}")
        if importlib.util.find_spec("cv_bridge") is None:
            text = "images are converted without it: apt install ros-$ROS_DISTRO-cv-bridge"
            yield Finding("note", "cv_bridge", text)
        return
    text = "not sourced; nodes talk over Cyclone DDS in ROS 2's wire format instead"
    yield Finding("note", "ROS 2", text)


def _extras() -> Iterator[Finding]:
    try:
        names = importlib.metadata.metadata("turret_ai").get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for extra in names:
        missing = [name for name in _requirements(extra) if _installed(name) is None]
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
    import onnxruntime

    providers = ", ".join(onnxruntime.get_available_providers())
    yield Finding("ok", "ONNX Runtime", f"{onnxruntime.__version__}: {providers}")
    if shutil.which("nvidia-smi") is None:
        yield Finding("note", "GPU", "no NVIDIA driver found: the models run on the CPU")
    elif "CUDAExecutionProvider" not in providers:
        yield Finding("note", "GPU", "driver found: pip install 'turret_ai[gpu]' to use it")
    yield Finding("ok", "CPU", f"{os.cpu_count()} cores")


def _network() -> Iterator[Finding]:
    file = Path("/proc/sys/net/core/rmem_max")
    if file.is_file():
        size = int(file.read_text().strip())
        if size < BUFFER_WANTED:
            text = (
                f"receive buffers are limited to {size / 1024:.0f} KiB; for uncompressed images "
                f"between hosts: sudo sysctl -w net.core.rmem_max={BUFFER_WANTED}"
            )
            yield Finding("note", "network", text)
        else:
            yield Finding("ok", "network", f"receive buffers up to {size // 1024 // 1024} MiB")
    yield Finding("ok", "ROS_DOMAIN_ID", os.environ.get("ROS_DOMAIN_ID", "0 (not set)"))


def _gazebo() -> Iterator[Finding]:
    """What gazebo.launch.py checks; it is the only thing that needs it."""
    if not shutil.which("gz") and not shutil.which("ign"):
        yield Finding("note", "Gazebo", "not installed; only gazebo.launch.py needs it")
        return
    from turret_ai.graph.gazebo_preflight import check

    report = check(headless=True)
    if report.release and not report.problems:
        yield Finding("ok", "Gazebo", f"{report.release.name}, headless too")
    for text in (*report.problems, *report.warnings):
        yield Finding("note", "Gazebo", text)
