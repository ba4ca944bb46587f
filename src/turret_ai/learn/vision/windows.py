# SPDX-License-Identifier: Apache-2.0
"""Windows of any photographs, panoramas and HDRIs: what craft are laid on, and where none are."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from turret_ai.aim.camera import Camera, rotation
from turret_ai.errors import InputError
from turret_ai.learn import backdrop
from turret_ai.learn.vision.backgrounds import SIDE
from turret_ai.simulate import photo
from turret_ai.types import ImageArray

_SMALL = 700
"""Pictures of a shorter side below that are textures, of which fewer windows are taken."""


def window(picture: ImageArray, rng: Generator, side: int = SIDE) -> ImageArray | None:
    """A random part (side, side, 3) at a random scale; None if the picture is too small."""
    height, width = picture.shape[:2]
    if abs(width - 2 * height) <= 2 and width >= 512:
        camera = Camera.from_fov(side, side, math.radians(float(rng.uniform(18, 55))))
        axes = rotation(float(rng.uniform(-math.pi, math.pi)), -math.radians(rng.uniform(-5, 45)))
        return photo.look(picture, camera, axes, rng)
    most = min(height, width)
    if most < side:
        return None
    part = round(math.exp(rng.uniform(math.log(side), math.log(max(side + 1, 0.7 * most)))))
    part = min(part, most)
    # Skies are above: take rather the upper part, where craft fly.
    y = int(rng.beta(1.0, 1.6) * (height - part + 1)) if height >= _SMALL else 0
    x = int(rng.integers(width - part + 1))
    cut = picture[y : y + part, x : x + part]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def write(
    folders: list[Path], out: Path, each: int, small_share: float, seed: int, side: int = 256
) -> tuple[int, list[str]]:
    """JPEG windows of every picture below folders; returns how many, and which files were no good.

    each: windows of a photograph; small_share: the share of textures of which one is taken.

    Raises:
        InputError: no pictures, or `out` can't be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    count, problems = 0, []
    for folder in folders:
        for number, path in enumerate(backdrop.photos(str(folder))):
            rng = np.random.default_rng([seed, number])
            try:
                picture = photo.read(path)
            except InputError as error:
                problems.append(str(error))
                continue
            small = min(picture.shape[:2]) < _SMALL and picture.shape[1] < 2 * picture.shape[0]
            for k in range(int(rng.random() < small_share) if small else each):
                made = window(picture, rng, side)
                if made is not None and made.std() > 0.5:
                    name = f"{path.stem[:60]}_{number}_{k}.jpg"
                    cv2.imwrite(str(out / name), cv2.cvtColor(made, cv2.COLOR_RGB2BGR))
                    count += 1
    return count, problems
