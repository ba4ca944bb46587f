# SPDX-License-Identifier: Apache-2.0
"""The shortest way within the limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.aim.limits import Limits, nearest_yaw, reach
from turret_ai.errors import ConfigError

ROBOMASTER = Limits()


@given(st.floats(-10, 10), st.floats(math.radians(-250), math.radians(250)))
def test_the_angle_points_along_the_direction_and_stays_within_the_limits(direction, present):
    angle, limited = nearest_yaw(direction, present, ROBOMASTER)
    assert not limited
    assert ROBOMASTER.yaw_min <= angle <= ROBOMASTER.yaw_max
    assert math.remainder(angle - direction, 2 * math.pi) == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-math.pi, math.pi), st.floats(math.radians(-250), math.radians(250)))
def test_no_other_reachable_turn_is_nearer(direction, present):
    angle, _ = nearest_yaw(direction, present, ROBOMASTER)
    for other in (angle - 2 * math.pi, angle + 2 * math.pi):
        if ROBOMASTER.yaw_min <= other <= ROBOMASTER.yaw_max:
            assert abs(angle - present) <= abs(other - present) + 1e-6


def test_a_turret_at_200_degrees_goes_on_to_240_instead_of_back():
    angle, _ = nearest_yaw(math.radians(-120), math.radians(200), ROBOMASTER)
    assert math.degrees(angle) == pytest.approx(240)


def test_beyond_the_end_stop_it_goes_the_long_way_round():
    angle, _ = nearest_yaw(math.radians(-100), math.radians(240), ROBOMASTER)
    assert math.degrees(angle) == pytest.approx(-100)


def test_an_unreachable_yaw_is_clamped_to_the_nearer_end_and_reported():
    narrow = Limits(-1.0, 1.0, -0.5, 0.3)
    assert nearest_yaw(1.4, 0.0, narrow) == (1.0, True)
    assert nearest_yaw(-2.0, 0.9, narrow) == (-1.0, True)


def test_an_elevation_above_the_limit_is_clamped_and_reported():
    goal = reach((0.2, math.radians(-40)), 0.0, ROBOMASTER)
    assert goal.pitch == pytest.approx(math.radians(-30))
    assert goal.pitch_limited
    assert not goal.yaw_limited


def test_limits_that_cross_are_refused():
    with pytest.raises(ConfigError):
        Limits(1.0, -1.0)
