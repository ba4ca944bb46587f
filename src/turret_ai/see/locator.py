# SPDX-License-Identifier: Apache-2.0
"""The whole of this room: a picture and a caption in, a location out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from turret_ai.see import assignment, images
from turret_ai.see.boxes import Boxes, iou
from turret_ai.see.detection import Detection
from turret_ai.see.evidence import Evidence, probability
from turret_ai.see.matcher import Matcher
from turret_ai.see.settings import SeeSettings
from turret_ai.see.upscaler import Upscaler
from turret_ai.types import FloatArray, ImageArray, Location, LocationStatus

__all__ = ["Candidates", "Locator", "SeeSettings", "load"]

SAME_OBJECT = 0.5
"""Boxes that overlap more than this are one object: no rivals of one another."""
ALONE = 20.0
"""Margin of a candidate without rivals, log-odds."""
LONGEST_CAPTION = 1000
"""Characters; the rest is cut."""


def load(settings: SeeSettings | None = None) -> Locator:
    """Load the models of the settings.

    Raises:
        ModelError: a model is missing, broken or of another kind.
        ConfigError: settings that don't go together.
    """
    return Locator(settings or SeeSettings())


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a picture holds, whoever is asked for. boxes: best first, in pixels, shaped as answers
    are; evidence: what each encoder says of them."""

    boxes: Boxes
    evidence: tuple[Evidence, ...]


class Locator:
    """Detector, upscaler and matcher.

    Looking at pictures belongs to one thread at a time, and so does choosing (`prepare`, `choose`);
    both may go on together.
    """

    def __init__(self, settings: SeeSettings) -> None:
        self.settings = settings
        self.detection = Detection(settings.detection, settings.execution)
        upscaler = (
            Upscaler(settings.upscaler, settings.execution) if settings.upscaler.model else None
        )
        self.matcher = Matcher(settings.matching, settings.execution, upscaler)
        self.seconds: dict[str, float] = {}
        """Time spent in the stages "detect" and "match" of the last picture."""

    def prepare(self, caption: str) -> None:
        """Encode a caption ahead, while no picture is there yet."""
        caption = _tidy(caption)
        if caption:
            self.matcher.encode_caption(caption)

    def warm_up(self, width: int = 1520, height: int = 870) -> None:
        """Run once on a grey picture, so that the first real one isn't slower."""
        grey = np.full((height, width, 3), 128, np.uint8)
        self.detect(grey)
        middle = Boxes.of([[width / 4, height / 4, width / 2, height / 2]])
        self.matcher(grey, middle, ["grey drone"])

    def detect(self, rgb: ImageArray) -> Boxes:
        """Every candidate as the detectors give it, best first, in pixels of the picture.

        Raises:
            InputError: not a picture.
        """
        rgb = images.to_rgb(rgb)
        started = time.perf_counter()
        found = self.detection(rgb)
        self.seconds["detect"] = time.perf_counter() - started
        return found

    def locate(self, rgb: ImageArray, caption: str) -> Location:
        """The candidate that fits a caption best.

        Raises:
            InputError: not a picture.
        """
        return self.locate_all(rgb, [caption])[0]

    def look(self, rgb: ImageArray) -> Candidates:
        """The slow part of a search, which needs no caption.

        Raises:
            InputError: not a picture.
        """
        rgb = images.to_rgb(rgb)
        found = self.detect(rgb)
        started = time.perf_counter()
        evidence = self.matcher.encode_boxes(rgb, found) if len(found) else []
        self.seconds["match"] = time.perf_counter() - started
        return Candidates(self.detection.shaped(found, rgb), tuple(evidence))

    def choose(self, candidates: Candidates, captions: Sequence[str]) -> list[Location]:
        """The best candidate of each caption."""
        found = candidates.boxes
        tidy = [_tidy(c) for c in captions]
        asked = [c for c in tidy if c]
        ranking = self.matcher.score(candidates.evidence, found, asked, self._labels(found))
        scores = probability(ranking).astype(np.float32)
        if self.settings.matching.assignment == "optimal":
            chosen = assignment.optimal(ranking)
        else:
            chosen = assignment.independent(ranking)
        answers = iter(
            [self._answer(found, scores[:, j], ranking[:, j], i) for j, i in enumerate(chosen)]
        )
        return [
            next(answers)
            if c
            else Location(LocationStatus.NOT_FOUND, reason="the caption is empty")
            for c in tidy
        ]

    def locate_all(self, rgb: ImageArray, captions: Sequence[str]) -> list[Location]:
        """Look and choose.

        Raises:
            InputError: not a picture.
        """
        candidates = self.look(rgb)
        started = time.perf_counter()
        found = self.choose(candidates, captions)
        self.seconds["match"] += time.perf_counter() - started
        return found

    def _labels(self, boxes: Boxes) -> list[str]:
        # Labels of fused detectors mean something only where all have the same classes.
        first = self.detection.detectors[0]
        if any(d.about.labels != first.about.labels for d in self.detection.detectors):
            return []
        if len(first.about.labels) < 2:
            return []
        return [first.label(i) for i in boxes.labels.tolist()]

    def _answer(
        self, boxes: Boxes, scores: FloatArray, ranking: FloatArray, chosen: int
    ) -> Location:
        if not len(boxes):
            return Location(LocationStatus.NOT_FOUND, reason="no flying object in the image")
        order = np.argsort(-ranking, kind="stable").tolist()
        candidates = tuple(
            (boxes.as_box(i), float(boxes.scores[i]), float(scores[i])) for i in order
        )
        if chosen < 0:
            return Location(
                LocationStatus.NOT_FOUND,
                reason="other captions fit every candidate better",
                candidates=candidates,
            )
        best = float(scores[chosen])
        overlap = iou(boxes.xyxy[chosen : chosen + 1], boxes.xyxy)[0]
        rivals = [i for i in order if i != chosen and overlap[i] <= SAME_OBJECT]
        second = float(scores[rivals[0]]) if rivals else math.nan
        margin = float(ranking[chosen] - ranking[rivals[0]]) if rivals else ALONE
        common = {
            "detection_score": float(boxes.scores[chosen]),
            "match_score": best,
            "margin": margin,
            "candidates": candidates,
        }
        if best < self.matcher.not_found_below and not self.settings.matching.always_answer:
            return Location(
                LocationStatus.NOT_FOUND,
                reason=f"no candidate fits: the best scores {best:.2f}",
                **common,  # type: ignore[arg-type]
            )
        box = boxes.as_box(chosen)
        if rivals and margin < self.matcher.ambiguous_margin:
            return Location(
                LocationStatus.AMBIGUOUS,
                box,
                reason=f"a second candidate fits about equally: {second:.2f} after {best:.2f}",
                **common,  # type: ignore[arg-type]
            )
        return Location(LocationStatus.FOUND, box, **common)  # type: ignore[arg-type]

    def describe(self) -> Mapping[str, object]:
        """The models and what they run on, for diagnostics."""
        detectors, encoders = self.detection.detectors, self.matcher.encoders
        upscaler = self.matcher.upscaler
        return {
            "detector": ", ".join(d.about.name or d.folder.name for d in detectors),
            "matcher": ", ".join(e.about.name or e.folder.name for e in encoders),
            "upscaler": self.settings.upscaler.model if upscaler else "off",
            "device": ", ".join(
                sorted(
                    {d.session.provider for d in detectors} | {e.image.provider for e in encoders}
                )
            ),
        }


def _tidy(caption: str) -> str:
    return " ".join(str(caption).split())[:LONGEST_CAPTION]
