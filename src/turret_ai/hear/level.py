# SPDX-License-Identifier: Apache-2.0
"""The loudness of an utterance."""

from __future__ import annotations

import numpy as np

from turret_ai.types import FloatArray

_SILENT = 1e-6
"""Root mean square below which there is nothing to amplify (-120 dBFS)."""


def dbfs(samples: FloatArray) -> float:
    """Root mean square in decibels relative to full scale; -inf for nothing at all."""
    if samples.size == 0:
        return float("-inf")
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return float(20 * np.log10(rms)) if rms > 0 else float("-inf")


def to_level(samples: FloatArray, target_dbfs: float) -> FloatArray:
    """Scale to a root mean square of `target_dbfs`; digital silence stays as it is.

    Peaks may pass full scale: the samples are for a recogniser, not for a loudspeaker.
    """
    if samples.size == 0:
        return samples
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    if rms < _SILENT:
        return samples
    return (samples * np.float32(10 ** (target_dbfs / 20) / rms)).astype(np.float32)
