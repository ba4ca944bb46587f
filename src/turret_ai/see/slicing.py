# SPDX-License-Identifier: Apache-2.0
"""Looking at a large picture piece by piece, as SAHI does (Akyon et al., 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """A window of a picture, pixels."""

    left: int
    top: int
    width: int
    height: int


def _starts(length: int, count: int, overlap: float) -> tuple[list[int], int]:
    """Where `count` equal windows start that together cover a length, and their size."""
    if count <= 1:
        return [0], length
    # The windows less their overlaps make up the length; rounded up, so that no gap is left.
    size = min(length, math.ceil(length / (count - (count - 1) * overlap)))
    last = length - size
    return [round(last * i / (count - 1)) for i in range(count)], size


def slices(width: int, height: int, columns: int, rows: int, overlap: float) -> list[Slice]:
    """Windows of one size that cover a picture.

    Args:
        overlap: of neighbours, share of a window's side, in [0, 1).
    """
    lefts, wide = _starts(width, columns, overlap)
    tops, high = _starts(height, rows, overlap)
    windows = [Slice(left, top, wide, high) for top in tops for left in lefts]
    return list(dict.fromkeys(windows))
