# SPDX-License-Identifier: Apache-2.0
"""The score of a matcher and its thresholds for NOT_FOUND and AMBIGUOUS, from held-out pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turret_ai.learn.vision import export, fit_score
from turret_ai.learn.vision.fit_score import Question
from turret_ai.see import evidence, manifests
from turret_ai.see.boxes import HIT_IOU, iou
from turret_ai.see.description import Calibration, Heads, MatcherDescription, Terms, read
from turret_ai.see.evidence import Evidence, Table, Wanted
from turret_ai.see.locator import SAME_OBJECT, Locator
from turret_ai.see.settings import MatchingSettings, SeeSettings
from turret_ai.types import FloatArray, ImageArray

LOST = 0.01
"""Largest share of right answers that the threshold may turn into NOT_FOUND. Few: on pictures of
another kind than those that it was found on, right answers score lower."""
GENEROUS = 0.3
"""The threshold is lowered by this factor: right answers are refused more often on pictures of
another kind than those that it was found on, and a wrong answer costs no more than none."""
DOUBTFUL = 0.5
"""Answers are called AMBIGUOUS up to the margin around which fewer than this share are right."""
_NEIGHBOURS = 25


@dataclass(frozen=True, slots=True)
class Marked:
    """A picture with true boxes (n, 4) as corners, and a caption of each, "" where nobody knows."""

    image: ImageArray
    boxes: FloatArray
    captions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture's candidates: what the encoder says of them, their boxes (n, 4), scores (n,) and
    overlaps (n, m) with the true ones; captions of its craft, and of others, with their vectors."""

    evidence: Evidence
    boxes: FloatArray
    detection: FloatArray
    overlaps: FloatArray
    captions: tuple[str, ...]
    absent: tuple[str, ...]
    texts: dict[str, FloatArray]


def not_found_threshold(right: FloatArray, absent: FloatArray) -> float:
    """The threshold of the best score that tells right answers from those to captions of craft that
    aren't there: of the largest difference of both rates (Youden's J), lowered until at most `LOST`
    of the right ones fall below it."""
    levels = np.unique(np.concatenate([right, absent]))
    gain = [(right >= t).mean() - (absent >= t).mean() for t in levels]
    best = float(levels[int(np.argmax(gain))])
    return min(best, float(np.quantile(right, LOST)))


