# SPDX-License-Identifier: Apache-2.0
"""Backgrounds of the user's own: photos, equirectangular panoramas and HDRIs as views."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.aim.camera import Camera
from turret_ai.errors import InputError
from turret_ai.simulate.panorama import Equirectangular
from turret_ai.types import ImageArray


def read(path: Path) -> ImageArray:
    """An image file as RGB; linear formats (.hdr, .exr) are exposed for their median.

    Raises:
        InputError: not an image that can be read.
    """
    # OpenCV reads EXR only if asked; what is asked before the first such file counts.
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    try:
        data = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise InputError(f"{path} can't be read as an image: {error.err}") from error
    if data is None:
        raise InputError(f"{path} can't be read as an image")
    if data.dtype == np.uint16:
        data = (data // 257).astype(np.uint8)
    elif data.dtype != np.uint8:
        exposed = np.clip(data * (0.35 / max(1e-6, float(np.median(data)))), 0, 1)
        data = (exposed ** (1 / 2.2) * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(data, cv2.COLOR_BGR2RGB), np.uint8)


def look(
    photo: ImageArray, camera: Camera, axes: NDArray[np.float64], rng: np.random.Generator
) -> ImageArray:
    """A view through the camera if the photo is twice as wide as high, else a random part of it."""
    height, width = photo.shape[:2]
    if abs(width - 2 * height) <= 2:
        return Equirectangular(photo).view(camera, axes)
    share = float(rng.uniform(0.55, 1.0))
    wide = min(width * share, height * share * camera.width / camera.height)
    tall = wide * camera.height / camera.width
    x, y = float(rng.uniform(0, width - wide)), float(rng.uniform(0, height - tall))
    part = photo[int(y) : int(y + tall), int(x) : int(x + wide)]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    small = tall > camera.height
    method = cv2.INTER_AREA if small else cv2.INTER_CUBIC
    return np.asarray(
        cv2.resize(part, (camera.width, camera.height), interpolation=method), np.uint8
    )
