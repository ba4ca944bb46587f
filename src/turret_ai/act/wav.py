"""WAV files that arrive as bytes from strangers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.hear import files
from turret_ai.hear.edge import RATES

LONGEST_S = 120.0
"""Longer audio is refused: an operator's sentence takes seconds."""


def read_wav(data: bytes) -> tuple[NDArray[np.int16], int]:
    """Read an audio file.

    Args:
        data: the whole file: WAV, or another format that libsndfile reads.

    Returns:
        (mono int16 samples (n,), sample rate in Hz); several channels are averaged.

    Raises:
        InputError: not an audio file, empty, too long, or cut so that nothing is left.
    """
    samples, rate = files.decode(data)
    if not RATES[0] <= rate <= RATES[1]:
        raise InputError(f"the audio has a sample rate of {rate} Hz")
    if len(samples) > LONGEST_S * rate:
        raise InputError(f"the audio is longer than {LONGEST_S:.0f} s")
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16), rate
