# SPDX-License-Identifier: Apache-2.0
"""The filters: time passes alike in one step or several, and what flies is learnt."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.track import kalman
from turret_ai.track.imm import Imm, Motion, combined
from turret_ai.track.kalman import Gaussian
from turret_ai.units import wrap

angle = st.floats(-3.0, 3.0)
rate = st.floats(-0.7, 0.7)
step = st.floats(0.0, 2.0)
density = st.floats(1e-4, 1.0)
NOISE = np.diag([1e-5, 2e-5])


def state(yaw=0.0, pitch=0.0, yaw_rate=0.0, pitch_rate=0.0):
    began = Gaussian.at((yaw, pitch), NOISE, 0.3)
    return Gaussian(np.array([yaw, pitch, yaw_rate, pitch_rate]), began.covariance)


def is_covariance(matrix):
    return np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix).min() > -1e-12


@given(angle, angle, rate, rate, step, step, density)
@settings(deadline=None)
def test_two_short_predictions_are_one_long_one(yaw, pitch, a, b, first, second, q):
    start = state(yaw, pitch, a, b)
    twice = kalman.predict(kalman.predict(start, first, q), second, q)
    once = kalman.predict(start, first + second, q)
    assert np.allclose(twice.mean, once.mean)
    assert np.allclose(twice.covariance, once.covariance, rtol=1e-9, atol=1e-12)
    assert once.angles == pytest.approx((yaw + a * (first + second), pitch + b * (first + second)))


@given(angle, angle, st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), step, density)
@settings(deadline=None)
def test_a_sighting_makes_surer_and_draws_the_state_towards_it(yaw, pitch, off, up, dt, q):
    before = kalman.predict(state(yaw, pitch), dt, q)
    after, _ = kalman.update(before, (yaw + off, pitch + up), NOISE)
    assert is_covariance(after.covariance)
    assert all(b <= a + 1e-12 for a, b in zip(before.deviation, after.deviation, strict=True))
    assert abs(after.mean[0] - yaw - off) <= abs(off) + 1e-12
    assert abs(after.mean[1] - pitch - up) <= abs(up) + 1e-12


@given(st.floats(-0.1, 0.1), st.integers(-2, 2))
@settings(deadline=None)
def test_a_yaw_full_turns_away_is_the_same_sighting(off, turns):
    near, likely = kalman.update(state(3.1), (3.1 + off, 0.0), NOISE)
    far, as_likely = kalman.update(state(3.1), (wrap(3.1 + off) + turns * math.tau, 0.0), NOISE)
    assert np.allclose(near.mean, far.mean)
    assert likely == pytest.approx(as_likely, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0.01, 1.0), angle, rate), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_the_models_probabilities_stay_a_distribution_whatever_is_seen(sightings):
    imm = Imm([Motion(0.001, 4.0), Motion(0.2, 1.0)], state())
    for dt, yaw, pitch in sightings:
        imm.predict(dt)
        imm.update((yaw, pitch), NOISE)
        assert imm.probabilities.sum() == pytest.approx(1.0)
        assert (imm.probabilities > 0).all()
        assert is_covariance(imm.state.covariance)
        assert np.isfinite(imm.state.mean).all()


def test_looking_ahead_is_predicting_without_a_change():
    imm = Imm([Motion(0.001, 4.0), Motion(0.2, 1.0)], state(0.1, 0.2, 0.3, -0.1))
    imm.update((0.12, 0.19), NOISE)
    ahead = imm.ahead(0.7)
    before = imm.state
    imm.predict(0.7)
    assert np.allclose(ahead.mean, imm.state.mean)
    assert np.allclose(ahead.covariance, imm.state.covariance)
    assert not np.allclose(before.mean, imm.state.mean)


def test_the_speed_of_a_craft_is_learnt_within_a_second_and_a_turn_is_noticed():
    rng = np.random.default_rng(0)
    imm = Imm([Motion(0.0025, 4.0), Motion(0.25, 1.0)], state())
    yaw, speed, dt = 0.0, math.radians(15.0), 0.1
    for _ in range(10):
        yaw += speed * dt
        imm.predict(dt)
        imm.update((yaw + rng.normal(0, 0.003), rng.normal(0, 0.003)), NOISE)
    assert imm.state.rates == pytest.approx((speed, 0.0), abs=math.radians(1.5))
    assert imm.probabilities[1] < 0.1
    turning = []
    for _ in range(4):
        yaw -= speed * dt
        imm.predict(dt)
        imm.update((yaw, 0.0), NOISE)
        turning.append(imm.probabilities[1])
    assert max(turning) > 0.9
    assert imm.state.rates[0] < 0.0


def test_a_mixture_spreads_over_its_parts():
    mixed = combined([state(-1.0), state(1.0)], np.array([0.5, 0.5]))
    assert mixed.angles == pytest.approx((0.0, 0.0))
    assert mixed.deviation[0] == pytest.approx(1.0, rel=1e-3)
