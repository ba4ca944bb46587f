# SPDX-License-Identifier: Apache-2.0
"""What a poor camera does to a picture: blur, noise of several kinds, exposure, JPEG.

The severities are those of the competition's images: strong Gaussian and ISO noise, multiplicative
noise, blur, JPEG quality 25 to 95.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.types import ImageArray

LEVELS = ("clean", "mild", "strong")
_AMOUNTS = {"clean": 0.0, "mild": 0.4, "strong": 1.0}


def degrade(image: ImageArray, rng: np.random.Generator, level: str) -> ImageArray:
    """A degraded copy; `level` is one of `LEVELS`. Deterministic by the generator's state.

    The generator and the noise go on alike for any picture of the same shape: two pictures that
    are degraded from the same state differ by their content alone.
    """
    seed = int(rng.integers(1 << 31))
    return add_noise(expose(image, rng, level), rng, level, seed)


def expose(image: ImageArray, rng: np.random.Generator, level: str) -> ImageArray:
    """A copy as the lens and the exposure leave it, without noise."""
    amount = _AMOUNTS[level]
    out = _tone(image, rng, 0.3 + 0.7 * amount)
    if rng.random() < 0.25 + 0.35 * amount:
        out = _blur(out, rng, amount)
    if rng.random() < 0.12:
        out = _vignette(out, float(rng.uniform(0.1, 0.5)))
    return out


def add_noise(image: ImageArray, rng: np.random.Generator, level: str, seed: int) -> ImageArray:
    """A copy with the noise of a chip; `seed` is that of its pixels."""
    amount = _AMOUNTS[level]
    out = image.copy()
    if amount == 0.0:
        return out
    cv2.setRNGSeed(seed)
    if rng.random() < 0.8:
        out = _gaussian(out, float(rng.uniform(3, 14) if amount < 1 else rng.uniform(10, 42)), rng)
    if rng.random() < 0.4:
        out = _iso(out, float(rng.uniform(0.15, 0.5) * (0.4 + amount)))
    if rng.random() < 0.3:
        out = _multiply(out, float(rng.uniform(0.05, 0.16) * (0.4 + amount)), rng.random() < 0.5)
    return out


def jpeg_quality(rng: np.random.Generator, level: str) -> int:
    """A quality for `cv2.imencode`."""
    low, high = {"clean": (80, 96), "mild": (50, 96), "strong": (25, 96)}[level]
    return int(rng.integers(low, high))


def _tone(image: ImageArray, rng: np.random.Generator, amount: float) -> ImageArray:
    gain = 1.0 + amount * float(rng.normal(0, 0.12))
    lift = amount * float(rng.normal(0, 10))
    gamma = float(np.exp(amount * rng.normal(0, 0.12)))
    balance = 1.0 + amount * rng.normal(0, 0.02, 3)
    ramp = np.arange(256) / 255.0
    table = [np.clip((ramp**gamma * 255 * gain + lift) * b, 0, 255) for b in balance]
    return np.asarray(cv2.LUT(image, np.stack(table, 1)[None].astype(np.uint8)), np.uint8)


def _vignette(image: ImageArray, strength: float) -> ImageArray:
    """Darker corners, as the fourth power of a cosine would make them."""
    h, w = image.shape[:2]
    x = (np.arange(w, dtype=np.float32) - w / 2) / w
    y = (np.arange(h, dtype=np.float32) - h / 2) / w
    factor = 1.0 - strength * np.float32(2.6) * (x[None, :] ** 2 + y[:, None] ** 2)
    spread = cv2.merge([factor] * 3)
    return np.asarray(cv2.multiply(image, spread, dtype=cv2.CV_8U), np.uint8)


def _blur(image: ImageArray, rng: np.random.Generator, amount: float) -> ImageArray:
    if rng.random() < 0.3:
        n = int(rng.integers(3, 5 + int(4 * amount)))
        kernel = np.zeros((n, n), np.float32)
        kernel[n // 2] = 1.0 / n
        turn = cv2.getRotationMatrix2D((n / 2 - 0.5, n / 2 - 0.5), float(rng.uniform(0, 180)), 1)
        kernel = cv2.warpAffine(kernel, turn, (n, n))
        return np.asarray(
            cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-3)), np.uint8
        )
    sigma = float(rng.uniform(0.4, 0.8 + 0.9 * amount))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _normal(shape: tuple[int, ...], sigma: float) -> NDArray[np.int16]:
    noise = np.empty(shape, np.int16)
    # A plain number would be the mean and deviation of the first channel only.
    cv2.randn(noise.reshape(shape[0], -1), 0, sigma)
    return noise


def _gaussian(image: ImageArray, sigma: float, rng: np.random.Generator) -> ImageArray:
    if rng.random() < 0.25:
        grey = _normal(image.shape[:2], sigma)
        noise = np.asarray(cv2.merge([grey, grey, grey]), np.int16)
    else:
        noise = _normal(image.shape, sigma)
    return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)


def _iso(image: ImageArray, amount: float) -> ImageArray:
    """Luminance noise that grows in the dark, and blotches of colour."""
    h, w = image.shape[:2]
    luminance = _normal((h, w), 34.0 * amount)
    chroma = np.empty((h // 2 + 1, w // 2 + 1, 3), np.int16)
    cv2.randn(chroma.reshape(len(chroma), -1), 0, 26.0 * amount)
    chroma = cv2.resize(chroma, (w, h), interpolation=cv2.INTER_LINEAR)
    noise = cv2.add(chroma, cv2.merge([luminance] * 3))
    return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)


def _multiply(image: ImageArray, sigma: float, each_channel: bool) -> ImageArray:
    shape = image.shape if each_channel else image.shape[:2]
    factor = np.empty(shape, np.float32)
    cv2.randn(factor.reshape(len(factor), -1), 1.0, sigma)
    if not each_channel:
        factor = np.asarray(cv2.merge([factor] * 3), np.float32)
    return np.asarray(cv2.multiply(image, factor, dtype=cv2.CV_8U), np.uint8)
