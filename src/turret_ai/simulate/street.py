# SPDX-License-Identifier: Apache-2.0
"""Small things at eye level: cars, signs, people, boats, flags. Hard negatives of a panorama.

Places are in metres round the camera (x north, y left, z up); `foot` is the ground's z.
"""

from __future__ import annotations

import math

import numpy as np

from turret_ai.simulate.scenery import Canvas, Float64Array, at

_UP = np.array([0.0, 0.0, 1.0])


def furnish(canvas: Canvas, seed: int) -> None:
    """Scatter some of everything round the camera."""
    rng = np.random.default_rng((seed, 23))
    foot = -float(rng.uniform(1.6, 6.0))
    makers = (car, sign, person, boat, flag, lump)
    share = rng.dirichlet(np.ones(len(makers)) * 0.6)
    count = int(rng.choice([0, 8, 20, 45], p=[0.2, 0.35, 0.3, 0.15]))
    for distance in sorted(rng.uniform(8, 90, count), reverse=True):
        maker = makers[int(rng.choice(len(makers), p=share))]
        maker(canvas, rng, float(rng.uniform(-math.pi, math.pi)), float(distance), foot)


def _side(yaw: float) -> Float64Array:
    return np.array([-math.sin(yaw), math.cos(yaw), 0.0])


def car(canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float) -> None:
    """A car or a van from the side."""
    base, side = at(yaw, distance, foot), _side(yaw)
    length, tall = float(rng.uniform(3.6, 6.5)), float(rng.uniform(1.4, 2.4))
    rgb = rng.uniform(0.08, 0.85, 3) if rng.random() < 0.4 else np.full(3, rng.uniform(0.05, 0.9))
    a, b = base - side * length / 2, base + side * length / 2
    hood = float(rng.uniform(0.15, 0.3))
    canvas.polygon([a + _UP * 0.3, b + _UP * 0.3, b + _UP * tall * 0.6, a + _UP * tall * 0.6], rgb)
    roof = [a + side * length * hood, a + side * length * (hood + 0.1)]
    cabin = [
        roof[0] + _UP * tall * 0.6,
        roof[1] + _UP * tall,
        b - side * length * 0.15 + _UP * tall,
        b - side * length * 0.05 + _UP * tall * 0.6,
    ]
    canvas.polygon(cabin, rgb * 0.9)
    middle = np.mean(cabin, axis=0)
    canvas.polygon([middle + (p - middle) * 0.75 for p in cabin], (0.12, 0.15, 0.18))
    for k in (0.2, 0.8):
        canvas.blob(a + side * length * k + _UP * 0.33, 0.34, (0.06, 0.06, 0.06))


def sign(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A road sign or a board on a post."""
    base, side = at(yaw, distance, foot), _side(yaw)
    tall, wide = float(rng.uniform(2, 5)), float(rng.uniform(0.3, 2.2))
    canvas.line([base, base + _UP * tall], 0.08, (0.45, 0.46, 0.47))
    rgb = np.array(
        ((0.8, 0.1, 0.1), (0.1, 0.25, 0.7), (0.9, 0.9, 0.9), (0.9, 0.75, 0.1), (0.1, 0.45, 0.25))[
            int(rng.integers(5))
        ]
    )
    corners = int(rng.choice([3, 4, 8]))
    turn = np.arange(corners) * 2 * math.pi / corners + math.pi / corners
    top = base + _UP * tall
    for scale, colour in ((1.0, rgb), (0.7, np.array([0.92, 0.92, 0.9]))):
        ring = [top + scale * wide / 2 * (side * math.cos(t) + _UP * math.sin(t)) for t in turn]
        canvas.polygon(ring, colour)


def person(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """Somebody who stands about."""
    base, side = at(yaw, distance, foot), _side(yaw)
    coat, legs = rng.uniform(0.05, 0.8, 3), rng.uniform(0.05, 0.35, 3)
    for x in (-0.12, 0.12):
        canvas.line([base + side * x, base + side * x * 0.8 + _UP * 0.85], 0.16, legs)
    canvas.polygon(
        [
            base - side * 0.24 + _UP * 0.8,
            base + side * 0.24 + _UP * 0.8,
            base + side * 0.26 + _UP * 1.45,
            base - side * 0.26 + _UP * 1.45,
        ],
        coat,
    )
    arm = side * float(rng.uniform(0.3, 0.7)) + _UP * float(rng.uniform(0.7, 1.7))
    canvas.line([base + side * 0.22 + _UP * 1.4, base + arm], 0.1, coat * 0.9)
    canvas.blob(base + _UP * 1.62, 0.13, (0.7, 0.54, 0.44))


def boat(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A small boat, with or without a sail."""
    base, side = at(yaw, distance * 2.5, foot), _side(yaw)
    length = float(rng.uniform(4, 14))
    rgb = rng.uniform(0.1, 0.95, 3)
    canvas.polygon(
        [
            base - side * length * 0.45,
            base + side * length * 0.42,
            base + side * length * 0.55 + _UP * length * 0.13,
            base - side * length * 0.5 + _UP * length * 0.1,
        ],
        rgb,
    )
    if rng.random() < 0.5:
        top = base + _UP * length * 1.2
        canvas.polygon(
            [top, base + side * length * 0.4 + _UP * length * 0.15, base + _UP * length * 0.15],
            (0.92, 0.92, 0.9),
        )
    else:
        canvas.polygon(
            [
                base - side * length * 0.2 + _UP * length * 0.1,
                base + side * length * 0.15 + _UP * length * 0.1,
                base + side * length * 0.1 + _UP * length * 0.3,
                base - side * length * 0.2 + _UP * length * 0.3,
            ],
            (0.85, 0.86, 0.86),
        )


def flag(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A flag of two or three stripes on a pole, in the wind."""
    base, side = at(yaw, distance, foot), _side(yaw) * float(rng.choice([-1.0, 1.0]))
    tall, wide = float(rng.uniform(5, 14)), float(rng.uniform(1.2, 3.0))
    canvas.line([base, base + _UP * tall], 0.1, (0.7, 0.7, 0.72))
    stripes = int(rng.integers(2, 4))
    sag = float(rng.uniform(-0.1, 0.6))
    for k in range(stripes):
        high = base + _UP * (tall - wide * 0.65 * k / stripes)
        low = base + _UP * (tall - wide * 0.65 * (k + 1) / stripes)
        out = side * wide - _UP * wide * sag
        middle = side * wide * 0.5 - _UP * wide * (sag * 0.5 - 0.08)
        ring = [high, high + middle, high + out, low + out, low + middle, low]
        canvas.polygon(ring, rng.uniform(0.05, 0.95, 3))


def lump(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A rock or a bin: a rounded lump."""
    base = at(yaw, distance, foot)
    size, rgb = float(rng.uniform(0.3, 1.4)), np.full(3, rng.uniform(0.15, 0.6))
    rgb = rgb * rng.uniform(0.8, 1.1, 3)
    for k in range(4):
        offset = _side(yaw) * rng.normal(0, size * 0.5) + _UP * size * float(rng.uniform(0.2, 0.7))
        canvas.blob(base + offset, size * float(rng.uniform(0.3, 0.6)), rgb * (0.7 + 0.12 * k))
