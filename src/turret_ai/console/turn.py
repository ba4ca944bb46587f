# SPDX-License-Identifier: Apache-2.0
"""One turn as an operator follows it: what was heard, understood, found, done, and when.

Pure: fed with what goes by on the topics, read as plain data. Times in seconds since the first
sample of the utterance, by the clock of the nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from turret_ai.types import Box, Command, CommandStatus, Transcription, TranscriptStatus
from turret_ai.units import ns_to_seconds

_READINGS = 4
"""Readings that are shown; there may be dozens."""


@dataclass(frozen=True, slots=True)
class Found:
    """A search's answer. status: FOUND, NOT_FOUND or AMBIGUOUS."""

    status: str
    stamp_ns: int
    box: Box | None
    caption: str = ""
    detection_score: float = 0.0
    match_score: float = 0.0
    margin: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a turn ended. outcome: a name of `Outcome`; seconds: of each step, 0: not reached.

    aim: (yaw, pitch) in rad, base frame; None without aim.
    """

    outcome: str
    reason: str
    transcript: str
    heading: str
    tool: str
    target: str
    aim: tuple[float, float] | None
    seconds: dict[str, float]


@dataclass(slots=True)
class Turn:
    """What is known of one utterance so far."""

    utterance_id: str
    began_ns: int
    steps: list[tuple[str, float]] = field(default_factory=list)
    """(name, seconds) of each state in the order in which it was entered."""
    partial: str = ""
    final: Transcription | None = None
    command: Command | None = None
    command_is_partial: bool = False
    understood: str = ""
    """The text that was understood: the best reading, or the second one."""
    found: Found | None = None
    ended: Ended | None = None

    def on_transcript(self, heard: Transcription, now_ns: int) -> None:
        """What is heard, in part or in the end."""
        if self.ended is not None:
            return
        if heard.status is TranscriptStatus.PARTIAL:
            if self.final is None:
                self.partial = heard.text
                self._enter("LISTENING", now_ns)
            return
        self.final = heard
        empty = heard.status is TranscriptStatus.EMPTY
        self._enter("NOTHING HEARD" if empty else "HEARD", now_ns)

    def on_command(self, command: Command, partial: bool, text: str, now_ns: int) -> None:
        """What is understood; of an unfinished sentence at first."""
        if self.ended is not None or (partial and not self._unfinished):
            return
        self.command, self.command_is_partial, self.understood = command, partial, text
        if not partial:
            cancelled = command.status is CommandStatus.CANCELLED
            self._enter("CALLED OFF" if cancelled else "UNDERSTOOD", now_ns)

    @property
    def _unfinished(self) -> bool:
        return self.command is None or self.command_is_partial

    def on_phase(self, phase: str, now_ns: int) -> None:
        """The controller's state for this utterance: a name of `State`."""
        if self.ended is None and phase not in ("IDLE", "HEARD"):
            self._enter(phase, now_ns)

    def on_found(self, found: Found, now_ns: int) -> None:
        """The search's answer."""
        if self.ended is None:
            self.found = found
            self._enter(found.status.replace("_", " "), now_ns)

    def on_ended(self, ended: Ended, now_ns: int) -> None:
        """The turn's one summary."""
        if self.ended is None:
            self.ended = ended
            self._enter(ended.outcome, now_ns, again=True)

    def _enter(self, name: str, now_ns: int, again: bool = False) -> None:
        if self.steps and self.steps[-1][0] == name and not again:
            return
        at = ns_to_seconds(now_ns - self.began_ns) if self.began_ns else 0.0
        self.steps.append((name, round(max(0.0, at), 3)))

    @property
    def kind(self) -> str:
        """How it was commanded, by the id that this console gives."""
        for kind in ("talk", "typed", "pick", "stop"):
            if self.utterance_id.startswith(f"console_{kind}_"):
                return kind
        return "heard"

    def as_data(self) -> dict[str, Any]:
        """For the page."""
        final, command, found, ended = self.final, self.command, self.found, self.ended
        return {
            "id": self.utterance_id,
            "kind": self.kind,
            "began": self.began_ns // 1_000_000,
            "steps": [{"name": name, "at": at} for name, at in self.steps],
            "partial": self.partial,
            "final": final.text if final is not None else None,
            "confidence": _share(final.confidence) if final is not None else None,
            "unheard": final.reason if final is not None and not final.text else "",
            "readings": _readings(final),
            "understood": self.understood,
            "command": _command(command, self.command_is_partial),
            "found": _found(found),
            "ended": _ended(ended),
        }


def _share(value: float) -> float:
    return round(value, 3) if math.isfinite(value) else 0.0


def _readings(final: Transcription | None) -> list[dict[str, Any]]:
    """Every reading beside the best one, with its probability."""
    if final is None:
        return []
    return [
        {"text": each.text, "share": _share(math.exp(min(0.0, each.score)))}
        for each in final.alternatives[1:_READINGS]
    ]


def _command(command: Command | None, partial: bool) -> dict[str, Any] | None:
    if command is None:
        return None
    fields = {
        name: {
            "value": getattr(command, name).value,
            "confidence": _share(getattr(command, name).confidence),
            "source": getattr(command, name).source.value,
        }
        for name in ("heading", "tool", "target")
    }
    status = command.status.name
    return {"status": status, "partial": partial, "reason": command.reason, "fields": fields}


def _found(found: Found | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "status": found.status,
        "caption": found.caption,
        "box": [round(v, 1) for v in found.box.as_list()] if found.box is not None else None,
        "detection": _share(found.detection_score),
        "match": _share(found.match_score),
        "margin": _share(found.margin),
        "reason": found.reason,
    }


def _ended(ended: Ended | None) -> dict[str, Any] | None:
    if ended is None:
        return None
    return {
        "outcome": ended.outcome,
        "reason": ended.reason,
        "seconds": {name: round(value, 3) for name, value in ended.seconds.items()},
    }
