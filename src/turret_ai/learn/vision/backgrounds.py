# SPDX-License-Identifier: Apache-2.0
"""Windows without craft, to lay rendered craft on: cut from labelled pictures, or made up."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator

from turret_ai.see.manifests import Scene
from turret_ai.types import FloatArray, ImageArray

SIDE = 192
"""Pixels of a window."""


def from_scenes(scenes: Sequence[Scene], count: int, seed: int) -> list[ImageArray]:
    """Up to `count` windows (SIDE, SIDE, 3) that touch no annotated box.

    Each picture is read once; from each as many windows are taken as are needed.
    """
    rng = np.random.default_rng(seed)
    found: list[ImageArray] = []
    each = -(-count // max(1, len(scenes)))
    for scene in scenes:
        image = scene.load()
        height, width = image.shape[:2]
        if height < SIDE or width < SIDE:
            continue
        taken = 0
        for _ in range(4 * each):
            x, y = int(rng.integers(width - SIDE + 1)), int(rng.integers(height - SIDE + 1))
            if _free(scene.boxes, x, y):
                found.append(np.ascontiguousarray(image[y : y + SIDE, x : x + SIDE]))
                taken += 1
            if taken == each:
                break
        if len(found) >= count:
            break
    return found[:count]


def _free(boxes: FloatArray, x: int, y: int) -> bool:
    apart = (boxes[:, 2] < x) | (boxes[:, 0] > x + SIDE)
    apart |= (boxes[:, 3] < y) | (boxes[:, 1] > y + SIDE)
    return bool(apart.all())


def made_up(rng: Generator) -> ImageArray:
    """A window of soft sky, clouds or texture (SIDE, SIDE, 3)."""
    tones: FloatArray = np.array(
        [(96, 146, 208), (150, 186, 226), (200, 208, 216), (246, 247, 250), (120, 130, 140)]
    )
    top, bottom = tones[rng.integers(len(tones), size=2)] * rng.uniform(0.8, 1.05, (2, 3))
    slope = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None, None]
    image = (top * (1 - slope) + bottom * slope).astype(np.float32) * np.ones(
        (1, SIDE, 1), np.float32
    )
    depth = rng.choice([0, 8, 25, 60], p=[0.3, 0.3, 0.25, 0.15])
    _add_clouds(image, depth, (3, 7, 17, 48), rng)
    if rng.random() < 0.2:  # ground, trees or a wall below a rough line
        line = rng.uniform(0.2, 1.0) + 0.04 * np.cumsum(rng.normal(size=SIDE)) / 4
        below = np.arange(SIDE)[:, None] / SIDE > line[None]
        grain = cv2.resize(rng.normal(size=(40, 40, 1)).astype(np.float32), (SIDE, SIDE))
        tone = np.array([rng.uniform(30, 140)] * 3) * rng.uniform(0.8, 1.2, 3)
        image[below] = tone + 20 * grain[below][:, None]
    window: ImageArray = np.clip(image, 0, 255).astype(np.uint8)
    return window


def _add_clouds(image: FloatArray, depth: float, sizes: Sequence[int], rng: Generator) -> None:
    """Soft patches on a picture (s, s, 3), of so many cells a side; depth: their deviation."""
    side = image.shape[0]
    for cells in sizes:
        if depth:
            patch = rng.normal(size=(cells, cells)).astype(np.float32) * depth / cells**0.5
            patch = cv2.resize(
                patch.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
            )
            image += patch[..., None]


def bright_sky(rng: Generator) -> ImageArray:
    """A window of plain sky (SIDE / 2, SIDE / 2, 3), mostly next to white, as exposures for what
    flies have it. Of 107 craft in the competition's published scenes 84% are before a sky as plain
    as these, 65% before one brighter than 235."""
    side, kind = SIDE // 2, rng.random()
    if kind < 0.65:
        tone = rng.uniform(238, 262) + rng.normal(0, 2.5, 3)
        spread = rng.uniform(0, 8)
    elif kind < 0.85:  # a veil of cloud
        blue = np.array([-1.0, 0.2, 1.0]) * rng.uniform(-4, 14)
        tone = rng.uniform(190, 240) + blue + rng.normal(0, 3, 3)
        spread = rng.uniform(0, 16)
    else:
        tone = np.array([110, 155, 205]) + rng.uniform() * np.array([60, 50, 30])
        tone = tone + rng.normal(0, 8, 3)
        spread = rng.uniform(0, 40)
    slope = np.linspace(-0.5, 0.5, side)[:, None, None] * spread * rng.choice([-1, 1])
    image = (tone + slope + np.zeros((side, side, 1))).astype(np.float32)
    depth = float(rng.choice([0, 2, 8, 25], p=[0.5, 0.3, 0.14, 0.06]))
    _add_clouds(image, depth, (3, 7, 17), rng)
    window: ImageArray = np.clip(image, 0, 255).astype(np.uint8)
    return window


def lay_on(layer: ImageArray, ground: ImageArray, rng: Generator) -> ImageArray:
    """A premultiplied RGBA layer (s, s, 4) over a random part of a larger window: (s, s, 3)."""
    side = layer.shape[0]
    if side > SIDE:
        ground = cv2.resize(ground, (side, side))  # type: ignore[assignment]
    x, y = (int(v) for v in rng.integers(max(0, SIDE - side) + 1, size=2))
    return over(layer, ground[y : y + side, x : x + side])


def over(layer: ImageArray, under: ImageArray) -> ImageArray:
    """A premultiplied RGBA layer (h, w, 4) over a picture (h, w, 3), or (h, w, 4) with a mask."""
    clear = 255 - layer[..., 3:].astype(np.uint16)
    mixed = layer[..., : under.shape[2]] + (under.astype(np.uint16) * clear + 127) // 255
    return np.minimum(mixed, 255).astype(np.uint8)
