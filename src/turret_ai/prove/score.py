# SPDX-License-Identifier: Apache-2.0
"""From answers and truth to figures: each utterance's, and the whole run's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turret_ai.aim.camera import angles_to_direction
from turret_ai.prove.latency import percentile
from turret_ai.prove.nlp_score import FIELDS, score_fields
from turret_ai.prove.records import Record
from turret_ai.prove.results import Answer, Truth
from turret_ai.prove.turns import turn_score
from turret_ai.prove.words import Alignment, align
from turret_ai.see.boxes import HIT_IOU, Boxes, iou
from turret_ai.see.detection_score import average_precision
from turret_ai.types import Box


@dataclass(frozen=True, slots=True)
class Scored:
    """One utterance with its scores; None where the truth doesn't say.

    nlp: mean of the three fields. iou: 0 where no box was given. aim_error: rad, between the
    aimed and the true direction, None where nothing was aimed at. turn: the finals score.
    """

    answer: Answer | None
    truth: Truth | None
    words: Alignment | None = None
    fields: dict[str, float] | None = None
    nlp: float | None = None
    iou: float | None = None
    hit: float | None = None
    aim_error: float | None = None
    turn: float | None = None

    @property
    def badness(self) -> float:
        """For "worst first": the lost share of the turn score, then the lost overlap."""
        lost = 0.0 if self.turn is None else 1.0 - self.turn
        return lost + (0.0 if self.iou is None else 1.0 - self.iou) / 10.0

    def as_record(self) -> Record:
        """For result files."""
        words = self.words
        return {
            "answer": self.answer.as_record() if self.answer else None,
            "truth": self.truth.as_record() if self.truth else None,
            "wer": None if words is None else words.wer,
            "field_scores": self.fields,
            "nlp": self.nlp,
            "iou": self.iou,
            "hit": self.hit,
            "aim_error_deg": None if self.aim_error is None else math.degrees(self.aim_error),
            "turn_score": self.turn,
        }


def score_utterance(answer: Answer | None, truth: Truth | None) -> Scored:
    """Compare one answer with its truth. An answer that is missing scores nothing."""
    if truth is None:
        return Scored(answer, None)
    words = None
    if truth.transcript is not None:
        words = align(truth.transcript, answer.transcript if answer else "")
    fields = nlp = None
    wanted = {name: getattr(truth, name) for name in FIELDS}
    if all(value is not None for value in wanted.values()):
        given = {name: answer.value(name) if answer else "" for name in FIELDS}
        fields = score_fields(given, wanted)
        nlp = sum(fields.values()) / len(fields)
    overlap = hit = None
    if truth.box is not None:
        overlap = box_iou(answer.box, truth.box) if answer and answer.box else 0.0
        hit = 1.0 if overlap > HIT_IOU else 0.0
    elif truth.elsewhere:
        overlap = hit = 0.0
    aim_error = None
    if truth.aim is not None and answer is not None and answer.aim is not None:
        aim_error = angle_between(answer.aim, truth.aim)
    turn = None
    if nlp is not None and hit is not None:
        seconds = answer.seconds if answer and answer.seconds is not None else math.inf
        turn = turn_score(nlp, hit, max(0.0, seconds))
    return Scored(answer, truth, words, fields, nlp, overlap, hit, aim_error, turn)


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    return float(iou(Boxes.from_boxes([a]).xyxy, Boxes.from_boxes([b]).xyxy)[0, 0])


def angle_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Radians between two directions given as (yaw, pitch)."""
    first, second = angles_to_direction(*a), angles_to_direction(*b)
    # atan2 stays exact for small angles, where acos of the dot product loses half the digits.
    return math.atan2(float(np.linalg.norm(np.cross(first, second))), float(first @ second))


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the whole run: how it is called and which direction is good."""

    name: str
    title: str
    higher_is_better: bool
    unit: str = ""


METRICS = (
    Metric("asr", "Speech: 1 - word error rate", True),
    Metric("wer", "Word error rate", False),
    Metric("nlp", "Language score", True),
    Metric("heading", "Heading right", True),
    Metric("tool", "Tool (ROUGE-L)", True),
    Metric("target", "Target (ROUGE-L)", True),
    Metric("vlm", "Vision: share of hits (IoU > 0.5)", True),
    Metric("iou", "Mean IoU", True),
    Metric("map50", "mAP at IoU 0.5", True),
    Metric("aim_error_deg_median", "Aim error, median", False, "deg"),
    Metric("aim_error_deg_p95", "Aim error, 95%", False, "deg"),
    Metric("aimed", "Share of turns aimed", True),
    Metric("turn_score", "Turn score", True),
)
BY_NAME = {metric.name: metric for metric in METRICS}


def metrics(scored: Sequence[Scored]) -> dict[str, float]:
    """The run's figures; those for which the truth is missing are left out."""
    found: dict[str, float | None] = {}
    known = [s for s in scored if s.truth is not None]
    words = [s.words for s in known if s.words is not None]
    reference = sum(w.reference_words for w in words)
    if reference:
        wer = sum(w.errors for w in words) / reference
        found["wer"], found["asr"] = wer, 1.0 - wer
    found["nlp"] = _mean([s.nlp for s in known])
    for name in FIELDS:
        found[name] = _mean([s.fields[name] if s.fields else None for s in known])
    found["vlm"] = _mean([s.hit for s in known])
    found["iou"] = _mean([s.iou for s in known])
    searched = [
        (s.answer.candidates, s.truth.others)
        for s in known
        if s.answer is not None
        and s.answer.candidates is not None
        and s.truth is not None
        and s.truth.others is not None
    ]
    detection = average_precision(
        [Boxes.from_boxes([b for b, _ in boxes], [p for _, p in boxes]) for boxes, _ in searched],
        [Boxes.from_boxes(true) for _, true in searched],
    )
    found["map50"] = detection.interpolated_precision if detection.truths else None
    errors = sorted(math.degrees(s.aim_error) for s in known if s.aim_error is not None)
    if errors:
        found["aim_error_deg_median"] = percentile(errors, 50.0)
        found["aim_error_deg_p95"] = percentile(errors, 95.0)
    answers = [s.answer for s in scored if s.answer is not None]
    if answers:
        found["aimed"] = sum(a.aim is not None for a in answers) / len(scored)
    found["turn_score"] = _mean([s.turn for s in known])
    return {m.name: value for m in METRICS if (value := found.get(m.name)) is not None}


def confusion(scored: Sequence[Scored], name: str) -> list[tuple[str, str, int]]:
    """(true, told, count) of one field where the two differ, most frequent first."""
    counts: dict[tuple[str, str], int] = {}
    for s in scored:
        if s.truth is None or getattr(s.truth, name) is None:
            continue
        pair = (getattr(s.truth, name), s.answer.value(name) if s.answer else "")
        if pair[0] != pair[1]:
            counts[pair] = counts.get(pair, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(true, told, count) for (true, told), count in ordered]


def _mean(values: Sequence[float | None]) -> float | None:
    given: list[Any] = [value for value in values if value is not None]
    return math.fsum(given) / len(given) if given else None
