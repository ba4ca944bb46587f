# SPDX-License-Identifier: Apache-2.0
"""Paths of craft as timed poses for Gazebo's actors, which move by simulated time alone.

So a craft in Gazebo is at each moment where the embedded simulator has it, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.simulate.path import pose
from turret_ai.simulate.scene import CraftEntry

Float64Array = NDArray[np.float64]

STEPS = 60
"""Poses in one period."""
TENSION = 1.0
"""Gazebo's spline then passes from pose to pose without swinging beyond either."""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A pose at a time: milliseconds, position (3,) in metres, fixed-axis roll, pitch, yaw."""

    time_ms: int
    position: Float64Array
    rpy: tuple[float, float, float]


def moves(entry: CraftEntry) -> bool:
    """Whether a craft changes its place at all."""
    return entry.path.extent > 0.0


def waypoints(entry: CraftEntry) -> list[Waypoint]:
    """One period of a craft's path, from time 0, base frame. The last pose is the first again."""
    period_ms = round(entry.path.period * 1000.0)
    times = {round(period_ms * k / STEPS) for k in range(STEPS + 1)}
    if entry.path.shape == "line":
        # In the middle of the period the craft starts again: within one millisecond.
        again = next(t for t in sorted(times) if t >= period_ms / 2)
        times.add(again - 1)
    found = []
    for time_ms in sorted(times):
        place, turn = pose(entry.place, entry.attitude, entry.path, time_ms / 1000.0)
        found.append(Waypoint(time_ms, place, roll_pitch_yaw(turn)))
    return found


def roll_pitch_yaw(turn: Float64Array) -> tuple[float, float, float]:
    """A rotation (3, 3) as fixed-axis roll, pitch, yaw in radians; pitch within +-pi / 2."""
    pitch = math.asin(min(1.0, max(-1.0, -float(turn[2, 0]))))
    if abs(turn[2, 0]) > 1.0 - 1e-9:  # straight up or down: roll and yaw turn about one axis
        return 0.0, pitch, math.atan2(-float(turn[0, 1]), float(turn[1, 1]))
    roll = math.atan2(float(turn[2, 1]), float(turn[2, 2]))
    yaw = math.atan2(float(turn[1, 0]), float(turn[0, 0]))
    return roll, pitch, yaw
