# SPDX-License-Identifier: Apache-2.0
"""Craft of others in synthetic images: from textured models, and cut from photographs."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np

from turret_ai.aim.camera import Camera, rotation
from turret_ai.errors import InputError
from turret_ai.learn import colour_words, cutout
from turret_ai.learn.image_types import Composition, Settings
from turret_ai.learn.placing import (
    add_craft,
    fits,
    somewhere,
    stand,
    studio,
    too_alike,
    wanted_size,
)
from turret_ai.learn.vision import crop_bank
from turret_ai.learn.vision.captions import compose
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.simulate import craft, livery, render
from turret_ai.simulate.models import catalogue, textured
from turret_ai.simulate.render import Drawn
from turret_ai.types import Box, FloatArray

Add = Callable[[Composition, Settings, np.random.Generator], None]
_NEUTRAL = livery.Livery((), (), "plain", 0)
_COMMON_LIGHT = 0.4
"""Share of the craft in the light of the background; the others bring that of their own photo."""


def any_craft(settings: Settings, rng: np.random.Generator) -> Add:
    """What to add next: a craft of a model, of a photograph, or one of our own."""
    models = settings.models_share if settings.craft_models else 0.0
    cutouts = settings.cutouts_share if settings.cutouts else 0.0
    choice = float(rng.random())
    if choice < models:
        return add_model
    return add_cutout if choice < models + cutouts else add_craft


def add_model(scene: Composition, settings: Settings, rng: np.random.Generator) -> None:
    """Try to add one textured craft; leave all as it is where it doesn't fit or can't be read."""
    kept = Path(settings.craft_models).expanduser()
    entries = [e for e in catalogue.find(kept)[0] if _split(e.kind.split, scene.split)]
    types = sorted({e.kind.type_name for e in entries}, key=craft.TYPES.index)
    if not types:
        raise InputError(f"{kept} has no models of the split {scene.split}")
    type_name = types[int(rng.integers(len(types)))]
    mine = [e for e in entries if e.kind.type_name == type_name]
    airframes = sorted({e.kind.airframe for e in mine})
    airframe = airframes[int(rng.integers(len(airframes)))]
    mine = [e for e in mine if e.kind.airframe == airframe]
    entry = mine[int(rng.integers(len(mine)))]
    _, textures = entry.liveries[int(rng.integers(len(entry.liveries)))]
    try:
        model = textured.load(entry.path, textures, entry.kind.up)
    except InputError as error:
        _name_once(str(error))
        return
    stands = stand(model, _NEUTRAL, type_name, scene, settings, rng)
    if stands is None:
        return
    placed, seen = stands
    words = colour_words.name(*_paint(placed, scene.axes), type_name=type_name, rng=rng)
    if too_alike(type_name, words.colours, scene.labels):
        return
    lamp = scene.light if rng.random() < _COMMON_LIGHT else studio(scene.axes, rng)
    softness = float(rng.choice([0.0, rng.uniform(0.3, 0.9)]))
    drawn = render.draw(
        scene.image, placed, scene.camera, scene.axes, lamp, rays=32_000, blur=softness
    )
    if drawn is None:
        return
    if rng.random() < 0.7:
        cutout.develop(scene.image, rng, drawn)
    if rng.random() < 0.3:
        cutout.compress(scene.image, rng, drawn)
    if rng.random() < 0.15:
        cutout.fringe(scene.image, rng, drawn)
    text = compose(words.colours, type_name, words.camouflage and rng.random() < 0.7)
    scene.labels.append((text, type_name, words.colours, seen))
    scene.drawn.append(drawn)


@cache
def _name_once(problem: str) -> None:
    logging.getLogger(__name__).warning("left out: %s", problem)


def _split(of_model: str, split: str) -> bool:
    """Models are split in two; test pictures show those of validation, too."""
    return (of_model == "train") == (split == "train")


def _paint(placed: render.Placed, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bare paint of a craft as seen, and where it is, in a window of its own."""
    distance = float(np.linalg.norm(placed.position))
    away = placed.position @ axes / distance
    yaw = math.atan2(away[1], away[0])
    pitch = -math.asin(float(np.clip(away[2], -1, 1)))
    small = Camera.from_fov(64, 64, 2 * math.atan(0.62 * placed.mesh.size / distance))
    return render.paint(placed, small, axes @ rotation(yaw, pitch))


