# SPDX-License-Identifier: Apache-2.0
"""The surface of a textured model: which colour each point of a face has, and where it is clear."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.simulate.colours import to_linear
from turret_ai.types import ImageArray

FloatArray = NDArray[np.float32]

DETAIL = 512
"""Textures are reduced to this side: a craft is drawn at some hundred pixels."""
_CLEAR = 110
"""Alpha below which a ray goes through a texture."""
_GLOSS = 0.06


@lru_cache(maxsize=96)
def texture(path: Path, detail: int = DETAIL) -> ImageArray:
    """A texture as RGBA (h, w, 4), first row at the top.

    Raises:
        InputError: missing, or not a picture.
    """
    from PIL import Image

    try:
        with Image.open(path) as file:
            image = np.asarray(file.convert("RGBA"), np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path} is not a texture: {error}") from error
    return reduced(image, detail)


def reduced(image: ImageArray, detail: int = DETAIL) -> ImageArray:
    """A picture whose longer side is at most `detail` pixels."""
    height, width = image.shape[:2]
    scale = detail / max(height, width)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a texture.

    Raises:
        InputError: missing, or not a picture.
    """
    from PIL import Image

    try:
        with Image.open(path) as file:
            return file.size
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path} is not a texture: {error}") from error


@dataclass(frozen=True, slots=True)
class Skin:
    """For each face: texture coordinates (m, 3, 2), the number of its texture (m,), -1 for none,
    and its own sRGB colour (m, 3), by which the texture is multiplied."""

    uv: FloatArray
    image: NDArray[np.int32]
    tint: FloatArray
    textures: tuple[ImageArray, ...]
    see_through: bool = field(init=False)

    def __post_init__(self) -> None:
        clear = any(bool((p[..., 3] < _CLEAR).any()) for p in self.textures)
        object.__setattr__(self, "see_through", clear)

    def sample(self, face: NDArray[np.int32], u: FloatArray, v: FloatArray) -> FloatArray:
        """sRGB and alpha (n, 4) in 0..1 at barycentric places u, v (n, 1) of faces (n,)."""
        corners = self.uv[face]
        place = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        out = np.ones((len(face), 4), np.float32)
        numbers = self.image[face]
        for number, picture in enumerate(self.textures):
            here = np.nonzero(numbers == number)[0]
            if len(here):
                height, width = picture.shape[:2]
                column = np.floor(place[here, 0] * width).astype(np.int64) % width
                row = np.floor((1.0 - place[here, 1]) * height).astype(np.int64) % height
                out[here] = picture[row, column] / np.float32(255)
        out[:, :3] *= self.tint[face]
        return out

    def clear(self, face: NDArray[np.int32], u: FloatArray, v: FloatArray) -> NDArray[np.bool_]:
        """Where a ray goes through."""
        return np.asarray(self.sample(face, u, v)[:, 3] * 255 < _CLEAR)

    def paint(
        self, face: NDArray[np.int32], u: FloatArray, v: FloatArray
    ) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
        """As `Livery.paint`: linear RGB (n, 3), gloss (n,), colour number (n,), which is 0."""
        rgb = to_linear(self.sample(face, u, v)[:, :3])
        return rgb, np.full(len(face), _GLOSS, np.float32), np.zeros(len(face), np.int64)
