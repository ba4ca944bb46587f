# SPDX-License-Identifier: Apache-2.0
"""Built things of a procedural panorama: cranes, bridges, masts, fences, wires, ships, turbines.

Places are in metres round the camera (x north, y left, z up); `foot` is the ground's z.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from turret_ai.simulate.scenery import Canvas, Colour, Float64Array, at

UP = np.array([0.0, 0.0, 1.0])


def lattice(
    canvas: Canvas,
    start: Float64Array,
    end: Float64Array,
    width: float,
    rgb: Colour,
    bar: float,
    up: Float64Array,
    bays: int,
) -> None:
    """A trussed beam between two places."""
    offset = up * width
    canvas.line([start, end], bar * 1.6, rgb)
    canvas.line([start + offset, end + offset], bar * 1.6, rgb)
    for k in range(bays):
        a, b = start + (end - start) * k / bays, start + (end - start) * (k + 1) / bays
        canvas.line([a, b + offset] if k % 2 else [a + offset, b], bar, rgb)
        canvas.line([a, a + offset], bar, rgb)


def crane(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, tall: float, foot: float
) -> None:
    """A tower crane."""
    rgb = ((0.75, 0.62, 0.1), (0.55, 0.56, 0.58), (0.6, 0.15, 0.12), (0.25, 0.27, 0.3))[
        int(rng.integers(4))
    ]
    base = at(yaw, distance, foot)
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    top = base + np.array([0, 0, tall])
    lattice(
        canvas,
        base - side * tall * 0.02,
        top - side * tall * 0.02,
        tall * 0.04,
        rgb,
        tall * 0.006,
        side,
        16,
    )
    jib = math.cos(float(rng.uniform(0, 3.1))) * tall * 0.9
    lattice(
        canvas, top, top + side * jib, tall * 0.035, rgb, tall * 0.005, np.array([0, 0, 1.0]), 14
    )
    lattice(
        canvas,
        top,
        top - side * jib * 0.3,
        tall * 0.035,
        rgb,
        tall * 0.005,
        np.array([0, 0, 1.0]),
        5,
    )
    peak = top + np.array([0, 0, tall * 0.12])
    canvas.line([top, peak, top + side * jib * 0.8], tall * 0.005, rgb)
    canvas.line([peak, top - side * jib * 0.28], tall * 0.005, rgb)
    hook = top + side * jib * float(rng.uniform(0.3, 0.9))
    canvas.line(
        [hook, hook - np.array([0, 0, tall * float(rng.uniform(0.1, 0.5))])],
        tall * 0.003,
        (0.15, 0.15, 0.15),
    )


def gantry(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A harbour crane: four legs and a long boom."""
    rgb = np.array(
        ((0.2, 0.3, 0.5), (0.6, 0.2, 0.15), (0.5, 0.52, 0.55), (0.75, 0.55, 0.15))[
            int(rng.integers(4))
        ]
    )
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    base, tall = at(yaw, distance, foot), float(rng.uniform(38, 60))
    for dx in (-9, -7, 7, 9):
        canvas.line(
            [base + side * dx, base + side * dx * 0.9 + UP * (tall * 0.7)],
            1.3,
            rgb * (0.8 if abs(dx) < 8 else 1),
        )
    beam = base + np.array([0, 0, tall * 0.7])
    lattice(
        canvas,
        beam - side * 22,
        beam + side * 45,
        3.0,
        rgb.tolist(),
        0.6,
        np.array([0, 0, 1.0]),
        18,
    )
    peak = beam + np.array([0, 0, tall * 0.35])
    canvas.line([beam - side * 7, peak, beam + side * 7], 1.0, rgb)
    for end in (43, 22, -20):
        canvas.line([peak, beam + side * end], 0.3, rgb * 0.8)