def ambiguous_margin(margins: FloatArray, right: np.ndarray) -> float:
    """The largest margin around which answers are right less often than `DOUBTFUL`; 0 if none is.

    Around: among the `_NEIGHBOURS` answers of the most similar margins.
    """
    count = min(_NEIGHBOURS, len(margins))
    if not count:
        return 0.0
    order = np.argsort(margins)
    share = np.convolve(right[order].astype(np.float64), np.ones(count) / count, mode="valid")
    doubtful = np.flatnonzero(share < DOUBTFUL)
    return float(max(0.0, margins[order][doubtful[-1] + count // 2])) if len(doubtful) else 0.0


def marked(manifest: Path, pictures: int = 100) -> list[Marked]:
    """Labelled pictures of a manifest.

    Raises:
        InputError: no manifest, or an image that is missing.
    """
    return [Marked(s.load(), s.boxes, s.captions) for s in manifests.read(manifest)[:pictures]]


def look(see: Locator, pictures: Sequence[Marked]) -> list[Seen]:
    """Find candidates, and ask the first encoder about them."""
    found = []
    for number, picture in enumerate(pictures):
        candidates = see.detect(picture.image)
        if not len(candidates):
            continue
        own = set(picture.captions)
        others = pictures[(number + 1) % len(pictures)].captions
        absent = tuple(dict.fromkeys(c for c in others if c and c not in own))
        asked = [c for c in [*picture.captions, *absent] if c]
        found.append(
            Seen(
                see.matcher.encode_boxes(picture.image, candidates)[0],
                candidates.xyxy,
                candidates.scores,
                iou(candidates.xyxy, picture.boxes),
                picture.captions,
                absent,
                {c: see.matcher.encode_caption(c)[0] for c in asked},
            )
        )
    return found


def questions(seen: Iterable[Seen], heads: Heads) -> list[Question]:
    """What is asked of each picture: its own captions, and those of craft that aren't there."""
    made = []
    for picture in seen:
        none = np.zeros(len(picture.detection), bool)
        asked = [(c, picture.overlaps[:, i] > HIT_IOU) for i, c in enumerate(picture.captions) if c]
        asked += [(c, none) for c in picture.absent]
        for caption, right in asked:
            wanted = Wanted.read(caption, heads)
            made.append(
                Question(
                    evidence.features(
                        picture.evidence, picture.texts[caption], wanted, picture.detection
                    ),
                    right,
                )
            )
    return made


def score(seen: Sequence[Seen], heads: Heads) -> tuple[Terms, Terms]:
    """Fitted terms: for captions that name a type, and for others, from what is left without the
    heads for type and colours."""
    asked = questions(seen, heads)
    fitted = []
    for used in ([0, 1, 2, 3, 4], [0, 1, 2]):
        some = [Question(_only(q.found, used), q.right) for q in asked]
        fitted.append(fit_score.calibrated(some, fit_score.weights(some)))
    return fitted[0], fitted[1]


def _only(found: Table, columns: Sequence[int]) -> Table:
    kept = np.zeros_like(found)
    kept[:, columns] = found[:, columns]
    return kept


def thresholds(seen: Sequence[Seen], heads: Heads, terms: Terms) -> Calibration:
    """When to say NOT_FOUND or AMBIGUOUS."""
    best_right, best_absent, margins, right = [], [], [], []
    for picture in seen:
        asked = [(c, i) for i, c in enumerate(picture.captions) if c]
        asked += [(c, -1) for c in picture.absent]
        for caption, own in asked:
            wanted = Wanted.read(caption, heads)
            found = evidence.features(
                picture.evidence, picture.texts[caption], wanted, picture.detection
            )
            odds = evidence.log_odds(found, terms)
            chosen = int(odds.argmax())
            chance = float(evidence.probability(odds[chosen]))
            if own < 0:
                best_absent.append(chance)
                continue
            hit = bool(picture.overlaps[chosen, own] > HIT_IOU)
            if hit:
                best_right.append(chance)
            apart = iou(picture.boxes[chosen : chosen + 1], picture.boxes)[0] <= SAME_OBJECT
            if apart.any():
                margins.append(float(odds[chosen] - odds[apart].max()))
                right.append(hit)
    return Calibration(
        not_found_below=round(
            GENEROUS * not_found_threshold(np.array(best_right), np.array(best_absent)), 5
        ),
        ambiguous_margin=round(ambiguous_margin(np.array(margins), np.array(right)), 5),
    )


def matcher(
    folder: Path,
    pictures: Sequence[Marked],
    detection: Any = None,
    context: float | None = None,
) -> MatcherDescription:
    """Fit the score of an exported matcher and its thresholds; write them to its model.yaml.

    Candidates are those of the settings' detector, because its mistakes are rivals.

    Args:
        detection: what finds them, instead of a `turret_ai.see.detection.Detection` of its own.
        context: of its crops, from now on (see `CropShape`); None: as it is.

    Raises:
        ModelError: no such model.
    """
    root, about = read(str(folder), MatcherDescription)
    context = about.crop.context if context is None else context
    see = Locator(SeeSettings(matching=MatchingSettings(models=[str(root)], context=context)))
    see.detection = detection or see.detection
    seen = look(see, pictures)
    named, unnamed = score(seen, about.heads)
    found = about.model_copy(
        update={
            "crop": about.crop.model_copy(update={"context": context}),
            "score": named,
            "score_unnamed": unnamed,
            "calibration": thresholds(seen, about.heads, named),
        }
    )
    export.describe(root, found)
    return found
