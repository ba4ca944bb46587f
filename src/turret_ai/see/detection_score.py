# SPDX-License-Identifier: Apache-2.0
"""How good a detector is: recall, precision and average precision at one overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turret_ai.see.boxes import Boxes, iou
from turret_ai.types import FloatArray


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """scores: (n,) of every box found, falling; hits: (n,) bool, whether it found a true box."""

    scores: FloatArray
    hits: np.ndarray
    truths: int

    def recall_at(self, score: float) -> float:
        """Share of the true boxes that are found with at least that score."""
        return float(self.hits[self.scores >= score].sum() / max(1, self.truths))

    def precision_at(self, score: float) -> float:
        """Share of the boxes with at least that score that are true."""
        kept = self.hits[self.scores >= score]
        return float(kept.mean()) if len(kept) else 0.0

    @property
    def average_precision(self) -> float:
        """Area under the precision-recall curve, all points, precision made monotone (PASCAL VOC
        2010 on)."""
        recall, precision = self._curve()
        return float(np.sum(np.diff(recall, prepend=0.0) * precision))

    @property
    def interpolated_precision(self) -> float:
        """The mean of the same curve at the recalls 0, .01, ... 1, as COCO counts."""
        recall, precision = self._curve()
        places = np.searchsorted(recall, np.linspace(0.0, 1.0, 101), side="left")
        return float(np.append(precision, 0.0)[places].mean())

    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        found = np.cumsum(self.hits)
        precision = found / np.arange(1, len(found) + 1)
        return found / max(1, self.truths), np.maximum.accumulate(precision[::-1])[::-1]


def average_precision(
    found: Sequence[Boxes], true: Sequence[Boxes], threshold: float = 0.5
) -> DetectionScore:
    """Match found boxes to true ones, best score first, each true box once.

    Args:
        found, true: one entry for each image. threshold: least intersection over union of a hit.
    """
    scores: list[FloatArray] = []
    hits: list[np.ndarray] = []
    for boxes, truths in zip(found, true, strict=True):
        ordered = boxes.best_first()
        overlap = iou(ordered.xyxy, truths.xyxy)
        hit = np.zeros(len(ordered), bool)
        free = np.ones(len(truths), bool)
        for i in range(len(ordered)):
            if not free.any():
                break
            j = int(np.argmax(np.where(free, overlap[i], -1.0)))
            if overlap[i, j] > threshold:
                hit[i], free[j] = True, False
        scores.append(ordered.scores)
        hits.append(hit)
    all_scores = np.concatenate(scores) if scores else np.zeros(0, np.float32)
    all_hits = np.concatenate(hits) if hits else np.zeros(0, bool)
    order = np.argsort(-all_scores, kind="stable")
    return DetectionScore(all_scores[order], all_hits[order], sum(len(t) for t in true))
