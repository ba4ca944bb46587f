# SPDX-License-Identifier: Apache-2.0
"""The competition's vision score of predictions in a file: one box for each caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turret_ai.errors import InputError
from turret_ai.prove.records import Record, match, text_of
from turret_ai.prove.results import box_from
from turret_ai.prove.score import box_iou
from turret_ai.see.boxes import HIT_IOU


@dataclass(frozen=True, slots=True)
class BoxScore:
    """Means over every caption of the truth. remarks: what did not match."""

    hit_rate: float
    iou: float
    captions: int
    remarks: tuple[str, ...]


def score(predictions: Sequence[Mapping[str, Any]], truth: Sequence[Mapping[str, Any]]) -> BoxScore:
    """1 for each caption whose box has an IoU above 0.5, else 0; the mean.

    Args:
        predictions, truth: lines `{"image": ..., "annotations": [{"caption", "bbox"}]}` or
            `{"key": ..., "bbox": [left, top, width, height]}`, pixels. A caption without a
            prediction, or with an empty box, is a miss.

    Raises:
        InputError: a line of another form, a caption twice in an image, a true box that is empty.
    """
    pairs = match(_flat(predictions, "predictions"), _flat(truth, "truth"))
    overlaps = []
    for pair in pairs.pairs:
        true = box_from(pair.truth["bbox"], f"truth, {pair.key}")
        if true is None:
            raise InputError(f"truth, {pair.key}: the box is empty")
        given = pair.prediction and box_from(pair.prediction["bbox"], f"predictions, {pair.key}")
        overlaps.append(box_iou(given, true) if given else 0.0)
    count = len(overlaps)
    return BoxScore(
        sum(overlap > HIT_IOU for overlap in overlaps) / count,
        sum(overlaps) / count,
        count,
        tuple(pairs.remarks),
    )


def _flat(lines: Sequence[Mapping[str, Any]], side: str) -> list[Record]:
    """One record for each box; the key of an annotation is its image and caption."""
    found: list[Record] = []
    for number, line in enumerate(lines, 1):
        where = f"{side}, record {number}"
        if "annotations" not in line:
            if "bbox" not in line:
                raise InputError(f"{where}: neither 'annotations' nor 'bbox'")
            found.append({"key": line.get("key"), "bbox": line["bbox"]})
            continue
        image, annotations = text_of(line, "image", where), line["annotations"]
        if not isinstance(annotations, list):
            raise InputError(f"{where}: 'annotations' must be a list")
        for annotation in annotations:
            if not isinstance(annotation, Mapping) or "bbox" not in annotation:
                raise InputError(f"{where}: an annotation has caption and bbox, not {annotation!r}")
            caption = text_of(annotation, "caption", where)
            found.append({"key": f"{image}: {caption}", "bbox": annotation["bbox"]})
    return found
