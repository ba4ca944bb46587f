# SPDX-License-Identifier: Apache-2.0
"""Searched pictures, small enough to keep all of them and to embed them in a report."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from turret_ai.see import images
from turret_ai.types import ImageArray

WIDTH = 960
"""Pixels; wider pictures are scaled down."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG, and the size in pixels of the picture that it was made from."""

    jpeg: bytes
    width: int
    height: int

    @property
    def data_uri(self) -> str:
        """For an <image> of HTML."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


def thumbnail(image: ImageArray) -> Thumbnail:
    """Scale down and compress an RGB picture (H, W, 3)."""
    height, width = image.shape[:2]
    small = image
    if width > WIDTH:
        size = (WIDTH, max(1, round(height * WIDTH / width)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Thumbnail(images.encode(small, ".jpg", 75), width, height)
