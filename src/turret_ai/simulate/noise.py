# SPDX-License-Identifier: Apache-2.0
"""Seamless random textures with the spectra of natural ones."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

CLOUDS, GRAIN, HILLS = 3.3, 1.1, 2.3
"""Slopes of the power spectrum: larger is smoother."""


@lru_cache(maxsize=24)
def tile(slope: float, seed: int, side: int = 1024) -> FloatArray:
    """A tileable texture (side, side) with values spread evenly over 0..1."""
    from scipy.special import ndtr

    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    frequency[0, 0] = 1.0
    amplitude = frequency ** (-slope / 2.0)
    amplitude[0, 0] = 0.0
    phase = np.exp(2j * np.pi * rng.random(frequency.shape))
    field = np.fft.irfft2(amplitude * phase, (side, side))
    return np.asarray(ndtr((field - field.mean()) / field.std()), np.float32)


def ridge(rng: np.random.Generator, n: int, slope: float = 1.8, lowest: float = 1.5) -> FloatArray:
    """A closed random curve (n,) in 0..1, such as a chain of hills all round."""
    frequency = np.fft.rfftfreq(n, 1.0 / n)
    frequency[0] = 1.0
    amplitude = frequency ** (-slope / 1.25) * (frequency > lowest)
    curve = np.fft.irfft(amplitude * np.exp(2j * np.pi * rng.random(len(frequency))), n)
    return np.asarray((curve - curve.min()) / (np.ptp(curve) + 1e-9), np.float32)


def look_up(texture: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """Sample a tile at (u, v), whose unit is one repeat."""
    n = np.float32(texture.shape[0])
    x, y = (np.mod(c, np.float32(1.0)) * n for c in (u, v))
    return np.asarray(
        cv2.remap(
            texture,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        ),
        np.float32,
    )
