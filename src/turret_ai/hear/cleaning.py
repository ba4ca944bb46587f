# SPDX-License-Identifier: Apache-2.0
"""Loudness and noise of an utterance. Both are off by default: neither helped recognition."""

from __future__ import annotations

import numpy as np

from turret_ai.extras import require
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.types import FloatArray

TARGET_LUFS = -23.0
"""EBU R 128."""
_FRAME = 512
_FLOOR = 0.1


def normalise_loudness(samples: FloatArray) -> FloatArray:
    """Bring to -23 LUFS, peaks limited to full scale; too short or silent: unchanged.

    Raises:
        MissingExtraError: pyloudnorm isn't installed.
    """
    pyloudnorm = require("pyloudnorm", extra="audio")
    meter = pyloudnorm.Meter(SAMPLE_RATE)
    if len(samples) <= meter.block_size * SAMPLE_RATE:
        return samples
    loudness = meter.integrated_loudness(samples.astype(np.float64))
    if not np.isfinite(loudness):
        return samples
    gain = 10 ** ((TARGET_LUFS - loudness) / 20)
    return np.asarray(np.clip(samples * np.float32(gain), -1.0, 1.0), dtype=np.float32)


def denoise(samples: FloatArray) -> FloatArray:
    """Subtract the steady part of the spectrum (Boll, 1979): its 10th percentile over time."""
    if len(samples) < 2 * _FRAME:
        return samples
    from scipy import signal  # half a second that most processes need not spend

    _, _, spectrum = signal.stft(samples, SAMPLE_RATE, nperseg=_FRAME)
    magnitude = np.abs(spectrum)
    noise = np.percentile(magnitude, 10, axis=1, keepdims=True) * 1.5
    gain = np.maximum(1.0 - noise / np.maximum(magnitude, 1e-12), _FLOOR)
    _, cleaned = signal.istft(spectrum * gain, SAMPLE_RATE, nperseg=_FRAME)
    out = np.zeros_like(samples)
    count = min(len(out), len(cleaned))
    out[:count] = cleaned[:count]
    return out
