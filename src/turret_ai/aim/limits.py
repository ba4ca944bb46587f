# SPDX-License-Identifier: Apache-2.0
"""What a turret can reach, and the shortest way there. Radians, REP-103 joint angles."""

from __future__ import annotations

import math
from dataclasses import dataclass

from turret_ai.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limits:
    """Joint ranges. The defaults are the RoboMaster's: yaw +-250 deg, elevation -20 to 30 deg.

    DJI's documents disagree on pitch (-25..30 and -20..35 deg up): this is what both allow.
    """

    yaw_min: float = math.radians(-250.0)
    yaw_max: float = math.radians(250.0)
    pitch_min: float = math.radians(-30.0)
    pitch_max: float = math.radians(20.0)

    def __post_init__(self) -> None:
        numbers = (self.yaw_min, self.yaw_max, self.pitch_min, self.pitch_max)
        if not all(math.isfinite(v) for v in numbers):
            raise ConfigError(f"turret limits must be finite: {numbers}")
        if self.yaw_min > self.yaw_max or self.pitch_min > self.pitch_max:
            raise ConfigError(f"a turret limit's minimum is above its maximum: {numbers}")


@dataclass(frozen=True, slots=True)
class Goal:
    """Joint angles within the limits, and whether the wish had to be clamped to get there."""

    yaw: float
    pitch: float
    yaw_limited: bool = False
    pitch_limited: bool = False


def nearest_yaw(direction: float, present: float, limits: Limits) -> tuple[float, bool]:
    """The joint angle that points along `direction` with the least travel from `present`.

    Returns:
        (angle, limited): every full turn more or less points the same way, and the reachable one
        nearest to `present` is taken; where none is reachable, the limit that points nearest to the
        direction, with limited = True.
    """
    turn = 2.0 * math.pi
    slack = 1e-9  # a limit that is itself the wish must not fail by rounding
    first = math.ceil((limits.yaw_min - direction - slack) / turn)
    last = math.floor((limits.yaw_max - direction + slack) / turn)
    if first <= last:
        wanted = round((present - direction) / turn)
        angle = direction + turn * min(max(wanted, first), last)
        return min(max(angle, limits.yaw_min), limits.yaw_max), False
    ends = (limits.yaw_min, limits.yaw_max)
    return min(ends, key=lambda end: abs(math.remainder(end - direction, turn))), True


def reach(direction: tuple[float, float], present_yaw: float, limits: Limits) -> Goal:
    """The joint angles for a wished (yaw, pitch) direction, clamped where need be."""
    yaw, yaw_limited = nearest_yaw(direction[0], present_yaw, limits)
    pitch = min(max(direction[1], limits.pitch_min), limits.pitch_max)
    return Goal(yaw, pitch, yaw_limited, abs(pitch - direction[1]) > 1e-9)
