# SPDX-License-Identifier: Apache-2.0
"""Log lines as ROS writes them, and Python's own logging brought into them."""

from __future__ import annotations

import logging
import os
import sys
import time

SEVERITIES = {"debug": 10, "info": 20, "warn": 30, "error": 40, "fatal": 50}
"""Numbers of rcl_interfaces/msg/Log."""

_COLOURS = {30: "\033[33m", 40: "\033[31m", 50: "\033[31m"}


def _coloured() -> bool:
    wish = os.environ.get("RCUTILS_COLORIZED_OUTPUT")
    return wish == "1" if wish in ("0", "1") else sys.stderr.isatty()


def write(severity: int, name: str, text: str, stamp_ns: int | None = None) -> None:
    """One line on stderr: `[INFO] [seconds] [name]: text`."""
    stamp = time.time_ns() if stamp_ns is None else stamp_ns
    word = {number: each.upper() for each, number in SEVERITIES.items()}.get(severity, "INFO")
    line = f"[{word}] [{stamp // 10**9}.{stamp % 10**9:09d}] [{name}]: {text}"
    if severity in _COLOURS and _coloured():
        line = f"{_COLOURS[severity]}{line}\033[0m"
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # stderr was closed: there is nobody to tell
        return


class _Bridge(logging.Handler):
    """Shows what ROS-free modules log."""

    def emit(self, record: logging.LogRecord) -> None:
        severity = min(50, max(10, record.levelno // 10 * 10))
        write(severity, record.name, self.format(record))


def bridge(level: str) -> None:
    """Show the log of this package's ROS-free modules from a level ("debug" .. "fatal") on."""
    logger = logging.getLogger("turret_ai")
    logger.setLevel(SEVERITIES[level])
    if not any(isinstance(handler, _Bridge) for handler in logger.handlers):
        logger.addHandler(_Bridge())
        logger.propagate = False
