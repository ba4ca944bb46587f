# SPDX-License-Identifier: Apache-2.0
"""The one gate before the robot's signal: closed unless somebody keeps it open."""

from __future__ import annotations

from collections import deque

from turret_ai.units import seconds_to_ns

FRESH_SECONDS = 1.0
"""How old the last word of the controller may be; it speaks ten times a second."""


class Arming:
    """Whether the signal may be given.

    Only a state message that says "armed" opens the gate, and only for a second; a lost link,
    a message that says otherwise, a clock that jumps, `disarm` or silence close it. Times are
    nanoseconds of one clock.
    """

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh_ns = seconds_to_ns(fresh_seconds)
        self._armed_ns: int | None = None
        self._connected = False
        self._signalled: deque[str] = deque(maxlen=64)

    def on_state(self, armed: bool, now_ns: int) -> None:
        """The controller says whether it is armed."""
        self._armed_ns = now_ns if armed and self._connected else None

    def on_link(self, connected: bool) -> None:
        """The link to the robot comes or goes; either way the gate is closed at first."""
        self._connected = connected
        self._armed_ns = None

    def disarm(self) -> None:
        """Close the gate, for reset and shutdown."""
        self._armed_ns = None

    def armed(self, now_ns: int) -> bool:
        """Whether a signal would be given now."""
        if not self._connected or self._armed_ns is None:
            return False
        return 0 <= now_ns - self._armed_ns <= self._fresh_ns

    def request(self, utterance_id: str, now_ns: int) -> bool:
        """An engagement asks for the signal.

        Returns:
            True where it may be given now: at most once for an utterance.
        """
        if not self.armed(now_ns) or utterance_id in self._signalled:
            return False
        self._signalled.append(utterance_id)
        return True
