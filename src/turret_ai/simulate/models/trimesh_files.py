# SPDX-License-Identifier: Apache-2.0
"""Reads OBJ, glTF and GLB files by trimesh (extra `train`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from turret_ai.errors import InputError
from turret_ai.extras import require
from turret_ai.simulate.colours import to_srgb
from turret_ai.simulate.models.parts import Material, Model, Part
from turret_ai.types import ImageArray

SUFFIXES = (".obj", ".gltf", ".glb")
_BARE = (0.7, 0.7, 0.7)


def read(path: Path) -> Model:
    """Read a file. Textures of OBJ files go by the names that their materials give; those of glTF
    come with the model.

    Raises:
        InputError: it can't be read, is of another format, is cut off, or has no faces.
        MissingExtraError: trimesh isn't installed.
    """
    trimesh = require("trimesh", extra="train")
    if not path.is_file():
        raise InputError(f"{path} can't be read: there is no such file")
    try:
        scene = trimesh.load_scene(path, process=False)
        meshes = [m for m in scene.dump(concatenate=False) if isinstance(m, trimesh.Trimesh)]
    except Exception as error:  # whatever its many readers raise at broken files
        raise InputError(f"{path} is broken: {type(error).__name__}: {error}") from error
    names = _maps(path) if path.suffix.lower() == ".obj" else {}
    materials: list[Material] = []
    parts: list[Part] = []
    pictures: dict[str, ImageArray] = {}
    for mesh in meshes:
        if not len(mesh.faces):
            continue
        material = getattr(mesh.visual, "material", None)
        name = names.get(str(getattr(material, "name", "")), "")
        image = _image(material)
        uv = getattr(mesh.visual, "uv", None)
        if uv is None:
            name, image = "", None
        elif image is not None and not name:
            name = f"texture {len(pictures)}"
            pictures[name] = image
        faces = np.asarray(mesh.faces, np.int32)
        places = np.zeros((len(mesh.vertices), 2)) if uv is None else np.asarray(uv)
        parts.append(
            Part(
                str(mesh.metadata.get("name", "")),
                name,
                np.asarray(mesh.vertices, np.float32),
                faces,
                places[faces].astype(np.float32),
                np.full(len(faces), len(materials), np.int32),
            )
        )
        materials.append(_material(material, textured=bool(name)))
    if not parts:
        raise InputError(f"{path} has no faces")
    return Model(tuple(materials), tuple(parts), pictures)


def texture_names(path: Path) -> set[str]:
    """The texture files that a file names, without reading its geometry.

    Raises:
        InputError: it can't be read, or is of another format.
    """
    if path.suffix.lower() == ".obj":
        return set(_maps(path).values())
    if path.suffix.lower() == ".glb":
        return set()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        uris = [image.get("uri", "") for image in content.get("images", [])]
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is not a glTF file: {error}") from error
    return {uri for uri in uris if uri and not uri.startswith("data:")}


def _maps(path: Path) -> dict[str, str]:
    """Texture names of an OBJ file's materials by their names."""
    found: dict[str, str] = {}
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path} can't be read: {error}") from error
    for line in text.splitlines():
        key, _, rest = line.strip().partition(" ")
        library = path.parent / rest.strip()
        if key != "mtllib" or not library.is_file():
            continue
        name = ""
        for row in library.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = row.strip().partition(" ")
            if key == "newmtl":
                name = value.strip()
            elif key == "map_Kd" and value.strip():
                found[name] = _without_options(value.strip())
    return found


def _without_options(value: str) -> str:
    """The file's name of `map_Kd -s 1 1 1 name of the file.png`."""
    words = value.split()
    while words and words[0].startswith("-"):
        words = words[1:]
        while len(words) > 1 and _is_value(words[0]):
            words = words[1:]
    return " ".join(words)


def _is_value(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return word in ("on", "off")
    return True


def _image(material: Any) -> ImageArray | None:
    """The colours' picture, RGBA."""
    found = getattr(material, "baseColorTexture", None)
    if found is None:
        found = getattr(material, "image", None)
    if found is None:
        return None
    return np.asarray(found.convert("RGBA"), np.uint8)


def _material(material: Any, textured: bool) -> Material:
    """Colour and clearness. Of OBJ, the colour of a material with a texture says little: exporters
    write white, grey or black; glTF multiplies both, in linear light."""
    factor = getattr(material, "baseColorFactor", None)
    if factor is not None:
        linear = np.asarray(factor, np.float32)
        linear = linear / np.float32(255 if linear.max(initial=0) > 1 else 1)
        red, green, blue = (float(v) for v in to_srgb(linear[:3]))
        alpha = float(linear[3]) if len(linear) > 3 else 1.0
        blends = getattr(material, "alphaMode", None) == "BLEND"
        return Material((red, green, blue), 1 - alpha if blends else 0.0)
    diffuse = getattr(material, "diffuse", None)
    if textured or (diffuse is None and hasattr(material, "baseColorTexture")):
        return Material((1.0, 1.0, 1.0), 0.0)
    if diffuse is None:
        return Material(_BARE, 0.0)
    red, green, blue, *rest = (float(v) / 255 for v in np.asarray(diffuse).tolist())
    return Material((red, green, blue), 1 - rest[0] if rest else 0.0)