def mast(
    canvas: Canvas,
    rng: np.random.Generator,
    yaw: float,
    distance: float,
    tall: float,
    foot: float,
    lamp: bool,
) -> None:
    """A flagpole, an antenna or a street lamp."""
    rgb = np.array([0.62, 0.63, 0.64]) * rng.uniform(0.4, 1.15)
    base = at(yaw, distance, foot)
    top = base + np.array([0, 0, tall])
    canvas.line([base, top], max(0.06, tall * 0.012), rgb)
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0]) * (1 if rng.random() < 0.5 else -1)
    if lamp:
        canvas.line([top, top + side * tall * 0.16 + UP * (tall * 0.03)], tall * 0.012, rgb)
        canvas.blob(
            top + side * tall * 0.17,
            tall * 0.025,
            np.array([0.85, 0.84, 0.78]) if rng.random() < 0.5 else rgb * 0.6,
        )
    elif rng.random() < 0.5:
        for k in range(int(rng.integers(2, 6))):
            z = tall * (0.55 + 0.4 * k / 6)
            w = side * tall * float(rng.uniform(0.03, 0.09))
            canvas.line([base + UP * z - w, base + UP * z + w], tall * 0.006, rgb * 0.8)


def fence(
    canvas: Canvas, rng: np.random.Generator, offset: float, turn: float, foot: float
) -> None:
    """A railing that passes the camera at `offset` metres, with a mesh between its posts."""
    rgb = np.array(
        ((0.3, 0.34, 0.3), (0.45, 0.46, 0.47), (0.2, 0.2, 0.22), (0.55, 0.5, 0.4))[
            int(rng.integers(4))
        ]
    )
    along = np.array([math.cos(turn), math.sin(turn), 0.0])
    away = np.array([-math.sin(turn), math.cos(turn), 0.0]) * offset
    span = np.linspace(-40, 40, 41)
    low, high = foot, foot + 1.1
    for z in (high, (low + high) / 2, low + 0.12):
        canvas.line([along * s + away + UP * z for s in span], 0.05, rgb, abs(offset) * 1.5)
    for s in span:
        p = along * s + away
        canvas.line([p + UP * low, p + UP * high], 0.06, rgb, float(np.linalg.norm(p)))
    for s in np.arange(-8, 8, 0.25):
        p = along * s + away
        canvas.line([p + UP * low, p + UP * high], 0.01, rgb * 0.8, float(np.linalg.norm(p)))


def wires(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, tall: float, foot: float
) -> None:
    """A power line: pylons and sagging wires."""
    turn = yaw + math.pi / 2 + float(rng.uniform(-0.8, 0.8))
    along = np.array([math.cos(turn), math.sin(turn), 0.0])
    rgb = np.array([0.35, 0.36, 0.37]) * rng.uniform(0.5, 1.2)
    spacing = float(rng.uniform(2.5, 5.0)) * tall
    feet = [at(yaw, distance, foot) + along * spacing * k for k in range(-3, 4)]
    across = np.array([-along[1], along[0], 0.0])
    for p in feet:
        top = p + np.array([0, 0, tall])
        if float(np.hypot(p[0], p[1])) < tall:
            continue
        canvas.line([p - across * tall * 0.07, top, p + across * tall * 0.07], tall * 0.012, rgb)
        for z in (0.72, 0.86):
            canvas.line(
                [
                    p + UP * (tall * z) - across * tall * 0.16,
                    p + UP * (tall * z) + across * tall * 0.16,
                ],
                tall * 0.012,
                rgb,
            )
    t = np.linspace(0, 1, 13)[:, None]
    for a, b in itertools.pairwise(feet):
        for z in (0.72, 0.86):
            for side in (-0.15, 0.15):
                p, q = (e + across * tall * side + np.array([0, 0, tall * z]) for e in (a, b))
                sag = np.array([0, 0, 1.0]) * (tall * 0.25) * (t * (1 - t))
                canvas.line(p + (q - p) * t - sag, 0.04, rgb * 0.7)


