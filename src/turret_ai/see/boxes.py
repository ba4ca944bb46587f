# SPDX-License-Identifier: Apache-2.0
"""The one array of boxes that everything in this room passes along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.types import Box, FloatArray

IntArray = NDArray[np.int32]

HIT_IOU = 0.5
"""A box counts when its IoU with the true one is above it (the competition's rule)."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """n boxes of one image.

    xyxy: (n, 4) float32 corners x0, y0, x1, y1 in pixels; pixel (0, 0) spans [0, 1) x [0, 1).
    scores: (n,) float32 in [0, 1].
    labels: (n,) int32 classes of the detector, 0 where it has only one.
    """

    xyxy: FloatArray
    scores: FloatArray
    labels: IntArray

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        if self.xyxy.shape != (n, 4) or self.scores.shape != (n,) or self.labels.shape != (n,):
            raise ValueError(
                f"shapes differ: {self.xyxy.shape}, {self.scores.shape}, {self.labels.shape}"
            )

    @classmethod
    def of(cls, xyxy: Any, scores: Any = None, labels: Any = None) -> Boxes:
        """From anything array-like; scores default to 1, labels to 0."""
        corners = np.asarray(xyxy, np.float32).reshape(-1, 4)
        n = len(corners)
        return cls(
            corners,
            np.ones(n, np.float32) if scores is None else np.asarray(scores, np.float32),
            np.zeros(n, np.int32) if labels is None else np.asarray(labels, np.int32),
        )

    @classmethod
    def empty(cls) -> Boxes:
        """No boxes."""
        return cls.of(np.zeros((0, 4), np.float32))

    @classmethod
    def from_boxes(cls, boxes: Sequence[Box], scores: Any = None) -> Boxes:
        """From left, top, width, height; scores as of `of`."""
        corners = [[b.left, b.top, b.left + b.width, b.top + b.height] for b in boxes]
        return cls.of(corners, scores)

    @staticmethod
    def concatenate(parts: Iterable[Boxes]) -> Boxes:
        """All boxes of several arrays, in order."""
        parts = list(parts)
        if not parts:
            return Boxes.empty()
        return Boxes(
            np.concatenate([p.xyxy for p in parts]),
            np.concatenate([p.scores for p in parts]),
            np.concatenate([p.labels for p in parts]),
        )

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, which: Any) -> Boxes:
        """Those of a mask, a slice or an array of indices."""
        if isinstance(which, int | np.integer):
            which = [which]
        return Boxes(self.xyxy[which], self.scores[which], self.labels[which])

    @property
    def width(self) -> FloatArray:
        """(n,) pixels."""
        return self.xyxy[:, 2] - self.xyxy[:, 0]

    @property
    def height(self) -> FloatArray:
        """(n,) pixels."""
        return self.xyxy[:, 3] - self.xyxy[:, 1]

    @property
    def area(self) -> FloatArray:
        """(n,) square pixels; 0 for boxes that are inside out."""
        return np.maximum(self.width, 0) * np.maximum(self.height, 0)

    def moved(self, x: float, y: float) -> Boxes:
        """Shifted by (x, y) pixels."""
        shift = np.array([x, y, x, y], np.float32)
        return Boxes(self.xyxy + shift, self.scores, self.labels)

    def scaled(self, x: float, y: float) -> Boxes:
        """Multiplied by (x, y)."""
        factor = np.array([x, y, x, y], np.float64)
        return Boxes((self.xyxy * factor).astype(np.float32), self.scores, self.labels)

    def reshaped(self, width: float, rise: float) -> Boxes:
        """About their middles: `width` times as wide, and higher by `rise` of what they had been
        wider than high."""
        less = (1.0 - width) / 2.0 * self.width
        more = rise / 2.0 * np.maximum(self.width - self.height, 0.0)
        change = np.stack([less, -more, -less, more], axis=1)
        return Boxes((self.xyxy + change).astype(np.float32), self.scores, self.labels)

    def flipped(self, width: float) -> Boxes:
        """Mirrored left to right in an image of that width."""
        xyxy = self.xyxy[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
        xyxy += np.array([width, 0, width, 0], np.float32)
        return Boxes(xyxy, self.scores, self.labels)

    def within(self, width: float, height: float) -> Boxes:
        """Cut at an image's borders; none is dropped."""
        limits = np.array([width, height, width, height], np.float32)
        return Boxes(np.clip(self.xyxy, 0, limits), self.scores, self.labels)

    def clip(self, width: float, height: float) -> Boxes:
        """Cut at an image's borders; what has no area left, or isn't finite, is dropped."""
        xyxy = self.within(width, height).xyxy
        good = np.isfinite(self.xyxy).all(axis=1) & np.isfinite(self.scores)
        good &= (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        return Boxes(xyxy[good], self.scores[good], self.labels[good])

    def best_first(self) -> Boxes:
        """Ordered by falling score; equal ones keep their order."""
        return self[np.argsort(-self.scores, kind="stable")]

    def above(self, score: float) -> Boxes:
        """Those with at least that score."""
        return self[self.scores >= score]

    def as_box(self, index: int) -> Box:
        """One of them as left, top, width, height."""
        x0, y0, x1, y1 = (float(v) for v in self.xyxy[index])
        return Box(x0, y0, x1 - x0, y1 - y0)


def iou(a: FloatArray, b: FloatArray, smaller: bool = False) -> FloatArray:
    """Intersection over union of every pair: (n, 4) and (m, 4) corners to (n, m) in [0, 1].

    smaller: over the smaller box instead, so that a part of a box counts as that box.
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.prod(np.maximum(high - low, 0), axis=2)
    area_a = np.prod(np.maximum(a[:, 2:] - a[:, :2], 0), axis=1)
    area_b = np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1)
    union = area_a[:, None] + area_b[None] - inter
    whole = np.minimum(area_a[:, None], area_b[None]) if smaller else union
    shares: FloatArray = np.divide(
        inter, whole, out=np.zeros_like(inter, np.float32), where=whole > 0
    )
    return shares
