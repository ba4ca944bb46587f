# SPDX-License-Identifier: Apache-2.0
"""A craft as a layer: colours with their cover, to be laid on any background."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.random import Generator

from turret_ai.aim.camera import Camera
from turret_ai.learn import cutout, placing
from turret_ai.learn.vision import crop_bank
from turret_ai.learn.vision.crop_bank import AROUND
from turret_ai.simulate import render
from turret_ai.simulate.livery import Livery
from turret_ai.simulate.mesh import Mesh
from turret_ai.simulate.render import Drawn, Light, Placed
from turret_ai.types import Box, FloatArray, ImageArray

SOLID = 0.24
"""Least cover of a pixel that counts for the box: wings do, the blur of a rotor doesn't."""
_FOV = math.radians(14.0)
"""A telephoto's: craft are seen from afar."""


def light_of_photo(axes: np.ndarray, rng: Generator) -> Light:
    """Any light that a photographer would take a craft in, exposed more or less well."""
    lamp = placing.studio(axes, rng)
    gain = float(2.0 ** np.clip(rng.normal(0.05, 0.3), -0.7, 0.6))

    def brighter(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
        return (rgb[0] * gain, rgb[1] * gain, rgb[2] * gain)

    return Light(
        lamp.sun, brighter(lamp.sun_rgb), brighter(lamp.sky_rgb), brighter(lamp.horizon_rgb),
        brighter(lamp.ground_rgb), 0.0,
    )  # fmt: skip


def draw(
    model: Mesh, paint: Livery, type_name: str, size: float, rng: Generator
) -> tuple[FloatArray, FloatArray, Placed, Camera] | None:
    """A craft of any pose whose longer side has `size` pixels, in the light of a photo.

    Returns:
        straight colours (s, s, 3) in 0..255 and cover (s, s) in 0..1; how it was placed; None if
        it came out too small.
    """
    side = math.ceil(size * AROUND)
    camera = Camera.from_fov(side, side, _FOV)
    axes = np.eye(3)
    turn = placing.orientation(type_name, axes, rng)
    distance = model.size * camera.fx / size
    for _ in range(2):
        placed = Placed(model, paint, np.array([distance, 0.0, 0.0]), turn, False)
        box = render.true_box(placed, camera, axes)
        if box is None:
            return None
        distance *= max(box.width, box.height) / size
    placed = Placed(model, paint, np.array([distance, 0.0, 0.0]), turn, False)
    box = render.true_box(placed, camera, axes)
    if box is None:
        return None
    shift = np.array([0.0, box.centre[0] - camera.cx, box.centre[1] - camera.cy])
    placed = Placed(model, paint, placed.position + shift * distance / camera.fx, turn, False)
    canvas = np.zeros((side, side, 3), np.uint8)
    softness = float(rng.choice([0.0, rng.uniform(0.3, 0.9)]))
    drawn = render.draw(
        canvas, placed, camera, axes, light_of_photo(axes, rng), rays=24_000, blur=softness
    )
    if drawn is None:
        return None
    cover = np.zeros((side, side), np.float32)
    tall, wide = drawn.cover.shape
    cover[drawn.y : drawn.y + tall, drawn.x : drawn.x + wide] = drawn.cover
    straight = canvas.astype(np.float32) / np.maximum(cover, 0.02)[..., None]
    colour = np.minimum(spread(straight.astype(np.float32), cover), np.float32(255.0))
    if rng.random() < 0.7:
        colour = developed(colour, rng)
    return colour, cover, placed, camera


def coarse(camera: Camera) -> Camera:
    """The same view in fewer pixels: enough to measure shares of colours."""
    side = max(40, round(camera.width * 0.6))
    return Camera.from_fov(side, side, _FOV)


def developed(colour: FloatArray, rng: Generator) -> FloatArray:
    """A photo's tone curve, sharpness and fine detail on colours (h, w, 3) in 0..255."""
    picture = colour.astype(np.uint8)
    whole = np.ones(colour.shape[:2], np.float32)
    box = Box(0, 0, colour.shape[1], colour.shape[0])
    cutout.develop(picture, rng, Drawn(box, 0, 0, whole))
    return picture.astype(np.float32)


def spread(colour: FloatArray, cover: FloatArray) -> FloatArray:
    """Colours continued over the edge, so that whatever mixes neighbours finds no black there."""
    sure = (cover > 0.5).astype(np.float32)
    kept = cv2.merge([colour * sure[..., None], sure])
    blurred = cv2.blur(kept, (7, 7))
    fill = blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-4)
    return np.asarray(np.where(sure[..., None] > 0, colour, fill), np.float32)


def box_of(cover: FloatArray) -> FloatArray | None:
    """Corners (4,) of what is solid; None if that is next to nothing."""
    solid = cover > SOLID
    return crop_bank.extent(solid) if np.count_nonzero(solid) >= 20 else None


def rgba(colour: FloatArray, cover: FloatArray) -> ImageArray:
    """Premultiplied RGBA (h, w, 4) uint8."""
    alpha = np.clip(cover, 0, 1)[..., None]
    layer = np.concatenate([np.clip(colour, 0, 255) * alpha, alpha * 255], axis=2)
    return np.asarray(layer + 0.5, np.uint8)
