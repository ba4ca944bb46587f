# SPDX-License-Identifier: Apache-2.0
"""Through robomaster_ros: signs as its source has them, and one goal at a time."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.act.robomaster.axes import rates_to_sdk, to_sdk
from turret_ai.act.robomaster.ros_driver import (
    Action,
    CancelGoal,
    Drive,
    GoalKeeper,
    SendGoal,
)
from turret_ai.act.robomaster.settings import MotionSettings
from turret_ai.aim.order import Mode, Order


def their_goal_to_sdk(goal: SendGoal) -> tuple[float, float]:
    """(pitch, yaw): what robomaster_ros makes of a goal: it negates both."""
    return -math.degrees(goal.pitch), -math.degrees(goal.yaw)


def their_speed_to_sdk(drive: Drive) -> tuple[float, float]:
    """(pitch, yaw): what it makes of cmd_gimbal: it negates the pitch only."""
    return -math.degrees(drive.pitch_speed), math.degrees(drive.yaw_speed)


@pytest.fixture
def keeper() -> GoalKeeper:
    return GoalKeeper(MotionSettings())


angles = st.floats(math.radians(-250), math.radians(250))
pitches = st.floats(math.radians(-30), math.radians(20))


@given(angles, pitches)
def test_a_goal_reaches_the_robot_with_the_signs_of_our_own_driver(
    yaw: float, pitch: float
) -> None:
    (goal,) = GoalKeeper(MotionSettings()).on_order(Order(Mode.ABSOLUTE, yaw, pitch), 0.0)
    assert isinstance(goal, SendGoal)
    ours = to_sdk(yaw, pitch)
    assert their_goal_to_sdk(goal) == pytest.approx((ours.pitch, ours.yaw), abs=0.051)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_a_speed_reaches_the_robot_with_the_signs_of_our_own_driver(
    yaw_rate: float, pitch_rate: float
) -> None:
    order = Order(Mode.RATE, yaw_rate=yaw_rate, pitch_rate=pitch_rate)
    (drive,) = GoalKeeper(MotionSettings()).on_order(order, 0.0)
    assert isinstance(drive, Drive)
    assert their_speed_to_sdk(drive) == pytest.approx(rates_to_sdk(yaw_rate, pitch_rate))


def test_a_new_order_cancels_the_running_goal_first(keeper: GoalKeeper) -> None:
    keeper.on_order(Order(Mode.ABSOLUTE, 1.0), 0.0)
    assert keeper.on_accepted(True, 0.1) == []
    assert keeper.on_order(Order(Mode.ABSOLUTE, 0.5), 0.2) == [CancelGoal()]
    assert keeper.on_order(Order(Mode.ABSOLUTE, 0.7), 0.3) == []
    (goal,) = keeper.on_finished(False, 0.4)
    assert isinstance(goal, SendGoal)
    assert goal.yaw == 0.7


def test_a_rejected_goal_is_tried_again_while_it_is_valid(keeper: GoalKeeper) -> None:
    (goal,) = keeper.on_order(Order(Mode.ABSOLUTE, 1.0, until=1.0), 0.0)
    keeper.on_accepted(False, 0.1)
    assert keeper.on_tick(0.2) == []
    assert keeper.on_tick(0.4) == [goal]
    keeper.on_accepted(False, 0.9)
    assert keeper.on_tick(1.2) == []
    assert "time was over" in keeper.problem


def test_a_driver_that_does_not_answer_is_reported(keeper: GoalKeeper) -> None:
    keeper.on_order(Order(Mode.ABSOLUTE, 1.0), 0.0)
    keeper.on_tick(2.1)
    assert "does not answer" in keeper.problem


def test_turning_at_a_speed_ends_with_the_command_stream(keeper: GoalKeeper) -> None:
    keeper.on_order(Order(Mode.RATE, yaw_rate=1.0), 0.0)
    assert keeper.on_tick(0.4) == []
    assert keeper.on_tick(0.6) == [Drive(0.0, 0.0)]


def test_orders_beyond_the_limits_are_clamped_and_said(keeper: GoalKeeper) -> None:
    (goal,) = keeper.on_order(Order(Mode.ABSOLUTE, 9.0, -1.0), 0.0)
    assert isinstance(goal, SendGoal)
    assert (goal.yaw, goal.pitch) == pytest.approx((math.radians(250), math.radians(-30)))
    assert "clamped" in keeper.problem


@given(st.integers(0, 2**32))
def test_never_two_goals_at_once_and_the_newest_order_is_sent_in_the_end(seed: int) -> None:
    chance = random.Random(seed)
    keeper = GoalKeeper(MotionSettings())
    now, out, newest = 0.0, 0, 0.0
    sent: list[float] = []

    def take(actions: list[Action]) -> None:
        nonlocal out
        for action in actions:
            if isinstance(action, SendGoal):
                assert out == 0, "a goal while another one is out"
                out = 1
                sent.append(action.yaw)

    for _ in range(40):
        now += 0.05
        match chance.randrange(3):
            case 0:
                newest = chance.uniform(-3, 3)
                take(keeper.on_order(Order(Mode.ABSOLUTE, newest), now))
            case 1 if out == 1:
                accepted = chance.random() < 0.8
                out = 2 if accepted else 0
                take(keeper.on_accepted(accepted, now))
            case 2 if out == 2:
                out = 0
                take(keeper.on_finished(chance.random() < 0.5, now))
            case _:
                take(keeper.on_tick(now))
    for _ in range(6):
        now += 0.3
        if out == 1:
            out = 2
            take(keeper.on_accepted(True, now))
        elif out == 2:
            out = 0
            take(keeper.on_finished(True, now))
        take(keeper.on_tick(now))
    if sent:
        assert sent[-1] == newest


def test_the_launch_argument_starts_the_adapter_and_takes_its_pictures() -> None:
    from turret_ai.graph import GRAPHS

    nodes = {e.executable: e for e in GRAPHS["finals"].plan({"source": "robomaster_ros"}).nodes}
    assert "robomaster_ros" in nodes
    assert nodes["locator"].remappings == {"camera/image_raw": "camera/image_color"}


def test_without_ros_the_node_says_what_it_needs() -> None:
    from turret_ai.errors import ConfigError
    from turret_ai.nodes.robomaster_ros import _imports
    from turret_ai.ros import RUNTIME

    if RUNTIME == "rclpy":
        pytest.skip("ROS 2 is here")
    with pytest.raises(ConfigError, match="needs ROS 2"):
        _imports()
