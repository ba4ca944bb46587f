# SPDX-License-Identifier: Apache-2.0
"""Craft drawn one by one for the matcher: a colour layer with its cover, to lay on any background.

Twenty times cheaper than whole pictures, and every layer serves on many backgrounds.
"""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.random import Generator
from rich.progress import track

from turret_ai.aim.camera import Camera, pixels_to_directions, rotation
from turret_ai.learn.vision import crop_bank
from turret_ai.learn.vision.crop_bank import AROUND, Crop
from turret_ai.simulate import craft, livery, mesh
from turret_ai.simulate.render import Light, Placed, draw, true_box

CAMERA = Camera.from_fov(1520, 870, np.deg2rad(70.0))
PITCH = -np.deg2rad(15.0)
SHARD = 500
"""Crops in one file."""
LEAST_SHARE = 0.05
"""Of the painted pixels, for each colour of the caption."""
SEED_OFFSETS = {"train": 0, "val": 1 << 26, "test": 1 << 27}
"""Keep the paints and patterns of the splits apart."""


def random_light(rng: Generator) -> Light:
    """From overcast to bright, from any side but below."""
    azimuth, height = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(10, 80))
    sun = (
        float(np.cos(azimuth) * np.cos(height)),
        float(np.sin(azimuth) * np.cos(height)),
        float(np.sin(height)),
    )
    clear = rng.uniform(0.1, 1.0)
    warm = 1 - rng.uniform(0, 0.12) * np.array([0.0, 0.4, 1.0])
    base = rng.uniform(0.85, 1.1)

    def tone(level: float, spread: float) -> tuple[float, float, float]:
        r, g, b = level * base * (1 + rng.uniform(-spread, spread, 3))
        return float(r), float(g), float(b)

    sun_rgb = 0.62 * clear * warm * base
    return Light(
        sun=sun,
        sun_rgb=(float(sun_rgb[0]), float(sun_rgb[1]), float(sun_rgb[2])),
        sky_rgb=tone(0.48 + 0.3 * (1 - clear), 0.04),
        horizon_rgb=tone(0.63, 0.04),
        ground_rgb=tone(rng.uniform(0.22, 0.4), 0.06),
    )


def random_rotation(type_name: str, rng: Generator) -> np.ndarray:
    """A craft's attitude (3, 3): any heading, flat more often than steep."""
    steep = 30.0 if type_name == "missile" else 14.0
    yaw, pitch = rng.uniform(-np.pi, np.pi), np.deg2rad(rng.normal(0, steep))
    roll = np.deg2rad(rng.normal(0, 18.0))
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(roll), -np.sin(roll)], [0, np.sin(roll), np.cos(roll)]]
    )
    return np.asarray(rotation(yaw, pitch) @ about_x)


def random_size(rng: Generator) -> float:
    """Longer side of the box, pixels: around 64 by the competition's boxes, 16 to 260."""
    return float(np.clip(np.exp(rng.normal(np.log(64.0), 0.45)), 16, 260))


def crop(index: int, seed: int, split: str) -> Crop | None:
    """Crop number `index`: RGBA (s, s, 4), colours premultiplied; None if it came out of view."""
    rng = np.random.default_rng([seed, index, {"train": 0, "val": 1, "test": 2}[split]])
    type_name = craft.TYPES[int(rng.integers(len(craft.TYPES)))]
    choice = craft.variants(type_name, split)
    variant = choice[int(rng.integers(len(choice)))]
    painted = livery.random_livery(type_name, rng, SEED_OFFSETS[split])
    spinning = bool(rng.random() < 0.6)
    shape = mesh.load(type_name, variant.name, spinning)
    turned = random_rotation(type_name, rng)
    pixel = np.array([rng.uniform(0.1, 0.9) * 1520, rng.uniform(0.05, 0.7) * 870])
    direction = pixels_to_directions(pixel, CAMERA, 0.0, PITCH)
    wanted = random_size(rng)
    distance = shape.size * CAMERA.fx / wanted
    view = rotation(0.0, PITCH)
    for _ in range(3):  # the size in pixels depends on the pose: correct the distance
        placed = Placed(shape, painted, direction * distance, turned)
        box = true_box(placed, CAMERA, view)
        if box is None:
            return None
        distance *= max(box.width, box.height) / wanted
    canvas = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8)
    drawn = draw(canvas, placed, CAMERA, view, random_light(rng), rays=24_000)
    # A colour of the livery that can't be seen would make the caption untrue.
    if drawn is None or min(drawn.colour_shares) < LEAST_SHARE:
        return None
    layer = np.zeros((CAMERA.height, CAMERA.width, 4), np.uint8)
    layer[..., :3] = canvas
    tall, wide = drawn.cover.shape
    cover = (drawn.cover * 255 + 0.5).astype(np.uint8)
    layer[drawn.y : drawn.y + tall, drawn.x : drawn.x + wide, 3] = cover
    ys, xs = np.nonzero(cover > 60)
    if len(ys) < 20:
        return None
    # The visible extent, not the projected outline: what a detector would find.
    corners = np.array(
        [drawn.x + xs.min(), drawn.y + ys.min(), drawn.x + xs.max() + 1, drawn.y + ys.max() + 1],
        np.float32,
    )
    side = max(corners[2] - corners[0], corners[3] - corners[1]) * AROUND
    middle = (corners[:2] + corners[2:]) / 2
    if (middle - side / 2).min() < 0 or (middle + side / 2 > [1520, 870]).any():
        return None
    return crop_bank.cut(layer, corners, painted.caption(type_name))


def _shard(task: tuple[Path, int, int, str]) -> Path:
    path, first, seed, split = task
    if not path.exists():
        made = [crop(i, seed, split) for i in range(first, first + SHARD)]
        crop_bank.save(path, [c for c in made if c is not None])
    return path


def render(folder: Path, count: int, seed: int, split: str, workers: int = 1) -> list[Path]:
    """Shards of about `count` crops, made where they aren't there yet.

    Raises:
        InputError: the folder can't be written.
    """
    tasks = [
        (folder / split / f"{seed}_{first // SHARD:04d}.npz", first, seed, split)
        for first in range(0, count, SHARD)
    ]
    title = f"drawing {split} craft"
    if workers <= 1:
        return [_shard(t) for t in track(tasks, title)]
    with get_context("spawn").Pool(workers) as pool:
        return list(track(pool.imap(_shard, tasks), title, total=len(tasks)))
