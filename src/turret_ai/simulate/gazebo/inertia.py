# SPDX-License-Identifier: Apache-2.0
"""Masses and inertias of links, summed from boxes and cylinders of even density.

Formulas: https://en.wikipedia.org/wiki/List_of_moments_of_inertia (solid cuboid, solid cylinder),
moved by the parallel axis theorem.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """A cuboid by its edge lengths along x, y, z in metres."""

    x: float
    y: float
    z: float

    def inertia(self, mass: float) -> Float64Array:
        """The inertia tensor (3, 3) about the middle, kg m^2."""
        x, y, z = self.x**2, self.y**2, self.z**2
        return np.diag([y + z, x + z, x + y]) * (mass / 12.0)


@dataclass(frozen=True, slots=True)
class Cylinder:
    """A round bar whose axis is z: radius and length in metres."""

    radius: float
    length: float

    def inertia(self, mass: float) -> Float64Array:
        """The inertia tensor (3, 3) about the middle, kg m^2."""
        across = 3.0 * self.radius**2 + self.length**2
        return np.diag([across, across, 6.0 * self.radius**2]) * (mass / 12.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One solid of a link.

    mass: kg. position: of the middle in the link's frame, m. rpy: fixed-axis roll, pitch, yaw
    in radians, as SDF and URDF write them. colour: RGB in 0..1. collides: False for parts that
    always touch something, such as wheels on the ground.
    """

    name: str
    shape: Box | Cylinder
    mass: float
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)
    colour: tuple[float, float, float] = (0.5, 0.5, 0.5)
    collides: bool = True


@dataclass(frozen=True, slots=True)
class Inertial:
    """mass: kg. centre: of mass, (3,), m. tensor: (3, 3) about the centre, kg m^2, link's axes."""

    mass: float
    centre: Float64Array
    tensor: Float64Array


def rotation(rpy: Sequence[float]) -> Float64Array:
    """The matrix (3, 3) of roll about x, then pitch about y, then yaw about z, all fixed axes."""
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in rpy)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    about_y = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
    about_z = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    product: Float64Array = about_z @ about_y @ about_x
    return product


def combine(parts: Sequence[Part]) -> Inertial:
    """The mass properties of solids that are fixed to each other."""
    mass = sum(part.mass for part in parts)
    centre = sum((part.mass * np.array(part.position) for part in parts), np.zeros(3)) / mass
    tensor = np.zeros((3, 3))
    for part in parts:
        turn = rotation(part.rpy)
        arm = np.array(part.position) - centre
        tensor += turn @ part.shape.inertia(part.mass) @ turn.T
        tensor += part.mass * (np.dot(arm, arm) * np.eye(3) - np.outer(arm, arm))
    return Inertial(mass, centre, tensor)


def is_physical(tensor: Float64Array) -> bool:
    """Whether a rigid body can have this tensor.

    It must be symmetric and positive definite, and each principal moment at most the sum of the
    other two (the triangle inequality of moments of inertia).
    """
    if not np.allclose(tensor, tensor.T, rtol=0.0, atol=1e-12):
        return False
    moments = np.linalg.eigvalsh(tensor)
    return bool(moments[0] > 0.0 and moments[2] <= (moments[0] + moments[1]) * (1.0 + 1e-9))
