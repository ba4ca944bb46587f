# SPDX-License-Identifier: Apache-2.0
"""An airframe made ready for ray tracing: arrays, smooth normals, an Embree scene."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.simulate import craft
from turret_ai.simulate.craft import ROLES, Disc
from turret_ai.simulate.models.skin import Skin
from turret_ai.simulate.solids import Solid

FloatArray = NDArray[np.float32]

CREASE = 0.72
"""Cosine of the angle above which an edge looks sharp (44 degrees)."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """A craft for the renderer; metres, x forward, y left, z up.

    vertices (n, 3); faces (m, 3); normals (m, 3, 3), one for each corner of each face; roles (m,);
    outline (k, 3): the points of the convex hull, with the rims of the spinning discs;
    middle, half: (3,) each, the fuselage's measure in which liveries are painted.
    skin: textures; a craft that has them isn't painted by a livery.
    """

    vertices: FloatArray
    faces: NDArray[np.int32]
    normals: FloatArray
    roles: NDArray[np.int64]
    outline: FloatArray
    discs: tuple[Disc, ...]
    size: float
    middle: FloatArray
    half: FloatArray
    tracer: Any
    skin: Skin | None = None


def corner_normals(solid: Solid) -> FloatArray:
    """Unit normals (m, 3, 3) of the corners: smooth over round parts, sharp at edges."""
    v, f = solid.vertices, solid.faces
    raw = np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]])
    unit = raw / (np.linalg.norm(raw, axis=1, keepdims=True) + 1e-12)
    total = np.zeros_like(v)
    for k in range(3):
        np.add.at(total, f[:, k], raw)
    total /= np.linalg.norm(total, axis=1, keepdims=True) + 1e-12
    smooth = total[f]
    sharp = np.einsum("mkc,mc->mk", smooth, unit) < CREASE
    smooth[sharp] = np.broadcast_to(unit[:, None], smooth.shape)[sharp]
    return smooth.astype(np.float32)


def disc_rim(disc: Disc, n: int = 24) -> FloatArray:
    """Points (n, 3) on the edge of a spinning disc."""
    normal = np.array(disc.normal)
    u = np.cross(normal, [0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [0.0, 1.0, 0.0])
    u /= np.linalg.norm(u)
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)[:, None]
    rim = np.array(disc.centre) + disc.radius * (np.cos(t) * u + np.sin(t) * np.cross(normal, u))
    return np.asarray(rim, np.float32)


@lru_cache(maxsize=256)
def load(type_name: str, variant: str, spinning: bool = False) -> Mesh:
    """The mesh of a variant; `spinning` replaces rotor blades by their blur."""
    return of(craft.build(type_name, variant), spinning)


def of(frame: craft.Airframe, spinning: bool = False) -> Mesh:
    """The mesh of an airframe; as `load`."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene
    from scipy.spatial import ConvexHull

    parts = [(r, s) for r, s in frame.parts if not (spinning and r == "blade")]
    offsets = np.cumsum([0, *(len(s.vertices) for _, s in parts[:-1])])
    vertices = np.concatenate([s.vertices for _, s in parts]).astype(np.float32)
    faces = np.concatenate([s.faces + o for (_, s), o in zip(parts, offsets, strict=True)])
    roles = np.concatenate([np.full(len(s.faces), ROLES.index(r)) for r, s in parts])
    normals = np.concatenate([corner_normals(s) for _, s in parts])
    outline = vertices[ConvexHull(vertices).vertices]
    discs = tuple(frame.discs) if spinning else ()
    if discs:
        outline = np.concatenate([outline, *(disc_rim(d) for d in discs)])
    fuselage = np.concatenate([s.vertices for r, s in frame.parts if r == "paint"])
    low, high = fuselage.min(0), fuselage.max(0)
    middle, half = (low + high) / 2, (high - low) / 2
    # The z measure is that of the fuselage's thickest part, not of a fin drawn with it.
    middle[1], half[1] = 0.0, max(np.abs(frame.bounds[0][1]), np.abs(frame.bounds[1][1]))
    tracer = EmbreeScene()
    faces32 = np.ascontiguousarray(faces, np.int32)
    TriangleMesh(tracer, np.ascontiguousarray(vertices), faces32)
    return Mesh(
        vertices, faces32, normals, roles.astype(np.int64), outline, discs,
        float((vertices.max(0) - vertices.min(0)).max()),
        middle.astype(np.float32), half.astype(np.float32), tracer,
    )  # fmt: skip
