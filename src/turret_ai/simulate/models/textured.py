# SPDX-License-Identifier: Apache-2.0
"""A model file and its liveries made ready for the renderer."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.simulate.mesh import Mesh, corner_normals
from turret_ai.simulate.models import files, livery_files
from turret_ai.simulate.models.parts import Model
from turret_ai.simulate.models.skin import DETAIL, Skin, picture_size, reduced, texture
from turret_ai.simulate.solids import Solid

_ENDINGS = (".png", ".rgb", ".jpg", ".jpeg", ".dds", ".bmp", ".tga", ".rgba", ".sgi")
_BESIDE_CRAFT = re.compile(
    r"flare|halo|beam|\bshadow|contrail|smoke|lightcone|navlight|ground|chock|cone\b|ladder"
    r"|strobe|beacon.?light|disc\b|disk\b|propdis|fastprop|prop.?blur|rotor.?disc|blurred",
    re.IGNORECASE,
)
"""Objects of a file that are no part of the craft: lights' halos, shadows, rotors' blur."""
_LARGEST_PART = 400_000
"""More triangles than that are refused."""
_SAME_SHAPE = 0.02
"""Largest difference of width to height between a texture and one that may take its place."""
Textures = Path | tuple[tuple[str, Path], ...] | None
"""A paint job: the folder whose textures go first, files by the names of the textures that they
replace, or nothing but what lies beside the model."""


def find_texture(name: str, folders: list[Path]) -> Path | None:
    """The file of a texture as a model file names it, looked for in folders; other endings of the
    same name count, too (models are often edited after their textures were converted)."""
    base = Path(name.replace("\\", "/"))
    for folder in folders:
        for candidate in (folder / base, folder / base.name):
            if candidate.is_file():
                return candidate
            for ending in _ENDINGS:
                other = candidate.with_suffix(ending)
                if other.is_file():
                    return other
    return None


def liveries(model: Path) -> dict[str, Textures]:
    """Names of a model's paint jobs, with their textures.

    A livery is a folder below the aircraft's own that holds a texture by the name that the model
    uses, what FlightGear's livery files say by their `texture-path`; or the textures that such a
    file names itself (`livery_files`). "" is the model as it is.
    """
    names = files.texture_names(model)
    stems = {Path(n.replace("\\", "/")).stem.lower() for n in names}
    root = model.parent.parent if model.parent.name.lower() in ("model", "models") else model.parent
    found: dict[str, Textures] = {}
    if root != model.parent:
        found = _repaints(model, root)
        for folder in sorted(p for p in root.rglob("*") if p.is_dir() and p != model.parent):
            held = {f.stem.lower() for f in folder.iterdir() if f.suffix.lower() in _ENDINGS}
            # Where livery files lie, each texture is one of theirs.
            if held & stems and not (found and any(folder.glob("*.xml"))):
                found[folder.relative_to(root).as_posix()] = folder
    if not found or _has_textures(model, stems):
        found[""] = None
    return found


def _repaints(model: Path, root: Path) -> dict[str, Textures]:
    """By the livery files of an aircraft, those whose main texture has the shape of the model's."""
    if not any(root.rglob("*iver*/*.xml")):
        return {}
    main = _main_texture(_file(model))
    own = main and find_texture(main, [model.parent, root])
    if not own:
        return {}
    names = files.texture_names(model)
    found: dict[str, Textures] = {}
    for name, taken in livery_files.read(root, model, names, main).items():
        try:
            shapes = [picture_size(f) for f in (own, taken[main])]
        except InputError:
            continue
        ratios = [w / h for w, h in shapes]
        if abs(ratios[0] - ratios[1]) < _SAME_SHAPE:
            found[name] = tuple(sorted(taken.items()))
    return found


def _main_texture(model: Model) -> str:
    """The texture of the largest area; "" if there is none."""
    areas: dict[str, float] = {}
    for part in model.parts:
        if part.texture and not _BESIDE_CRAFT.search(part.name):
            a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
            area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
            areas[part.texture] = areas.get(part.texture, 0.0) + area
    return max(areas, key=lambda name: areas[name], default="")


def _has_textures(model: Path, names: set[str]) -> bool:
    beside = [model.parent, model.parent.parent / "textures"]
    return not names or any(find_texture(name, beside) for name in names)


@lru_cache(maxsize=24)
def _file(path: Path) -> Model:
    return files.read(path)