def viaduct(canvas: Canvas, rng: np.random.Generator, foot: float) -> None:
    """A bridge overhead: piers, a plate girder, lattice below."""
    turn = float(rng.uniform(0, 2 * math.pi))
    along = np.array([math.cos(turn), math.sin(turn), 0.0])
    side = np.array([-along[1], along[0], 0.0])
    offset, tall = float(rng.uniform(10, 22)), float(rng.uniform(9, 16))
    steel = np.array(
        ((0.22, 0.28, 0.26), (0.3, 0.32, 0.35), (0.42, 0.3, 0.24), (0.36, 0.4, 0.38))[
            int(rng.integers(4))
        ]
    )
    concrete = np.array([0.5, 0.49, 0.46]) * rng.uniform(0.7, 1.2)
    deep = float(rng.uniform(5, 9))
    reach = 90.0
    a, b = side * offset - along * reach, side * offset + along * reach
    up = np.array([0, 0, 1.0])
    for k in np.arange(-5, 6):
        p = side * (offset + 1.5) + along * k * 17.0
        q = p + along * 3.5
        wall = np.array([p + up * foot, q + up * foot, q + up * tall, p + up * tall])
        canvas.polygon(wall, concrete)
        canvas.polygon(
            np.array(
                [
                    p + up * foot,
                    p + up * tall,
                    p + side * deep * 0.5 + up * tall,
                    p + side * deep * 0.5 + up * foot,
                ]
            ),
            concrete * 0.65,
        )
    far = side * deep
    canvas.polygon(
        np.array([a + up * tall, b + up * tall, b + far + up * tall, a + far + up * tall]),
        steel * 0.35,
    )
    lattice(
        canvas,
        a + up * tall + far * 0.5,
        b + up * tall + far * 0.5,
        1.0,
        (steel * 0.5).tolist(),
        0.25,
        side,
        40,
    )
    canvas.polygon(
        np.array([a + up * tall, b + up * tall, b + up * (tall + 3), a + up * (tall + 3)]), steel
    )
    for k in np.linspace(0, 1, 60):
        p = a + (b - a) * k
        canvas.line([p + up * tall, p + up * (tall + 3)], 0.18, steel * 1.35)
    lattice(
        canvas, a + up * (tall + 3), b + up * (tall + 3), 1.3, (steel * 1.1).tolist(), 0.12, up, 50
    )


