# SPDX-License-Identifier: Apache-2.0
"""A cut-out craft in a picture, at the size that craft have there, and the box of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from pydantic import Field

from turret_ai.learn.config import Section
from turret_ai.learn.vision import backgrounds, crop_bank
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.relight import Relight, relight
from turret_ai.types import FloatArray, ImageArray

SOLID = 64
"""Least cover (of 255) of a pixel that counts for the box."""
ROOM = 1.7
"""Side of the picture over the longer side of the craft: room for context and a displaced box."""


class Scale(Section):
    """True size of a craft in a picture, its longer side in pixels: log-normal."""

    median: float = Field(58.0, gt=1)
    spread: float = Field(0.42, ge=0, description="deviation of the logarithm")
    smallest: float = Field(16.0, gt=1)
    largest: float = Field(150.0, gt=1)
    enlarge: float = Field(1.25, gt=0, description="most magnification of a crop's own pixels")


class Moves(Section):
    """How a craft is turned, and how far a detector's box is off."""

    flip: float = Field(0.5, ge=0, le=1)
    rotation: float = Field(12.0, ge=0, description="largest turn, degrees")
    steep: float = Field(0.0, ge=0, le=1, description="chance of a larger turn, as in a dive")
    steepest: float = Field(70.0, ge=0, le=180, description="largest of these, degrees")
    stretch: float = Field(0.07, ge=0, description="deviation of the log of the craft's proportion")
    cut: float = Field(0.0, ge=0, le=1, description="chance that the picture's edge cuts it")
    cut_depth: tuple[float, float] = (0.1, 0.55)
    """Share of its width, or height, that is lost then."""
    box_shift: float = Field(0.06, ge=0, description="deviation, of the side")
    box_stretch: float = Field(0.1, ge=0, description="deviation of the log of the side")


class Staging(Section):
    """All that happens to a craft between its shard and the network."""

    scale: Scale = Scale()
    moves: Moves = Moves()
    light: Relight = Relight()
    noise: Augmentation = Augmentation()


@dataclass(frozen=True, slots=True)
class Staged:
    """A spoilt picture (h, w, 3), the box in it (4,) and the craft's cover (h, w), if known."""

    pixels: ImageArray
    box: FloatArray
    cover: ImageArray | None


def stage(crop: Crop, settings: Staging, grounds: Sequence[ImageArray], rng: Generator) -> Staged:
    """Lay a craft on a background; a crop that has one keeps it."""
    moves = settings.moves
    pixels = crop.pixels if crop.cover is None else np.dstack([crop.pixels, crop.cover])
    layered = crop.pixels.shape[2] == 4
    moved, box = move(np.asarray(pixels, np.uint8), crop.box, settings, layered, rng)
    cover = np.ascontiguousarray(moved[..., 3]) if moved.shape[2] == 4 else None
    if layered:
        ground = part_of(grounds[int(rng.integers(len(grounds)))], moved.shape[0], rng)
        air = ground.reshape(-1, 3).mean(axis=0)
        layer = relight(moved, settings.light, air, rng)
        picture = backgrounds.over(layer, ground)
    else:
        picture = np.ascontiguousarray(moved[..., :3])
    if moves.cut and rng.random() < moves.cut:
        rows, columns, box = kept(box, picture.shape[0], moves.cut_depth, rng)
        picture = np.ascontiguousarray(picture[rows, columns])
        if cover is not None:
            cover = np.ascontiguousarray(cover[rows, columns])
            rest = crop_bank.extent(cover >= SOLID)
            box = box if rest is None else rest
    spoilt = spoil(picture, settings.noise, rng)
    return Staged(spoilt, displaced(box, moves.box_shift, moves.box_stretch, rng), cover)


def kept(
    box: FloatArray, side: int, depth: tuple[float, float], rng: Generator
) -> tuple[slice, slice, FloatArray]:
    """Rows and columns of a picture whose edge cuts the craft, and the rest of its box in them."""
    axis = int(rng.integers(2))  # 0: columns
    low, high = float(box[axis]), float(box[axis + 2])
    lost = (high - low) * rng.uniform(*depth)
    if rng.random() < 0.5:
        first, last = min(round(low + lost), side - 2), side
    else:
        first, last = 0, max(round(high - lost), 2)
    first, last = max(first, 0), min(last, side)
    rest = box.copy()
    rest[[axis, axis + 2]] = np.clip(rest[[axis, axis + 2]], first, last) - first
    whole, part = slice(0, side), slice(first, last)
    return (whole, part, rest) if axis == 0 else (part, whole, rest)


