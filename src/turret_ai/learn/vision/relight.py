# SPDX-License-Identifier: Apache-2.0
"""Light on a craft apart from its background: tint, shade, exposure, haze, a softer outline.

Pasted photographs were taken elsewhere, in another light than the picture that they are in.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from pydantic import Field

from turret_ai.learn.config import Section
from turret_ai.types import FloatArray, ImageArray


class Relight(Section):
    """Chances in [0, 1]; ranges are drawn from evenly, deviations are of a normal distribution."""

    tint: float = Field(0.05, ge=0, description="deviation of the gain of one channel")
    exposure: float = Field(0.25, ge=0, description="deviation of the gain's logarithm")
    overexposed: float = Field(0.08, ge=0, le=1, description="chance of a gain of 1.3 to 2")
    shade: float = Field(0.4, ge=0, le=1, description="chance that one side is darker")
    shade_depth: tuple[float, float] = (0.2, 0.7)
    contrast: float = Field(0.15, ge=0, description="deviation of the contrast's logarithm")
    haze: float = Field(0.25, ge=0, le=1, description="chance of a veil in the background's tone")
    haze_depth: tuple[float, float] = (0.05, 0.35)
    soften: float = Field(0.3, ge=0, le=1, description="chance of a softer outline")


def relight(layer: ImageArray, settings: Relight, air: FloatArray, rng: Generator) -> ImageArray:
    """A premultiplied RGBA layer (h, w, 4) in another light. air: (3,) tone of what is around."""
    cover = layer[..., 3:].astype(np.float32)
    colour = layer[..., :3].astype(np.float32)
    gain = np.exp(rng.normal(0, settings.exposure))
    if rng.random() < settings.overexposed:
        gain = rng.uniform(1.3, 2.0)
    colour *= (gain * (1 + rng.normal(0, settings.tint, 3))).astype(np.float32)
    contrast = float(np.exp(rng.normal(0, settings.contrast)))
    middle = colour.sum(axis=(0, 1)) / max(float(cover.sum()) / 255, 1.0)
    colour = contrast * colour + (1 - contrast) * middle.astype(np.float32) * cover / 255
    if rng.random() < settings.shade:
        colour *= _slope(layer.shape[0], layer.shape[1], rng, settings.shade_depth)
    if rng.random() < settings.haze:
        veil = np.float32(rng.uniform(*settings.haze_depth))
        colour = (1 - veil) * colour + veil * air.astype(np.float32) * cover / 255
    out = np.concatenate([np.clip(colour, 0, cover), cover], axis=2)
    if rng.random() < settings.soften:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 0.8))
    return np.asarray(out + 0.5, np.uint8)


def _slope(height: int, width: int, rng: Generator, depth: tuple[float, float]) -> FloatArray:
    """Factors (h, w, 1) from 1 to 1 - depth across the layer, mostly darker below."""
    angle = rng.normal(np.pi / 2, 0.6)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    along = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    ramp = np.clip(0.5 + along / rng.uniform(0.2, 1.0), 0, 1)
    factors: FloatArray = (1 - rng.uniform(*depth) * ramp)[..., None].astype(np.float32)
    return factors