def ship(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A freighter side on, with containers."""
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    base, length = at(yaw, distance, foot), float(rng.uniform(80, 180))
    hull = np.array(
        ((0.45, 0.12, 0.1), (0.12, 0.16, 0.3), (0.15, 0.15, 0.16), (0.2, 0.35, 0.3))[
            int(rng.integers(4))
        ]
    )
    up = np.array([0, 0, 1.0])
    canvas.polygon(
        [
            base - side * length * 0.5 + up * 9,
            base + side * length * 0.53 + up * 11,
            base + side * length * 0.47,
            base - side * length * 0.48,
        ],
        hull,
    )
    canvas.polygon(
        [
            base - side * length * 0.46 + up * 9,
            base - side * length * 0.36 + up * 9,
            base - side * length * 0.36 + up * 30,
            base - side * length * 0.46 + up * 30,
        ],
        (0.85, 0.85, 0.83),
    )
    for k in range(12):
        for j in range(int(rng.integers(1, 5))):
            p = base + side * length * (-0.32 + 0.062 * k) + up * (9 + 2.6 * j)
            rgb = rng.uniform(0.2, 0.7, 3)
            canvas.polygon(
                [p, p + side * length * 0.058, p + side * length * 0.058 + up * 2.5, p + up * 2.5],
                rgb,
            )


def turbine(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A wind turbine."""
    base, tall = at(yaw, distance, foot), float(rng.uniform(60, 110))
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    rgb = np.array([0.88, 0.89, 0.9]) * rng.uniform(0.8, 1.05)
    top = base + UP * tall
    canvas.line([base, top], tall * 0.03, rgb)
    phase, narrow = float(rng.uniform(0, 2)), float(rng.uniform(0.5, 1.0))
    for k in range(3):
        angle = phase + 2 * math.pi * k / 3
        tip = top + tall * 0.5 * (side * math.cos(angle) * narrow + UP * math.sin(angle))
        edge = tall * 0.018 * (side * -math.sin(angle) + UP * math.cos(angle))
        canvas.polygon([top - edge, top + edge, tip], rgb)


def chimney(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A chimney or a column, sometimes banded red and white."""
    base, tall = at(yaw, distance, foot), float(rng.uniform(18, 70))
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    wide = tall * float(rng.uniform(0.03, 0.07))
    banded = rng.random() < 0.4
    plain = np.array([0.6, 0.55, 0.5]) * rng.uniform(0.6, 1.3)
    for k in range(8):
        low, high = (foot_z * tall / 8 for foot_z in (k, k + 1))
        a, b = wide * (1 - 0.05 * k), wide * (1 - 0.05 * (k + 1))
        rgb = (
            np.array([0.75, 0.16, 0.13] if k % 2 else [0.9, 0.9, 0.88])
            if banded and k > 3
            else plain
        )
        left = [base - side * a + UP * low, base - side * b + UP * high]
        right = [base + side * b + UP * high, base + side * a + UP * low]
        canvas.polygon([*left, *right], rgb)
        shade = [base + side * a * 0.3 + UP * low, base + side * b * 0.3 + UP * high]
        canvas.polygon([*shade, *right], rgb * 0.75)


def floodlight(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A tall mast with a tray of lamps."""
    base, tall = at(yaw, distance, foot), float(rng.uniform(18, 35))
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    rgb = np.array([0.5, 0.51, 0.53]) * rng.uniform(0.6, 1.2)
    top = base + UP * tall
    lattice(canvas, base - side * 0.5, top - side * 0.4, 0.9, rgb.tolist(), 0.08, side, 14)
    tray = [top - side * 3, top + side * 3, top + side * 3 + UP * 2, top - side * 3 + UP * 2]
    canvas.polygon(tray, rgb * 0.7)
    for k in range(5):
        for j in range(2):
            canvas.blob(top + side * (k - 2) * 1.2 + UP * (0.5 + j), 0.42, (0.92, 0.92, 0.86))


def roof(canvas: Canvas, rng: np.random.Generator, foot: float) -> None:
    """A canopy overhead: beams, a dark underside, posts."""
    turn = float(rng.uniform(0, 2 * math.pi))
    along = np.array([math.cos(turn), math.sin(turn), 0.0])
    side = np.array([-along[1], along[0], 0.0])
    near, far, tall = float(rng.uniform(2, 6)), float(rng.uniform(9, 20)), float(rng.uniform(3, 8))
    rgb = np.array([0.35, 0.34, 0.33]) * rng.uniform(0.5, 1.4)
    a, b = -along * 30, along * 30
    canvas.polygon(
        [
            a + side * near + UP * tall,
            b + side * near + UP * tall,
            b + side * far + UP * tall,
            a + side * far + UP * tall,
        ],
        rgb * 0.5,
    )
    for k in np.linspace(-1, 1, 21):
        p = along * 30 * k + UP * tall
        canvas.line([p + side * near, p + side * far], 0.2, rgb * 0.75)
    canvas.polygon(
        [
            a + side * near + UP * tall,
            b + side * near + UP * tall,
            b + side * near + UP * (tall + 0.8),
            a + side * near + UP * (tall + 0.8),
        ],
        rgb * 1.3,
    )
    for k in np.linspace(-1, 1, 7):
        p = along * 30 * k + side * near
        canvas.line([p + UP * foot, p + UP * tall], 0.35, rgb)