@lru_cache(maxsize=2)
def _layers(folder: str, split: str) -> tuple[Crop, ...]:
    """The layers of a split whose colours are known; those of no known split count for all."""
    crops = crop_bank.load(Path(folder).expanduser())
    mine = [
        c
        for c in crops
        if c.caption and c.pixels.shape[2] == 4 and _split(c.origin.split or split, split)
    ]
    if not mine:
        raise InputError(f"{folder} has no layers with captions of the split {split}")
    return tuple(mine)


def add_cutout(scene: Composition, settings: Settings, rng: np.random.Generator) -> None:
    """Try to paste one layer; leave all as it is where it doesn't fit."""
    layers = _layers(settings.cutouts, scene.split)
    crop = layers[int(rng.integers(len(layers)))]
    type_name = crop.origin.type_name
    text, colours = crop.caption, _colours(crop)
    if type_name not in craft.TYPES or too_alike(type_name, colours, scene.labels):
        return
    centre = somewhere(settings, rng)
    wanted, longer = wanted_size(settings, rng)
    tall, wide = (float(crop.box[k + 2] - crop.box[k]) for k in (1, 0))
    scale = min(wanted / (max(tall, wide) if longer else math.sqrt(tall * wide)), 1.6)
    colour, cover = _warped(crop, scale, rng)
    ys, xs = np.nonzero(cover > 0.24)
    if len(ys) < 12:
        return
    x, y = round(centre[0] - xs.mean()), round(centre[1] - ys.mean())
    box = Box(x + int(xs.min()), y + int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
    seen = fits(box, scene.labels, settings, rng)
    if seen is None:
        return
    drawn = _paste(scene.image, colour, cover, x, y, box)
    scene.labels.append((text, type_name, colours, seen))
    scene.drawn.append(drawn)


def _colours(crop: Crop) -> tuple[str, ...]:
    words = crop.caption.replace(",", " ").split()
    return tuple(w for w in words if w in (*colour_words.NAMES, "silver"))


def _warped(crop: Crop, scale: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Premultiplied colours (h, w, 3) in 0..255 and cover (h, w) in 0..1, turned and exposed."""
    pixels = crop.pixels.astype(np.float32)
    if scale < 0.7:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale)
    side = max(4, round(pixels.shape[0] * scale))
    middle = (pixels.shape[0] / 2, pixels.shape[0] / 2)
    turn = cv2.getRotationMatrix2D(middle, float(rng.normal(0, 8)), scale)
    turn[:, 2] += side / 2 - middle[0]
    warped = cv2.warpAffine(pixels, turn, (side, side), flags=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        warped = warped[:, ::-1]
    gain = 2.0 ** float(rng.normal(0, 0.25)) * (1 + rng.normal(0, 0.02, 3))
    cover = np.clip(warped[..., 3] / 255.0, 0, 1).astype(np.float32)
    colour = np.minimum(warped[..., :3] * gain, 255.0 * cover[..., None])
    return colour.astype(np.float32), cover


def _paste(
    image: np.ndarray, colour: FloatArray, cover: FloatArray, x: int, y: int, box: Box
) -> Drawn:
    """Lay a layer whose corner is at (x, y) over the image; what lies outside is cut off."""
    height, width = image.shape[:2]
    top, left = max(0, -y), max(0, -x)
    bottom, right = min(cover.shape[0], height - y), min(cover.shape[1], width - x)
    colour, cover = colour[top:bottom, left:right], cover[top:bottom, left:right]
    x, y = x + left, y + top
    region = image[y : y + cover.shape[0], x : x + cover.shape[1]]
    mixed = region * (1 - cover[..., None]) + colour
    region[:] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return Drawn(box, x, y, np.ascontiguousarray(cover))
