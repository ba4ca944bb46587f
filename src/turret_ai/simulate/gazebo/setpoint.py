# SPDX-License-Identifier: Apache-2.0
"""From gimbal commands to the joint angles that Gazebo's position controllers are told.

The controllers run at their own speed to whatever angle they are given. Slower speeds, relative
moves, rates and the end of a command's validity are made here, by moving that angle.
"""

from __future__ import annotations

import math

from turret_ai.aim.limits import Limits
from turret_ai.aim.order import Mode, Order

STOP_MARGIN = math.radians(0.2)
"""rad that a commanded angle keeps from the joints' stops: a joint in velocity control that touches
its stop may stay there (https://github.com/gazebosim/gz-sim/issues/1684). It is less than the
angle within which the turret counts as being at its goal."""


class Setpoint:
    """The angles that the joints shall have now."""

    def __init__(self, limits: Limits | None = None) -> None:
        reach = limits or Limits()
        self._low = (reach.yaw_min + STOP_MARGIN, reach.pitch_min + STOP_MARGIN)
        self._high = (reach.yaw_max - STOP_MARGIN, reach.pitch_max - STOP_MARGIN)
        self._angles: tuple[float, float] | None = None
        self._goal: tuple[float, float] = (0.0, 0.0)
        self._speed: tuple[float, float] = (0.0, 0.0)
        self._rate_until: float | None = None
        self._driving = False
        self._time = 0.0

    def give(self, order: Order, now: float, joints: tuple[float, float] | None) -> str:
        """Take in a command.

        Args:
            now: seconds of the node's clock.
            joints: the measured (yaw, pitch), None where they aren't known yet.

        Returns:
            "" where it is obeyed, else why it is refused.
        """
        if not order.usable():
            return "not finite"
        if order.until is not None and order.until < now:
            return "expired"
        start = joints if joints is not None else self._angles
        needs_start = order.mode is not Mode.ABSOLUTE or order.yaw_rate or order.pitch_rate
        if start is None and needs_start:
            return "no joint states yet"
        self._time = now
        self._driving = order.mode is Mode.RATE
        self._rate_until = order.until if self._driving else None
        self._speed = (order.yaw_rate, order.pitch_rate)
        if self._driving:
            self._angles = start
            return ""
        goal = (order.yaw, order.pitch)
        if order.mode is Mode.RELATIVE and start is not None:
            goal = (start[0] + order.yaw, start[1] + order.pitch)
        self._goal = self._clamp(goal)
        self._speed = (abs(order.yaw_rate), abs(order.pitch_rate))
        self._angles = self._clamp(start if start is not None else self._goal)
        return ""

    def hold(self, joints: tuple[float, float] | None) -> None:
        """Stay where the joints are."""
        self._driving = False
        self._speed = (0.0, 0.0)
        here = joints if joints is not None else self._angles
        if here is not None:
            self._angles = self._goal = self._clamp(here)

    def at(self, now: float) -> tuple[float, float] | None:
        """The angles for the controllers, rad; None before the first command.

        Args:
            now: seconds of the node's clock, as in `give`. A clock that jumps back holds still.
        """
        if self._angles is None:
            return None
        end = now if self._rate_until is None else min(now, self._rate_until)
        dt = max(0.0, end - self._time)
        self._time = now
        if self._driving:
            yaw, pitch = self._angles
            moved = (yaw + self._speed[0] * dt, pitch + self._speed[1] * dt)
            self._angles = self._clamp(moved)
            if self._rate_until is not None and now >= self._rate_until:
                self.hold(None)
                self._rate_until = None
        else:
            steps = (
                _towards(here, there, speed * dt if speed else math.inf)
                for here, there, speed in zip(self._angles, self._goal, self._speed, strict=True)
            )
            yaw, pitch = steps
            self._angles = (yaw, pitch)
        return self._angles

    def _clamp(self, angles: tuple[float, float]) -> tuple[float, float]:
        yaw, pitch = (
            min(max(v, low), high)
            for v, low, high in zip(angles, self._low, self._high, strict=True)
        )
        return yaw, pitch


def _towards(here: float, there: float, most: float) -> float:
    """One step of at most `most` from here to there."""
    if abs(there - here) <= most:
        return there
    return here + math.copysign(most, there - here)
