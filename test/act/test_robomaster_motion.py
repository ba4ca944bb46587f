# SPDX-License-Identifier: Apache-2.0
"""The way to an angle, without sockets: the motion logic against the model of the gimbal."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.act.robomaster.axes import from_sdk
from turret_ai.act.robomaster.emulator_commands import RobotState, execute
from turret_ai.act.robomaster.motion import Motion
from turret_ai.act.robomaster.settings import MotionSettings
from turret_ai.act.robomaster.wire import STOP, Attitude, Kind, parse_reply
from turret_ai.aim.order import Mode, Order

PUSH_SECONDS = 0.02


class Bench:
    """A motion logic and a gimbal that takes its commands `delay` seconds late."""

    def __init__(self, delay: float = 0.02, noise: float = 0.0) -> None:
        self.motion = Motion(MotionSettings())
        self.robot = RobotState(sdk=True)
        self.robot.gimbal.mode = "free"
        self.now = 0.0
        self._delay, self._noise = delay, noise
        self._on_the_way: list[tuple[float, str]] = []
        self._count = 0

    def send(self, commands: list[str]) -> None:
        self._on_the_way += [(self.now + self._delay, command) for command in commands]

    def order(self, order: Order) -> None:
        self.send(self.motion.on_order(order, self.now))

    def run(self, seconds: float, until_settled: bool = False) -> bool:
        end = self.now + seconds
        while self.now < end:
            self.now += PUSH_SECONDS
            self.robot.gimbal.advance(self.now)
            while self._on_the_way and self._on_the_way[0][0] <= self.now:
                command = self._on_the_way.pop(0)[1]
                reply = parse_reply(execute(self.robot, command)[0])
                assert reply.kind is Kind.OK, command
                self.send(self.motion.on_reply(reply, self.now))
            self._count += 1
            shake = self._noise if self._count % 2 else -self._noise
            gimbal = self.robot.gimbal
            pitch, yaw = (round(a.angle + shake, 1) for a in (gimbal.pitch, gimbal.yaw))
            self.send(self.motion.on_attitude(Attitude(pitch, yaw), self.now))
            self.send(self.motion.on_tick(self.now))
            if until_settled and self.motion.settled:
                return True
        return False

    @property
    def angles(self) -> tuple[float, float]:
        gimbal = self.robot.gimbal
        return from_sdk(Attitude(gimbal.pitch.angle, gimbal.yaw.angle))


yaws = st.floats(math.radians(-250), math.radians(250))
pitches = st.floats(math.radians(-30), math.radians(20))


@given(yaws, pitches, yaws, pitches, st.floats(0.0, 0.06))
def test_every_angle_is_met_within_a_fifth_of_a_degree_from_everywhere(
    yaw: float, pitch: float, next_yaw: float, next_pitch: float, delay: float
) -> None:
    bench = Bench(delay)
    for goal in ((yaw, pitch), (next_yaw, next_pitch)):
        bench.order(Order(Mode.ABSOLUTE, *goal))
        assert bench.run(8.0, until_settled=True), bench.motion.problem
        assert bench.angles == pytest.approx(goal, abs=math.radians(0.2))


@given(yaws, pitches)
def test_a_trembling_measurement_does_not_keep_it_from_settling(yaw: float, pitch: float) -> None:
    bench = Bench(noise=0.05)
    bench.order(Order(Mode.ABSOLUTE, yaw, pitch))
    assert bench.run(8.0, until_settled=True), bench.motion.problem
    assert bench.angles == pytest.approx((yaw, pitch), abs=math.radians(0.2))


def test_a_slow_gimbal_is_not_taken_for_one_that_stands() -> None:
    bench = Bench(noise=0.05)
    bench.order(Order(Mode.ABSOLUTE, 0.2, yaw_rate=math.radians(2), pitch_rate=math.radians(2)))
    assert bench.run(12.0, until_settled=True)
    assert not bench.motion.mode_in_doubt
    assert bench.now > 5.0


def test_a_relative_order_starts_from_where_the_gimbal_is() -> None:
    bench = Bench()
    bench.order(Order(Mode.ABSOLUTE, 0.5, -0.1))
    bench.run(5.0, until_settled=True)
    bench.order(Order(Mode.RELATIVE, 0.2, 0.1))
    assert bench.run(5.0, until_settled=True)
    assert bench.angles == pytest.approx((0.7, 0.0), abs=math.radians(0.3))


def test_a_relative_order_without_a_measurement_is_refused() -> None:
    motion = Motion(MotionSettings())
    assert motion.on_order(Order(Mode.RELATIVE, 0.2), 0.0) == []
    assert "before the gimbal's angles were known" in motion.problem


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_orders_that_are_not_finite_are_refused(bad: float) -> None:
    motion = Motion(MotionSettings())
    for order in (
        Order(Mode.ABSOLUTE, bad),
        Order(Mode.ABSOLUTE, 0.0, bad),
        Order(Mode.RATE, yaw_rate=bad),
        Order(Mode.ABSOLUTE, until=bad),
    ):
        assert motion.on_order(order, 0.0) == []
        assert "refused" in motion.problem
        assert not motion.active


def test_an_order_that_comes_after_its_time_is_refused() -> None:
    motion = Motion(MotionSettings())
    assert motion.on_order(Order(Mode.ABSOLUTE, 1.0, until=3.0), 3.0) == []
    assert "after its time" in motion.problem


def test_a_gimbal_that_is_asleep_is_reported_not_waited_for() -> None:
    bench = Bench()
    bench.robot.gimbal.suspended = True
    bench.order(Order(Mode.ABSOLUTE, 1.0))
    bench.run(3.0)
    assert bench.motion.mode_in_doubt
    assert "degrees away" in bench.motion.problem
    bench.robot.gimbal.suspended = False
    assert bench.run(8.0, until_settled=True)
    assert bench.motion.problem == ""


def test_stopping_forgets_the_order() -> None:
    bench = Bench()
    bench.order(Order(Mode.ABSOLUTE, 3.0))
    bench.run(0.3)
    assert bench.motion.stop() == [STOP]
    bench.send([STOP])
    bench.run(1.0)
    assert not bench.motion.active
    assert abs(bench.angles[0]) < 2.0


@given(st.lists(st.tuples(st.sampled_from(list(Mode)), yaws, pitches), max_size=12))
def test_no_sequence_of_orders_leads_beyond_the_limits(
    orders: list[tuple[Mode, float, float]],
) -> None:
    bench = Bench()
    bench.run(0.1)
    for mode, yaw, pitch in orders:
        bench.order(Order(mode, yaw, pitch, yaw_rate=yaw / 4, pitch_rate=pitch))
        bench.run(0.4)
        now_yaw, now_pitch = bench.angles
        assert abs(now_yaw) <= math.radians(250.1)
        assert math.radians(-30.1) <= now_pitch <= math.radians(25.1)