def nothing(grounds: Sequence[ImageArray], settings: Staging, rng: Generator) -> Staged:
    """A box round a part of a background."""
    size = _size(settings.scale, rng)
    side = round(size * ROOM)
    picture = part_of(grounds[int(rng.integers(len(grounds)))], side, rng)
    width, height = size, size * rng.uniform(0.3, 1)
    if rng.random() < 0.15:
        width, height = height, width
    half = np.array([-width, -height, width, height]) / 2
    moves, middle = settings.moves, np.asarray(side / 2 + half, np.float32)
    box = displaced(middle, moves.box_shift, moves.box_stretch, rng)
    return Staged(spoil(picture, settings.noise, rng), box, np.zeros((side, side), np.uint8))


def displaced(box: FloatArray, shift: float, stretch: float, rng: Generator) -> FloatArray:
    """The true box as a detector might have found it, corners (4,).

    shift: standard deviation, of the side; stretch: of the logarithm of the side.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    w, h = x1 - x0, y1 - y0
    cx = (x0 + x1) / 2 + rng.normal() * shift * w
    cy = (y0 + y1) / 2 + rng.normal() * shift * h
    w *= np.exp(rng.normal() * stretch)
    h *= np.exp(rng.normal() * stretch)
    return np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], np.float32)


def _size(scale: Scale, rng: Generator) -> float:
    drawn = np.exp(rng.normal(np.log(scale.median), scale.spread))
    return float(np.clip(drawn, scale.smallest, scale.largest))


def move(
    pixels: ImageArray, box: FloatArray, settings: Staging, layered: bool, rng: Generator
) -> tuple[ImageArray, FloatArray]:
    """The crop turned, stretched and at its size in the picture, and the box in it."""
    moves, scale = settings.moves, settings.scale
    longer = float(max(box[2] - box[0], box[3] - box[1], 1.0))
    factor = min(_size(scale, rng) / longer, scale.enlarge)
    if factor < 0.6:  # linear sampling would skip pixels
        size = max(2, round(pixels.shape[0] * min(1.0, factor * 1.3)))
        shrunk = size / pixels.shape[0]
        pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
        box, factor, longer = box * np.float32(shrunk), factor / shrunk, longer * shrunk
    side = max(12, round(longer * factor * ROOM))
    dives = moves.steep > 0 and rng.random() < moves.steep
    angle = np.radians(rng.uniform(-1, 1) * (moves.steepest if dives else moves.rotation))
    stretch = float(np.exp(rng.normal() * moves.stretch / 2))
    mirror = -1.0 if rng.random() < moves.flip else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirror * stretch, 1 / stretch]) * factor
    centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    shift = side / 2 - linear @ centre
    matrix = np.column_stack([linear, shift + linear @ [0.5, 0.5] - 0.5])
    moved = cv2.warpAffine(
        pixels,
        matrix,
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT if layered else cv2.BORDER_REFLECT,
    )
    if moved.shape[2] == 4:
        found = crop_bank.extent(moved[..., 3] >= SOLID)
        if found is not None:
            return np.asarray(moved, np.uint8), found
    corners = np.array([[box[i], box[j]] for i in (0, 2) for j in (1, 3)]) @ linear.T + shift
    low, high = corners.min(axis=0), corners.max(axis=0)
    return np.asarray(moved, np.uint8), np.array([*low, *high], np.float32)


def part_of(ground: ImageArray, side: int, rng: Generator) -> ImageArray:
    """A random square (side, side, 3) of a background, enlarged where it is too small, at times
    finer."""
    least = min(ground.shape[:2])
    taken = side if rng.random() < 0.6 else round(side * rng.uniform(0.7, 2.0))
    taken = max(8, min(taken, least))
    y = int(rng.integers(ground.shape[0] - taken + 1))
    x = int(rng.integers(ground.shape[1] - taken + 1))
    part = ground[y : y + taken, x : x + taken]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if taken != side:
        way = cv2.INTER_AREA if taken > side else cv2.INTER_LINEAR
        part = cv2.resize(part, (side, side), interpolation=way)  # type: ignore[assignment]
    return np.ascontiguousarray(part)
