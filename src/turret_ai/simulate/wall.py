# SPDX-License-Identifier: Apache-2.0
"""Walls that stand between the turret and the craft: what is behind one can't be seen."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from turret_ai.aim.camera import Camera, angles_to_direction, directions_to_pixels
from turret_ai.settings import Settings
from turret_ai.types import Box, ImageArray
from turret_ai.units import heading_to_yaw

Float64Array = NDArray[np.float64]

_STRIP = math.radians(4.0)
_FINE = 4
"""Bits of a pixel's fraction in which edges are drawn."""


class Wall(Settings):
    """A plain wall that stands across the line of sight, as the turret sees it. Degrees."""

    heading: float = Field(ge=-360.0, le=720.0, description="of its middle")
    width: float = Field(gt=0.0, le=90.0)
    low: float = Field(-20.0, ge=-80.0, le=80.0, description="elevation of its foot")
    high: float = Field(45.0, ge=-80.0, le=80.0, description="elevation of its top")
    distance: float = Field(gt=1.0, le=20000.0, description="metres")
    colour: tuple[int, int, int] = Field((138, 132, 124), description="RGB, 0..255")

    @model_validator(mode="after")
    def _upright(self) -> Wall:
        if self.low >= self.high:
            raise ValueError(f"a wall's foot must be below its top: {self.low}, {self.high}")
        if not all(0 <= c <= 255 for c in self.colour):
            raise ValueError(f"colours are 0 to 255: {self.colour}")
        return self

    def outline(self, camera: Camera, yaw: float, pitch: float) -> list[Float64Array]:
        """Its strips (4, 2) in pixels, those before the camera only; they share their edges."""
        middle, half = heading_to_yaw(self.heading), math.radians(self.width) / 2.0
        count = max(1, math.ceil(2.0 * half / _STRIP))
        yaws = np.linspace(middle - half, middle + half, count + 1)
        low, high = math.radians(self.low), math.radians(self.high)
        rows = []
        for up in (high, low):
            towards = np.array([angles_to_direction(float(y), -up) for y in yaws])
            rows.append(directions_to_pixels(towards, camera, yaw, pitch))
        strips = []
        for k in range(count):
            corners = np.array([rows[0][k], rows[0][k + 1], rows[1][k + 1], rows[1][k]])
            if np.isfinite(corners).all() and np.abs(corners).max() < 1e5:
                strips.append(corners)
        return strips


def draw(image: ImageArray, wall: Wall, camera: Camera, yaw: float, pitch: float) -> None:
    """Paint a wall over what is behind it; the image (H, W, 3) changes."""
    for number, corners in enumerate(wall.outline(camera, yaw, pitch)):
        shade = 1.0 - 0.06 * (number % 2)  # panels
        colour = [round(c * shade) for c in wall.colour]
        points = np.round((corners - 0.5) * (1 << _FINE)).astype(np.int32)
        cv2.fillConvexPoly(image, points, colour, cv2.LINE_AA, _FINE)


def covered(box: Box, wall: Wall, camera: Camera, yaw: float, pitch: float) -> float:
    """Area of a box in the picture that lies behind a wall, pixels squared."""
    right, bottom = box.left + box.width, box.top + box.height
    corners = [[box.left, box.top], [right, box.top], [right, bottom], [box.left, bottom]]
    rectangle = np.array(corners, np.float32)
    total = 0.0
    for strip in wall.outline(camera, yaw, pitch):
        area, _ = cv2.intersectConvexConvex(rectangle, strip.astype(np.float32))
        total += float(area)
    return total
