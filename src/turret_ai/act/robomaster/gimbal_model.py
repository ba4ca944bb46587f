# SPDX-License-Identifier: Apache-2.0
"""How the emulated gimbal moves. Degrees, the SDK's signs."""

from __future__ import annotations

from dataclasses import dataclass, replace

PITCH_RANGE = (-25.0, 30.0)
YAW_RANGE = (-250.0, 250.0)
"""Of the protocol's `gimbal moveto`; what lies beyond is clamped."""
DEFAULT_SPEED = 30.0
"""deg/s, of moves that name no speed."""
TOP_SPEED = 540.0


@dataclass(frozen=True, slots=True)
class Axis:
    """One motor: where it is, where it goes and how fast; `goal` None: at `rate`, without end."""

    low: float
    high: float
    angle: float = 0.0
    goal: float | None = 0.0
    rate: float = 0.0

    def after(self, seconds: float) -> Axis:
        """The motor that much later."""
        if self.goal is None:
            angle = min(max(self.angle + self.rate * seconds, self.low), self.high)
            return replace(self, angle=angle)
        step = self.rate * seconds
        left = self.goal - self.angle
        if abs(left) <= step:
            return replace(self, angle=self.goal)
        return replace(self, angle=self.angle + (step if left > 0 else -step))

    def towards(self, goal: float, speed: float) -> Axis:
        """On the way to an angle, clamped to what the motor can reach."""
        clamped = min(max(goal, self.low), self.high)
        return replace(self, goal=clamped, rate=min(max(speed, 0.0), TOP_SPEED))

    def turning(self, rate: float) -> Axis:
        """Turning at a speed until told otherwise."""
        return replace(self, goal=None, rate=rate)

    @property
    def arrived(self) -> bool:
        """Whether the motor stands at its goal."""
        return self.goal is not None and self.goal == self.angle


class GimbalModel:
    """Both motors, the robot's mode, and sleep."""

    def __init__(self) -> None:
        self.pitch = Axis(*PITCH_RANGE)
        self.yaw = Axis(*YAW_RANGE)
        self.mode = "chassis_lead"
        self.suspended = False
        self._time = 0.0

    def advance(self, time: float) -> None:
        """Let the motors move until that time, s."""
        seconds, self._time = max(0.0, time - self._time), time
        if self.suspended:
            return
        self.pitch = self.pitch.after(seconds)
        if self.mode == "chassis_lead":
            self.yaw = self.yaw.towards(0.0, DEFAULT_SPEED)  # the gimbal follows the chassis
        self.yaw = self.yaw.after(seconds)

    def moveto(self, pitch: float | None, yaw: float | None, vp: float, vy: float) -> None:
        """Absolute, from power-on. None leaves an axis alone."""
        if pitch is not None:
            self.pitch = self.pitch.towards(pitch, vp)
        if yaw is not None:
            self.yaw = self.yaw.towards(yaw, vy)

    def move(self, pitch: float | None, yaw: float | None, vp: float, vy: float) -> None:
        """Relative to where the motors are now."""
        self.moveto(
            None if pitch is None else self.pitch.angle + pitch,
            None if yaw is None else self.yaw.angle + yaw,
            vp,
            vy,
        )

    def speed(self, pitch: float, yaw: float) -> None:
        """Turn without end."""
        self.pitch, self.yaw = self.pitch.turning(pitch), self.yaw.turning(yaw)

    @property
    def arrived(self) -> bool:
        """Whether a move has ended (a yaw that the mode ignores has no move to end)."""
        return self.pitch.arrived and (self.mode == "chassis_lead" or self.yaw.arrived)
