# SPDX-License-Identifier: Apache-2.0
"""Finds by how much a detector's boxes are too wide or too flat, from held-out pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turret_ai.errors import InputError
from turret_ai.execution import ExecutionSettings
from turret_ai.learn.vision import export
from turret_ai.learn.vision.calibrate import Marked
from turret_ai.see.boxes import HIT_IOU, Boxes, iou
from turret_ai.see.description import BoxShape, DetectorDescription, read
from turret_ai.see.detection import Detection
from turret_ai.see.settings import DetectionSettings
from turret_ai.types import FloatArray, ImageArray

SAME = 0.3
"""Overlap from which a candidate is taken for a badly measured craft, not for something else."""
_WIDTHS = np.arange(0.86, 1.121, 0.02)
_RISES = np.arange(0.0, 0.161, 0.02)


@dataclass(frozen=True, slots=True)
class FittedShape:
    """The best shape, and the mean overlap of found craft before and with it."""

    shape: BoxShape
    before: float
    after: float


def fit(found: FloatArray, true: FloatArray) -> FittedShape:
    """The shape, on a grid, with which most pairs of boxes, corners (n, 4), are hits and overlap
    best: of the largest sum of the share of hits and the mean overlap.

    Raises:
        InputError: there is no pair.
    """
    if not len(found):
        raise InputError("the boxes can't be fitted: no craft was found")
    boxes = Boxes.of(found)
    scored = []
    for width in _WIDTHS:
        for rise in _RISES:
            overlaps = _overlaps(boxes.reshaped(width, rise).xyxy, true)
            gain = float((overlaps > HIT_IOU).mean() + overlaps.mean())
            scored.append((gain, float(width), float(rise), float(overlaps.mean())))
    _, width, rise, after = max(scored)
    shape = BoxShape(width=round(width, 2), rise=round(rise, 2))
    return FittedShape(shape, float(_overlaps(boxes.xyxy, true).mean()), after)


def _overlaps(found: FloatArray, true: FloatArray) -> FloatArray:
    """Pair by pair, (n,)."""
    pairs = [iou(a[None], b[None])[0, 0] for a, b in zip(found, true, strict=True)]
    return np.array(pairs, np.float32)


def detector(
    folder: Path,
    pictures: Sequence[Marked],
    detect: Callable[[ImageArray], Boxes] | None = None,
) -> FittedShape:
    """Fit the shape of an exported detector's boxes, and write it to its model.yaml.

    detect: finds candidates; None: the detector itself.

    Raises:
        ModelError: no such model.
        InputError: it finds none of the craft.
    """
    root, about = read(str(folder), DetectorDescription)
    if detect is None:
        detect = Detection(DetectionSettings(models=[str(root)]), ExecutionSettings())
    found, true = [], []
    for picture in pictures:
        candidates = detect(picture.image).xyxy
        overlaps = iou(picture.boxes, candidates)
        if not overlaps.size:
            continue
        for box, best in zip(picture.boxes, overlaps.argmax(axis=1), strict=True):
            if iou(box[None], candidates[best : best + 1])[0, 0] > SAME:
                found.append(candidates[best])
                true.append(box)
    fitted = fit(np.array(found, np.float32), np.array(true, np.float32))
    export.describe(root, about.model_copy(update={"shape": fitted.shape}))
    return fitted
