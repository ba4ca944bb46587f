# SPDX-License-Identifier: Apache-2.0
"""Where a craft is and how it is turned at a time: standing, swaying, circling, passing by."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from turret_ai.aim.camera import rotation
from turret_ai.settings import Settings
from turret_ai.units import heading_to_yaw

Float64Array = NDArray[np.float64]


class Path(Settings):
    """A movement round the craft's place.

    hover: sway by `extent` metres up, down and sideways, once in `period` seconds.
    circle: fly a level circle of radius `extent` round the place, once in `period` seconds.
    line: fly `extent` metres straight along the course, centred on the place, within `period`
        seconds, then start again.
    """

    shape: Literal["hover", "circle", "line"] = "hover"
    extent: float = Field(0.0, ge=0.0, le=5000.0, description="metres")
    period: float = Field(20.0, gt=0.0, le=3600.0, description="seconds")


class Attitude(Settings):
    """Where the nose points: compass course, climb and bank in degrees.

    course: clockwise from north. climb: positive nose up. bank: positive right wing down.
    """

    course: float = Field(0.0, ge=-360.0, le=720.0)
    climb: float = Field(0.0, ge=-90.0, le=90.0)
    bank: float = Field(0.0, ge=-180.0, le=180.0)


def attitude_matrix(course_yaw: float, climb: float, bank: float) -> Float64Array:
    """(3, 3) from the craft's frame to the base frame; radians."""
    c, s = math.cos(bank), math.sin(bank)
    roll = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    return np.asarray(rotation(course_yaw, -climb) @ roll)


def fastest(place: Float64Array, attitude: Attitude, path: Path) -> float:
    """The most that a craft's direction changes as seen from the turret, rad/s."""
    times = np.linspace(-0.499, 0.499, 400) * path.period  # a line starts again in between
    towards = np.array([pose(place, attitude, path, float(t))[0] for t in times])
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    steps = np.linalg.norm(np.diff(towards, axis=0), axis=1)
    return float(2.0 * np.arcsin(np.minimum(1.0, steps / 2.0)).max() / (times[1] - times[0]))


def pose(
    place: Float64Array, attitude: Attitude, path: Path, time_s: float
) -> tuple[Float64Array, Float64Array]:
    """Position (3,) in metres and rotation (3, 3) of a craft at a time, base frame."""
    yaw = heading_to_yaw(attitude.course)
    climb, bank = math.radians(attitude.climb), math.radians(attitude.bank)
    turns = time_s / path.period
    phase = 2.0 * math.pi * turns
    if path.shape == "circle":
        outward = yaw - math.pi / 2.0 + phase
        offset = path.extent * np.array([math.cos(outward), math.sin(outward), 0.0])
        return place + offset, attitude_matrix(yaw + phase, climb, bank)
    forward = attitude_matrix(yaw, climb, 0.0)
    turn = attitude_matrix(yaw, climb, bank)
    if path.shape == "line":
        along = ((turns + 0.5) % 1.0 - 0.5) * path.extent
        return place + forward[:, 0] * along, turn
    sway = np.array([0.0, math.sin(phase), 0.6 * math.sin(2.0 * phase)]) * path.extent
    return place + forward @ sway, turn
