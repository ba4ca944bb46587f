# SPDX-License-Identifier: Apache-2.0
"""The pinhole camera on the turret: pixels, directions and angles.

Frames: directions are unit vectors in the turret's base frame (REP-103: x forward at yaw 0, y left,
z up). Pixel (0, 0) is the upper left corner of the upper left pixel; x runs right, y down. Camera
yaw is positive counter-clockwise, camera pitch positive nose down, in radians; there is no roll.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.aim.distortion import Distortion
from turret_ai.errors import InputError
from turret_ai.types import Box

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Camera:
    """Intrinsics of a camera; every length in pixels. distortion: None for a plain pinhole."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: Distortion | None = None

    def __post_init__(self) -> None:
        values = (self.fx, self.fy, self.cx, self.cy)
        if not all(math.isfinite(v) for v in values) or self.fx <= 0 or self.fy <= 0:
            raise InputError(
                f"camera intrinsics must be finite, focal lengths positive: got {values}"
            )
        if self.width < 1 or self.height < 1:
            raise InputError(f"camera image must not be empty: {self.width} x {self.height}")

    @classmethod
    def from_fov(cls, width: int, height: int, vertical_fov: float) -> Camera:
        """Square pixels, centred principal point; `vertical_fov` in radians.

        f = H / (2 tan(fov / 2)), the pinhole relation.
        """
        if not 0.0 < vertical_fov < math.pi:
            raise InputError(f"vertical field of view must be in (0, pi) rad: got {vertical_fov}")
        f = height / (2.0 * math.tan(vertical_fov / 2.0))
        return cls(width, height, f, f, width / 2.0, height / 2.0)

    def as_k(self) -> list[float]:
        """The 3x3 matrix K of sensor_msgs/CameraInfo, row by row.

        CameraInfo counts from pixel centres (its pixel (0, 0) is the middle of the first pixel),
        half a pixel away from this module's corner.
        """
        return [self.fx, 0.0, self.cx - 0.5, 0.0, self.fy, self.cy - 0.5, 0.0, 0.0, 1.0]

    @classmethod
    def from_k(
        cls, width: int, height: int, k: list[float], distortion: Distortion | None = None
    ) -> Camera:
        """The inverse of `as_k`.

        Raises:
            InputError: not nine finite numbers, or a focal length that is not positive.
        """
        if len(k) != 9:
            raise InputError(f"camera matrix K has {len(k)} numbers instead of 9")
        fx, cx, fy, cy = (float(k[i]) for i in (0, 2, 4, 5))
        return cls(width, height, fx, fy, cx + 0.5, cy + 0.5, distortion)

    @classmethod
    def from_info(cls, info: Any) -> Camera:
        """From the fields of a sensor_msgs/CameraInfo of an image that is not rectified: K, the
        lens's distortion, the region of interest and the binning.

        Raises:
            InputError: intrinsics that are zero, as of an uncalibrated camera, or not finite; a
                distortion that is not known.
        """
        lens = Distortion.of(info.distortion_model, info.d)
        k = [float(value) for value in info.k]
        camera = cls.from_k(info.width, info.height, k, lens)
        roi, binning = info.roi, max(1, int(info.binning_x))
        if not roi.width and not roi.height and binning == 1:
            return camera
        width, height = int(roi.width or info.width), int(roi.height or info.height)
        return camera.within(int(roi.x_offset), int(roi.y_offset), width, height, binning)

    def within(self, left: int, top: int, width: int, height: int, binning: int) -> Camera:
        """The camera of a part of the picture, with `binning` pixels a side taken as one."""
        return replace(
            self,
            width=width // binning,
            height=height // binning,
            fx=self.fx / binning,
            fy=self.fy / binning,
            cx=(self.cx - left) / binning,
            cy=(self.cy - top) / binning,
        )


def rotation(yaw: float, pitch: float) -> Float64Array:
    """Matrix (3, 3) from the camera's body frame (x forward, y left, z up) to the base frame."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    about_z = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    about_y = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
    product: Float64Array = about_z @ about_y
    return product


def pixels_to_directions(
    pixels: Float64Array, camera: Camera, yaw: float, pitch: float
) -> Float64Array:
    """Unit vectors (..., 3) in the base frame through image points (..., 2) = (x, y).

    nan where the lens's model doesn't hold.
    """
    points = np.asarray(pixels, np.float64)
    points = (points - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    if camera.distortion is not None:
        points = camera.distortion.undo(points)
    left, up = -points[..., 0], -points[..., 1]
    body = np.stack([np.ones_like(left), left, up], axis=-1)
    body /= np.linalg.norm(body, axis=-1, keepdims=True)
    directions: Float64Array = body @ rotation(yaw, pitch).T
    return directions


def directions_to_pixels(
    directions: Float64Array, camera: Camera, yaw: float, pitch: float
) -> Float64Array:
    """Image points (..., 2) of base-frame vectors (..., 3) of any length; nan behind the camera."""
    body = np.asarray(directions, np.float64) @ rotation(yaw, pitch)
    forward = np.where(body[..., 0] > 1e-9, body[..., 0], np.nan)
    points = np.stack([-body[..., 1] / forward, -body[..., 2] / forward], axis=-1)
    if camera.distortion is not None:
        points = camera.distortion.apply(points)
    pixels: Float64Array = points * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    return pixels


def angles_to_direction(yaw: float, pitch: float) -> Float64Array:
    """The unit vector (3,) that yaw and pitch point along."""
    return np.array(
        [math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), -math.sin(pitch)]
    )


def direction_to_angles(direction: Float64Array) -> tuple[float, float]:
    """(yaw in [-pi, pi], pitch) of a vector (3,) of any length above 0."""
    x, y, z = (float(v) for v in direction)
    return math.atan2(y, x), -math.atan2(z, math.hypot(x, y))


def aim_at(box: Box, camera: Camera, camera_yaw: float, camera_pitch: float) -> tuple[float, float]:
    """The (yaw, pitch) that points at the middle of a box, radians.

    The yaw is the one nearest to the camera's (not wrapped), so that a turret whose range exceeds
    a half turn keeps its side.

    Raises:
        InputError: the box or the camera's angles are not finite, the box has no area, or its
            middle lies where the lens's model doesn't hold.
    """
    numbers = (*box.as_list(), camera_yaw, camera_pitch)
    if not all(math.isfinite(v) for v in numbers) or box.width <= 0 or box.height <= 0:
        raise InputError(f"can't aim at box {box.as_list()} from {camera_yaw}, {camera_pitch}")
    # With the camera's yaw at 0 the result's yaw is the offset from it: no wrapping needed.
    point = np.array(box.centre)
    direction = pixels_to_directions(point, camera, 0.0, camera_pitch)
    if not np.isfinite(direction).all():
        raise InputError(f"box {box.as_list()} lies where the camera's distortion doesn't hold")
    offset, pitch = direction_to_angles(direction)
    return camera_yaw + offset, pitch
