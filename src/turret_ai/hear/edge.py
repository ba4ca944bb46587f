# SPDX-License-Identifier: Apache-2.0
"""The edge of the room: chunks of any rate, width and number of channels become 16 kHz mono."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.types import FloatArray

RATES = (4000, 384000)
"""Hz; beyond these the source is mistaken about its rate."""
CANCELLED = 0.1
"""Channels of opposite sign: the power of their average is below this share of what channels that
have nothing in common would give, the sum of their powers / n^2. For two equally loud ones it
means a correlation below -0.9."""
_FULL_SCALE = {"int16": 32768.0, "int32": 2147483648.0}


def to_float(samples: NDArray[Any]) -> FloatArray:
    """PCM of any width to float32 in [-1, 1].

    uint8 is offset binary, as in WAV files; int16 and int32 are signed; floats pass.

    Raises:
        InputError: another type, or a float that isn't finite.
    """
    kind = str(samples.dtype)
    if kind in _FULL_SCALE:
        return (samples / _FULL_SCALE[kind]).astype(np.float32)
    if kind == "uint8":
        return ((samples.astype(np.float32) - 128.0) / 128.0).astype(np.float32)
    if kind in ("float32", "float64"):
        if not np.isfinite(samples).all():
            raise InputError("the audio holds samples that are not numbers (NaN or infinite)")
        return samples.astype(np.float32)
    raise InputError(f"audio samples of type {kind} are not understood")


def to_mono(samples: FloatArray, channels: int) -> tuple[FloatArray, bool]:
    """Average the channels; where they cancel each other, the loudest is taken instead.

    A microphone wired with the wrong polarity gives channels of opposite sign, whose average is
    silence.

    Args:
        samples: shape (n,) interleaved, or (n, channels).

    Returns:
        (shape (n,), whether the channels cancelled each other).

    Raises:
        InputError: the shape doesn't fit the number of channels.
    """
    if channels < 1 or samples.ndim > 2 or (samples.ndim == 2 and samples.shape[1] != channels):
        raise InputError(f"audio of shape {samples.shape} does not have {channels} channels")
    if samples.ndim == 1:
        if samples.size % channels:
            raise InputError(f"{samples.size} samples can't be split into {channels} channels")
        samples = samples.reshape(-1, channels)
    if samples.shape[1] == 1 or not samples.size:
        return samples[:, 0], False
    mono = samples.mean(axis=1, dtype=np.float32)
    powers = np.square(samples, dtype=np.float64).mean(axis=0)
    unrelated = powers.sum() / samples.shape[1] ** 2
    cancelled = bool(np.square(mono, dtype=np.float64).mean() < CANCELLED * unrelated)
    return (samples[:, int(powers.argmax())] if cancelled else mono), cancelled


class Resampler:
    """A stream of one rate to 16 kHz, without seams between chunks."""

    def __init__(self, sample_rate: int) -> None:
        """Raises InputError where the rate is out of range."""
        if not RATES[0] <= sample_rate <= RATES[1]:
            raise InputError(f"a sample rate of {sample_rate} Hz: {RATES[0]} to {RATES[1]} fit")
        self.sample_rate = sample_rate
        same = sample_rate == SAMPLE_RATE
        self._stream = None if same else soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1)

    def __call__(self, samples: FloatArray, last: bool = False) -> FloatArray:
        """What can be told so far; `last` gives the rest."""
        if self._stream is None:
            return samples
        return np.asarray(self._stream.resample_chunk(samples, last=last), dtype=np.float32)
