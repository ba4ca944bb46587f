# SPDX-License-Identifier: Apache-2.0
"""Windows for the detector that are composed on the fly: cut-out craft on pictures without any.

Twenty craft and a photograph make as many pictures as there are places, sizes, turns and lights;
nothing is kept on disk. Boxes end where the cover does (`staging.SOLID`), so that a rotor's blur or
a soft edge doesn't widen them. A window without craft is all hard negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from pydantic import Field

from turret_ai.learn.config import Section
from turret_ai.learn.vision import backgrounds, crop_bank, lite_data, staging
from turret_ai.learn.vision.augment import spoil
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.detector_data import Windows, cells
from turret_ai.learn.vision.relight import relight
from turret_ai.learn.vision.staging import SOLID, Staging
from turret_ai.types import FloatArray, ImageArray

_TRIES = 8
_LEAST_SIDE = 4.0
"""Pixels of a box's shorter side, below which nothing is asked."""


class Pasted(Section):
    """What windows are composed of, and how many of a batch."""

    share: float = Field(0.0, ge=0, le=1, description="of a batch; the rest is cut from pictures")
    folders: list[Path] = Field([], description="with shards of craft, as a matcher's `packs`")
    backgrounds: list[Path] = Field([], description="folders of pictures without craft")
    windows: int = Field(3000, ge=1, description="most of these that are kept in memory")
    mean_craft: float = Field(2.5, ge=0, description="craft in a window, Poisson")
    over_edge: float = Field(0.1, ge=0, le=1, description="chance that a craft may be cut off")
    apart: float = Field(2.0, description="least distance of two boxes, pixels")
    seen: float = Field(0.5, ge=0, le=1, description="share of a box inside that counts")
    shares: dict[str, float] = Field({}, description="of the sources, as a matcher's `packs`")
    staging: Staging = Staging()


class Material:
    """Craft by type and source, and backgrounds, in memory."""

    def __init__(self, settings: Pasted, types: Sequence[str], seed: int) -> None:
        """Read them.

        Raises:
            ConfigError: no shard of craft. InputError: one, or a background, can't be read.
        """
        cv2.setNumThreads(1)
        self.craft = lite_data.Craft(settings.folders, settings.shares, types, (), "train")
        self.grounds = lite_data.grounds(settings.backgrounds, settings.windows, seed)

    def any_crop(self, rng: Generator) -> Crop:
        """One craft, of every type as often."""
        return self.craft.crops[self.craft.choose(rng)]


def window(
    material: Material, settings: Pasted, size: int, rng: Generator
) -> tuple[ImageArray, FloatArray, FloatArray]:
    """One window.

    Returns:
        (size, size, 4) uint8 RGB, spoilt, and the cover of craft (0..255); boxes in it (n, 4); and
        boxes of which too little is inside to ask for them (k, 4).
    """
    grounds = material.grounds
    ground = grounds[int(rng.integers(len(grounds)))]
    image = staging.part_of(ground, size, rng).copy()
    cover: ImageArray = np.zeros((size, size), np.uint8)
    boxes: list[FloatArray] = []
    vague: list[FloatArray] = []
    for _ in range(int(rng.poisson(settings.mean_craft))):
        crop = material.any_crop(rng)
        if crop.pixels.shape[2] != 4:
            continue
        layer, box = staging.move(crop.pixels, crop.box, settings.staging, True, rng)
        place = _place(box, [*boxes, *vague], settings, size, rng)
        if place is None:
            continue
        whole = box + np.array([*place, *place], np.float32)
        inside = _lay(image, cover, layer, place, settings, rng)
        if inside is None:
            continue
        area, part = (float(np.prod(b[2:] - b[:2])) for b in (whole, inside))
        clear = part > settings.seen * area and (inside[2:] - inside[:2]).min() >= _LEAST_SIDE
        (boxes if clear else vague).append(inside)
    picture = spoil(np.ascontiguousarray(image), settings.staging.noise, rng)
    return np.dstack([picture, cover]), _stacked(boxes), _stacked(vague)


def batch(material: Material, settings: Pasted, count: int, size: int, rng: Generator) -> Windows:
    """So many windows, as `detector_data.batch` gives them."""
    images: list[ImageArray] = []
    made = Windows(torch.empty(0), [], [], [])
    for _ in range(count):
        pixels, boxes, vague = window(material, settings, size, rng)
        images.append(pixels[..., :3])
        made.boxes.append(boxes)
        made.ignored.append(vague)
        made.covers.append(cells(pixels[..., 3]))
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    return made._replace(images=stacked)


def _place(
    box: FloatArray,
    taken: Sequence[FloatArray],
    settings: Pasted,
    size: int,
    rng: Generator,
) -> tuple[int, int] | None:
    """Where the layer's corner goes, so that its box touches no other; None if it finds no room."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    slack = 0.6 if rng.random() < settings.over_edge else 0.0
    for _ in range(_TRIES):
        low_x, high_x = -slack * width, size - width * (1 - slack)
        low_y, high_y = -slack * height, size - height * (1 - slack)
        if high_x <= low_x or high_y <= low_y:
            return None
        x = round(float(rng.uniform(low_x, high_x) - box[0]))
        y = round(float(rng.uniform(low_y, high_y) - box[1]))
        x0, y0, x1, y1 = box + np.array([x, y, x, y], np.float32)
        gap = settings.apart
        if all(
            x1 + gap <= b[0] or b[2] + gap <= x0 or y1 + gap <= b[1] or b[3] + gap <= y0
            for b in taken
        ):
            return x, y
    return None


def _lay(
    image: ImageArray,
    cover: ImageArray,
    layer: ImageArray,
    place: tuple[int, int],
    settings: Pasted,
    rng: Generator,
) -> FloatArray | None:
    """Lay a premultiplied layer (s, s, 4) over image and cover; the box of what is solid and inside
    them (4,), None if nothing is."""
    x, y = place
    side, size = layer.shape[0], image.shape[0]
    x0, y0, x1, y1 = max(0, x), max(0, y), min(size, x + side), min(size, y + side)
    if x1 <= x0 or y1 <= y0:
        return None
    under = image[y0:y1, x0:x1]
    air = under.reshape(-1, 3).mean(axis=0)
    lit = relight(layer, settings.staging.light, air, rng)[y0 - y : y1 - y, x0 - x : x1 - x]
    image[y0:y1, x0:x1] = backgrounds.over(lit, under)
    np.maximum(cover[y0:y1, x0:x1], lit[..., 3], out=cover[y0:y1, x0:x1])
    # The box is of the layer as it was cut: a softer outline is no larger craft.
    found = crop_bank.extent(layer[y0 - y : y1 - y, x0 - x : x1 - x, 3] >= SOLID)
    return None if found is None else found + np.array([x0, y0, x0, y0], np.float32)


def _stacked(boxes: Sequence[FloatArray]) -> FloatArray:
    return np.array(boxes, np.float32).reshape(-1, 4)
