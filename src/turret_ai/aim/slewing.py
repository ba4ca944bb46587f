# SPDX-License-Identifier: Apache-2.0
"""Where the turret is sent, where it is, and whether it stands there. Radians, joint angles."""

from __future__ import annotations

from turret_ai.aim.joints import JointHistory, JointSample, SettleDetector
from turret_ai.aim.limits import Goal, reach
from turret_ai.aim.settings import AimSettings
from turret_ai.units import seconds_to_ns, wrap


class Slewing:
    """The goal of the moment against the feedback of the joints."""

    def __init__(self, settings: AimSettings) -> None:
        self._settings = settings
        self.limits = settings.limits.to_limits()
        self.joints = JointHistory()
        self.goal: Goal | None = None
        self.at_goal = False
        self._settle = SettleDetector(settings.settle)

    def connected(self, now_ns: int) -> bool:
        """Whether the turret's feedback is fresh."""
        latest = self.joints.latest
        limit = seconds_to_ns(self._settings.deadlines.feedback)
        return latest is not None and abs(now_ns - latest.stamp_ns) <= limit

    def clear(self) -> None:
        """There is no goal any more."""
        self.goal = None
        self.at_goal = False

    def go(self, goal: Goal) -> None:
        """Head for joint angles. The same ones again change nothing."""
        if self.goal is None or (goal.yaw, goal.pitch) != (self.goal.yaw, self.goal.pitch):
            self._settle.restart()
            self.at_goal = False
        self.goal = goal

    def point(self, direction: tuple[float, float]) -> Goal:
        """Head for a direction (yaw, pitch), by the shortest way within the limits."""
        latest = self.joints.latest
        goal = reach(direction, latest.yaw if latest else 0.0, self.limits)
        self.go(goal)
        return goal

    def stay(self) -> None:
        """Head for where the turret is; without feedback there is no goal."""
        latest = self.joints.latest
        if latest is not None:
            self.go(Goal(latest.yaw, latest.pitch))

    def settled(self, sample: JointSample) -> bool:
        """Take in where the turret is; whether it stands at its goal."""
        goal = self.goal
        if goal is None:
            return False
        if self._settings.recorded_joints:
            # They may be full turns away, and were sent to another pitch.
            goal = Goal(sample.yaw + wrap(goal.yaw - sample.yaw), sample.pitch)
        self.at_goal = self._settle.update(sample, goal)
        return self.at_goal
