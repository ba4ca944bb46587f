# SPDX-License-Identifier: Apache-2.0
"""What gazebo.launch.py needs, checked before anything starts: each lack with its remedy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from turret_ai.errors import PeerError
from turret_ai.graph import egl

VERSION_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Release:
    """A Gazebo that this package is written for.

    package: its own name, as its versions count. command: how it is started. minimum: the first
    minor version that finds systems by the names in our worlds (gz-sim-...). truth: the first one
    that knows the Label system by them, too.
    """

    name: str
    package: str
    major: int
    command: tuple[str, ...]
    install: str
    minimum: int = 0
    truth: int = 0


HARMONIC = Release("Harmonic", "gz-sim", 8, ("gz", "sim"), "apt install ros-jazzy-ros-gz")
FORTRESS = Release(
    "Fortress", "ign-gazebo", 6, ("ign", "gazebo"), "apt install ros-humble-ros-gz", 16, 18
)
RELEASES = (HARMONIC, FORTRESS)

FOR_ROS: dict[str, tuple[Release, ...]] = {
    "jazzy": (HARMONIC,),
    "humble": (FORTRESS, HARMONIC),
}
"""Whose messages the distribution's ros_gz_bridge speaks, the packaged one first (REP-2000). A
bridge for another Gazebo would start and never hear anything."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the preflight asks of the machine; tests put their own answers here."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    which: Callable[[str], str | None] = shutil.which
    run: Callable[[tuple[str, ...]], str] = lambda command: _output(command)
    egl_devices: Callable[[], tuple[list[egl.Device], str]] = egl.devices


@dataclass(frozen=True, slots=True)
class Report:
    """release: the Gazebo to start, version: which one of it is there, such as "8.9.0".

    problems: why it can't; warnings: what to know.
    """

    release: Release | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    version: str = ""

    def require(self) -> Release:
        """The Gazebo to start.

        Raises:
            PeerError: something is missing; the text names all of it.
        """
        if self.problems or self.release is None:
            lines = "\n".join(f"  - {problem}" for problem in self.problems)
            raise PeerError(f"Gazebo can't be started, so nothing was:\n{lines}")
        return self.release


def check(
    *, headless: bool, rviz: bool = False, gz_version: str = "auto", machine: Machine | None = None
) -> Report:
    """Look for everything that the launch will start.

    Args:
        headless: render without a display.
        rviz: RViz will be started too.
        gz_version: "auto", or the major version to use.
    """
    machine = machine or Machine()
    problems: list[str] = []
    warnings: list[str] = []
    release, version = _find_release(machine, gz_version, problems, warnings)
    packages = ["ros_gz_bridge", "robot_state_publisher", *(["rviz2"] if rviz else [])]
    distribution = machine.environment.get("ROS_DISTRO", "")
    for package in packages:
        if not _has_package(machine.environment, package):
            debian = f"ros-{distribution or 'jazzy'}-{package.replace('_', '-')}"
            problems.append(f"the ROS package {package} is missing: apt install {debian}")
    if headless:
        _check_egl(machine, problems, warnings)
    elif not any(machine.environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        problems.append("there is no display for Gazebo's window: add headless:=true")
    return Report(release, tuple(problems), tuple(warnings), version)


def _find_release(
    machine: Machine, gz_version: str, problems: list[str], warnings: list[str]
) -> tuple[Release | None, str]:
    distribution = machine.environment.get("ROS_DISTRO", "")
    fitting = FOR_ROS.get(distribution, (HARMONIC,))
    wanted = " or ".join(map(_version_name, fitting))
    wanted += f", which ROS 2 {distribution.capitalize()} speaks with" if distribution else ""
    if gz_version != "auto":
        fitting = tuple(release for release in fitting if str(release.major) == gz_version)
        if not fitting:
            problems.append(f"gz_version:={gz_version} doesn't fit: needed is {wanted}")
            return None, ""
    seen: list[str] = []
    for release in fitting:
        if machine.which(release.command[0]) is None:
            continue
        versions = installed_versions(machine.run((*release.command, "--versions")))
        seen += [version for version in versions if version not in seen]
        ours = [version for version in versions if _major(version) == release.major]
        newest = max(ours, key=_minor, default="")
        if newest and _minor(newest) >= release.minimum:
            if _minor(newest) < release.truth:
                warnings.append(
                    f"{release.package} {newest} doesn't label craft, so ground_truth stays "
                    f"empty: it takes {release.major}.{release.truth} or later"
                )
            return release, newest
    if seen:
        problems.append(
            f"Gazebo {', '.join(seen)} is installed, but needed is {wanted}: {fitting[0].install}"
        )
    else:
        problems.append(f"Gazebo is not installed: needed is {wanted}: {fitting[0].install}")
    return None, ""


def _version_name(release: Release) -> str:
    """Such as "Harmonic (gz-sim 8)"."""
    least = f".{release.minimum} or later" if release.minimum else ""
    return f"{release.name} ({release.package} {release.major}{least})"


def _major(version: str) -> int:
    return int(version.split(".")[0])


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def installed_versions(output: str) -> list[str]:
    """The versions in what `gz sim --versions` prints, one a line."""
    return re.findall(r"^\s*v?(\d+\.\d+(?:\.\d+)?)\S*\s*$", output, flags=re.MULTILINE)


def _has_package(environment: Mapping[str, str], name: str) -> bool:
    """Whether the ament index of the sourced workspaces lists a package."""
    prefixes = environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    index = Path("share/ament_index/resource_index/packages") / name
    return any((Path(prefix) / index).is_file() for prefix in prefixes if prefix)


def _check_egl(machine: Machine, problems: list[str], warnings: list[str]) -> None:
    devices, reason = machine.egl_devices()
    usable = [device for device in devices if device.usable]
    if not usable:
        why = reason or "no EGL device gives an OpenGL 3.3 context"
        problems.append(
            f"the cameras can't be rendered headless: {why}: install the graphics card's driver "
            "with EGL, or libegl-mesa0 and libgl1-mesa-dri to render on the processor"
        )
    elif all(device.software for device in usable):
        warnings.append(
            "no graphics card was found: the cameras are drawn by the processor, slowly"
        )


def _output(command: tuple[str, ...]) -> str:
    """What a command prints; "" where it fails or hangs."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return f"{done.stdout}\n{done.stderr}"
