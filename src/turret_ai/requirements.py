# SPDX-License-Identifier: Apache-2.0
"""The Python packages that the core needs, and which of them are absent. Imports nothing but the
standard library: it is asked where packages are missing."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from turret_ai import share
from turret_ai.errors import ConfigError, TurretError

_MODULES = {"opencv-python-headless": "cv2"}
"""What another distribution may bring as well, such as Debian's python3-opencv."""


def names() -> list[str]:
    """The distributions in requirements/core.txt."""
    found = []
    for line in share.path("requirements/core.txt").read_text(encoding="utf-8").splitlines():
        match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line.strip())
        below = re.search(r'; python_version < "3\.(\d+)"', line)
        if match and not (below and sys.version_info >= (3, int(below.group(1)))):
            found.append(match.group())
    return found


def installed(distribution: str) -> str | None:
    """The version of a distribution; "" where only its module is there; None if it is absent."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        module = _MODULES.get(distribution)
        return "" if module and importlib.util.find_spec(module) is not None else None


def missing() -> list[str]:
    """Those of the core that are not installed."""
    return [name for name in names() if installed(name) is None]


def file() -> Path:
    """The requirement file for this installation: beside ROS's own packages, NumPy 2 won't do."""
    ros = importlib.util.find_spec("rclpy") is not None
    return share.path(f"requirements/{'ros' if ros else 'core'}.txt")


def explanation(error: ImportError) -> str | None:
    """One line for an import that failed for want of a core package, None for another reason."""
    try:
        absent = missing()
    except TurretError:
        return None
    if not absent:
        return None
    return f"{error}. Python packages are missing: {', '.join(absent)}. {advice()}"


def advice() -> str:
    """How to install what is missing."""
    return f"Install them in a virtual environment: pip install -r {file()}"


@contextlib.contextmanager
def of_the_virtual_environment() -> Iterator[None]:
    """For imports in launch files: `ros2` is run by the system's Python, also where a virtual
    environment is active.

    Raises:
        ConfigError: packages are missing there, too.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = Path(os.environ.get("VIRTUAL_ENV", "-"), "lib", version, "site-packages")
    if packages.is_dir() and str(packages) not in sys.path:
        sys.path.insert(0, str(packages))
    try:
        yield
    except ImportError as error:
        raise ConfigError(explanation(error) or str(error)) from error
