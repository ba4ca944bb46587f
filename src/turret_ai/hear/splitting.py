# SPDX-License-Identifier: Apache-2.0
"""Utterances longer than a model's window are cut where nobody speaks."""

from __future__ import annotations

import numpy as np

from turret_ai.hear import vad
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.types import FloatArray

_EARLIEST = 0.5
"""A cut is looked for in the second half of the window."""


def split(samples: FloatArray, window_s: float) -> list[FloatArray]:
    """Pieces of at most the window's length, cut in the longest pause or at the least speech.

    Args:
        samples: mono float32, 16 kHz.
    """
    most = int(window_s * SAMPLE_RATE)
    if len(samples) <= most:
        return [samples]
    speech = vad.probabilities(samples)
    # A pause counts by what is around it: a lone quiet block may be a plosive.
    smooth = np.convolve(speech, np.ones(9) / 9, mode="same")
    pieces = []
    start = 0
    while len(samples) - start > most:
        first = (start + int(_EARLIEST * most)) // vad.BLOCK
        last = (start + most) // vad.BLOCK
        cut = (first + int(np.argmin(smooth[first:last]))) * vad.BLOCK
        pieces.append(samples[start:cut])
        start = cut
    pieces.append(samples[start:])
    return pieces
