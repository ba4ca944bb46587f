# SPDX-License-Identifier: Apache-2.0
"""Driving the gimbal through robomaster_ros, the community's ROS 2 driver: what to send, and when.

Facts, from its source (github.com/jeguzzi/robomaster_ros, modules/gimbal.py, MoveGimbal.action):

* Action `move_gimbal`: yaw and pitch in radians, and the driver negates both for the SDK, so they
  are REP-103 joint angles; speeds in rad/s; frame 3 is relative to the chassis, pitch to gravity.
* One goal at a time: a second one is rejected while the first runs, so the first is cancelled.
* Topic `cmd_gimbal`: speeds in rad/s. The driver negates pitch_speed but not yaw_speed, which is
  thus positive clockwise, the opposite of REP-103.
* `joint_states`: REP-103; the names carry the driver's tf prefix, which must be empty here.
* Its mode is chassis_lead unless told otherwise: then yaw is ignored. `gimbal/mode` 0 sets it free.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from turret_ai.act.robomaster.axes import within
from turret_ai.act.robomaster.settings import MotionSettings
from turret_ai.aim.order import Mode, Order

FRAME = 3
"""MoveGimbal.CHASSIS_FIXED_PITCH."""
FREE_MODE = 0
ANSWER_SECONDS = 2.0
RETRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class SendGoal:
    """A goal for `move_gimbal`: rad, rad/s."""

    yaw: float
    pitch: float
    yaw_speed: float
    pitch_speed: float
    frame: int = FRAME


@dataclass(frozen=True, slots=True)
class CancelGoal:
    """Cancel the goal that runs."""


@dataclass(frozen=True, slots=True)
class Drive:
    """A message for `cmd_gimbal`: rad/s, yaw_speed positive clockwise."""

    yaw_speed: float
    pitch_speed: float


Action: TypeAlias = SendGoal | CancelGoal | Drive


class _Phase(Enum):
    IDLE = 0
    ASKED = 1
    RUNNING = 2
    CANCELLING = 3


class GoalKeeper:
    """Brings our orders to a driver that takes one goal at a time; the newest order wins.

    Event methods return what to send. Times: seconds of a monotonic clock.
    """

    def __init__(self, settings: MotionSettings) -> None:
        self.settings = settings
        self.limits = settings.limits.to_limits()
        self.problem = ""
        self._phase = _Phase.IDLE
        self._next: SendGoal | None = None
        self._next_until: float | None = None
        self._sent: SendGoal | None = None
        self._sent_until: float | None = None
        self._since = 0.0
        self._not_before = 0.0
        self._rate_until: float | None = None
        self._present: tuple[float, float] | None = None

    def on_joints(self, yaw: float, pitch: float) -> None:
        """The driver's joint states."""
        self._present = (yaw, pitch)

    def on_order(self, order: Order, now: float) -> list[Action]:
        """A new order of the controller."""
        if not order.usable() or (order.until is not None and order.until <= now):
            self.problem = "an order that is not finite or came too late was refused"
            return []
        self.problem = ""
        actions: list[Action] = []
        if order.mode is Mode.RATE:
            self._next = None
            end = now + self.settings.stream_timeout
            self._rate_until = end if order.until is None else min(end, order.until)
            drive = Drive(-order.yaw_rate, order.pitch_rate)
            return [*self._cancel(now), drive]
        if self._rate_until is not None:
            self._rate_until = None
            actions.append(Drive(0.0, 0.0))
        yaw, pitch = order.yaw, order.pitch
        if order.mode is Mode.RELATIVE:
            if self._present is None:
                self.problem = "a relative order came before the gimbal's angles were known"
                return actions
            yaw, pitch = self._present[0] + yaw, self._present[1] + pitch
        goal = within(yaw, pitch, self.limits)
        if goal.yaw_limited or goal.pitch_limited:
            self.problem = "the order is beyond the robot's limits and was clamped"
        s = self.settings
        self._next = SendGoal(
            goal.yaw,
            goal.pitch,
            abs(order.yaw_rate) or s.yaw_rate,
            abs(order.pitch_rate) or s.pitch_rate,
        )
        self._next_until = order.until
        return [*actions, *self._go_on(now)]

    def on_accepted(self, accepted: bool, now: float) -> list[Action]:
        """The driver's word on a goal."""
        if self._phase is not _Phase.ASKED:
            return []
        if accepted:
            self._phase = _Phase.RUNNING
            self._since = now
            return self._go_on(now)
        self._phase = _Phase.IDLE
        self.problem = "robomaster_ros rejected a goal: another one is running"
        self._not_before = now + RETRY_SECONDS
        if self._next is None:
            self._next = self._sent
            self._next_until = self._sent_until
        return []

    def on_finished(self, succeeded: bool, now: float) -> list[Action]:
        """A goal has ended, whatever the way."""
        if not succeeded and self._phase is _Phase.RUNNING:
            self.problem = "robomaster_ros gave up a move"
        self._phase = _Phase.IDLE
        return self._go_on(now)

    def on_tick(self, now: float) -> list[Action]:
        """Time passes: retries, silence, and the end of a turn at a speed."""
        actions: list[Action] = []
        if self._rate_until is not None and now >= self._rate_until:
            self._rate_until = None
            actions.append(Drive(0.0, 0.0))
        waits = self._phase in (_Phase.ASKED, _Phase.CANCELLING)
        if waits and now - self._since > ANSWER_SECONDS:
            self.problem = "robomaster_ros does not answer: is it running?"
            self._phase = _Phase.IDLE
        return [*actions, *self._go_on(now)]

    def stop(self, now: float) -> list[Action]:
        """Bring the gimbal to rest."""
        self._next = None
        self._rate_until = None
        return [*self._cancel(now), Drive(0.0, 0.0)]

    def _go_on(self, now: float) -> list[Action]:
        if self._next is None:
            return []
        if self._next_until is not None and now >= self._next_until:
            self._next = None
            self.problem = "the order's time was over before robomaster_ros took it"
            return []
        if self._phase is _Phase.RUNNING:
            return self._cancel(now)
        if self._phase is not _Phase.IDLE or now < self._not_before:
            return []
        goal, self._next = self._next, None
        self._sent, self._sent_until = goal, self._next_until
        self._phase = _Phase.ASKED
        self._since = now
        return [goal]

    def _cancel(self, now: float) -> list[Action]:
        if self._phase is not _Phase.RUNNING:
            return []
        self._phase = _Phase.CANCELLING
        self._since = now
        return [CancelGoal()]
