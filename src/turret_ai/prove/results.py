# SPDX-License-Identifier: Apache-2.0
"""What an evaluation knows of each utterance: what the system answered, and what is true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from turret_ai.errors import InputError
from turret_ai.prove.nlp_score import FIELDS
from turret_ai.prove.records import Record
from turret_ai.types import Box


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    """One field of a command as the system told it."""

    value: str = ""
    confidence: float = 0.0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that the system said about one utterance.

    stamp_ns: first sample of the utterance; image_ns: exposure of the searched image, None
    without one. aim: (yaw, pitch), rad, base frame, REP-103. seconds: from the end of the utterance
    to the answer, by the clock of the recording; None where there was no answer.
    candidates: every candidate box of the image with its detection score, None if unknown.
    """

    key: int
    utterance_id: str = ""
    stamp_ns: int = 0
    speech_seconds: float = 0.0
    transcript_status: str = "EMPTY"
    transcript: str = ""
    transcript_confidence: float = 0.0
    command_status: str = "REJECTED"
    fields: Mapping[str, FieldAnswer] = field(default_factory=dict)
    image_ns: int | None = None
    location_status: str = ""
    box: Box | None = None
    detection_score: float = 0.0
    match_score: float = 0.0
    margin: float = 0.0
    candidates: tuple[tuple[Box, float], ...] | None = None
    aim: tuple[float, float] | None = None
    outcome: str = ""
    reason: str = ""
    seconds: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    """Seconds of this turn's steps, where they are known one by one."""

    def value(self, name: str) -> str:
        """A field's text, "" where it could not be told."""
        return self.fields[name].value if name in self.fields else ""

    def as_record(self) -> Record:
        """For result files."""
        return {
            "key": self.key,
            "utterance_id": self.utterance_id,
            "stamp_ns": self.stamp_ns,
            "speech_seconds": self.speech_seconds,
            "transcript_status": self.transcript_status,
            "transcript": self.transcript,
            "transcript_confidence": self.transcript_confidence,
            "command_status": self.command_status,
            "fields": {
                name: {"value": f.value, "confidence": f.confidence, "source": f.source}
                for name, f in self.fields.items()
            },
            "image_ns": self.image_ns,
            "location_status": self.location_status,
            "bbox": self.box.as_list() if self.box else None,
            "detection_score": self.detection_score,
            "match_score": self.match_score,
            "margin": self.margin,
            "candidates": None
            if self.candidates is None
            else [[*box.as_list(), score] for box, score in self.candidates],
            "aim": list(self.aim) if self.aim else None,
            "outcome": self.outcome,
            "reason": self.reason,
            "seconds": self.seconds,
        }

    def as_prediction(self) -> Record:
        """One line in the competition's format, for the scorers of predictions."""
        return {
            "key": self.key,
            "transcript": self.transcript,
            **{name: self.value(name) for name in FIELDS},
            "bbox": self.box.as_list() if self.box else [],
            **({} if self.seconds is None else {"seconds": self.seconds}),
        }


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one utterance; None where it isn't known.

    aim: (yaw, pitch) of the target, rad, base frame, REP-103. others: every craft's box in the
    searched image, the target's included. elsewhere: the target could have been seen in another
    picture than the searched one, or none was searched: a miss.
    """

    key: Any
    utterance_id: str = ""
    transcript: str | None = None
    heading: str | None = None
    tool: str | None = None
    target: str | None = None
    box: Box | None = None
    aim: tuple[float, float] | None = None
    others: tuple[Box, ...] | None = None
    elsewhere: bool = False

    def as_record(self) -> Record:
        """For result files, unknown fields left out."""
        known = {
            "transcript": self.transcript,
            "heading": self.heading,
            "tool": self.tool,
            "target": self.target,
            "bbox": self.box.as_list() if self.box else None,
            "aim": list(self.aim) if self.aim else None,
            "others": None if self.others is None else [box.as_list() for box in self.others],
        }
        found: Record = {name: value for name, value in known.items() if value is not None}
        if self.elsewhere:
            found["elsewhere"] = True
        return {"key": self.key, **found}


def truth_from_record(record: Mapping[str, Any], where: str) -> Truth:
    """One line of a truth file.

    The competition's fields (key, transcript, heading, tool, target) and, beyond them, `bbox`
    ([left, top, width, height], pixels of the searched image), `utterance_id`, and the target's
    direction: `aim_heading_deg` and `aim_elevation_deg` (clockwise from north, upwards).

    Raises:
        InputError: a field of the wrong type.
    """
    from turret_ai.units import elevation_deg_to_pitch, heading_to_yaw

    def text(name: str) -> str | None:
        value = record.get(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{where}: {name!r} must be a text, got {value!r}")
        return value

    angles = [record.get(name) for name in ("aim_heading_deg", "aim_elevation_deg")]
    aim = None
    if angles != [None, None]:
        heading, elevation = (_number(angle, where, "the target's direction") for angle in angles)
        aim = (heading_to_yaw(heading), elevation_deg_to_pitch(elevation))
    return Truth(
        record.get("key"),
        text("utterance_id") or "",
        text("transcript"),
        text("heading"),
        text("tool"),
        text("target"),
        box_from(record.get("bbox"), where),
        aim,
    )


def box_from(value: Any, where: str) -> Box | None:
    """A box of a JSON record; None for null and for an empty list.

    Raises:
        InputError: not four finite numbers.
    """
    if value is None or value == []:
        return None
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise InputError(f"{where}: a box is [left, top, width, height], got {value!r}")
    return Box(*(_number(number, where, "a box") for number in value))


def _number(value: Any, where: str, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{where}: {what} needs finite numbers, got {value!r}")
    return float(value)
