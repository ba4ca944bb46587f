# SPDX-License-Identifier: Apache-2.0
"""Undo the colouring of a radio: bring the long-term spectrum back to that of plain speech."""

from __future__ import annotations

import numpy as np

from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.types import FloatArray

STRENGTH = 0.7
"""Share of the difference (in dB) that is corrected; found on synthetic radio speech."""
_SLOPE = 1.6
"""Power of speech falls with frequency to this power above 300 Hz (roughly Byrne et al., 1994)."""
_FLAT_HZ = 300.0
_SMOOTH_HZ = 150.0
_RANGE = 1e-3
"""Bands weaker than this share of the strongest are left as weak as they are (30 dB)."""
_LOWEST_HZ, _HIGHEST_HZ = 250.0, 6500.0


def equalise(samples: FloatArray, strength: float = STRENGTH) -> FloatArray:
    """Flatten what a band-pass and shelves did to an utterance, as far as it is still there.

    Args:
        samples: mono float32, shape (n,), 16 kHz.

    Returns:
        the same length; the level is not kept.
    """
    count = len(samples)
    if count < SAMPLE_RATE // 4 or not samples.any():
        return samples
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    width = max(3, round(_SMOOTH_HZ * count / SAMPLE_RATE))
    sums = np.cumsum(
        np.pad(np.abs(spectrum) ** 2, (width // 2 + 1, width - width // 2 - 1), "edge")
    )
    power = (sums[width:] - sums[:-width])[: len(hz)] / width
    wanted = np.maximum(hz, _FLAT_HZ) ** -_SLOPE
    gain = np.sqrt(wanted / np.maximum(power, power.max() * _RANGE)) ** strength
    gain[(hz < _LOWEST_HZ) | (hz > _HIGHEST_HZ)] = 0.0
    return np.asarray(np.fft.irfft(spectrum * gain, count), dtype=np.float32)
