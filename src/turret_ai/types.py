# SPDX-License-Identifier: Apache-2.0
"""What the stages hand to one another, free of ROS.

The messages of `msg/` mirror these; `turret_ai.nodes.convert` is the only place that maps
between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ImageArray = NDArray[np.uint8]
"""An RGB image, shape (height, width, 3), uint8. Never BGR."""


class TranscriptStatus(IntEnum):
    """Mirrors the constants of msg/Transcript.msg."""

    FINAL = 0
    PARTIAL = 1
    EMPTY = 2


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of an utterance; `score` is a log-probability (higher is likelier)."""

    text: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was heard. `reason` says why the status is EMPTY."""

    status: TranscriptStatus
    text: str = ""
    confidence: float = 0.0
    alternatives: tuple[Hypothesis, ...] = ()
    """Best first; the first is `text`. Empty for EMPTY."""
    speech_seconds: float = 0.0
    reason: str = ""


class Progress(Enum):
    """How much of an order a text holds."""

    NONE = "nothing"
    BEGUN = "a field or two, or words of one"
    COMPLETE = "heading, tool and target"


class CommandStatus(IntEnum):
    """Mirrors the constants of msg/TurretCommand.msg."""

    OK = 0
    INCOMPLETE = 1
    REJECTED = 2
    CANCELLED = 3
    """The operator calls the engagement off. No field is set."""


class Source(str, Enum):
    """Which part of the understand stage told a field; NONE for an empty field."""

    NONE = ""
    RULES = "RULES"
    REPAIR = "REPAIR"
    LLM = "LLM"


@dataclass(frozen=True, slots=True)
class CommandField:
    """One field of a command; the value is "" where it can't be told."""

    value: str = ""
    confidence: float = 0.0
    source: Source = Source.NONE


@dataclass(frozen=True, slots=True)
class Command:
    """What the operator wants. heading: three digits such as "065", or ""."""

    status: CommandStatus
    heading: CommandField = field(default_factory=CommandField)
    tool: CommandField = field(default_factory=CommandField)
    target: CommandField = field(default_factory=CommandField)
    reason: str = ""


class LocationStatus(IntEnum):
    """Mirrors the constants of msg/TargetBBox.msg."""

    FOUND = 0
    NOT_FOUND = 1
    AMBIGUOUS = 2


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box in pixels of the original image, sub-pixel allowed.

    left, top: the upper left corner; pixel (0, 0) spans [0, 1) x [0, 1).
    """

    left: float
    top: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle, pixels."""
        return self.left + self.width / 2.0, self.top + self.height / 2.0

    def as_list(self) -> list[float]:
        """[left, top, width, height], the competition's order."""
        return [self.left, self.top, self.width, self.height]


@dataclass(frozen=True, slots=True)
class Location:
    """Where the described target is in one image. `box` is None unless FOUND or AMBIGUOUS."""

    status: LocationStatus
    box: Box | None = None
    detection_score: float = 0.0
    match_score: float = 0.0
    """Probability that the best candidate is what is described, 0..1."""
    margin: float = 0.0
    """Lead over the second candidate in log-odds; 20 where there is none."""
    reason: str = ""
    candidates: tuple[Any, ...] = ()
    """Every candidate as (Box, detection score, match score or nan), best first."""
