# SPDX-License-Identifier: Apache-2.0
"""What is behind the craft of a synthetic image: a landscape, or a photo of the user's."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from turret_ai.aim.camera import Camera, rotation
from turret_ai.errors import InputError
from turret_ai.learn.image_types import SPLIT_NUMBER, Settings
from turret_ai.simulate import landscape, render
from turret_ai.types import ImageArray


@lru_cache(maxsize=3)
def _landscape(number: int, seed: int, split: str, width: int) -> landscape.Landscape:
    offset = SPLIT_NUMBER[split]
    rng = np.random.default_rng((seed, offset, number, 7))
    kind = landscape.KINDS[int(rng.integers(len(landscape.KINDS)))]
    number = int(rng.integers(1 << 30))
    return landscape.paint(kind, number, width=width, textures=offset, street=True)


@lru_cache(maxsize=4)
def _photos(folder: str) -> tuple[Path, ...]:
    endings = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".hdr", ".exr"}
    found = sorted(p for p in Path(folder).expanduser().rglob("*") if p.suffix.lower() in endings)
    if not found:
        raise InputError(f"no images in the folder of backgrounds {folder}")
    return tuple(found)


@lru_cache(maxsize=6)
def _photo(path: Path) -> ImageArray:
    from turret_ai.simulate.photo import read

    return read(path)


def background(
    index: int, seed: int, split: str, settings: Settings, rng: np.random.Generator
) -> tuple[ImageArray, Camera, np.ndarray, render.Light]:
    """What is behind the craft: the picture, its camera, the camera's axes and the daylight."""
    fov = 70.0 if rng.random() < 0.5 else float(rng.uniform(38, 78))
    camera = Camera.from_fov(settings.width, settings.height, math.radians(fov))
    pitch = -math.radians(15.0 if rng.random() < 0.5 else float(rng.uniform(2, 30)))
    axes = rotation(float(rng.uniform(-math.pi, math.pi)), pitch)
    if settings.backgrounds:
        from turret_ai.simulate.photo import look

        photos = _photos(settings.backgrounds)
        picture = look(_photo(photos[int(rng.integers(len(photos)))]), camera, axes, rng)
        return picture, camera, axes, render.Light()
    number = index // max(1, settings.panorama_reuse)
    world = _landscape(number, seed, split, settings.panorama_width)
    picture = world.panorama.view(camera, axes)
    if rng.random() < 0.5:
        picture = picture[:, ::-1].copy()
    return picture, camera, axes, world.light