@lru_cache(maxsize=64)
def load(path: Path, livery: Textures = None, up: str = "y", detail: int = DETAIL) -> Mesh:
    """A textured model; one unit of the file is a metre.

    Args:
        livery: of `liveries`; its textures go before those beside the file.
        up: the file's axis that points upwards.
        detail: largest side of a texture: finer ones than a picture shows look like noise in it.

    Raises:
        InputError: not a model, no texture at all to be found, or numbers that aren't finite.
    """
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene
    from scipy.spatial import ConvexHull, QhullError

    model = _file(path)
    instead = dict(livery) if isinstance(livery, tuple) else {}
    folders = [path.parent, path.parent.parent]
    if isinstance(livery, Path):
        folders.insert(0, livery)
    folders += [p / n for p in (path.parent, path.parent.parent) for n in ("Textures", "textures")]
    vertices: list[NDArray[np.float32]] = []
    faces, uv, images, tints, normals = [], [], [], [], []
    pictures: dict[Path | str, int] = {}  # files, or names of those within the model
    offset = wanted = 0
    for part in model.parts:
        if _BESIDE_CRAFT.search(part.name):
            continue
        number = -1
        if part.texture:
            wanted += 1
            place: Path | str | None = instead.get(part.texture)
            if place is None and part.texture in model.pictures:
                place = part.texture
            place = place or find_texture(part.texture, folders)
            if place is not None:
                number = pictures.setdefault(place, len(pictures))
        clear = np.array([m.clear for m in model.materials] or [0.0])
        rgb = np.array([m.rgb for m in model.materials] or [(0.7, 0.7, 0.7)], np.float32)
        material = np.minimum(part.materials, len(rgb) - 1)
        kept = clear[material] < 0.75
        if not kept.any() or (part.texture and number < 0 and wanted > 1 and not pictures):
            continue
        glass = (clear[material] > 0.25)[kept]
        tint = np.where(glass[:, None], np.float32(0.12), rgb[material[kept]])
        corners = part.faces[kept]
        vertices.append(part.vertices)
        faces.append(corners + offset)
        uv.append(part.uv[kept])
        images.append(np.where(glass, -1, number).astype(np.int32))
        tints.append(tint.astype(np.float32))
        normals.append(corner_normals(Solid(part.vertices.astype(np.float64), corners)))
        offset += len(part.vertices)
    if not faces:
        raise InputError(f"{path} has nothing to be seen")
    if wanted and not pictures:
        raise InputError(f"{path}: none of its textures is there")
    points = np.concatenate(vertices)
    used = np.concatenate(faces)
    if not np.isfinite(points[used]).all():
        raise InputError(f"{path} has vertices that are no numbers")
    if len(used) > _LARGEST_PART:
        raise InputError(f"{path} has {len(used)} triangles, more than {_LARGEST_PART}")
    turn = _to_base(up)
    corner = np.concatenate(normals) @ turn.T
    points = (points @ turn.T).astype(np.float32)
    seen = points[np.unique(used)]
    low, high = seen.min(0), seen.max(0)
    points -= (low + high) / 2
    size = float((high - low).max())
    if not size > 0:
        raise InputError(f"{path} has no extent")
    try:
        outline = points[np.unique(used)]
        outline = outline[ConvexHull(outline).vertices]
    except QhullError as error:
        raise InputError(f"{path} is flat") from error
    tracer = EmbreeScene()
    faces32 = np.ascontiguousarray(used, np.int32)
    TriangleMesh(tracer, np.ascontiguousarray(points), faces32)
    skin = Skin(
        np.concatenate(uv),
        np.concatenate(images),
        np.concatenate(tints),
        tuple(
            reduced(model.pictures[p], detail) if isinstance(p, str) else texture(p, detail)
            for p in pictures
        ),
    )
    return Mesh(
        points, faces32, np.ascontiguousarray(corner, np.float32),
        np.zeros(len(faces32), np.int64), outline, (), size,
        np.zeros(3, np.float32), ((high - low) / 2).astype(np.float32), tracer, skin,
    )  # fmt: skip


def _to_base(up: str) -> NDArray[np.float32]:
    """Rotation from a file's axes to x forward, y left, z up."""
    rows = {
        "y": [[-1, 0, 0], [0, 0, 1], [0, 1, 0]],
        "z": [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
    }
    return np.array(rows[up], np.float32)
