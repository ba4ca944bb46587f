# SPDX-License-Identifier: Apache-2.0
"""The simulated turret never breaks its limits and always arrives."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.aim.limits import Limits
from turret_ai.errors import ConfigError
from turret_ai.simulate.turret import TurretLimits, TurretMotion

LIMITS = TurretLimits(
    Limits(math.radians(-250), math.radians(250), math.radians(-30), math.radians(20)),
    3.0, 2.0, 12.0, 9.0,
)  # fmt: skip
goals = st.tuples(st.floats(-6, 6), st.floats(-1, 1))


def _run(
    motion: TurretMotion, seconds: float, dt: float = 0.01
) -> list[tuple[float, float, float]]:
    states = []
    for _ in range(round(seconds / dt)):
        motion.step(dt)
        states.append((motion.yaw, motion.pitch, motion.yaw_rate))
    return states


@settings(max_examples=60, deadline=None)
@given(st.lists(goals, min_size=1, max_size=4), st.floats(0.05, 2.0))
def test_angle_speed_and_acceleration_stay_within_the_limits(wishes, between):
    motion, last = TurretMotion(LIMITS), 0.0
    for yaw, pitch in wishes:
        motion.go(yaw, pitch)
        for yaw_now, pitch_now, rate in _run(motion, between):
            assert LIMITS.joints.yaw_min <= yaw_now <= LIMITS.joints.yaw_max
            assert LIMITS.joints.pitch_min <= pitch_now <= LIMITS.joints.pitch_max
            assert abs(rate) <= LIMITS.yaw_rate + 1e-9
            assert abs(rate - last) <= LIMITS.yaw_acceleration * 0.01 + 1e-9 or rate == 0.0
            last = rate


@settings(max_examples=60, deadline=None)
@given(st.floats(-4.3, 4.3), st.floats(-4.3, 4.3), st.sampled_from([0.001, 0.01, 0.04, 0.2]))
def test_it_arrives_without_overshoot_and_stands(start, goal, dt):
    motion = TurretMotion(LIMITS, yaw=start)
    motion.go(goal, 0.1)
    states = _run(motion, 5.0, dt)
    low, high = min(start, goal), max(start, goal)
    assert all(low - 1e-3 <= yaw <= high + 1e-3 for yaw, _, _ in states)
    assert motion.yaw == pytest.approx(goal, abs=1e-9)
    assert motion.pitch == pytest.approx(0.1, abs=1e-9)
    assert motion.at_goal
    assert not motion.moving


def test_a_slew_takes_the_time_of_its_trapezoid():
    motion = TurretMotion(LIMITS)
    motion.go(3.0, 0.0)
    steps = 0
    while not motion.at_goal:
        motion.step(0.005)
        steps += 1
    expected = 3.0 / LIMITS.yaw_rate + LIMITS.yaw_rate / LIMITS.yaw_acceleration
    assert steps * 0.005 == pytest.approx(expected, abs=0.05)


def test_a_goal_beyond_the_range_is_clamped_and_flagged():
    motion = TurretMotion(LIMITS)
    motion.go(10.0, -2.0)
    _run(motion, 5.0)
    assert motion.yaw == pytest.approx(LIMITS.joints.yaw_max)
    assert motion.pitch == pytest.approx(LIMITS.joints.pitch_min)
    assert motion.yaw_limited
    assert motion.pitch_limited
    motion.go(0.0, 0.0)
    assert not motion.yaw_limited


def test_driving_stops_at_the_end_of_the_range_and_holding_brakes():
    motion = TurretMotion(LIMITS)
    motion.drive(2.0, 0.0)
    _run(motion, 1.0)
    assert motion.yaw_rate == pytest.approx(2.0)
    motion.hold()
    _run(motion, 1.0)
    assert not motion.moving
    motion.drive(2.0, 0.0)
    _run(motion, 5.0)
    assert motion.yaw == pytest.approx(LIMITS.joints.yaw_max)
    assert motion.yaw_limited


def test_a_rate_limit_of_the_command_is_kept():
    motion = TurretMotion(LIMITS)
    motion.go(3.0, 0.0, (0.5, 0.5))
    assert max(abs(rate) for _, _, rate in _run(motion, 3.0)) <= 0.5 + 1e-9


def test_no_time_means_no_movement():
    motion = TurretMotion(LIMITS)
    motion.go(1.0, 0.0)
    motion.step(0.0)
    assert motion.yaw == 0.0


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_rates_that_no_turret_has_are_refused(rate):
    with pytest.raises(ConfigError):
        TurretLimits(yaw_rate=rate)
