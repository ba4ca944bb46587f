# SPDX-License-Identifier: Apache-2.0
"""The turret keeps on what flies, whatever its own delay, and lets go when nobody leads it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.aim.following import Estimate, Following
from turret_ai.aim.joints import JointSample
from turret_ai.aim.limits import Limits
from turret_ai.aim.settings import FollowSettings

S = 1_000_000_000
LIMITS = Limits()


def pursue(rate, delay, told, *, wave=0.0, offset=0.0, seconds=4.0, limits=LIMITS):
    """Error (rad) and yaw over time of a turret that acts `delay` s after an order."""
    following = Following(FollowSettings(delay=told, rate=50.0), limits)
    following.begin("u1", 100 * S)
    now, yaw, present, orders, errors = 100 * S, 0.0, 0.0, [], []

    def target(at):
        t = (at - 100 * S) / S
        place = offset + rate * t + wave * math.sin(2.0 * t)
        return place, rate + 2.0 * wave * math.cos(2.0 * t)

    while now < 100 * S + seconds * S:
        now += S // 50
        while orders and orders[0][0] <= now:
            present = orders.pop(0)[1]
        yaw = min(max(yaw + present / 50.0, limits.yaw_min), limits.yaw_max)
        place, speed = target(now)
        following.on_estimate("u1", Estimate(now, place, 0.0, speed, 0.0), now)
        drive = following.on_joints(JointSample(now, yaw, 0.0, present, 0.0), now)
        if drive is not None:
            orders.append((now + round(delay * S), drive.yaw_rate))
        errors.append(abs(place - yaw))
    return errors, yaw


@given(st.floats(-0.6, 0.6), st.floats(0.0, 0.25))
@settings(max_examples=40, deadline=None)
def test_a_steady_flight_is_met_without_lag_whatever_the_delay(rate, delay):
    errors, _ = pursue(rate, delay, delay)
    assert max(errors[-50:]) < 0.01


def test_the_lead_keeps_a_slow_gimbal_from_swinging_round_the_target():
    with_lead, _ = pursue(0.1, 0.25, 0.25, offset=0.4)
    without, _ = pursue(0.1, 0.25, 0.0, offset=0.4)
    settled = round(1.5 * 50)
    assert max(with_lead[settled:]) < 0.01 < 0.05 < max(without[settled:])


def test_in_a_flight_that_changes_it_stays_close():
    errors, _ = pursue(0.1, 0.04, 0.04, wave=0.3)
    assert max(errors[-100:]) < 0.015


def test_at_a_limit_it_stands_there_and_says_so():
    limits = Limits(-0.5, 0.5, -0.3, 0.3)
    _, yaw = pursue(0.3, 0.02, 0.02, limits=limits)
    assert yaw == pytest.approx(0.5, abs=0.01)
    following = Following(FollowSettings(), limits)
    following.begin("u1", 0)
    following.on_estimate("u1", Estimate(S, 0.9, 0.0, 0.3, 0.0), S)
    drive = following.on_joints(JointSample(S, 0.5, 0.0, 0.0, 0.0), S)
    assert drive.yaw_limited and not drive.pitch_limited
    assert drive.yaw_rate == pytest.approx(0.0, abs=1e-9)


def test_orders_are_void_soon_come_at_the_rate_set_and_never_faster_than_allowed():
    following = Following(FollowSettings(rate=10.0, valid=0.25, yaw_rate=1.0), LIMITS)
    following.begin("u1", 0)
    following.on_estimate("u1", Estimate(0, 3.0, 0.0, 0.0, 0.0), 0)
    drives = []
    for k in range(1, 51):
        now = k * S // 50
        following.on_estimate("u1", Estimate(now, 3.0, 0.0, 0.0, 0.0), now)
        drive = following.on_joints(JointSample(now, 0.0, 0.0, 0.0, 0.0), now)
        drives += [drive] if drive else []
    assert 9 <= len(drives) <= 11
    assert all(d.yaw_rate == 1.0 and d.until_ns - d.stamp_ns <= S // 4 + S // 10 for d in drives)


def test_a_lost_target_is_waited_for_and_a_silent_tracker_ends_the_pursuit():
    following = Following(FollowSettings(silence=1.0), LIMITS)
    following.begin("u1", 0)
    following.on_estimate("u1", None, S)
    drive = following.on_joints(JointSample(S, 0.2, 0.1, 0.0, 0.0), S)
    assert (drive.yaw_rate, drive.pitch_rate) == (0.0, 0.0)
    following.on_estimate("another", Estimate(S, 1.0, 0.0, 0.0, 0.0), 2 * S)
    assert following.on_joints(JointSample(3 * S, 0.2, 0.1, 0.0, 0.0), 3 * S) is None
    assert not following.active and "silent" in following.reason
