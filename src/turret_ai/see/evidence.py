# SPDX-License-Identifier: Apache-2.0
"""What encoders say of crops, and the one score that is made of it.

score = bias + the weighted sum of: the cosine of picture and caption; the detector's score; and, by
the heads of an image encoder that has them, the log-probabilities that this is a craft, that it is
of the caption's type, and that it has the caption's colours and no others. Weights and bias come
with the model; they are fitted so that the score is the log-odds that the box is what is described.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.see.description import Heads, Terms
from turret_ai.types import FloatArray

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of n crops, by one encoder; None where it has no such head.

    vectors: (n, e) of unit length. types: (n, t) log-probabilities. colours: (n, c) and craft: (n,)
    log-odds.
    """

    vectors: FloatArray
    types: FloatArray | None = None
    colours: FloatArray | None = None
    craft: FloatArray | None = None

    @classmethod
    def join(cls, parts: Sequence[Evidence]) -> Evidence:
        """Of all crops of several batches, in order."""
        if not parts:
            return cls(np.zeros((0, 1), np.float32))
        return _each(np.concatenate, parts)

    @classmethod
    def mean(cls, views: Sequence[Evidence]) -> Evidence:
        """Of several views of the same crops; vectors keep their unit length."""
        found = _each(lambda arrays: np.mean(arrays, axis=0), views)
        length = np.linalg.norm(found.vectors, axis=1, keepdims=True)
        unit = (found.vectors / np.maximum(length, 1e-12)).astype(np.float32)
        return Evidence(unit, found.types, found.colours, found.craft)


def _each(how: Callable[[list[FloatArray]], FloatArray], parts: Sequence[Evidence]) -> Evidence:
    def one(arrays: list[FloatArray | None]) -> FloatArray | None:
        there = [a for a in arrays if a is not None]
        return np.asarray(how(there), np.float32) if there else None

    return Evidence(
        np.asarray(how([p.vectors for p in parts]), np.float32),
        one([p.types for p in parts]),
        one([p.colours for p in parts]),
        one([p.craft for p in parts]),
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caption asks of the heads: a type by its number, or None; which colours, (c,) bool."""

    type_number: int | None
    colours: NDArray[np.bool_]

    @classmethod
    def read(cls, caption: str, heads: Heads) -> Wanted:
        """The longest known type that the caption ends with, or else holds; its known colours."""
        words = caption.lower().replace(",", " ").replace("-", " ").split()
        text = f" {' '.join(words)} "
        known = sorted(heads.types, key=len, reverse=True)
        ending = [t for t in known if text.endswith(f" {t} ")]
        found = ending or [t for t in known if f" {t} " in text]
        number = heads.types.index(found[0]) if found else None
        return cls(number, np.array([c in words for c in heads.colours], bool))


def _log_sigmoid(x: FloatArray) -> FloatArray:
    return -np.logaddexp(np.float32(0), -x)


def features(
    evidence: Evidence, caption: FloatArray, wanted: Wanted, detection: FloatArray
) -> Table:
    """(n, 5) float64: what the weights of `Terms` are for, in their order; 0 where a head is
    missing or the caption doesn't ask it.

    Args:
        caption: its unit vector (e,). detection: scores of the boxes (n,).
    """
    found = np.zeros((len(evidence.vectors), 5))
    found[:, 0] = evidence.vectors @ caption
    found[:, 1] = detection
    if evidence.craft is not None:
        found[:, 2] = _log_sigmoid(evidence.craft)
    if evidence.types is not None and wanted.type_number is not None:
        found[:, 3] = evidence.types[:, wanted.type_number]
    if evidence.colours is not None and wanted.colours.any():
        signs = np.where(wanted.colours, 1, -1).astype(np.float32)
        found[:, 4] = _log_sigmoid(evidence.colours * signs).sum(axis=1)
    return found


def log_odds(found: Table, terms: Terms) -> Table:
    """(n,) scores of `features`."""
    weights = [terms.cosine, terms.detection, terms.craft, terms.types, terms.colours]
    return np.asarray(found @ np.array(weights) + terms.bias)


def probability(score: Table | FloatArray) -> Table:
    """Of log-odds."""
    clipped = np.clip(np.asarray(score, np.float64), -60, 60)
    return np.asarray(1 / (1 + np.exp(-clipped)))
