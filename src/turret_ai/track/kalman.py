# SPDX-License-Identifier: Apache-2.0
"""The constant-velocity Kalman filter in angles.

A state is (yaw, pitch, yaw rate, pitch rate), rad and rad/s in the turret's base frame (REP-103).
Both axes are driven by white acceleration of a spectral density in rad^2/s^3 (Bar-Shalom, Li,
Kirubarajan: Estimation with Applications to Tracking and Navigation, 6.2.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.units import wrap

Float64Array = NDArray[np.float64]

_EYE = np.eye(4)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """A state's mean (4,) and covariance (4, 4)."""

    mean: Float64Array
    covariance: Float64Array

    @classmethod
    def at(cls, angles: tuple[float, float], place: Float64Array, rate: float) -> Gaussian:
        """A craft seen once: its place with covariance (2, 2), and a speed that nobody knows.

        rate: standard deviation of the speed in each axis, rad/s.
        """
        covariance = np.zeros((4, 4))
        covariance[:2, :2] = place
        covariance[2, 2] = covariance[3, 3] = rate**2
        return cls(np.array([*angles, 0.0, 0.0]), covariance)

    @property
    def angles(self) -> tuple[float, float]:
        """(yaw, pitch), rad; yaw is not wrapped."""
        return float(self.mean[0]), float(self.mean[1])

    @property
    def rates(self) -> tuple[float, float]:
        """(yaw rate, pitch rate), rad/s."""
        return float(self.mean[2]), float(self.mean[3])

    @property
    def deviation(self) -> tuple[float, float]:
        """Standard deviations of yaw and pitch, rad."""
        yaw, pitch = np.sqrt(np.maximum(np.diag(self.covariance)[:2], 0.0))
        return float(yaw), float(pitch)


def predict(state: Gaussian, dt: float, density: float) -> Gaussian:
    """The state `dt` seconds later (0 or more)."""
    move = _EYE.copy()
    move[0, 2] = move[1, 3] = dt
    place, cross, rate = density * dt**3 / 3.0, density * dt**2 / 2.0, density * dt
    covariance = move @ state.covariance @ move.T
    for axis in (0, 1):
        covariance[axis, axis] += place
        covariance[axis, axis + 2] += cross
        covariance[axis + 2, axis] += cross
        covariance[axis + 2, axis + 2] += rate
    return Gaussian(move @ state.mean, covariance)


def innovation(state: Gaussian, seen: tuple[float, float]) -> Float64Array:
    """Seen less expected (2,), rad, the short way round in yaw."""
    return np.array([wrap(seen[0] - state.mean[0]), seen[1] - state.mean[1]])


def distance(state: Gaussian, seen: tuple[float, float], noise: Float64Array) -> float:
    """Squared Mahalanobis distance of a sighting with covariance (2, 2), without unit."""
    difference = innovation(state, seen)
    spread = state.covariance[:2, :2] + noise
    return float(difference @ np.linalg.solve(spread, difference))


def update(
    state: Gaussian, seen: tuple[float, float], noise: Float64Array
) -> tuple[Gaussian, float]:
    """Take in a sighting with covariance (2, 2), rad^2.

    Returns:
        The new state, and the log-likelihood of the sighting. Joseph's form keeps the covariance
        symmetric and positive.
    """
    difference = innovation(state, seen)
    spread = state.covariance[:2, :2] + noise
    gain = np.linalg.solve(spread, state.covariance[:2]).T
    rest = _EYE.copy()
    rest[:, :2] -= gain
    covariance = rest @ state.covariance @ rest.T + gain @ noise @ gain.T
    misfit = float(difference @ np.linalg.solve(spread, difference))
    likelihood = -0.5 * (misfit + math.log(max(float(np.linalg.det(spread)), 1e-300)))
    mean = state.mean + gain @ difference
    return Gaussian(mean, (covariance + covariance.T) / 2.0), likelihood - math.log(2.0 * math.pi)
