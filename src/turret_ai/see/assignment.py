# SPDX-License-Identifier: Apache-2.0
"""Which box each caption gets."""

from __future__ import annotations

import numpy as np

from turret_ai.types import FloatArray


def independent(scores: FloatArray) -> list[int]:
    """The best box of each caption, -1 where there are no boxes. scores: (boxes, captions)."""
    if scores.shape[0] == 0:
        return [-1] * scores.shape[1]
    return [int(i) for i in scores.argmax(axis=0)]


def optimal(scores: FloatArray) -> list[int]:
    """No box twice, highest sum (Hungarian method); -1 for captions that are left over."""
    from scipy.optimize import linear_sum_assignment  # slow to import, and seldom needed

    chosen = [-1] * scores.shape[1]
    rows, columns = linear_sum_assignment(np.asarray(scores, np.float64), maximize=True)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        chosen[column] = row
    return chosen
