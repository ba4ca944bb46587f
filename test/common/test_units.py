# SPDX-License-Identifier: Apache-2.0
"""Degrees, radians, compass and REP-103."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai import units


def test_east_is_clockwise_of_north():
    assert units.heading_to_yaw(90.0) == pytest.approx(-math.pi / 2)
    assert units.yaw_to_heading(-math.pi / 2) == pytest.approx(90.0)


def test_up_is_a_negative_pitch():
    assert units.elevation_deg_to_pitch(15.0) == pytest.approx(-0.2617993878)
    assert units.pitch_to_elevation_deg(-0.2617993878) == pytest.approx(15.0)


@given(st.floats(-1e4, 1e4))
def test_a_heading_survives_the_way_to_yaw_and_back(heading):
    back = units.yaw_to_heading(units.heading_to_yaw(heading))
    assert 0.0 <= back < 360.0
    assert math.remainder(back - heading, 360.0) == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-1e4, 1e4))
def test_wrapped_angles_lie_in_one_turn(angle):
    wrapped = units.wrap(angle)
    assert -math.pi <= wrapped < math.pi
    assert math.remainder(wrapped - angle, 2 * math.pi) == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-1e3, 1e3))
def test_clockwise_degrees_keep_their_turns(degrees):
    assert units.yaw_to_clockwise_deg(units.clockwise_deg_to_yaw(degrees)) == pytest.approx(degrees)


def test_the_smallest_negative_yaw_is_north():
    assert units.yaw_to_heading(1e-20) == 0.0


@pytest.mark.parametrize(("degrees", "spoken"), [(5.0, "005"), (0.0, "360"), (359.7, "360")])
def test_headings_are_spoken_as_three_digits(degrees, spoken):
    assert units.format_heading(degrees) == spoken


def test_seconds_and_nanoseconds():
    assert units.seconds_to_ns(1.5) == 1_500_000_000
    assert units.ns_to_seconds(1_500_000_000) == pytest.approx(1.5)
