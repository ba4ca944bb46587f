# SPDX-License-Identifier: Apache-2.0
"""How the simulated turret moves: two joints with limits of angle, speed and acceleration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from turret_ai.aim.limits import Limits
from turret_ai.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TurretLimits:
    """What the joints can do; rad, rad/s, rad/s^2.

    The defaults are the RoboMaster's: its gimbal turns at up to 540 deg/s. The acceleration is a
    guess of ours; nobody publishes it.
    """

    joints: Limits = field(default_factory=Limits)
    yaw_rate: float = math.radians(540.0)
    pitch_rate: float = math.radians(540.0)
    yaw_acceleration: float = math.radians(1800.0)
    pitch_acceleration: float = math.radians(1800.0)

    def __post_init__(self) -> None:
        values = (self.yaw_rate, self.pitch_rate, self.yaw_acceleration, self.pitch_acceleration)
        if not all(math.isfinite(v) and v > 0.0 for v in values):
            raise ConfigError(f"turret rates and accelerations must be positive: {values}")


@dataclass(slots=True)
class _Joint:
    """One axis, driven towards a goal or at a speed along a trapezoid of speed."""

    low: float
    high: float
    top_rate: float
    acceleration: float
    angle: float = 0.0
    rate: float = 0.0
    goal: float | None = None
    wanted_rate: float = 0.0
    rate_limit: float = 0.0
    limited: bool = False

    def go(self, goal: float, rate_limit: float) -> None:
        clamped = min(max(goal, self.low), self.high)
        self.limited = abs(clamped - goal) > 1e-9
        self.goal = clamped
        self.rate_limit = min(rate_limit, self.top_rate) if rate_limit > 0.0 else self.top_rate

    def drive(self, rate: float) -> None:
        self.goal = None
        self.wanted_rate = min(max(rate, -self.top_rate), self.top_rate)
        self.limited = abs(self.wanted_rate - rate) > 1e-9

    def step(self, dt: float) -> None:
        change = self.acceleration * dt
        if self.goal is None:
            wanted = self.wanted_rate
        else:
            left = self.goal - self.angle
            if abs(left) <= change * dt and abs(self.rate) <= change:
                self.angle, self.rate = self.goal, 0.0
                return
            # The speed after this step from which the joint can just stop at the goal: it solves
            # v^2 / 2a + (rate + v) / 2 dt = left for v.
            side = math.copysign(1.0, left)
            room = abs(left) - self.rate * side * dt / 2.0
            stop = math.sqrt(max(0.0, (change / 2.0) ** 2 + 2.0 * self.acceleration * room))
            wanted = side * min(max(0.0, stop - change / 2.0), self.rate_limit)
        before = self.rate
        self.rate += min(max(wanted - self.rate, -change), change)
        self.angle += (before + self.rate) / 2.0 * dt
        if not self.low <= self.angle <= self.high:
            self.angle = min(max(self.angle, self.low), self.high)
            self.rate = 0.0
            self.limited = True


class TurretMotion:
    """Yaw and pitch joints; angles in radians, REP-103 (yaw + counter-clockwise, pitch + down)."""

    MAXIMUM_STEP_S = 0.005
    """Longer steps are cut into pieces, so that the profile doesn't depend on the caller's rate."""

    def __init__(
        self, limits: TurretLimits | None = None, yaw: float = 0.0, pitch: float = 0.0
    ) -> None:
        limits = limits or TurretLimits()
        j = limits.joints
        self._yaw = _Joint(j.yaw_min, j.yaw_max, limits.yaw_rate, limits.yaw_acceleration)
        self._pitch = _Joint(j.pitch_min, j.pitch_max, limits.pitch_rate, limits.pitch_acceleration)
        for joint, angle in ((self._yaw, yaw), (self._pitch, pitch)):
            joint.angle = min(max(angle, joint.low), joint.high)

    @property
    def yaw(self) -> float:
        """Angle of the yaw joint, rad."""
        return self._yaw.angle

    @property
    def pitch(self) -> float:
        """Angle of the pitch joint, rad, positive nose down."""
        return self._pitch.angle

    @property
    def yaw_rate(self) -> float:
        """rad/s."""
        return self._yaw.rate

    @property
    def pitch_rate(self) -> float:
        """rad/s."""
        return self._pitch.rate

    @property
    def yaw_limited(self) -> bool:
        """The last wish was beyond the yaw joint's range or speed, or the joint hit its end."""
        return self._yaw.limited

    @property
    def pitch_limited(self) -> bool:
        """Likewise for pitch."""
        return self._pitch.limited

    @property
    def moving(self) -> bool:
        """Either joint has speed."""
        return self._yaw.rate != 0.0 or self._pitch.rate != 0.0

    @property
    def at_goal(self) -> bool:
        """Both joints stand at their goals; False while driven at a speed."""
        return not self.moving and all(
            j.goal is not None and j.angle == j.goal for j in (self._yaw, self._pitch)
        )

    def go(self, yaw: float, pitch: float, rate_limits: tuple[float, float] = (0.0, 0.0)) -> None:
        """Drive to joint angles; beyond the range they are clamped and flagged.

        rate_limits: rad/s for yaw and pitch; 0 leaves the turret's own.
        """
        self._yaw.go(yaw, rate_limits[0])
        self._pitch.go(pitch, rate_limits[1])

    def drive(self, yaw_rate: float, pitch_rate: float) -> None:
        """Drive at speeds, rad/s, until told otherwise; too fast ones are clamped and flagged."""
        self._yaw.drive(yaw_rate)
        self._pitch.drive(pitch_rate)

    def hold(self) -> None:
        """Brake to a standstill."""
        self.drive(0.0, 0.0)

    def step(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        pieces = max(1, math.ceil(dt / self.MAXIMUM_STEP_S))
        for joint in (self._yaw, self._pitch):
            for _ in range(pieces if dt > 0.0 else 0):
                joint.step(dt / pieces)
