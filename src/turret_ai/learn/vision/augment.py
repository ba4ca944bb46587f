# SPDX-License-Identifier: Apache-2.0
"""What spoils a picture on its way: sensor, lens, compression. RGB uint8 in, RGB uint8 out.

Clean validation misleads: the images of the field carry strong noise, so training does as well.
Boxes stay valid under everything here; moves that change geometry live with the data sets.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from pydantic import Field

from turret_ai.learn.config import Section
from turret_ai.see import images
from turret_ai.simulate import sensor
from turret_ai.types import FloatArray, ImageArray


class Augmentation(Section):
    """Chances in [0, 1], and ranges that are drawn from evenly."""

    sensor: float = Field(
        0.5, ge=0, le=1, description="chance of the synthetic images' sensor instead of the rest"
    )
    brightness: float = Field(0.15, ge=0, description="largest shift, of full scale")
    contrast: float = Field(0.2, ge=0, description="largest change of the gain about mid grey")
    gamma: tuple[float, float] = (0.8, 1.25)
    tint: float = Field(0.05, ge=0, description="largest gain of one channel against another")
    clahe: float = Field(0.0, ge=0, le=1, description="chance of local equalisation")
    blur: float = Field(0.3, ge=0, le=1)
    blur_sigma: tuple[float, float] = (0.4, 1.6)
    motion: float = Field(0.1, ge=0, le=1, description="chance of motion blur, 3-9 px")
    rescale: float = Field(0.1, ge=0, le=1, description="chance of a lower resolution")
    gaussian: float = Field(0.6, ge=0, le=1)
    gaussian_sigma: tuple[float, float] = (0.01, 0.16)
    iso: float = Field(0.4, ge=0, le=1, description="chance of noise in hue and luminance")
    iso_strength: tuple[float, float] = (0.1, 0.4)
    multiplicative: float = Field(0.2, ge=0, le=1)
    multiplicative_range: tuple[float, float] = (0.8, 1.2)
    jpeg: float = Field(0.7, ge=0, le=1)
    jpeg_quality: tuple[int, int] = (25, 95)


def _normal(rng: Generator, shape: tuple[int, ...]) -> FloatArray:
    cv2.setRNGSeed(int(rng.integers(1 << 31)))
    noise = np.empty(shape, np.float32)
    # A plain number would be the mean and deviation of the first channel only.
    cv2.randn(noise.reshape(shape[0], -1), 0.0, 1.0)
    return noise


def iso_noise(image: FloatArray, strength: float, rng: Generator) -> FloatArray:
    """Noise of a sensor at high gain: shot noise in the luminance, a shift in the hue.

    image: float32 RGB in [0, 1]. strength: 0.1 is visible, 0.5 is strong.
    """
    hls = cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_RGB2HLS)
    height, width = hls.shape[:2]
    spread = float(hls[..., 1].std()) + 0.05
    hls[..., 1] += _normal(rng, (height, width)) * spread * strength * 0.5
    hls[..., 0] = np.mod(hls[..., 0] + _normal(rng, (height, width)) * 30.0 * strength, 360.0)
    hls[..., 1] = np.clip(hls[..., 1], 0, 1)
    rgb: FloatArray = cv2.cvtColor(hls, cv2.COLOR_HLS2RGB)
    return rgb


def spoil(image: ImageArray, settings: Augmentation, rng: Generator) -> ImageArray:
    """One random chain of light, lens, sensor and compression."""
    if rng.random() < settings.sensor:
        level = str(rng.choice(sensor.LEVELS, p=(0.2, 0.4, 0.4)))
        return _compress(sensor.degrade(image, rng, level), sensor.jpeg_quality(rng, level))
    if rng.random() < settings.clahe:
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        lab[..., 0] = cv2.createCLAHE(rng.uniform(1, 4), (4, 4)).apply(lab[..., 0])
        image = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    levels = np.arange(256, dtype=np.float32) / 255
    curve = levels ** rng.uniform(*settings.gamma)
    curve = (curve - 0.5) * (1 + rng.uniform(-1, 1) * settings.contrast) + 0.5
    curve += rng.uniform(-1, 1) * settings.brightness
    tint = 1 + rng.uniform(-1, 1, 3) * settings.tint
    table = np.clip(curve[:, None] * tint, 0, 1).astype(np.float32)
    x = cv2.LUT(image, table[None])
    height, width = x.shape[:2]
    if rng.random() < settings.rescale:
        share = rng.uniform(0.5, 0.9)
        small = (max(1, round(width * share)), max(1, round(height * share)))
        x = cv2.resize(
            cv2.resize(x, small, interpolation=cv2.INTER_AREA),
            (width, height),
            interpolation=cv2.INTER_LINEAR,
        )
    if rng.random() < settings.motion:
        length = int(rng.integers(3, 10))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1.0
        turn = cv2.getRotationMatrix2D((length / 2 - 0.5,) * 2, rng.uniform(0, 180), 1.0)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        x = cv2.filter2D(x, -1, kernel / max(float(kernel.sum()), 1e-6))
    elif rng.random() < settings.blur:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(*settings.blur_sigma))
    if rng.random() < settings.iso:
        x = iso_noise(x, rng.uniform(*settings.iso_strength), rng)
    if rng.random() < settings.multiplicative:
        low, high = settings.multiplicative_range
        x = x * rng.uniform(low, high, (height, width, 1)).astype(np.float32)
    if rng.random() < settings.gaussian:
        sigma = rng.uniform(*settings.gaussian_sigma)
        if rng.random() < 0.5:  # grain of several pixels, as after a camera's own denoising
            grain = _normal(rng, ((height + 1) // 2, (width + 1) // 2, 3))
            x = x + cv2.resize(grain, (width, height)) * sigma * 0.7
        else:
            x = x + _normal(rng, x.shape) * sigma
    spoiled = (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < settings.jpeg:
        quality = int(rng.integers(settings.jpeg_quality[0], settings.jpeg_quality[1] + 1))
        spoiled = _compress(spoiled, quality)
    return np.ascontiguousarray(spoiled)


def _compress(image: ImageArray, quality: int) -> ImageArray:
    return images.decode(images.encode(image, ".jpg", quality))
