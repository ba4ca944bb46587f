# SPDX-License-Identifier: Apache-2.0
"""What real paint carries besides its colours: dirt, panel lines, letters, roundels, soot.

All is small enough that nobody would name it in a description. Places are in the fuselage's
measure of `turret_ai.simulate.livery`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turret_ai.simulate.colours import COLOURS, sample, to_linear
from turret_ai.simulate.craft import ROLES

FloatArray = NDArray[np.float32]
Mask = NDArray[np.bool_]

_TAIL, _WING, _PAINT = (ROLES.index(name) for name in ("tail", "wing", "paint"))


def mark(places: FloatArray, roles: NDArray[np.int64], albedo: FloatArray, seed: int) -> FloatArray:
    """Add markings to linear colours (n, 3) at places (n, 3) of parts with roles (n,)."""
    rng = np.random.default_rng((seed, 1))
    out = albedo * _dirt(places, rng)[:, None]
    x, y, z = places[:, 0], places[:, 1], places[:, 2]
    body, wing, tail = (roles == r for r in (_PAINT, _WING, _TAIL))
    if rng.random() < 0.6:
        out[_panel_lines(x, y, rng)] *= np.float32(0.65)
    if rng.random() < 0.25:
        spot = wing & (_disc(x, np.abs(y), float(rng.uniform(-0.1, 0.2)), 0.62, 0.08, 0.07))
        spot |= body & _disc(x, z, float(rng.uniform(-0.5, -0.2)), 0.1, 0.06, 0.3)
        out[spot] = _colour(rng)
        inner = wing & _disc(x, np.abs(y), 0.05, 0.62, 0.04, 0.03)
        out[inner] = _colour(rng)
    if rng.random() < 0.3:
        emblem = tail & _disc(x, z, float(rng.uniform(-0.95, -0.8)), float(rng.uniform(1.6, 2.6)),
                              0.055, 0.38)  # fmt: skip
        out[emblem] = _colour(rng)
    if rng.random() < 0.12:
        bands = (wing & (np.abs(np.abs(y) - 0.42) < 0.11)) | (body & (np.abs(x + 0.42) < 0.1))
        bright = np.mod(np.where(wing, np.abs(y), x) * 22.0, 2.0) < 1.0
        out[bands] = np.where(bright[bands, None], np.float32(0.8), np.float32(0.02))
    if rng.random() < 0.2:
        out[body & (z > 0.55) & (x > 0.45) & (x < 0.9)] = np.float32(0.02)  # against glare
    if rng.random() < 0.2:
        out[wing & (np.abs(y) > 0.9)] *= np.float32(0.5)
    if rng.random() < 0.25:
        soot = np.clip((x + 0.3) * -1.4, 0, 1) * (z < -0.1) * body
        out *= (1.0 - 0.5 * soot)[:, None].astype(np.float32)
    if rng.random() < 0.5:
        out[body & _letters(x, z, rng)] = _lettering(albedo, rng)
    return np.asarray(out, np.float32)


def waves(p: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A smooth random field (n,) of unit variance or so, as a sum of plane waves."""
    total = np.zeros(len(p), np.float32)
    for k in range(7):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        frequency = 0.7 + 0.33 * k
        wave = p @ (direction * frequency).astype(np.float32) + np.float32(rng.uniform(0, 6.3))
        total += np.sin(wave) / np.float32(1.0 + 0.25 * k)
    return total / np.float32(1.25)


def _dirt(places: FloatArray, rng: np.random.Generator) -> FloatArray:
    depth = float(rng.uniform(0.0, 0.12))
    factor = 1.0 - depth + depth * waves(places * np.float32(rng.uniform(3, 9)), rng)
    return np.asarray(np.clip(factor, 0.6, 1.1), np.float32)


def _panel_lines(x: FloatArray, y: FloatArray, rng: np.random.Generator) -> Mask:
    spacing, wide = float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.03, 0.08))
    along = np.mod(x + 5.0, spacing) < spacing * wide
    return np.asarray(along | (np.mod(np.abs(y), spacing) < spacing * wide), np.bool_)


def _disc(
    a: FloatArray, b: FloatArray, at_a: float, at_b: float, half_a: float, half_b: float
) -> Mask:
    return np.asarray(((a - at_a) / half_a) ** 2 + ((b - at_b) / half_b) ** 2 < 1.0, np.bool_)


def _letters(x: FloatArray, z: FloatArray, rng: np.random.Generator) -> Mask:
    """A number or a name, as a row of bars that look like letters from afar."""
    start, low = float(rng.uniform(-0.6, 0.3)), float(rng.uniform(-0.15, 0.25))
    tall, count = float(rng.uniform(0.14, 0.34)), int(rng.integers(3, 10))
    step = float(rng.uniform(0.04, 0.075))
    letter = np.floor((x - start) / step)
    within = np.mod(x - start, step) / step
    pattern = np.mod(letter * 0.618 + 0.21, 1.0)
    rise = (z - low) / tall
    upright = within < 0.28
    bar = (np.abs(rise - pattern) < 0.16) & (within < 0.75)
    second = (within > 0.5) & (within < 0.72) & (pattern > 0.4)
    inside = (rise > 0) & (rise < 1) & (letter >= 0) & (letter < count)
    return np.asarray(inside & (upright | bar | second), np.bool_)


def _lettering(albedo: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Dark letters on bright paint and the other way round."""
    if float(np.mean(albedo)) < 0.25:
        return np.full(3, 0.75, np.float32)
    return np.full(3, 0.03, np.float32) if rng.random() < 0.7 else _colour(rng) * np.float32(0.5)


def _colour(rng: np.random.Generator) -> FloatArray:
    name = COLOURS[int(rng.integers(len(COLOURS)))]
    return to_linear(sample(name, rng))
