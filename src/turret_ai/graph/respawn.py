# SPDX-License-Identifier: Apache-2.0
"""When a node that crashed is started again: alike under `ros2 launch` and `turret-ai launch`."""

from __future__ import annotations

FIRST_S = 0.2
"""Seconds to wait after a second crash in a row; the first time a node is started at once."""
LONGEST_S = 10.0
IN_A_ROW_S = 20.0
"""A node that lived for longer than this has not crashed in a row."""


class Delays:
    """One that can't live must not spin: each crash in a row doubles the wait."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def after(self, node: str, lived: float) -> float:
        """Seconds until a node that has just crashed is started again.

        Args:
            lived: seconds since it was started.
        """
        delay = 0.0
        if lived < IN_A_ROW_S and node in self._last:
            delay = min(max(FIRST_S, 2.0 * self._last[node]), LONGEST_S)
        self._last[node] = delay
        return delay
