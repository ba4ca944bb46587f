# SPDX-License-Identifier: Apache-2.0
"""Interacting multiple models: a craft flies on steadily, or it manoeuvres, and nobody says which.

Each motion is a Kalman filter with a density of its own; their probabilities follow from how well
each foresaw what was seen (Blom and Bar-Shalom, 1988).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.track import kalman
from turret_ai.track.kalman import Gaussian

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Motion:
    """A way to fly. density: of the acceleration, rad^2/s^3. lasts: mean time before another, s."""

    density: float
    lasts: float


class Imm:
    """Several motions' filters and how likely each is."""

    def __init__(self, motions: Sequence[Motion], start: Gaussian) -> None:
        self.motions = tuple(motions)
        self._states = [start] * len(self.motions)
        self.probabilities: Float64Array = np.full(len(self.motions), 1.0 / len(self.motions))

    @property
    def state(self) -> Gaussian:
        """All motions in one, weighted by their probabilities."""
        return combined(self._states, self.probabilities)

    def ahead(self, dt: float) -> Gaussian:
        """Where the craft will be `dt` seconds from now; nothing changes."""
        changed = self.probabilities @ self._changes(dt)
        mixed = self._mixed(dt)
        pairs = zip(mixed, self.motions, strict=True)
        return combined([kalman.predict(s, dt, m.density) for s, m in pairs], changed)

    def predict(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        mixed, changed = self._mixed(dt), self.probabilities @ self._changes(dt)
        pairs = zip(mixed, self.motions, strict=True)
        self._states = [kalman.predict(s, dt, m.density) for s, m in pairs]
        self.probabilities = changed

    def update(self, seen: tuple[float, float], noise: Float64Array) -> None:
        """Take in a sighting (yaw, pitch) with covariance (2, 2)."""
        pairs = [kalman.update(state, seen, noise) for state in self._states]
        self._states = [state for state, _ in pairs]
        likelihoods = np.array([likelihood for _, likelihood in pairs])
        weights = self.probabilities * np.exp(likelihoods - likelihoods.max())
        self.probabilities = np.maximum(weights / weights.sum(), 1e-6)
        self.probabilities /= self.probabilities.sum()

    def _changes(self, dt: float) -> Float64Array:
        """Probability (from, to) that one motion has become another after `dt` seconds."""
        count = len(self.motions)
        changes = np.eye(count)
        if count > 1:
            for row, motion in enumerate(self.motions):
                leaves = 1.0 - np.exp(-dt / motion.lasts)
                changes[row] = leaves / (count - 1)
                changes[row, row] = 1.0 - leaves
        return changes

    def _mixed(self, dt: float) -> list[Gaussian]:
        """What each motion begins with: the states of those that it may have been before."""
        joint = self.probabilities[:, None] * self._changes(dt)
        totals = np.maximum(joint.sum(axis=0), 1e-12)
        return [
            combined(self._states, joint[:, to] / totals[to]) for to in range(len(self.motions))
        ]


def combined(states: Sequence[Gaussian], weights: Float64Array) -> Gaussian:
    """The Gaussian with mean and covariance of a mixture."""
    means = np.array([state.mean for state in states])
    mean = weights @ means
    covariance = np.zeros((4, 4))
    for weight, state, each in zip(weights, states, means, strict=True):
        apart = each - mean
        covariance += weight * (state.covariance + np.outer(apart, apart))
    return Gaussian(mean, covariance)
