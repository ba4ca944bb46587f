"""Thresholds of a matcher for NOT_FOUND and AMBIGUOUS, from held-out labelled pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from turret_ai.learn.vision import export
from turret_ai.see import manifests
from turret_ai.see.boxes import Boxes, iou
from turret_ai.see.description import Calibration, MatcherDescription, read
from turret_ai.see.locator import SAME_OBJECT, Locator
from turret_ai.see.settings import MatchingSettings, SeeSettings
from turret_ai.types import FloatArray

LOST = 0.02
"""Largest share of true targets that the threshold may turn into NOT_FOUND."""
DOUBTFUL = 0.5
"""Answers are called AMBIGUOUS up to the margin around which fewer than this share are right."""
_NEIGHBOURS = 25


def not_found_threshold(present: FloatArray, absent: FloatArray) -> float:
    """The best score's threshold that tells pictures with the target from those without.

    present, absent: best scores of captions whose craft is or isn't in the picture. The threshold
    of the largest difference of both rates (Youden's J), lowered until at most `LOST` of the
    present ones fall below it.
    """
    levels = np.unique(np.concatenate([present, absent]))
    gain = [(present >= t).mean() - (absent >= t).mean() for t in levels]
    best = float(levels[int(np.argmax(gain))])
    return min(best, float(np.quantile(present, LOST)))


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


def matcher(folder: Path, manifest: Path, pictures: int = 100) -> Calibration:
    """Find the thresholds of an exported matcher, and write them to its model.yaml.

    That of NOT_FOUND on true boxes; the margin of AMBIGUOUS on what the settings' detector finds,
    because its mistakes are rivals too.

    Raises:
        ModelError, InputError: no such model, or no pictures.
    """
    root, about = read(str(folder), MatcherDescription)
    matching = MatchingSettings(models=[str(root)], not_found_below=-1.0, ambiguous_margin=0.0)
    see = Locator(SeeSettings(matching=matching))
    model = see.matcher
    data = manifests.read(manifest)[:pictures]
    present: list[float] = []
    absent: list[float] = []
    margins: list[float] = []
    right: list[bool] = []
    for number, scene in enumerate(data):
        if not len(scene.boxes):
            continue
        others = _others(data, number)
        image = scene.load()
        scores = model(image, Boxes.of(scene.boxes), [*scene.captions, *others])
        present += scores[:, : len(scene.captions)].max(axis=0).tolist()
        absent += scores[:, len(scene.captions) :].max(axis=0).tolist()
        for box, location in zip(scene.boxes, see.locate_all(image, scene.captions), strict=True):
            if location.box is not None:
                chosen = Boxes.from_boxes([location.box]).xyxy
                margins.append(location.margin)
                right.append(bool(iou(chosen, box[None])[0, 0] > SAME_OBJECT))
    found = Calibration(
        not_found_below=not_found_threshold(np.array(present), np.array(absent)),
        ambiguous_margin=ambiguous_margin(np.array(margins), np.array(right)),
    )
    export.describe(root, about.model_copy(update={"calibration": found}))
    return found


def _others(data: Sequence[manifests.Scene], number: int) -> list[str]:
    """Captions of the next picture that are not in this one."""
    own = set(data[number].captions)
    return [c for c in data[(number + 1) % len(data)].captions if c not in own]
