# SPDX-License-Identifier: Apache-2.0
"""A node's logger: lines on stderr as ROS writes them, and messages on /rosout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from turret_ai.ros import log

Publish = Callable[[int, str, str, str, int], None]
"""(severity, logger name, text, function, line)."""


class Logger:
    """rclpy's logger, as far as nodes use it."""

    def __init__(
        self, name: str, level: str = "info", publish: Publish | None = None, console: bool = True
    ) -> None:
        self.name = name
        self._level = log.SEVERITIES[level]
        self._publish = publish
        self._console = console
        self._last: dict[tuple[str, int], float] = {}

    def debug(self, text: str, **limits: float | bool) -> None:
        """For developers."""
        self._log(10, text, limits)

    def info(self, text: str, **limits: float | bool) -> None:
        """What goes on."""
        self._log(20, text, limits)

    def warning(self, text: str, **limits: float | bool) -> None:
        """What may be a mistake."""
        self._log(30, text, limits)

    warn = warning

    def error(self, text: str, **limits: float | bool) -> None:
        """What failed."""
        self._log(40, text, limits)

    def fatal(self, text: str, **limits: float | bool) -> None:
        """What ends the process."""
        self._log(50, text, limits)

    def _log(self, severity: int, text: str, limits: dict[str, float | bool]) -> None:
        """limits: rclpy's `once` and `throttle_duration_sec`, by the place of the call."""
        if severity < self._level:
            return
        frame = sys._getframe(2)
        if limits:
            place, now = (frame.f_code.co_filename, frame.f_lineno), time.monotonic()
            last = self._last.get(place)
            if last is not None and (
                limits.get("once") or now - last < float(limits.get("throttle_duration_sec", 0.0))
            ):
                return
            self._last[place] = now
        if self._console:
            log.write(severity, self.name, str(text))
        if self._publish is not None:
            self._publish(severity, self.name, str(text), frame.f_code.co_name, frame.f_lineno)
