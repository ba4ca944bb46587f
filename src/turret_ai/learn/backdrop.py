# SPDX-License-Identifier: Apache-2.0
"""What is behind the craft of a synthetic image: a landscape, or a photo of the user's."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import cv2
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
def photos(folder: str) -> tuple[Path, ...]:
    """Every picture below a folder."""
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
    share = settings.backgrounds_share
    if settings.backgrounds and (share >= 1.0 or rng.random() < share):
        from turret_ai.simulate.photo import look

        found = photos(settings.backgrounds)
        if settings.recipe >= 8:
            found = _of_split(found, split)
        picture = look(_any_photo(found, rng), camera, axes, rng)
        matched = light_of(picture, axes, rng) if settings.recipe >= 8 else render.Light()
        return picture, camera, axes, matched
    number = index // max(1, settings.panorama_reuse)
    world = _landscape(number, seed, split, settings.panorama_width)
    picture = world.panorama.view(camera, axes)
    if rng.random() < 0.5:
        picture = picture[:, ::-1].copy()
    return picture, camera, axes, world.light


def _of_split(found: tuple[Path, ...], split: str) -> tuple[Path, ...]:
    """The photos of a split: one in eight is for validation, one for test, if there are enough."""
    if len(found) < 24:
        return found
    number = {"train": range(2, 8), "val": range(1), "test": range(1, 2)}[split]
    return tuple(p for k, p in enumerate(found) if k % 8 in number)


def _any_photo(found: tuple[Path, ...], rng: np.random.Generator) -> ImageArray:
    """A picture of those that can be read.

    Raises:
        InputError: none of a dozen could.
    """
    for _ in range(12):
        path = found[int(rng.integers(len(found)))]
        try:
            return _photo(path)
        except InputError as error:
            problem = error
    raise problem


def light_of(picture: ImageArray, axes: np.ndarray, rng: np.random.Generator) -> render.Light:
    """Light as bright and of the colour as a photo's upper half, for craft that fly in it."""
    upper = picture[: max(1, picture.shape[0] // 2) : 8, ::8].reshape(-1, 3)
    tone = np.percentile(upper, 70, axis=0) / 255.0
    level = float(np.clip(tone.mean(), 0.25, 0.95))
    tint = np.clip(tone / max(1e-3, float(tone.mean())), 0.8, 1.2) ** 0.5
    sky = 0.45 + 0.5 * level
    ground = sky * float(rng.uniform(0.35, 0.8))
    sun = axes @ np.array([-rng.uniform(-0.35, 1.0), rng.normal(0, 0.7), rng.uniform(0.15, 1.2)])
    power = float(rng.uniform(0.1, 0.9)) * level

    def colour(amount: float) -> tuple[float, float, float]:
        r, g, b = amount * tint
        return float(r), float(g), float(b)

    return render.Light(
        (float(sun[0]), float(sun[1]), float(sun[2])), colour(power), colour(sky),
        colour(sky * 1.08), colour(ground), haze_per_metre=0.0,
    )  # fmt: skip


def blow_out(picture: ImageArray, rng: np.random.Generator) -> None:
    """Expose a picture so that its bright parts go white, in place."""
    bright = float(np.percentile(picture[::8, ::8].mean(axis=2), rng.uniform(55, 90)))
    gain = min(2.5, float(rng.uniform(1.0, 1.25)) * 255.0 / max(40.0, bright))
    levels = np.arange(256, dtype=np.float32)
    table = np.clip(levels * gain, 0, 255)
    picture[:] = cv2.LUT(picture, table.astype(np.uint8))
