# SPDX-License-Identifier: Apache-2.0
"""From a detector's raw output to boxes in pixels of its input. One function a family.

Each takes the arrays of a batch and gives one `Boxes` an image, before any suppression.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import ModelError
from turret_ai.see.boxes import Boxes
from turret_ai.types import FloatArray

Raw = NDArray[np.float32]


def _centre_to_corners(boxes: FloatArray) -> FloatArray:
    """(n, 4) of centre x, centre y, width, height to corners."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _from_classes(corners: FloatArray, classes: FloatArray, least: float, most: int) -> Boxes:
    """The likeliest class of each of n candidates, (n, c), those above a score, best first."""
    labels = classes.argmax(axis=1)
    scores = classes[np.arange(len(classes)), labels]
    kept = np.flatnonzero(scores >= least)
    kept = kept[np.argsort(-scores[kept], kind="stable")][:most]
    return Boxes.of(corners[kept], scores[kept], labels[kept])


def _as_rows(output: Raw, name: str, least_columns: int) -> Raw:
    if output.ndim != 3 or output.shape[2] < least_columns:
        raise ModelError(
            f"a {name} head gives (batch, candidates, {least_columns} or more); "
            f"this model gives {output.shape}: describe it with another layout"
        )
    return output


def decode_yolov6(outputs: Sequence[Raw], least: float, most: int) -> list[Boxes]:
    """YOLOv5/v6/v7: (B, n, 5 + c): cx, cy, w, h, objectness, classes (probabilities)."""
    rows = _as_rows(outputs[0], "yolov6", 6)
    return [
        _from_classes(_centre_to_corners(r[:, :4]), r[:, 5:] * r[:, 4:5], least, most) for r in rows
    ]


def decode_yolov8(outputs: Sequence[Raw], least: float, most: int) -> list[Boxes]:
    """YOLOv8/v9/v11: (B, 4 + c, n): cx, cy, w, h, class probabilities; a column a candidate."""
    output = outputs[0]
    if output.ndim == 3 and output.shape[1] < output.shape[2]:
        output = output.transpose(0, 2, 1)
    rows = _as_rows(output, "yolov8", 5)
    return [_from_classes(_centre_to_corners(r[:, :4]), r[:, 4:], least, most) for r in rows]


def decode_detr(
    outputs: Sequence[Raw], least: float, most: int, width: int, height: int
) -> list[Boxes]:
    """RT-DETR, D-FINE: logits (B, q, c) with a sigmoid each, and boxes (B, q, 4) as centre and
    size in [0, 1]."""
    if len(outputs) < 2 or outputs[0].ndim != 3 or outputs[1].ndim != 3:
        raise ModelError("a DETR gives logits (B, q, c) and boxes (B, q, 4): describe its outputs")
    logits, boxes = outputs[0], outputs[1]
    if boxes.shape[2] != 4 and logits.shape[2] == 4:
        logits, boxes = boxes, logits
    if boxes.shape[2] != 4:
        raise ModelError(f"no output of this DETR has boxes (B, q, 4): {boxes.shape}")
    scale = np.array([width, height, width, height], np.float32)
    found = []
    for logit, box in zip(logits, boxes, strict=True):
        classes = 1 / (1 + np.exp(-np.clip(logit, -60, 60)))
        found.append(_from_classes(_centre_to_corners(box * scale), classes, least, most))
    return found


def decode_detr_boxes(outputs: Sequence[Raw], least: float, most: int) -> list[Boxes]:
    """A DETR exported with its own post-processing: labels (B, q), corners in pixels (B, q, 4),
    scores (B, q)."""
    if len(outputs) < 3 or outputs[1].ndim != 3 or outputs[1].shape[2] != 4:
        raise ModelError("labels (B, q), boxes (B, q, 4) and scores (B, q) are needed, in order")
    found = []
    for labels, corners, scores in zip(*outputs[:3], strict=True):
        kept = np.flatnonzero(scores >= least)
        kept = kept[np.argsort(-scores[kept], kind="stable")][:most]
        found.append(Boxes.of(corners[kept], scores[kept], labels[kept]))
    return found


def decode_centres(peaks: Raw, sides: Raw, stride: int, least: float, most: int) -> list[Boxes]:
    """Our small detector: peaks (B, c, h, w) in [0, 1], zero beside a local maximum, and distances
    left, top, right, bottom in pixels (B, 4, h, w)."""
    if peaks.ndim != 4 or sides.ndim != 4 or sides.shape[1] != 4:
        raise ModelError(f"centres come as (B, c, h, w) and (B, 4, h, w): got {peaks.shape}")
    found = []
    for peak, side in zip(peaks, sides, strict=True):
        label, y, x = np.nonzero(peak >= least)
        scores = peak[label, y, x]
        best = np.argsort(-scores, kind="stable")[:most]
        label, y, x, scores = label[best], y[best], x[best], scores[best]
        left, top, right, bottom = side[:, y, x]
        cx, cy = (x + 0.5) * stride, (y + 0.5) * stride
        corners = np.stack([cx - left, cy - top, cx + right, cy + bottom], axis=1)
        found.append(Boxes.of(corners, scores, label))
    return found
