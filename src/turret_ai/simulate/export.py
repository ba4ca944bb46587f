# SPDX-License-Identifier: Apache-2.0
"""Painted craft as OBJ meshes with MTL materials, for Gazebo and other programs.

A livery is a function of the place on the craft. Here it becomes one material for each paint:
faces are cut smaller along the borders of the pattern, and each takes the colour at its middle.
Format: http://paulbourke.net/dataformats/obj/ and .../mtl/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turret_ai.simulate.craft import ROLES, Disc
from turret_ai.simulate.livery import Livery
from turret_ai.simulate.mesh import Mesh

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

CUTS = 3
"""How often a face on a border may be cut in four."""
FINEST = 1.0 / 60.0
"""Faces with edges below this share of the craft's size are not cut any more."""
MOST_FACES = 12_000
"""No craft is cut into more."""
ROTOR_ALPHA = 0.25
"""How much of a spinning rotor covers what is behind it."""


@dataclass(frozen=True, slots=True)
class Material:
    """colour: linear RGB in 0..1. gloss: 0 matt to 1 mirror. alpha: 1 is solid.

    glow: linear RGB that shines without any light, black for nothing.
    """

    name: str
    colour: tuple[float, float, float]
    gloss: float
    alpha: float = 1.0
    glow: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Surface:
    """The faces of one material: corners (n, 3, 3) in metres and normals (n, 3, 3)."""

    material: Material
    corners: FloatArray
    normals: FloatArray


def surfaces(mesh: Mesh, livery: Livery) -> list[Surface]:
    """The craft's faces by material; metres, x forward, y left, z up."""
    corners, normals, roles = mesh.vertices[mesh.faces], mesh.normals, mesh.roles
    for _ in range(CUTS):
        cut = _on_a_border(corners, roles, mesh, livery)
        if not cut.any() or len(corners) + 3 * int(cut.sum()) > MOST_FACES:
            break
        corners = np.concatenate([corners[~cut], _quartered(corners[cut])])
        normals = np.concatenate([normals[~cut], _unit(_quartered(normals[cut]))])
        roles = np.concatenate([roles[~cut], np.tile(roles[cut], 4)])
    albedo, gloss, index = livery.paint(_places(corners.mean(1), mesh), roles, marked=False)
    keys = np.where(index >= 0, index, len(livery.colours) + roles)
    found = []
    for key in np.unique(keys):
        here = keys == key
        painted = key < len(livery.colours)
        name = livery.colours[key] if painted else ROLES[key - len(livery.colours)]
        first = int(np.nonzero(here)[0][0])
        red, green, blue = (min(1.0, float(v)) for v in albedo[first])
        material = Material(f"{name}_{key}", (red, green, blue), float(gloss[first]))
        found.append(Surface(material, corners[here], normals[here]))
    if mesh.discs:
        rotor = Material("rotor", (0.05, 0.05, 0.05), 0.0, ROTOR_ALPHA)
        parts = [_disc(disc) for disc in mesh.discs]
        found.append(
            Surface(
                rotor,
                np.concatenate([p[0] for p in parts]),
                np.concatenate([p[1] for p in parts]),
            )
        )
    return found


