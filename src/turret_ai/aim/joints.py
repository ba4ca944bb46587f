# SPDX-License-Identifier: Apache-2.0
"""What the joints did lately: interpolation at an image's stamp, speed, and standing still."""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from turret_ai.aim.frames import PITCH_JOINT, YAW_JOINT
from turret_ai.aim.limits import Goal
from turret_ai.aim.settings import SettleSettings
from turret_ai.units import ns_to_seconds, seconds_to_ns


@dataclass(frozen=True, slots=True)
class JointSample:
    """Joint angles at one instant: rad, rad/s, nanoseconds."""

    stamp_ns: int
    yaw: float
    pitch: float
    yaw_rate: float
    pitch_rate: float

    @property
    def speed(self) -> float:
        """The faster joint's speed, rad/s."""
        return max(abs(self.yaw_rate), abs(self.pitch_rate))


Angles: TypeAlias = tuple[float, float, tuple[float, float] | None]
"""(yaw, pitch, rates), rad and rad/s; rates None where they aren't measured."""


def pick(
    names: Sequence[str], position: Sequence[float], velocity: Sequence[float] = ()
) -> Angles | None:
    """The turret's joints out of a JointState.

    Returns:
        None where they, or their positions, are not in it: a larger robot's others share the topic.
    """
    names = list(names)
    if YAW_JOINT not in names or PITCH_JOINT not in names:
        return None
    yaw, pitch = names.index(YAW_JOINT), names.index(PITCH_JOINT)
    if max(yaw, pitch) >= len(position):
        return None
    rates = None
    if len(velocity) == len(names):
        rates = float(velocity[yaw]), float(velocity[pitch])
    return float(position[yaw]), float(position[pitch]), rates


class JointHistory:
    """The samples of the last seconds, in time order."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._keep_ns = seconds_to_ns(seconds)
        self._samples: deque[JointSample] = deque()

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def latest(self) -> JointSample | None:
        """The newest sample."""
        return self._samples[-1] if self._samples else None

    def add(
        self, stamp_ns: int, yaw: float, pitch: float, rates: tuple[float, float] | None = None
    ) -> JointSample | None:
        """Take in one measurement; without `rates` the speed is the difference quotient.

        Returns:
            The sample, or None where it was refused (not finite, or not newer than the last). A
            clock that jumped back by more than a second starts the history anew.
        """
        if not (math.isfinite(yaw) and math.isfinite(pitch)):
            return None
        last = self.latest
        if last is not None and stamp_ns <= last.stamp_ns:
            if last.stamp_ns - stamp_ns < seconds_to_ns(1.0):
                return None
            self._samples.clear()
            last = None
        if rates is None or not all(math.isfinite(rate) for rate in rates):
            rates = (0.0, 0.0)
            if last is not None:
                dt = ns_to_seconds(stamp_ns - last.stamp_ns)
                rates = ((yaw - last.yaw) / dt, (pitch - last.pitch) / dt)
        sample = JointSample(stamp_ns, yaw, pitch, *rates)
        self._samples.append(sample)
        while self._samples[0].stamp_ns < stamp_ns - self._keep_ns:
            self._samples.popleft()
        return sample

    def at(self, stamp_ns: int, tolerance_s: float = 0.5) -> tuple[float, float] | None:
        """(yaw, pitch) at an instant, linear between samples.

        Returns:
            None where the instant lies further than the tolerance outside of what is known.
        """
        if not self._samples:
            return None
        stamps = [s.stamp_ns for s in self._samples]
        right = bisect.bisect_left(stamps, stamp_ns)
        if right == 0 or right == len(stamps):
            nearest = self._samples[min(right, len(stamps) - 1)]
            if abs(ns_to_seconds(nearest.stamp_ns - stamp_ns)) > tolerance_s:
                return None
            return nearest.yaw, nearest.pitch
        a, b = self._samples[right - 1], self._samples[right]
        share = (stamp_ns - a.stamp_ns) / (b.stamp_ns - a.stamp_ns)
        return a.yaw + share * (b.yaw - a.yaw), a.pitch + share * (b.pitch - a.pitch)


class SettleDetector:
    """Whether the joints have stood at their goal for long enough."""

    def __init__(self, settings: SettleSettings) -> None:
        self._settings = settings
        self._since_ns: int | None = None

    def restart(self) -> None:
        """Forget the past: there is a new goal."""
        self._since_ns = None

    def update(self, sample: JointSample, goal: Goal) -> bool:
        """Take in a sample; True once the turret has stood at the goal for the hold time."""
        s = self._settings
        near = abs(sample.yaw - goal.yaw) <= s.angle and abs(sample.pitch - goal.pitch) <= s.angle
        if not near or sample.speed > s.rate:
            self._since_ns = None
            return False
        if self._since_ns is None:
            self._since_ns = sample.stamp_ns
        return sample.stamp_ns - self._since_ns >= seconds_to_ns(s.hold)
