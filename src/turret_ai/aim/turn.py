# SPDX-License-Identifier: Apache-2.0
"""A turn: where it stands, what it has come to, what it asks for, and how it ended.

Times are nanoseconds of one clock, angles radians in REP-103 axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from turret_ai.aim.limits import Goal
from turret_ai.types import Box, Command, LocationStatus
from turret_ai.units import ns_to_seconds, seconds_to_ns


class State(IntEnum):
    """Where a turn stands. Mirrors the constants of msg/TurretState.msg."""

    IDLE = 0
    HEARD = 1
    """A transcript is there, the command is awaited."""
    SLEWING = 2
    """On the way to the heading."""
    SEARCHING = 3
    """The camera stands, the box is awaited."""
    AIMING = 4
    """On the way to the target."""


class Outcome(IntEnum):
    """Mirrors the constants of msg/Engagement.msg."""

    AIMED = 0
    NOT_FOUND = 1
    AMBIGUOUS = 2
    INCOMPLETE = 3
    TIMEOUT = 4
    SUPERSEDED = 5
    LIMITED = 6
    CANCELLED = 7


@dataclass(frozen=True, slots=True)
class BoxReport:
    """A target box as the locator reports it."""

    status: LocationStatus
    stamp_ns: int
    box: Box | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Send the turret to a goal."""

    utterance_id: str
    stamp_ns: int
    goal: Goal


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a turn."""

    utterance_id: str
    outcome: Outcome
    reason: str
    stamp_ns: int
    transcript: str
    command: Command | None
    report: BoxReport | None
    aim: tuple[float, float] | None
    """(yaw, pitch) of the target's direction, before any clamping; rad."""
    seconds: dict[str, float]
    """speech, hear, understand, slew, see, aim, total: see msg/Engagement.msg."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Bring the turret to rest where it is, and disarm the signal.

    for_now: the operator still speaks; what is armed stays so until the whole sentence is known.
    """

    utterance_id: str
    stamp_ns: int
    for_now: bool = False


Action: TypeAlias = Move | Stop | Finish


STEPS = ("hear", "understand", "slew", "see", "aim", "total")
"""The steps of a turn after its speech, and their sum: see msg/Engagement.msg."""


@dataclass(slots=True)
class Turn:
    """The running utterance and when it reached which step (ns, 0: not yet)."""

    utterance_id: str
    stamp_ns: int
    speech_seconds: float = 0.0
    transcript: str = ""
    heard_ns: int = 0
    understood_ns: int = 0
    settled_ns: int = 0
    seen_ns: int = 0
    command: Command | None = None
    report: BoxReport | None = None
    aim: tuple[float, float] | None = None
    halted: bool = False
    """Called off in mid-sentence: nothing moves before the whole of it is known."""

    @property
    def end_of_speech_ns(self) -> int:
        """When the operator had said it."""
        return self.stamp_ns + seconds_to_ns(self.speech_seconds)

    def end(self, outcome: Outcome, reason: str, now_ns: int) -> Finish:
        """The turn's summary, as it stands at an instant."""
        return Finish(
            self.utterance_id,
            outcome,
            reason,
            self.stamp_ns,
            self.transcript,
            self.command,
            self.report,
            self.aim,
            self.seconds(now_ns),
        )

    def seconds(self, now_ns: int) -> dict[str, float]:
        """The time spent in each step; 0 for steps that were not reached."""

        def between(start: int, end: int) -> float:
            return max(0.0, ns_to_seconds(end - start)) if start and end else 0.0

        return {
            "speech": self.speech_seconds,
            "hear": between(self.end_of_speech_ns, self.heard_ns),
            "understand": between(self.heard_ns, self.understood_ns),
            "slew": between(self.understood_ns, self.settled_ns),
            "see": between(self.settled_ns, self.seen_ns),
            "aim": between(self.seen_ns, now_ns),
            "total": between(self.end_of_speech_ns, now_ns),
        }
