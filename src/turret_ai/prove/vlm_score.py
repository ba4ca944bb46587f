"""The see stage on labelled pictures: the competition's score, and where it is won and lost.

A caption counts when its box has an intersection over union above 0.5 with the true one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from turret_ai import vocabulary
from turret_ai.errors import InputError
from turret_ai.prove.detection_map import Frame, map50
from turret_ai.prove.records import Record
from turret_ai.see.boxes import Boxes, iou
from turret_ai.types import Box, ImageArray, Location, LocationStatus

HIT = 0.5
"""Least overlap of a hit, exclusive (the competition's rule)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture; captions and boxes go together."""

    name: str
    load: Callable[[], ImageArray]
    captions: tuple[str, ...]
    boxes: tuple[Box, ...]


@dataclass(slots=True)
class Answered:
    """What was said of one caption. shown: the longer side of the true box, pixels.

    given: the best by the matcher among the true boxes is the right one.
    """

    picture: str
    caption: str
    true: Box
    location: Location
    overlap: float
    given: bool

    @property
    def hit(self) -> bool:
        """Whether it counts."""
        return self.overlap > HIT

    @property
    def shown(self) -> float:
        """The longer side of the true box, pixels."""
        return max(self.true.width, self.true.height)


@dataclass(slots=True)
class VlmScore:
    """The answers of a data set, its detections, and the time that each picture took."""

    answers: list[Answered] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    @property
    def hit_rate(self) -> float:
        """The competition's score."""
        return _mean(a.hit for a in self.answers)

    @property
    def top1(self) -> float:
        """Share of captions whose true box wins among the true boxes."""
        return _mean(a.given for a in self.answers)

    @property
    def recall(self) -> float:
        """Share of true boxes that any candidate overlaps by more than a half."""
        found = []
        for frame in self.frames:
            true = Boxes.from_boxes(list(frame.true)).xyxy
            candidates = Boxes.from_boxes([b for b, _ in frame.found]).xyxy
            overlap = iou(true, candidates)
            found += (overlap.max(axis=1, initial=0.0) > HIT).tolist()
        return _mean(found)

    def figures(self) -> Record:
        """Everything as plain values."""
        statuses = [a.location.status for a in self.answers]
        return {
            "pictures": len(self.frames),
            "captions": len(self.answers),
            "vlm": self.hit_rate,
            "detector_recall": self.recall,
            "detector_map50": map50(self.frames),
            "matcher_top1": self.top1,
            "found": _mean(s is LocationStatus.FOUND for s in statuses),
            "ambiguous": _mean(s is LocationStatus.AMBIGUOUS for s in statuses),
            "not_found": _mean(s is LocationStatus.NOT_FOUND for s in statuses),
            "milliseconds": {
                name: round(1e3 * float(np.median(values)), 1)
                for name, values in self.seconds.items()
            },
        }

    def by(self, group: Callable[[Answered], str]) -> dict[str, Mapping[str, float]]:
        """Hit rate and top-1 for each group of captions."""
        names = sorted({group(a) for a in self.answers})
        rows: dict[str, Mapping[str, float]] = {}
        for name in names:
            some = [a for a in self.answers if group(a) == name]
            rows[name] = {
                "captions": float(len(some)),
                "vlm": _mean(a.hit for a in some),
                "matcher_top1": _mean(a.given for a in some),
            }
        return rows


def _mean(values: Iterable[bool]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0


def size_group(answer: Answered) -> str:
    """By the longer side of the true box."""
    for limit in (24, 48, 96, 192):
        if answer.shown < limit:
            return f"below {limit:3d} px"
    return "192 px and more"


def type_group(answer: Answered) -> str:
    """By the type that the caption ends with."""
    types = sorted(vocabulary.load().type_names, key=len, reverse=True)
    return next((t for t in types if answer.caption.lower().endswith(t)), "other")


def colour_group(answer: Answered) -> str:
    """By how many colours the caption names."""
    words = answer.caption.lower().replace(",", " ").split()
    return f"{sum(w in vocabulary.load().colour_names for w in words)} colours"


def pictures(manifest: str) -> list[Picture]:
    """The pictures of a competition manifest (JSON lines) or of the folder that holds it.

    Raises:
        InputError: no manifest, a broken line, or an image that is missing.
    """
    from turret_ai.see import images, manifests

    found = []
    for entry in manifests.read(manifest):
        boxes = Boxes.of(entry.boxes)
        found.append(
            Picture(
                entry.path.name,
                lambda path=entry.path: images.load(path),  # type: ignore[misc]
                entry.captions,
                tuple(boxes.as_box(i) for i in range(len(boxes))),
            )
        )
    return found


def score(
    locator: Any, data: Sequence[Picture], report: Callable[[int], None] = lambda _: None
) -> VlmScore:
    """Locate every caption of every picture.

    Args:
        locator: a `turret_ai.see.locator.Locator`.
        report: called with the number of pictures that are done.

    Raises:
        InputError: a picture can't be read.
    """
    result = VlmScore(seconds={"detect": [], "match": [], "picture": []})
    for number, picture in enumerate(data, 1):
        rgb = picture.load()
        if len(picture.captions) != len(picture.boxes):
            raise InputError(f"{picture.name}: captions and boxes don't go together")
        started = time.perf_counter()
        candidates = locator.detect(rgb)
        locations = locator.locate_all(rgb, picture.captions, candidates)
        result.seconds["picture"].append(time.perf_counter() - started)
        result.seconds["detect"].append(locator.seconds["detect"])
        result.seconds["match"].append(locator.seconds["match"])
        true = Boxes.from_boxes(list(picture.boxes))
        given = locator.matcher(rgb, true, list(picture.captions))
        for i, (caption, box) in enumerate(zip(picture.captions, picture.boxes, strict=True)):
            location = locations[i]
            overlap = 0.0
            if location.box is not None:
                chosen = Boxes.from_boxes([location.box]).xyxy
                overlap = float(iou(chosen, true.xyxy[i : i + 1])[0, 0])
            best = bool(len(given) and int(given[:, i].argmax()) == i)
            result.answers.append(Answered(picture.name, caption, box, location, overlap, best))
        found = tuple(
            (candidates.as_box(i), float(candidates.scores[i])) for i in range(len(candidates))
        )
        result.frames.append(Frame(found, picture.boxes))
        report(number)
    return result
