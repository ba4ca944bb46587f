# SPDX-License-Identifier: Apache-2.0
"""Solids to build craft from: lofts, lathes, wings, rods, boxes.

Frame of every solid: x forward, y left, z up, metres. A solid is a closed or open triangle
mesh whose faces are wound outwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64Array = NDArray[np.float64]
IndexArray = NDArray[np.int32]

Section = tuple[float, ...]
"""x, half width, half height, z of the centre, and, if given, the superellipse's exponent (2: an
ellipse)."""


@dataclass(frozen=True, slots=True)
class Solid:
    """A triangle mesh: vertices (n, 3), faces (m, 3) of vertex indices."""

    vertices: Float64Array
    faces: IndexArray

    def moved(self, by: ArrayLike) -> Solid:
        """The solid shifted by a vector (3,)."""
        return Solid(self.vertices + np.asarray(by, np.float64), self.faces)

    def scaled(self, by: ArrayLike) -> Solid:
        """The solid stretched by a factor, or by one for each axis; factors must be positive."""
        return Solid(self.vertices * np.asarray(by, np.float64), self.faces)

    def rotated(self, axis: str, angle: float, at: ArrayLike = (0.0, 0.0, 0.0)) -> Solid:
        """The solid turned about an axis "x", "y" or "z" through `at` by `angle` radians."""
        c, s = math.cos(angle), math.sin(angle)
        matrix = {
            "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
            "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
            "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
        }[axis]
        centre = np.asarray(at, np.float64)
        return Solid((self.vertices - centre) @ matrix.T + centre, self.faces)

    def mirrored(self) -> Solid:
        """The solid on the other side of the plane y = 0."""
        return Solid(self.vertices * [1.0, -1.0, 1.0], self.faces[:, ::-1])

    def both_sides(self) -> Solid:
        """The solid and its mirror image."""
        return merge(self, self.mirrored())


def merge(*solids: Solid) -> Solid:
    """Several solids as one."""
    offsets = np.cumsum([0, *(len(s.vertices) for s in solids[:-1])])
    faces = [s.faces + o for s, o in zip(solids, offsets, strict=True)]
    return Solid(
        np.concatenate([s.vertices for s in solids]),
        np.concatenate(faces).astype(np.int32),
    )


def signed_volume(solid: Solid) -> float:
    """Cubic metres enclosed; negative when the faces are wound inwards."""
    a, b, c = (solid.vertices[solid.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def loft(rings: Sequence[Float64Array]) -> Solid:
    """Skin over rings (n, 3) of equally many points, closed at both ends."""
    n, count = len(rings[0]), len(rings)
    i = np.arange(n)
    j = (i + 1) % n
    faces = []
    for k in range(count - 1):
        a, b = k * n, (k + 1) * n
        faces += [np.stack([a + i, b + i, b + j], 1), np.stack([a + i, b + j, a + j], 1)]
    first, last = count * n, count * n + 1
    faces.append(np.stack([np.full(n, first), i, j], 1))
    end = (count - 1) * n
    faces.append(np.stack([np.full(n, last), end + j, end + i], 1))
    vertices = np.concatenate([*rings, [rings[0].mean(0)], [rings[-1].mean(0)]])
    solid = Solid(vertices.astype(np.float64), np.concatenate(faces).astype(np.int32))
    if signed_volume(solid) < 0:
        solid = Solid(solid.vertices, solid.faces[:, ::-1])
    return solid


def smooth_sections(sections: Sequence[Section], steps: int = 2) -> list[Section]:
    """More sections between the given ones, by monotone cubic interpolation along x."""
    from scipy.interpolate import PchipInterpolator

    rows = np.array([[*s, 2.0][:5] for s in sections])
    if rows[0, 0] > rows[-1, 0]:
        rows = rows[::-1]
    if len(rows) < 3 or np.any(np.diff(rows[:, 0]) <= 1e-9):
        return [tuple(r) for r in rows]
    fine = np.interp(
        np.linspace(0, len(rows) - 1, (len(rows) - 1) * steps + 1), np.arange(len(rows)), rows[:, 0]
    )
    values = PchipInterpolator(rows[:, 0], rows[:, 1:], axis=0)(fine)
    return [(float(x), *map(float, v)) for x, v in zip(fine, values, strict=True)]


def body(*sections: Section, n: int = 24, steps: int = 2) -> Solid:
    """A fuselage through superellipse sections along x."""
    t = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    c, d = np.cos(t), np.sin(t)
    rings = []
    for section in smooth_sections(sections, steps):
        x, w, h, z = section[:4]
        power = 2.0 / (section[4] if len(section) > 4 else 2.0)
        y = w * np.sign(c) * np.abs(c) ** power
        rings.append(np.stack([np.full(n, x), y, z + h * np.sign(d) * np.abs(d) ** power], 1))
    return loft(rings)


def wing(
    root: ArrayLike,
    tip: ArrayLike,
    root_chord: float,
    tip_chord: float,
    thickness: float = 0.12,
    between: Sequence[tuple[ArrayLike, float]] = (),
    n: int = 9,
) -> Solid:
    """An aerofoil between two leading-edge points; the chord runs backwards.

    thickness: share of the chord. The profile is NACA's four-digit thickness form,
    https://en.wikipedia.org/wiki/NACA_airfoil, closed at the trailing edge.
    between: further (leading-edge point, chord) from root to tip.
    """
    x = (1.0 - np.cos(np.linspace(0.0, np.pi, n))) / 2.0
    y = 5.0 * (0.2969 * np.sqrt(x) - 0.126 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4)
    along, across = np.r_[x, x[-2:0:-1]], np.r_[y, -y[-2:0:-1]]
    first, last = np.asarray(root, np.float64), np.asarray(tip, np.float64)
    span = last - first
    span[0] = 0.0
    span /= np.linalg.norm(span)
    up = np.cross([1.0, 0.0, 0.0], span)
    stations = [(first, root_chord), *((np.asarray(p, np.float64), c) for p, c in between)]
    stations.append((last, tip_chord))
    return loft(
        [
            p + np.outer(-along * c, [1.0, 0.0, 0.0]) + np.outer(across * thickness * c, up)
            for p, c in stations
        ]
    )


def lathe(
    profile: Sequence[tuple[float, float]],
    n: int = 20,
    axis: str = "x",
    at: ArrayLike = (0.0, 0.0, 0.0),
) -> Solid:
    """A surface of revolution of (position along the axis, radius) pairs."""
    t = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    solid = loft([np.stack([np.full(n, p), r * np.cos(t), r * np.sin(t)], 1) for p, r in profile])
    order = {"x": [0, 1, 2], "y": [2, 0, 1], "z": [1, 2, 0]}[axis]
    return Solid(solid.vertices[:, order], solid.faces).moved(at)


def rod(a: ArrayLike, b: ArrayLike, radius: float, end_radius: float = -1.0, n: int = 8) -> Solid:
    """A round bar between two points; tapered when `end_radius` is given."""
    p, q = np.asarray(a, np.float64), np.asarray(b, np.float64)
    d = (q - p) / np.linalg.norm(q - p)
    u = np.cross(d, [0.0, 0.0, 1.0] if abs(d[2]) < 0.9 else [0.0, 1.0, 0.0])
    u /= np.linalg.norm(u)
    t = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    ring = np.outer(np.cos(t), u) + np.outer(np.sin(t), np.cross(d, u))
    return loft([p + radius * ring, q + (radius if end_radius < 0 else end_radius) * ring])


def box(centre: ArrayLike, size: ArrayLike) -> Solid:
    """A cuboid by its middle and its lengths along the axes."""
    c, h = np.asarray(centre, np.float64), np.asarray(size, np.float64) / 2.0
    q = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    rings = [
        np.stack([np.full(4, x), c[1] + q[:, 0] * h[1], c[2] + q[:, 1] * h[2]], 1)
        for x in (c[0] - h[0], c[0] + h[0])
    ]
    return loft(rings)


def wheel(at: ArrayLike, radius: float, width: float = 0.0) -> Solid:
    """A tyre whose axle lies along y."""
    w = (width or radius * 0.55) / 2.0
    return lathe(
        [(-w, radius * 0.8), (-w * 0.6, radius), (w * 0.6, radius), (w, radius * 0.8)], 14, "y", at
    )


def blades(
    centre: ArrayLike,
    radius: float,
    chord: float,
    count: int,
    axis: str = "z",
    phase: float = 0.3,
    thickness: float = 0.0,
    twist: float = 0.0,
) -> Solid:
    """Blades of a rotor (axis "z") or a propeller ("x"), with a hub, standing still."""
    thick = thickness or chord * 0.15
    c = np.asarray(centre, np.float64)
    parts = []
    for k in range(count):
        angle = phase + 2.0 * math.pi * k / count
        if axis == "z":
            blade = box((radius * 0.53, 0, 0), (radius * 0.94, chord, thick))
            blade = blade.rotated("x", twist).rotated("z", angle)
        elif axis == "y":
            blade = box((0, 0, radius * 0.53), (chord, thick, radius * 0.94)).rotated("y", angle)
        else:
            blade = box((0, 0, radius * 0.53), (thick, chord, radius * 0.94))
            blade = blade.rotated("z", twist).rotated("x", angle)
        parts.append(blade)
    hub = lathe([(-chord * 0.35, chord * 0.45), (chord * 0.35, chord * 0.4)], 10, axis)
    return merge(*parts, hub).moved(c)
