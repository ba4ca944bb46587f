# SPDX-License-Identifier: Apache-2.0
"""The competition's total of a finals turn.

Formulas: the TIL-AI 2024 scoring rules (45% language, 45% vision, 10% speed).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turret_ai.errors import InputError
from turret_ai.prove.nlp_score import FIELDS, score_fields
from turret_ai.prove.records import text_of

TURN_LIMIT_S = 30.0
"""Seconds after which a finals turn earns nothing for speed."""


def turn_score(nlp: float, vlm: float, seconds: float) -> float:
    """0.45 NLP + 0.45 VLM + 0.1 (1 - min(30, t) / 30).

    Args:
        nlp: the language score of the turn, 0..1.
        vlm: 1 for a hit (IoU > 0.5), else 0.
        seconds: from the audio sent to the answer received, panning included.

    Raises:
        InputError: a score outside 0..1, or a time that is negative or not a number.
    """
    for name, value in (("nlp", nlp), ("vlm", vlm)):
        if not 0.0 <= value <= 1.0:
            raise InputError(f"{name} must be in 0..1: got {value}")
    if math.isnan(seconds) or seconds < 0.0:
        raise InputError(f"a turn's time must not be negative: got {seconds} s")
    return 0.45 * nlp + 0.45 * vlm + 0.1 * (1.0 - min(TURN_LIMIT_S, seconds) / TURN_LIMIT_S)


@dataclass(frozen=True, slots=True)
class TurnResult:
    """One scored finals turn."""

    key: Any
    heading: float
    tool: float
    target: float
    nlp: float
    iou: float
    vlm: float
    seconds: float
    score: float


@dataclass(frozen=True, slots=True)
class TurnsResult:
    """A run of finals turns; every figure is a mean over all turns of the truth."""

    turns: tuple[TurnResult, ...]
    score: float
    nlp: float
    vlm: float
    seconds: float


def score_turn(
    key: Any, answer: Mapping[str, Any] | None, truth: Mapping[str, Any], where: str
) -> TurnResult:
    """Score one turn in the format of the finals server.

    Args:
        answer: {"asr": str, "nlp": {"heading", "tool", "target"}, "vlm": [l, t, w, h],
            "seconds": t}; flat "heading", "tool", "target" and "bbox" work as well. None: no
            answer came, which scores nothing and costs the full time.
        truth: {"heading", "tool", "target", "bbox"}, flat or nested alike.

    Raises:
        InputError: a field that is missing in the truth, or of the wrong type.
    """
    from turret_ai.prove.results import box_from
    from turret_ai.prove.score import box_iou
    from turret_ai.see.boxes import HIT_IOU

    wanted = _fields(truth, where, required=True)
    wanted_box = box_from(truth.get("vlm", truth.get("bbox")), where)
    if wanted_box is None:
        raise InputError(f"{where}: the truth has no box ('vlm' or 'bbox')")
    if answer is None:
        return TurnResult(key, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, TURN_LIMIT_S, 0.0)
    fields = score_fields(_fields(answer, where, required=False), wanted)
    box = box_from(answer.get("vlm", answer.get("bbox")), where)
    iou = box_iou(box, wanted_box) if box is not None else 0.0
    hit = 1.0 if iou > HIT_IOU else 0.0
    seconds = answer.get("seconds", 0.0)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise InputError(f"{where}: 'seconds' must be a number, got {seconds!r}")
    nlp = (fields["heading"] + fields["tool"] + fields["target"]) / 3.0
    return TurnResult(
        key,
        fields["heading"],
        fields["tool"],
        fields["target"],
        nlp,
        iou,
        hit,
        float(seconds),
        turn_score(nlp, hit, float(seconds)),
    )


def summarise(turns: Sequence[TurnResult]) -> TurnsResult:
    """Mean figures of a run.

    Raises:
        InputError: there is no turn.
    """
    if not turns:
        raise InputError("there is no turn to score")
    count = len(turns)
    return TurnsResult(
        tuple(turns),
        sum(t.score for t in turns) / count,
        sum(t.nlp for t in turns) / count,
        sum(t.vlm for t in turns) / count,
        sum(t.seconds for t in turns) / count,
    )


def _fields(record: Mapping[str, Any], where: str, required: bool) -> dict[str, str]:
    nested = record.get("nlp", record)
    if not isinstance(nested, Mapping):
        raise InputError(f"{where}: 'nlp' must be an object with heading, tool and target")
    known = nested if required else {**dict.fromkeys(FIELDS, ""), **nested}
    return {name: text_of(known, name, where) for name in FIELDS}
