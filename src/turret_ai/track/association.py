# SPDX-License-Identifier: Apache-2.0
"""Which sighting belongs to which track: by place, size and appearance, all of them at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from turret_ai.track import kalman
from turret_ai.track.settings import AssociationSettings
from turret_ai.track.sight import Sighting, whole_middle
from turret_ai.track.track import Track

FITS = -2.0
"""Log-odds of the caption from which on a candidate may be a target whose looks nobody knows."""
_FORBIDDEN = 1e6


def warm_up() -> None:
    """Import what the first picture would have to wait for: seconds on a busy machine."""
    import scipy.optimize  # noqa: F401


def cost(track: Track, sighting: Sighting, dt: float, settings: AssociationSettings) -> float:
    """How badly a sighting fits a track `dt` seconds after it was last brought up to date.

    Twice the negative logarithm of the likelihood, up to a constant; inf where it can't be.
    """
    state = track.imm.ahead(dt)
    angles, noise = whole_middle(sighting, track.size, state.angles)
    place = kalman.distance(state, angles, noise)
    if place > settings.gate**2:
        return math.inf
    like = track.likeness(sighting.seen)
    if like is not None and like < settings.likeness:
        return math.inf
    if like is None and track.wanted and sighting.seen.odds < FITS:
        return math.inf
    found = place
    found += math.log(max(float(np.linalg.det(state.covariance[:2, :2] + noise)), 1e-300))
    for axis in (0, 1):
        if not sighting.cut[axis]:
            ratio = math.log(max(sighting.size[axis], 1e-6) / max(track.size[axis], 1e-6))
            found += min(9.0, (ratio / settings.size) ** 2)
    if like is not None:
        found += min(25.0, ((1.0 - like) / settings.appearance) ** 2)
    if track.wanted and math.isfinite(sighting.seen.odds):
        found += 2.0 * float(np.logaddexp(0.0, -sighting.seen.odds))
    return found


def associate(
    tracks: Sequence[Track],
    sightings: Sequence[Sighting],
    stamp_ns: int,
    settings: AssociationSettings,
) -> list[int]:
    """For each track the number of its sighting, -1: none; no sighting twice.

    As many pairs as possible, and of those ways the likeliest (Hungarian method).
    """
    chosen = [-1] * len(tracks)
    if not tracks or not sightings:
        return chosen
    from scipy.optimize import linear_sum_assignment  # slow to import: see `warm_up`

    table = np.full((len(tracks), len(sightings)), _FORBIDDEN)
    for row, track in enumerate(tracks):
        dt = track.since(stamp_ns)
        for column, sighting in enumerate(sightings):
            table[row, column] = min(_FORBIDDEN, cost(track, sighting, dt, settings))
    rows, columns = linear_sum_assignment(table)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if table[row, column] < _FORBIDDEN:
            chosen[row] = column
    return chosen