def write_obj(found: list[Surface], file: Path) -> int:
    """Write an OBJ and, beside it, its MTL.

    Material names carry the file's: programs that load several files may keep one list of them.

    Returns:
        How many triangles it has.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    materials = file.with_suffix(".mtl")
    lines = [f"mtllib {materials.name}"]
    points, point_of = _shared(np.concatenate([s.corners.reshape(-1, 3) for s in found]), 3)
    normals, normal_of = _shared(np.concatenate([s.normals.reshape(-1, 3) for s in found]), 2)
    lines += [f"v {_text(p)}" for p in points]
    lines += [f"vn {_text(n)}" for n in normals]
    pairs = np.stack([point_of, normal_of], 1).reshape(-1, 3, 2) + 1
    start = 0
    for surface in found:
        count = len(surface.corners)
        lines += [f"o {surface.material.name}", f"usemtl {file.stem}_{surface.material.name}"]
        for (a, x), (b, y), (c, z) in pairs[start : start + count].tolist():
            if a != b and b != c and c != a:
                lines.append(f"f {a}//{x} {b}//{y} {c}//{z}")
        start += count
    file.write_text("\n".join(lines) + "\n", encoding="ascii")
    materials.write_text(
        "\n".join(_mtl([s.material for s in found], file.stem)) + "\n", encoding="ascii"
    )
    return sum(line.startswith("f ") for line in lines)


def _mtl(materials: list[Material], prefix: str) -> list[str]:
    """Colours stay linear: renderers that light in linear space, as Gazebo's, take Kd as it is.

    Roughness and metalness (Pr, Pm of the PBR extension) must stand there: Gazebo takes what is
    left out as 0, a mirror.
    """
    lines = []
    for material in materials:
        shine = 0.04 + 0.5 * material.gloss
        lines += [
            f"newmtl {prefix}_{material.name}",
            f"Ka {_text(material.colour)}",
            f"Kd {_text(material.colour)}",
            f"Ks {_text((shine, shine, shine))}",
            *([f"Ke {_text(material.glow)}"] if any(material.glow) else []),
            f"Ns {10.0 + 190.0 * material.gloss:.0f}",
            f"Pr {0.9 - 0.6 * material.gloss:.2f}",
            f"Pm {0.6 * material.gloss if material.gloss > 0.8 else 0.0:.2f}",
            f"d {material.alpha:g}",
            "illum 2",
            "",
        ]
    return lines


def _places(points: FloatArray, mesh: Mesh) -> FloatArray:
    """Points (n, 3) in the fuselage's measure, in which liveries are painted."""
    return np.asarray((points - mesh.middle) / mesh.half, np.float32)


def _on_a_border(
    corners: FloatArray, roles: IntArray, mesh: Mesh, livery: Livery
) -> NDArray[np.bool_]:
    """Which faces (n,) are large and show more than one colour."""
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    large = edges > FINEST * mesh.size
    if len(livery.colours) < 2:
        return np.zeros(len(corners), bool)
    middle = corners.mean(1, keepdims=True)
    inner = middle + (corners - middle) * 0.9
    halves = (inner + np.roll(inner, 1, axis=1)) / 2.0
    samples = np.concatenate([middle, inner, halves], 1)
    places = _places(samples.reshape(-1, 3), mesh)
    _, _, index = livery.paint(places, np.repeat(roles, 7), marked=False)
    index = index.reshape(-1, 7)
    return np.asarray(large & (index != index[:, :1]).any(1))


def _quartered(triangles: FloatArray) -> FloatArray:
    """Each of (n, 3, 3) cut in four at the middles of its edges: (4 n, 3, 3)."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    ab, bc, ca = (np.asarray((p + q) / 2, np.float32) for p, q in ((a, b), (b, c), (c, a)))
    parts: list[list[FloatArray]] = [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
    return np.concatenate([np.stack(part, 1) for part in parts])


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(
        vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9), np.float32
    )


def _disc(disc: Disc, n: int = 24) -> tuple[FloatArray, FloatArray]:
    """A spinning rotor as triangles (2 n, 3, 3), both sides, with normals."""
    from turret_ai.simulate.mesh import disc_rim

    rim = disc_rim(disc, n)
    centre = np.broadcast_to(np.asarray(disc.centre, np.float32), rim.shape)
    top = np.stack([centre, rim, np.roll(rim, -1, axis=0)], 1)
    normal = np.broadcast_to(np.asarray(disc.normal, np.float32), top.shape)
    return np.concatenate([top, top[:, ::-1]]), np.concatenate([normal, -normal])


def _shared(vectors: FloatArray, digits: int) -> tuple[FloatArray, IntArray]:
    """Rounded vectors without repetition, and which of them each was."""
    rounded = np.round(vectors.astype(np.float64), digits) + 0.0
    unique, which = np.unique(rounded, axis=0, return_inverse=True)
    return unique.astype(np.float32), np.asarray(which, np.int64).reshape(-1)


def _text(values: object) -> str:
    return " ".join(f"{float(v):.4g}" for v in np.asarray(values, np.float64))
