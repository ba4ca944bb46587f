# SPDX-License-Identifier: Apache-2.0
"""Reads AC3D files (`.ac`): text, polygons with texture coordinates, one texture an object.

The format is described at https://www.inivis.com/ac3d/man/ac3dfileformat.html (version B).
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.simulate.models.parts import Material, Model, Part

_TEXTURE = re.compile(r'^\s*texture\s+"?([^"\r\n]+?)"?\s*(?:\bbase\b.*)?$', re.MULTILINE)
_LINES = (1, 2)
"""Surface types that are lines; 0 is a polygon."""


def read(path: Path) -> Model:
    """Read a file.

    Raises:
        InputError: it can't be read, isn't AC3D, is cut off, or has no faces.
    """
    reader = _Reader(iter(_text(path).splitlines()[1:]))
    try:
        reader.run()
    except (StopIteration, ValueError, IndexError) as error:
        raise InputError(f"{path} is broken near line {reader.line + 1}: {error}") from error
    if not reader.parts:
        raise InputError(f"{path} has no faces")
    return Model(tuple(reader.materials), tuple(reader.parts))


def texture_names(path: Path) -> set[str]:
    """The textures that a file names, without reading its geometry.

    Raises:
        InputError: it can't be read, or isn't AC3D.
    """
    return set(_TEXTURE.findall(_text(path)))


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise InputError(f"{path} can't be read: {error}") from error
    if not text.startswith("AC3D"):
        raise InputError(f"{path} is not an AC3D file")
    return text


class _Reader:
    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.line = 1
        self.materials: list[Material] = []
        self.parts: list[Part] = []

    def _next(self) -> list[str]:
        while True:
            self.line += 1
            text = next(self._lines).strip()
            if text:
                return shlex.split(text) if '"' in text else text.split()

    def run(self) -> None:
        while True:
            try:
                words = self._next()
            except StopIteration:
                return
            if words[0] == "MATERIAL":
                self.materials.append(_material(words))
            elif words[0] == "OBJECT":
                self._object(np.eye(3), np.zeros(3))

    def _object(self, turn: NDArray[np.float64], shift: NDArray[np.float64]) -> None:
        name = texture = ""
        repeat, offset = np.ones(2), np.zeros(2)
        vertices = np.zeros((0, 3))
        faces: list[tuple[int, int, int]] = []
        uv: list[list[tuple[float, float]]] = []
        materials: list[int] = []
        while True:
            words = self._next()
            key = words[0]
            if key == "name":
                name = words[1] if len(words) > 1 else ""
            elif key == "data":
                self._data(int(words[1]))
            elif key == "texture":
                texture = texture or words[1]
            elif key == "texrep":
                repeat = np.array([float(w) for w in words[1:3]])
            elif key == "texoff":
                offset = np.array([float(w) for w in words[1:3]])
            elif key == "rot":
                turn = np.array([float(w) for w in words[1:10]]).reshape(3, 3) @ turn
            elif key == "loc":
                shift = shift + np.array([float(w) for w in words[1:4]]) @ turn
            elif key == "numvert":
                rows = [self._next()[:3] for _ in range(int(words[1]))]
                vertices = np.array(rows, np.float64).reshape(-1, 3)
            elif key == "numsurf":
                for _ in range(int(words[1])):
                    self._surface(faces, uv, materials)
            elif key == "kids":
                if faces:
                    corners = np.array(faces, np.int32)
                    if corners.min() < 0 or corners.max() >= len(vertices):
                        raise ValueError(f"object {name!r} refers to a vertex that isn't there")
                    self.parts.append(
                        Part(
                            name,
                            texture,
                            (vertices @ turn + shift).astype(np.float32),
                            corners,
                            (np.array(uv) * repeat + offset).astype(np.float32),
                            np.array(materials, np.int32),
                        )
                    )
                for _ in range(int(words[1])):
                    try:
                        words = self._next()
                    except StopIteration:
                        return  # Some exporters count one child too many.
                    if words[0] != "OBJECT":
                        raise ValueError(f"an object expected, not {words[0]!r}")
                    self._object(turn, shift)
                return

    def _data(self, length: int) -> None:
        """Skip free text of `length` characters, which may have several lines."""
        read = -1
        while read < length:
            self.line += 1
            read += len(next(self._lines)) + 1

    def _surface(
        self,
        faces: list[tuple[int, int, int]],
        uv: list[list[tuple[float, float]]],
        materials: list[int],
    ) -> None:
        words = self._next()
        flags, material = int(words[1], 16), 0
        while True:
            words = self._next()
            if words[0] == "mat":
                material = int(words[1])
            elif words[0] == "refs":
                break
        corners = []
        for _ in range(int(words[1])):
            words = self._next()
            corners.append((int(words[0]), (float(words[1]), float(words[2]))))
        if flags & 15 in _LINES:
            return
        for second, third in itertools.pairwise(corners[1:]):
            faces.append((corners[0][0], second[0], third[0]))
            uv.append([corners[0][1], second[1], third[1]])
            materials.append(material)


def _material(words: list[str]) -> Material:
    rgb = words.index("rgb")
    red, green, blue = (float(w) for w in words[rgb + 1 : rgb + 4])
    clear = float(words[words.index("trans") + 1]) if "trans" in words else 0.0
    return Material((red, green, blue), clear)
