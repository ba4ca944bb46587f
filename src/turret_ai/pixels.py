# SPDX-License-Identifier: Apache-2.0
"""Pixels of more than 8 bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_8_bit(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """16-bit pixels to 8 bit.

    Cameras of 10, 12 or 14 bit fill the lower bits: the fewest of 8, 10, 12, 14 and 16 that hold
    the picture's largest value are its depth, and the upper 8 of them are kept.
    """
    largest = int(values.max(initial=0))
    depth = next(bits for bits in (8, 10, 12, 14, 16) if largest < 1 << bits)
    return (values >> (depth - 8)).astype(np.uint8)
