# SPDX-License-Identifier: Apache-2.0
"""How the turret follows what flies: speeds for the joints that keep it on the predicted place.

The target's own speed is fed forward, the rest is closed in proportion. Both are taken for the
moment at which the gimbal acts on them: target and joints are looked at ahead by its delay. Every
order is void after a short time, so that a turret of which nobody takes care stands still.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from turret_ai.aim.joints import JointSample
from turret_ai.aim.limits import Limits, reach
from turret_ai.aim.settings import FollowSettings
from turret_ai.units import ns_to_seconds, seconds_to_ns


@dataclass(frozen=True, slots=True)
class Estimate:
    """Where a target was at an instant, and how fast it flew: rad, rad/s, base frame."""

    stamp_ns: int
    yaw: float
    pitch: float
    yaw_rate: float
    pitch_rate: float

    def at(self, stamp_ns: int) -> tuple[float, float]:
        """(yaw, pitch) at another instant, if it flies on."""
        dt = ns_to_seconds(stamp_ns - self.stamp_ns)
        return self.yaw + self.yaw_rate * dt, self.pitch + self.pitch_rate * dt


@dataclass(frozen=True, slots=True)
class Drive:
    """Turn the joints at speeds (rad/s) until an instant. yaw, pitch: where the target will be when
    the gimbal acts, within the limits."""

    utterance_id: str
    stamp_ns: int
    until_ns: int
    yaw: float
    pitch: float
    yaw_rate: float
    pitch_rate: float
    yaw_limited: bool
    pitch_limited: bool


class Following:
    """One pursuit of the controller. Not thread-safe: one caller."""

    def __init__(self, settings: FollowSettings, limits: Limits) -> None:
        self.settings = settings
        self.limits = limits
        self.utterance_id = ""
        """The utterance whose target is followed; "" if none."""
        self.reason = ""
        """Why the last pursuit ended."""
        self._estimate: Estimate | None = None
        self._heard_ns = 0
        self._sent_ns = 0
        self._orders: deque[tuple[int, float, float]] = deque(maxlen=64)

    @property
    def active(self) -> bool:
        """Whether a target is followed."""
        return bool(self.utterance_id)

    def begin(self, utterance_id: str, now_ns: int) -> None:
        """The aim stands; from now on the turret follows."""
        self.utterance_id, self.reason = utterance_id, ""
        self._heard_ns, self._sent_ns = now_ns, 0
        self._orders.clear()

    def end(self, reason: str) -> None:
        """Follow no more. Whoever calls decides what the turret does instead."""
        if self.active:
            self.utterance_id, self.reason = "", reason
        self._estimate = None

    def on_estimate(self, utterance_id: str, estimate: Estimate | None, now_ns: int) -> None:
        """The tracker's word. estimate: None while the target is lost: the turret waits."""
        if utterance_id == self.utterance_id and self.active:
            self._estimate, self._heard_ns = estimate, now_ns

    def on_joints(self, sample: JointSample, now_ns: int) -> Drive | None:
        """Feedback of the joints: the order that follows, None between two of them."""
        if not self.active:
            return None
        settings = self.settings
        if now_ns - self._heard_ns > seconds_to_ns(settings.silence):
            self.end("the tracker has fallen silent")
            return None
        if 0 <= now_ns - self._sent_ns < seconds_to_ns(0.95 / settings.rate):
            return None
        self._sent_ns = now_ns
        acts_ns = now_ns + seconds_to_ns(settings.delay)
        here = self._joints_at(sample, acts_ns)
        if self._estimate is None:
            return self._order(now_ns, here, (0.0, 0.0), (False, False))
        estimate = self._estimate
        goal = reach(estimate.at(acts_ns), here[0], self.limits)
        rates = []
        for joint, wanted, own, stopped, limit in zip(
            here,
            (goal.yaw, goal.pitch),
            (estimate.yaw_rate, estimate.pitch_rate),
            (goal.yaw_limited, goal.pitch_limited),
            (settings.yaw_rate, settings.pitch_rate),
            strict=True,
        ):
            rate = settings.gain * (wanted - joint) + (0.0 if stopped else own)
            rates.append(min(max(rate, -limit), limit))
        limited = (goal.yaw_limited, goal.pitch_limited)
        return self._order(now_ns, (goal.yaw, goal.pitch), (rates[0], rates[1]), limited)

    def _joints_at(self, sample: JointSample, acts_ns: int) -> tuple[float, float]:
        """Where the joints will be when the next order acts, by the orders under way."""
        delay_ns = seconds_to_ns(self.settings.delay)
        angles = [sample.yaw, sample.pitch]
        rates, since_ns = (sample.yaw_rate, sample.pitch_rate), sample.stamp_ns
        for sent_ns, *ordered in self._orders:
            begins_ns = sent_ns + delay_ns
            if begins_ns <= since_ns:
                rates = (ordered[0], ordered[1])
                continue
            for axis in (0, 1):
                angles[axis] += rates[axis] * ns_to_seconds(min(begins_ns, acts_ns) - since_ns)
            rates, since_ns = (ordered[0], ordered[1]), min(begins_ns, acts_ns)
        for axis in (0, 1):
            angles[axis] += rates[axis] * max(0.0, ns_to_seconds(acts_ns - since_ns))
        return angles[0], angles[1]

    def _order(
        self,
        now_ns: int,
        goal: tuple[float, float],
        rates: tuple[float, float],
        limited: tuple[bool, bool],
    ) -> Drive:
        self._orders.append((now_ns, *rates))
        until_ns = now_ns + seconds_to_ns(self.settings.valid)
        stamp_ns = self._estimate.stamp_ns if self._estimate else now_ns
        return Drive(self.utterance_id, stamp_ns, until_ns, *goal, *rates, *limited)
