# SPDX-License-Identifier: Apache-2.0
"""What the colour words of the captions look like: ranges of paint, drawn by a random generator.

The ranges keep apart what people tell apart (orange is brighter than brown, silver brighter and
shinier than grey), so that a word stays true of the rendered pixels under soft daylight.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COLOURS = (
    "red", "silver", "orange", "white", "brown", "black", "grey", "purple", "yellow", "blue",
    "green",
)  # fmt: skip

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Paint:
    """hue in degrees, saturation and value in 0..1 (sRGB's HSV); `weight` is how usual it is."""

    hue: Range
    saturation: Range
    value: Range
    weight: float = 1.0


PAINTS: dict[str, tuple[Paint, ...]] = {
    "red": (
        Paint((-6, 6), (0.8, 0.98), (0.68, 0.92)),
        Paint((-8, 2), (0.75, 0.9), (0.52, 0.66), 0.3),
    ),
    "orange": (Paint((19, 30), (0.86, 1.0), (0.93, 1.0)),),
    "yellow": (Paint((47, 56), (0.78, 1.0), (0.9, 1.0)),),
    "green": (
        Paint((100, 145), (0.55, 0.9), (0.35, 0.65)),
        Paint((80, 115), (0.38, 0.6), (0.32, 0.45), 0.8),
        Paint((95, 125), (0.6, 0.8), (0.62, 0.8), 0.3),
    ),
    "blue": (
        Paint((208, 232), (0.72, 0.95), (0.5, 0.85)),
        Paint((214, 230), (0.65, 0.9), (0.3, 0.45), 0.5),
        Paint((198, 212), (0.55, 0.75), (0.8, 0.95), 0.4),
    ),
    "purple": (Paint((268, 292), (0.55, 0.85), (0.42, 0.72)),),
    "brown": (
        Paint((18, 28), (0.52, 0.75), (0.32, 0.48)),
        Paint((26, 36), (0.4, 0.52), (0.5, 0.62), 0.5),
    ),
    "grey": (Paint((200, 220), (0.0, 0.09), (0.4, 0.6)),),
    "silver": (Paint((200, 220), (0.0, 0.05), (0.74, 0.84)),),
    "white": (Paint((40, 220), (0.0, 0.03), (0.93, 1.0)),),
    "black": (Paint((200, 220), (0.0, 0.12), (0.03, 0.11)),),
}

CAMOUFLAGE_PAINTS: dict[str, tuple[Paint, ...]] = {
    "green": (Paint((78, 118), (0.35, 0.58), (0.3, 0.46)),),
    "brown": (Paint((20, 34), (0.42, 0.6), (0.38, 0.58)),),
    "blue": (Paint((206, 226), (0.45, 0.75), (0.4, 0.7)),),
}
"""Duller versions for camouflage; other colours are as usual."""


def sample(name: str, rng: np.random.Generator, camouflage: bool = False) -> NDArray[np.float32]:
    """One paint of that name: sRGB in 0..1, shape (3,).

    Raises:
        KeyError: not a colour word.
    """
    paints = PAINTS[name]
    if camouflage:
        paints = CAMOUFLAGE_PAINTS.get(name, paints)
    weights = np.array([p.weight for p in paints])
    paint = paints[int(rng.choice(len(paints), p=weights / weights.sum()))]
    h, s, v = (float(rng.uniform(*r)) for r in (paint.hue, paint.saturation, paint.value))
    return np.array(colorsys.hsv_to_rgb((h % 360.0) / 360.0, s, v), np.float32)


def name_of(rgb: NDArray[np.float32]) -> str:
    """The word that a person would use for a patch of this sRGB colour in daylight.

    Silver is told from its neighbours by gloss, which a single colour doesn't show: neutral
    colours come back as black, grey or white.
    """
    h, s, v = colorsys.rgb_to_hsv(*(float(c) for c in rgb))
    hue = h * 360.0
    if v < 0.24 and (s < 0.35 or v < 0.12):
        return "black"
    if s < 0.16:
        return "white" if v > 0.72 else "grey"
    if hue < 12 or hue >= 338:
        return "red"
    if hue < 42:
        return "orange" if v > 0.66 and s > 0.6 else "brown"
    if hue < 68:
        return "yellow" if v > 0.5 else "green"
    if hue < 170:
        return "green"
    if hue < 250:
        return "blue"
    return "purple"


def to_linear(srgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB in 0..1 to linear light, IEC 61966-2-1."""
    c = np.asarray(srgb, np.float32)
    low = c <= 0.04045
    return np.where(low, c / 12.92, ((np.maximum(c, 0.04045) + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def to_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light to sRGB in 0..1 (clipped), IEC 61966-2-1."""
    c = np.clip(np.asarray(linear, np.float32), 0.0, 1.0)
    return np.where(
        c <= 0.0031308, c * 12.92, 1.055 * np.power(np.maximum(c, 0.0031308), 1.0 / 2.4) - 0.055
    ).astype(np.float32)
