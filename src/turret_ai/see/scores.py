# SPDX-License-Identifier: Apache-2.0
"""Saved scores of predictions, and the weighing of several predictions of the same things.

One JSON object a line:

    {"image": ..., "caption": ..., "boxes": [[l, t, w, h], ...], "detection": [...], "match": [...]}
    {"image": ..., "probabilities": {class: p, ...}}
    {"audio": ..., "alternatives": [{"text": ..., "score": log-probability}, ...]}
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from turret_ai import documents
from turret_ai.errors import InputError
from turret_ai.see.boxes import Boxes, iou
from turret_ai.types import Box, Location

SAME = 0.5
"""Overlap above which boxes of two predictions are one object."""

Row = dict[str, Any]


def of_location(image: str, caption: str, location: Location) -> Row:
    """What `--save-scores` of locate writes: every candidate, best first."""
    candidates = location.candidates
    return {
        "image": image,
        "caption": caption,
        "boxes": [[round(v, 2) for v in box.as_list()] for box, _, _ in candidates],
        "detection": [round(d, 5) for _, d, _ in candidates],
        "match": [round(m, 5) for _, _, m in candidates],
    }


def read(path: Path) -> list[Row]:
    """Read a file of saved scores.

    Raises:
        InputError: it can't be read, or a line isn't an object with scores.
    """
    rows = []
    for number, line in documents.read_lines(path):
        row = documents.parse_json(line, f"{path}, line {number}")
        if not isinstance(row, dict) or _kind(row) is None:
            raise InputError(
                f"{path}, line {number}: no saved scores of locate, classify, transcribe"
            )
        rows.append(row)
    return rows


def _kind(row: Row) -> str | None:
    for kind in ("match", "probabilities", "alternatives"):
        if kind in row:
            return kind
    return None


def _key(row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in ("image", "audio", "caption"))


def ensemble(files: Sequence[Sequence[Row]], weights: Sequence[float]) -> list[Row]:
    """Weighted means of several predictions of the same things, in the first file's order.

    Raises:
        InputError: the files don't predict the same things, or weights that make no sense.
    """
    if len(weights) != len(files) or any(w < 0 or not math.isfinite(w) for w in weights):
        raise InputError(f"{len(files)} files need as many weights, none negative")
    total = sum(weights)
    if total <= 0:
        raise InputError("the weights are all zero")
    shares = [w / total for w in weights]
    tables = [{_key(row): row for row in rows} for rows in files]
    for number, table in enumerate(tables[1:], 2):
        if table.keys() != tables[0].keys():
            other = sorted(set(table) ^ set(tables[0]))[0]
            raise InputError(f"file {number} doesn't predict what file 1 does: {other}")
    combine = {"match": _locations, "probabilities": _classes, "alternatives": _texts}
    out = []
    for key, row in tables[0].items():
        same = [table[key] for table in tables]
        kind = _kind(row)
        if kind is None or any(_kind(r) != kind for r in same):
            raise InputError(f"the files hold scores of different kinds: {key}")
        try:
            out.append(combine[kind](same, shares))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"scores of {key} are not whole: {error}") from error
    return out


def _locations(rows: Sequence[Row], shares: Sequence[float]) -> Row:
    """Boxes that overlap are one; a prediction that lacks one gives it its own lowest score."""
    boxes: list[list[float]] = []
    owners: list[tuple[int, int]] = []
    for number, row in enumerate(rows):
        for place, box in enumerate(row["boxes"]):
            boxes.append([float(v) for v in box])
            owners.append((number, place))
    xyxy = Boxes.from_boxes([Box(*b) for b in boxes]).xyxy
    overlap = iou(xyxy, xyxy)
    free = set(range(len(boxes)))
    found = []
    for i in range(len(boxes)):
        if i not in free:
            continue
        group: dict[int, int] = {}
        for j in sorted(free, key=lambda k: -overlap[i, k]):
            if overlap[i, j] > SAME and owners[j][0] not in group:
                group[owners[j][0]] = j
        free -= set(group.values())
        match = detection = 0.0
        mean, present = np.zeros(4), 0.0
        for number, (row, share) in enumerate(zip(rows, shares, strict=True)):
            if number in group:
                place = owners[group[number]][1]
                match += share * float(row["match"][place])
                detection += share * float(row["detection"][place])
                mean += share * np.asarray(boxes[group[number]])
                present += share
            else:
                match += share * min((float(m) for m in row["match"]), default=-1.0)
        if present > 0:
            found.append((match, detection, (mean / present).tolist()))
    found.sort(key=lambda f: -f[0])
    return {
        "image": rows[0]["image"],
        "caption": rows[0].get("caption", ""),
        "bbox": [round(v, 2) for v in found[0][2]] if found else None,
        "boxes": [[round(v, 2) for v in f[2]] for f in found],
        "detection": [round(f[1], 5) for f in found],
        "match": [round(f[0], 5) for f in found],
    }


def _classes(rows: Sequence[Row], shares: Sequence[float]) -> Row:
    names = list(dict.fromkeys(name for row in rows for name in row["probabilities"]))
    mean = {
        name: sum(
            share * float(row["probabilities"].get(name, 0.0))
            for row, share in zip(rows, shares, strict=True)
        )
        for name in names
    }
    best = max(mean, key=lambda name: mean[name]) if mean else ""
    ordered = {name: round(mean[name], 5) for name in sorted(mean, key=lambda n: -mean[n])}
    return {"image": rows[0]["image"], "class": best, "probabilities": ordered}


def _texts(rows: Sequence[Row], shares: Sequence[float]) -> Row:
    """Hypotheses as probabilities within each prediction, then the weighted mean."""
    mean: dict[str, float] = {}
    for row, share in zip(rows, shares, strict=True):
        scores = np.array([float(h["score"]) for h in row["alternatives"]])
        if not len(scores):
            continue
        chance = np.exp(scores - scores.max())
        for hypothesis, p in zip(row["alternatives"], chance / chance.sum(), strict=True):
            text = str(hypothesis["text"])
            mean[text] = mean.get(text, 0.0) + share * float(p)
    ordered = sorted(mean.items(), key=lambda item: -item[1])
    return {
        "audio": rows[0].get("audio", ""),
        "text": ordered[0][0] if ordered else "",
        "alternatives": [
            {"text": t, "score": round(math.log(max(p, 1e-12)), 5)} for t, p in ordered
        ],
    }
