# SPDX-License-Identifier: Apache-2.0
"""Mean average precision of the candidate boxes, by faster-coco-eval (COCO's definition)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turret_ai.types import Box


@dataclass(frozen=True, slots=True)
class Frame:
    """One searched image: candidate boxes with their scores, and every true box."""

    found: tuple[tuple[Box, float], ...]
    true: tuple[Box, ...]


def map50(frames: Sequence[Frame]) -> float | None:
    """mAP at IoU 0.5 of one class over all images, 0..1; None where nothing is true."""
    annotations: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    for image, frame in enumerate(frames, 1):
        common = {"image_id": image, "category_id": 1}
        for box in frame.true:
            annotations.append(
                {
                    **common,
                    "id": len(annotations) + 1,
                    "bbox": box.as_list(),
                    "area": box.width * box.height,
                    "iscrowd": 0,
                }
            )
        for box, score in frame.found:
            detections.append({**common, "bbox": box.as_list(), "score": float(score)})
    if not annotations:
        return None
    if not detections:
        return 0.0
    from faster_coco_eval import COCO, COCOeval_faster

    truth = COCO(
        {
            "images": [{"id": image} for image in range(1, len(frames) + 1)],
            "annotations": annotations,
            "categories": [{"id": 1, "name": "craft"}],
        }
    )
    evaluation = COCOeval_faster(
        truth, truth.loadRes(detections), iouType="bbox", print_function=lambda *_: None
    )
    evaluation.params.iouThrs = np.array([0.5])
    evaluation.evaluate()
    evaluation.accumulate()
    # Axes: threshold, recall, class, area (0: all), most detections (last: 100).
    precision = evaluation.eval["precision"][0, :, 0, 0, -1]
    return float(precision[precision > -1].mean())
