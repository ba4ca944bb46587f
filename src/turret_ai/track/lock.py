# SPDX-License-Identifier: Apache-2.0
"""How surely the turret's target is followed: the states of a lock, and their deadlines."""

from __future__ import annotations

from enum import IntEnum

from turret_ai.track.settings import DeadlineSettings
from turret_ai.units import ns_to_seconds


class LockState(IntEnum):
    """Mirrors the constants of msg/Lock.msg."""

    UNLOCKED = 0
    """Nothing is followed."""
    LOCKED = 1
    """The target was seen a moment ago."""
    COASTING = 2
    """It is out of sight for the moment: the prediction goes on."""
    LOST = 3
    """It has been out of sight for long: looked for in whole pictures."""


class Lock:
    """The state of one lock. Times are nanoseconds of one clock."""

    def __init__(self, settings: DeadlineSettings) -> None:
        self.settings = settings
        self.state = LockState.UNLOCKED
        self.reason = ""
        """Why there is no lock any more; "" while there is one."""
        self.regained = 0
        """How often the target was found again after it was LOST."""
        self._seen_ns = 0

    @property
    def on(self) -> bool:
        """Whether there is a lock, in whatever state."""
        return self.state is not LockState.UNLOCKED

    def begin(self, now_ns: int) -> None:
        """There is a target. However long it took to find it: its deadlines begin now."""
        self.state, self.reason, self.regained = LockState.LOCKED, "", 0
        self._seen_ns = now_ns

    def seen(self, stamp_ns: int, now_ns: int) -> None:
        """The target was seen in the picture of `stamp_ns`."""
        if not self.on:
            return
        self._seen_ns = max(self._seen_ns, min(stamp_ns, now_ns))
        self.regained += self.state is LockState.LOST
        self.state = LockState.LOCKED
        self.tick(now_ns)

    def unseen(self, now_ns: int) -> float:
        """Seconds since it was last seen."""
        return max(0.0, ns_to_seconds(now_ns - self._seen_ns))

    def tick(self, now_ns: int) -> None:
        """Time passes. Once LOST, only a sighting leads back."""
        if not self.on:
            return
        unseen, limits = self.unseen(now_ns), self.settings
        if self.state is LockState.LOST or unseen >= limits.lost:
            self.state = LockState.LOST
            if unseen >= limits.lost + limits.give_up:
                self.end(f"the target was not seen for {unseen:.1f} s")
        elif unseen >= limits.coast:
            self.state = LockState.COASTING

    def end(self, reason: str) -> None:
        """Give the lock up."""
        if self.on:
            self.state, self.reason = LockState.UNLOCKED, reason
