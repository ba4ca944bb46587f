# SPDX-License-Identifier: Apache-2.0
"""From a box in a picture to a direction in the base frame, and back.

The camera moves while it looks: the joint angles are those at the picture's stamp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.aim.camera import (
    Camera,
    aim_at,
    angles_to_direction,
    directions_to_pixels,
    pixels_to_directions,
)
from turret_ai.errors import InputError
from turret_ai.track.settings import SightSettings
from turret_ai.types import Box, FloatArray
from turret_ai.units import wrap

Float64Array = NDArray[np.float64]

_WHOLE = 0.12
"""Share of the known size that may be missing of a craft that is wholly seen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A candidate in a picture.

    box: pixels of the whole picture. score: the detector's, 0..1. odds: log-odds that it is what
    the caption describes; nan: nobody asked. vector: its appearance, of unit length (e,), or None.
    """

    box: Box
    score: float
    odds: float = math.nan
    vector: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a camera looks (rad, base frame), and how fast it turns (rad/s)."""

    yaw: float
    pitch: float
    yaw_rate: float = 0.0
    pitch_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A candidate as the turret sees it.

    angles: (yaw, pitch) of the box's middle, rad, base frame, yaw near the camera's. size: width
    and height, rad. cut: which of the two the picture's border cuts. noise: covariance (2, 2).
    """

    seen: Seen
    angles: tuple[float, float]
    size: tuple[float, float]
    cut: tuple[bool, bool]
    noise: Float64Array


def sight(seen: Seen, camera: Camera, pose: Pose, settings: SightSettings) -> Sighting:
    """Turn a candidate into angles.

    Raises:
        InputError: the box has no area, isn't finite, or lies where the lens's model doesn't hold.
    """
    box = seen.box
    angles = aim_at(box, camera, pose.yaw, pose.pitch)
    (x, y), right, bottom = box.centre, box.left + box.width, box.top + box.height
    edges = np.array([[box.left, y], [right, y], [x, box.top], [x, bottom]])
    directions = pixels_to_directions(edges, camera, pose.yaw, pose.pitch)
    if not np.isfinite(directions).all():
        raise InputError(f"box {box.as_list()} lies where the camera's distortion doesn't hold")
    size = (
        _between(directions[0], directions[1]),
        _between(directions[2], directions[3]),
    )
    border = 2.0
    cut = (
        box.left < border or right > camera.width - border,
        box.top < border or bottom > camera.height - border,
    )
    pixel = (settings.pixel / camera.fx, settings.pixel / camera.fy)
    rates = (pose.yaw_rate, pose.pitch_rate)
    deviation = [
        math.sqrt(
            (settings.centre * size[k]) ** 2 + pixel[k] ** 2 + (rates[k] * settings.timing) ** 2
        )
        for k in (0, 1)
    ]
    deviation[0] /= max(0.1, math.cos(angles[1]))
    return Sighting(seen, angles, size, cut, np.diag(np.square(deviation)))


def whole_middle(
    sighting: Sighting, size: tuple[float, float], expected: tuple[float, float]
) -> tuple[tuple[float, float], Float64Array]:
    """Where the middle of the whole craft is, if it is only partly seen.

    The picture's border, or something before the craft, hides one of its sides: the other side is
    true. Which one that is, is told by where the craft is expected.

    Args:
        size: of the whole craft, rad. expected: (yaw, pitch) of its middle, rad.

    Returns:
        (yaw, pitch), rad, and their covariance (2, 2).
    """
    angles, noise = list(sighting.angles), sighting.noise.copy()
    for axis in (0, 1):
        hidden = size[axis] - sighting.size[axis]
        scale = 1.0 / max(0.1, math.cos(angles[1])) if axis == 0 else 1.0
        if hidden < 0.0:  # something else is in the box
            noise[axis, axis] += (scale * hidden / 2.0) ** 2
            continue
        if not sighting.cut[axis] and hidden <= _WHOLE * size[axis]:
            continue
        off = expected[axis] - angles[axis]
        off = wrap(off) if axis == 0 else off
        limit = scale * hidden / 2.0
        angles[axis] += (
            min(max(off, -limit), limit) if abs(off) < limit / 2.0 else (math.copysign(limit, off))
        )
        noise[axis, axis] += (limit / 2.0) ** 2
    return (angles[0], angles[1]), noise


def box_at(
    angles: tuple[float, float], size: tuple[float, float], camera: Camera, pose: Pose
) -> Box | None:
    """Where a craft of a size (rad) at angles appears, not cut at the border; None: behind, or
    where the lens's model doesn't hold."""
    towards = angles_to_direction(*angles)
    # Beyond the picture's corners by half its size nothing is of use, and lenses' models fold over.
    point = directions_to_pixels(towards[None], camera, pose.yaw, pose.pitch)[0]
    if not np.isfinite(point).all():
        return None
    ahead = max(0.2, float(towards @ angles_to_direction(pose.yaw, pose.pitch)))
    width, height = size[0] * camera.fx / ahead, size[1] * camera.fy / ahead
    return Box(float(point[0]) - width / 2.0, float(point[1]) - height / 2.0, width, height)


def _between(a: Float64Array, b: Float64Array) -> float:
    """The angle of two unit vectors, rad."""
    return 2.0 * math.asin(min(1.0, float(np.linalg.norm(a - b)) / 2.0))
