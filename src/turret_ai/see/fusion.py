# SPDX-License-Identifier: Apache-2.0
"""Many boxes for one object become one: suppression and weighted fusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from turret_ai.see.boxes import Boxes, iou


def suppress(boxes: Boxes, threshold: float, smaller: bool = False) -> Boxes:
    """Non-maximum suppression across classes, best first.

    Args:
        threshold: a box that overlaps a better one by more than this goes.
        smaller: measure the overlap by the smaller box, so that parts of an object that a slice
            has cut go too.
    """
    ordered = boxes.best_first()
    overlap = iou(ordered.xyxy, ordered.xyxy, smaller)
    alive = np.ones(len(ordered), bool)
    for i in range(len(ordered)):
        if alive[i]:
            alive[i + 1 :] &= overlap[i, i + 1 :] <= threshold
    return ordered[alive]


def fuse(parts: Sequence[Boxes], threshold: float, weights: Sequence[float] | None = None) -> Boxes:
    """Weighted box fusion (Solovyev, Wang and Gabruseva, 2021): agreeing boxes are averaged.

    A cluster's corners are the mean of its members', weighted by score; its score is their mean,
    lowered where fewer parts than there are found it.

    Args:
        parts: the boxes of each model or view. threshold: least overlap with a cluster's box.
        weights: of the parts; None: equal.
    """
    weights = list(weights) if weights else [1.0] * len(parts)
    every = Boxes.concatenate(parts)
    if not len(every):
        return every
    weight = np.concatenate([np.full(len(p), w) for p, w in zip(parts, weights, strict=True)])
    owner = np.concatenate([np.full(len(p), i) for i, p in enumerate(parts)])
    order = np.argsort(-every.scores * weight, kind="stable")
    corners: list[np.ndarray] = []
    members: list[list[int]] = []
    for i in order.tolist():
        best = -1
        if corners:
            overlap = iou(every.xyxy[i : i + 1], np.asarray(corners, np.float32))[0]
            same = [every.labels[m[0]] == every.labels[i] for m in members]
            overlap = np.where(same, overlap, -1.0)
            best = int(overlap.argmax())
            if overlap[best] <= threshold:
                best = -1
        if best < 0:
            corners.append(every.xyxy[i].astype(np.float64))
            members.append([i])
            continue
        members[best].append(i)
        share = every.scores[members[best]] * weight[members[best]]
        corners[best] = np.average(
            every.xyxy[members[best]], axis=0, weights=np.maximum(share, 1e-9)
        )
    total = sum(weights)
    scores = []
    for group in members:
        mean = np.average(every.scores[group], weights=weight[group])
        present = sum(weights[p] for p in set(owner[group].tolist()))
        scores.append(mean * min(1.0, present / total))
    labels = [every.labels[group[0]] for group in members]
    return Boxes.of(np.asarray(corners), scores, labels).best_first()
