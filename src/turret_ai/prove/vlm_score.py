# SPDX-License-Identifier: Apache-2.0
"""The see stage on labelled pictures: the competition's score, and where it is won and lost.

A caption counts when its box has an intersection over union above 0.5 with the true one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from turret_ai import vocabulary
from turret_ai.errors import InputError
from turret_ai.prove.records import Record
from turret_ai.see.boxes import HIT_IOU, Boxes, iou
from turret_ai.see.detection_score import average_precision
from turret_ai.types import Box, FloatArray, ImageArray, Location, LocationStatus

APART = 0.1
"""A candidate that overlaps every craft by less is a false positive."""
LOSSES = ("not detected", "refused", "another craft", "poor box", "no craft")
"""Why captions are missed: no candidate is on the craft; the right one was the best and refused;
another craft's was preferred, a worse one of the same craft, or one where no craft is."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture; captions and boxes go together. An empty caption asks nothing: its box
    counts for detection only. types: of the boxes, "" where they aren't known."""

    name: str
    load: Callable[[], ImageArray]
    captions: tuple[str, ...]
    boxes: tuple[Box, ...]
    types: tuple[str, ...] = ()


@dataclass(slots=True)
class Answered:
    """What was said of one caption.

    overlap: of the answer with the true box; forced: of the best candidate, whether it was taken or
    not. given: the best by the matcher among the true boxes is the right one. lost: where a miss
    comes from, one of `LOSSES`; "" for a hit.
    """

    picture: str
    caption: str
    true: Box
    location: Location
    overlap: float
    forced: float
    given: bool
    lost: str = ""

    @property
    def hit(self) -> bool:
        """Whether it counts."""
        return self.overlap > HIT_IOU

    @property
    def shown(self) -> float:
        """The longer side of the true box, pixels."""
        return max(self.true.width, self.true.height)


@dataclass(slots=True)
class VlmScore:
    """The answers of a data set, the time that each picture took, and of each picture the
    candidates and the true boxes. typed: of each true box of a known type, whether the matcher
    names it rightly."""

    answers: list[Answered] = field(default_factory=list)
    typed: list[bool] = field(default_factory=list)
    frames: list[tuple[Boxes, Boxes]] = field(default_factory=list)
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
    def forced(self) -> float:
        """The score if the best candidate were always answered."""
        return _mean(a.forced > HIT_IOU for a in self.answers)

    @property
    def recall(self) -> float:
        """Share of true boxes that any candidate overlaps by more than a half."""
        found = []
        for frame in self.frames:
            found += (_overlaps(*frame).max(axis=1, initial=0.0) > HIT_IOU).tolist()
        return _mean(found)

    @property
    def false_positives(self) -> float:
        """Candidates a picture that lie on no true box."""
        wrong = [(_overlaps(*f).max(axis=0, initial=0.0) < APART).sum() for f in self.frames]
        return float(np.mean(wrong)) if wrong else 0.0

    def figures(self) -> Record:
        """Everything as plain values."""
        statuses = [a.location.status for a in self.answers]
        detection = average_precision([f for f, _ in self.frames], [t for _, t in self.frames])
        return {
            "pictures": len(self.frames),
            "captions": len(self.answers),
            "vlm": self.hit_rate,
            "vlm_standard_error": _standard_error(self.hit_rate, len(self.answers)),
            "vlm_always_answering": self.forced,
            "detector_recall": self.recall,
            "detector_map50": detection.interpolated_precision if detection.truths else None,
            "false_positives_a_picture": self.false_positives,
            "matcher_top1": self.top1,
            "matcher_type": _mean(self.typed) if self.typed else None,
            "typed_boxes": len(self.typed),
            "found": _mean(s is LocationStatus.FOUND for s in statuses),
            "ambiguous": _mean(s is LocationStatus.AMBIGUOUS for s in statuses),
            "not_found": _mean(s is LocationStatus.NOT_FOUND for s in statuses),
            "lost": {reason: _mean(a.lost == reason for a in self.answers) for reason in LOSSES},
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
                "vlm_always_answering": _mean(a.forced > HIT_IOU for a in some),
                "matcher_top1": _mean(a.given for a in some),
            }
        return rows


