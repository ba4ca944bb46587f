# SPDX-License-Identifier: Apache-2.0
"""Gimbal commands become angles for Gazebo's controllers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.aim.limits import Limits
from turret_ai.aim.order import Mode, Order
from turret_ai.simulate.gazebo.setpoint import STOP_MARGIN, Setpoint

ABSOLUTE, RELATIVE, RATE = Mode.ABSOLUTE, Mode.RELATIVE, Mode.RATE


def test_nothing_is_sent_before_the_first_command():
    assert Setpoint().at(1.0) is None


def test_an_absolute_command_goes_through_at_once():
    point = Setpoint()
    assert point.give(Order(ABSOLUTE, 1.0, -0.2), 1.0, None) == ""
    assert point.at(1.0) == (1.0, -0.2)


def test_a_slower_speed_is_a_moving_angle():
    point = Setpoint()
    point.give(Order(ABSOLUTE, 1.0, -0.2, yaw_rate=0.5, pitch_rate=0.1), 10.0, (0.0, 0.0))
    assert point.at(11.0) == pytest.approx((0.5, -0.1))
    assert point.at(20.0) == pytest.approx((1.0, -0.2))


def test_a_relative_command_adds_to_the_measured_joints():
    point = Setpoint()
    assert point.give(Order(RELATIVE, 0.3, 0.1), 1.0, (1.0, -0.2)) == ""
    assert point.at(1.0) == pytest.approx((1.3, -0.1))


def test_a_relative_command_needs_to_know_the_joints():
    assert Setpoint().give(Order(RELATIVE, 0.3, 0.1), 1.0, None) == "no joint states yet"


def test_a_rate_ends_with_its_validity():
    point = Setpoint()
    order = Order(RATE, 0.0, 0.0, yaw_rate=-0.4, pitch_rate=0.0, until=12.0)
    point.give(order, 10.0, (0.0, 0.0))
    assert point.at(11.0) == pytest.approx((-0.4, 0.0))
    assert point.at(13.0) == pytest.approx((-0.8, 0.0))
    assert point.at(99.0) == pytest.approx((-0.8, 0.0))


def test_an_expired_command_is_refused_and_changes_nothing():
    point = Setpoint()
    point.give(Order(ABSOLUTE, 1.0, 0.0), 1.0, None)
    assert point.give(Order(ABSOLUTE, 2.0, 0.0, until=3.0), 4.0, None) == "expired"
    assert point.at(4.0) == (1.0, 0.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_are_refused(value):
    assert Setpoint().give(Order(ABSOLUTE, value, 0.0), 1.0, None) == "not finite"


def test_reset_holds_the_turret_where_it_is():
    point = Setpoint()
    point.give(Order(RATE, 0.0, 0.0, yaw_rate=1.0), 0.0, (0.0, 0.0))
    point.at(0.5)
    point.hold((0.45, 0.0))
    assert point.at(9.0) == pytest.approx((0.45, 0.0))


def test_a_clock_that_jumps_back_moves_nothing():
    point = Setpoint()
    point.give(Order(RATE, 0.0, 0.0, yaw_rate=1.0), 100.0, (0.0, 0.0))
    assert point.at(5.0) == pytest.approx((0.0, 0.0))


@given(
    st.lists(
        st.tuples(st.sampled_from(Mode), st.floats(-20, 20), st.floats(-3, 3), st.floats(-9, 9)),
        min_size=1,
        max_size=6,
    ),
    st.floats(0.0, 5.0),
)
def test_no_command_leads_to_the_stops(orders, step):
    point, now, joints = Setpoint(), 0.0, (0.0, 0.0)
    reach = Limits()
    for mode, yaw, pitch, rate in orders:
        point.give(Order(mode, yaw, pitch, rate, rate), now, joints)
        now += step
        joints = point.at(now)
        assert reach.yaw_min + STOP_MARGIN <= joints[0] <= reach.yaw_max - STOP_MARGIN
        assert reach.pitch_min + STOP_MARGIN <= joints[1] <= reach.pitch_max - STOP_MARGIN
