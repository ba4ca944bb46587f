# SPDX-License-Identifier: Apache-2.0
"""How the gimbal is brought to an angle through the protocol, without sockets.

`moveto` takes whole degrees, `move` tenths relative to where the gimbal is: so a goal is approached
by the first and met by the second, watching the attitude. Every event method returns
the commands to send. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

import math
from collections import deque

from turret_ai.act.robomaster import wire
from turret_ai.act.robomaster.axes import RESOLUTION_DEG, from_sdk, rates_to_sdk, to_sdk, within
from turret_ai.act.robomaster.settings import MotionSettings
from turret_ai.act.robomaster.wire import Attitude, Kind, Reply
from turret_ai.aim.order import Mode, Order

STILL_SAMPLES = 3
STILL_DEG = 0.25
"""Spread of the samples of a gimbal that stands: its resolution, and noise of a step each way."""
STILL_TRAVEL_DEG = 0.5
"""A gimbal counts as standing after a time in which it would have moved so far at its speed."""
NEAR_DEG = 1.5
"""Within it a relative move is enough; a whole-degree move ends within half a degree."""
MAX_CORRECTIONS = 5
MAX_STRIKES = 3
"""How often a goal is commanded again that the gimbal does not even approach."""


class Motion:
    """The gimbal's present order and how far it has got."""

    def __init__(self, settings: MotionSettings) -> None:
        self.settings = settings
        self.limits = settings.limits.to_limits()
        self.yaw_limited = False
        self.pitch_limited = False
        self.settled = False
        """The gimbal stands at the ordered angle."""
        self.problem = ""
        """Why the order is not met, "" while all is well."""
        self.mode_in_doubt = False
        """The gimbal does not follow: the robot's mode should be looked at. Reset by the caller."""
        self._order: Order | None = None
        self._goal: Attitude | None = None
        self._sent = 0.0
        self._corrections = 0
        self._strikes = 0
        self._samples: deque[tuple[float, Attitude]] = deque(maxlen=512)
        self._latest: Attitude | None = None

    @property
    def active(self) -> bool:
        """Whether an order is being carried out."""
        return self._order is not None

    # -- events ----------------------------------------------------------------------------------

    def on_order(self, order: Order, now: float) -> list[str]:
        """A new order takes the place of the one before."""
        if not order.usable():
            self.problem = "an order with angles that are not finite was refused"
            return []
        if order.until is not None and order.until <= now:
            self.problem = "an order came after its time and was refused"
            return []
        self.problem = ""
        self.settled = False
        self._corrections = self._strikes = 0
        self._order = order
        if order.mode is Mode.RATE:
            return self._turn(order, now)
        yaw, pitch = order.yaw, order.pitch
        if order.mode is Mode.RELATIVE:
            if self._latest is None:
                self._order = None
                self.problem = "a relative order came before the gimbal's angles were known"
                return []
            present = from_sdk(self._latest)
            yaw, pitch = present[0] + yaw, present[1] + pitch
        reachable = within(yaw, pitch, self.limits)
        self.yaw_limited, self.pitch_limited = reachable.yaw_limited, reachable.pitch_limited
        self._goal = to_sdk(reachable.yaw, reachable.pitch)
        return self._approach(now)

    def on_attitude(self, attitude: Attitude, now: float) -> list[str]:
        """The gimbal's measured angles."""
        self._latest = attitude
        order, goal = self._order, self._goal
        if order is not None and order.mode is Mode.RATE:
            return self._guard(order, attitude)
        if order is None or goal is None or now < self._sent + self.settings.reaction:
            return []
        self._samples.append((now, attitude))
        rest = self._rest()
        if rest is None:
            self.settled = False
            return []
        pitch, yaw = goal.pitch - rest.pitch, goal.yaw - rest.yaw
        error = max(abs(pitch), abs(yaw))
        fine = (
            RESOLUTION_DEG / 2 if self._corrections < 2 else math.degrees(self.settings.tolerance)
        )
        if error < fine + 1e-6:
            self.settled = True
            self.problem = ""
            self._corrections = self._strikes = 0
            return []
        self.settled = False
        if error > NEAR_DEG:
            return self._strike(error, now)
        return self._correct(pitch, yaw, error, now)

    def on_reply(self, reply: Reply, now: float) -> list[str]:
        """The robot's word on a motion command."""
        if reply.kind is Kind.ERROR and self._order is not None:
            self.problem = f"the robot refused to move: {reply.text}"
            self._strikes += 1
            self.mode_in_doubt = True
            if self._strikes >= MAX_STRIKES:
                return self.stop()
        return []

    def on_tick(self, now: float) -> list[str]:
        """Time passes: an order that is void ends with the gimbal at rest."""
        order = self._order
        if order is None:
            return []
        if order.mode is Mode.RATE:
            end = self._sent + self.settings.stream_timeout
            if now >= (end if order.until is None else min(end, order.until)):
                return self.stop()
        elif order.until is not None and now >= order.until and not self.settled:
            self.problem = "the order's time was over before the gimbal had arrived"
            return self.stop()
        return []

    def on_link(self, now: float) -> list[str]:
        """A new link to the robot: go on with an aimed order that is still valid."""
        self._samples.clear()
        self._latest = None
        order = self._order
        if order is None or order.mode is Mode.RATE or self._goal is None:
            self._order = None
            return []
        if order.until is not None and now >= order.until:
            self._order = None
            return []
        self.settled = False
        return self._approach(now)

    def stop(self) -> list[str]:
        """Forget the order and bring the gimbal to rest."""
        self._order = self._goal = None
        self.settled = False
        self._samples.clear()
        return [wire.STOP]

    # -- steps -----------------------------------------------------------------------------------

    def _speeds(self) -> tuple[float, float]:
        """(pitch, yaw) speeds of moves, deg/s."""
        order, s = self._order, self.settings
        pitch_rate = (order.pitch_rate if order else 0.0) or s.pitch_rate
        yaw_rate = (order.yaw_rate if order else 0.0) or s.yaw_rate
        return math.degrees(abs(pitch_rate)), math.degrees(abs(yaw_rate))

    def _approach(self, now: float) -> list[str]:
        assert self._goal is not None
        self._sent = now
        self._samples.clear()
        goal, latest = self._goal, self._latest
        near = latest is not None and max(
            abs(goal.pitch - latest.pitch), abs(goal.yaw - latest.yaw)
        )
        if latest is not None and near <= NEAR_DEG:
            return []  # the attitude decides whether anything is left to do
        return [wire.moveto(goal.pitch, goal.yaw, *self._speeds())]

    def _rest(self) -> Attitude | None:
        """Where the gimbal stands: the mean of the last samples; None while it moves."""
        end = self._samples[-1][0]
        since = end - STILL_TRAVEL_DEG / max(0.1, min(self._speeds()))
        if self._samples[0][0] > since or len(self._samples) < STILL_SAMPLES:
            return None
        last = [s for at, s in self._samples if at >= since]
        if len(last) < STILL_SAMPLES:
            last = [s for _, s in list(self._samples)[-STILL_SAMPLES:]]
        pitches, yaws = [s.pitch for s in last], [s.yaw for s in last]
        if max(pitches) - min(pitches) > STILL_DEG or max(yaws) - min(yaws) > STILL_DEG:
            return None
        return Attitude(sum(pitches) / len(last), sum(yaws) / len(last))

    def _strike(self, error: float, now: float) -> list[str]:
        """The gimbal stands far from its goal: it did not hear, or does not obey."""
        self._strikes += 1
        self.mode_in_doubt = True
        if self._strikes > MAX_STRIKES:
            self.problem = f"the gimbal stays {error:.1f} degrees away from where it shall go"
            self._samples.clear()
            self._sent = now + 1.0  # look again later, without flooding the robot
            return []
        return self._approach(now)

    def _correct(self, pitch: float, yaw: float, error: float, now: float) -> list[str]:
        self._corrections += 1
        if self._corrections > MAX_CORRECTIONS:
            self.problem = f"the gimbal stays {error:.1f} degrees off"
            self._samples.clear()
            self._sent = now + 1.0
            self._corrections = 2
            return []
        self._sent = now
        self._samples.clear()
        return [wire.move(pitch, yaw, *self._speeds())]

    def _turn(self, order: Order, now: float) -> list[str]:
        self._sent = now
        self._goal = None
        self._samples.clear()
        if self._latest is not None:
            return self._guard(order, self._latest, first=True)
        return [wire.speed(*rates_to_sdk(order.yaw_rate, order.pitch_rate))]

    def _guard(self, order: Order, attitude: Attitude, first: bool = False) -> list[str]:
        """Keep a turning gimbal within its limits."""
        yaw, pitch = from_sdk(attitude)
        limits = self.limits
        yaw_out = _outward(yaw, order.yaw_rate, limits.yaw_min, limits.yaw_max)
        pitch_out = _outward(pitch, order.pitch_rate, limits.pitch_min, limits.pitch_max)
        changed = (yaw_out, pitch_out) != (self.yaw_limited, self.pitch_limited)
        self.yaw_limited, self.pitch_limited = yaw_out, pitch_out
        if not (first or changed):
            return []
        yaw_rate = 0.0 if yaw_out else order.yaw_rate
        pitch_rate = 0.0 if pitch_out else order.pitch_rate
        return [wire.speed(*rates_to_sdk(yaw_rate, pitch_rate))]


def _outward(angle: float, rate: float, low: float, high: float) -> bool:
    """Whether the axis stands at a limit and would turn beyond it."""
    slack = math.radians(0.1)
    return (angle >= high - slack and rate > 0) or (angle <= low + slack and rate < 0)
