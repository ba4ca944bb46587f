"""WAV files that arrive as bytes."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError

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
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = int(file.samplerate)
            if not 4_000 <= rate <= 384_000:
                raise InputError(f"the audio has a sample rate of {rate} Hz")
            frames = file.read(round(LONGEST_S * rate) + 1, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError, EOFError) as error:
        text = str(error).rstrip(".")
        raise InputError(f"this is not an audio file that can be read: {text}") from error
    if not len(frames):
        raise InputError("the audio file holds no samples")
    if len(frames) > LONGEST_S * rate:
        raise InputError(f"the audio is longer than {LONGEST_S:.0f} s")
    mono = frames.mean(axis=1)
    if not np.isfinite(mono).all():
        raise InputError("the audio file holds samples that are not finite")
    return np.clip(np.rint(mono * 32768.0), -32768, 32767).astype(np.int16), rate