def _mean(values: Iterable[bool]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0


def _standard_error(share: float, count: int) -> float:
    """Of a share of so many independent trials."""
    return float(np.sqrt(share * (1.0 - share) / count)) if count else 0.0


def _overlaps(found: Boxes, true: Boxes) -> FloatArray:
    """IoU (true boxes, candidates)."""
    return iou(true.xyxy, found.xyxy)


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
                entry.types,
            )
        )
    return found


def degraded(data: Sequence[Picture], level: str, seed: int = 0) -> list[Picture]:
    """The pictures as a poor camera takes them (`turret_ai.simulate.sensor`), JPEG included.

    Args:
        level: "clean", "mild" or "strong". The same seed spoils a picture always in the same way.
    """
    from turret_ai.see import images
    from turret_ai.simulate import sensor

    def spoilt(picture: Picture, number: int) -> ImageArray:
        rng = np.random.default_rng([seed, number])
        rgb = sensor.degrade(picture.load(), rng, level)
        return images.decode(images.encode(rgb, ".jpg", sensor.jpeg_quality(rng, level)))

    return [replace(p, load=partial(spoilt, p, number)) for number, p in enumerate(data)]


def _overlap(box: Box | None, true: Boxes) -> FloatArray:
    """IoU (true boxes,) of one box, zeros without one."""
    if box is None:
        return np.zeros(len(true), np.float32)
    return np.asarray(iou(Boxes.from_boxes([box]).xyxy, true.xyxy)[0], np.float32)


def _loss(answer: Location, candidates: Boxes, true: Boxes, number: int) -> str:
    """Where a caption was lost, one of `LOSSES`, or "" for a hit. number: its true box."""
    own = iou(true.xyxy[number : number + 1], candidates.xyxy)[0]
    if own.max(initial=0.0) <= HIT_IOU:
        return "not detected"
    best = _overlap(answer.candidates[0][0] if answer.candidates else None, true)
    if answer.box is None and best[number] > HIT_IOU:
        return "refused"
    chosen = best if answer.box is None else _overlap(answer.box, true)
    if chosen[number] > HIT_IOU:
        return ""
    nearest = int(chosen.argmax())
    if chosen[nearest] < APART:
        return "no craft"
    return "poor box" if nearest == number else "another craft"


def score(
    locator: Any, data: Iterable[Picture], report: Callable[[int], None] = lambda _: None
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
        asked = [i for i, caption in enumerate(picture.captions) if caption]
        captions = [picture.captions[i] for i in asked]
        started = time.perf_counter()
        seen = locator.look(rgb)
        locations = locator.choose(seen, captions)
        whole, candidates = time.perf_counter() - started, seen.boxes
        result.seconds["picture"].append(whole)
        result.seconds["detect"].append(locator.seconds["detect"])
        result.seconds["match"].append(whole - locator.seconds["detect"])
        true = Boxes.from_boxes(list(picture.boxes))
        evidence = locator.matcher.encode_boxes(rgb, true)
        given = locator.matcher.score(evidence, true, captions)
        named = locator.matcher.types(evidence)
        result.typed += [n == t for n, t in zip(named, picture.types, strict=False) if t]
        for column, (i, location) in enumerate(zip(asked, locations, strict=True)):
            best = location.candidates[0][0] if location.candidates else None
            result.answers.append(
                Answered(
                    picture.name,
                    picture.captions[i],
                    picture.boxes[i],
                    location,
                    float(_overlap(location.box, true)[i]),
                    float(_overlap(location.box or best, true)[i]),
                    int(given[:, column].argmax()) == i,
                    _loss(location, candidates, true, i),
                )
            )
        result.frames.append((candidates, true))
        report(number)
    return result
