# SPDX-License-Identifier: Apache-2.0
"""Model files of every format that can be read."""

from __future__ import annotations

from pathlib import Path

from turret_ai.extras import require
from turret_ai.simulate.models import ac3d, trimesh_files
from turret_ai.simulate.models.parts import Model

SUFFIXES = (".ac", *trimesh_files.SUFFIXES)


def read(path: Path) -> Model:
    """Read a file as its ending says.

    Raises:
        InputError: it can't be read, is of another format, is cut off, or has no faces.
        MissingExtraError: a package that reads it isn't installed.
    """
    return ac3d.read(path) if path.suffix.lower() == ".ac" else trimesh_files.read(path)


def texture_names(path: Path) -> set[str]:
    """The texture files that a file names, without reading its geometry.

    Raises:
        InputError: it can't be read, or is of another format.
        MissingExtraError: a package that would read the rest isn't installed.
    """
    if path.suffix.lower() == ".ac":
        return ac3d.texture_names(path)
    require("trimesh", extra="train")
    return trimesh_files.texture_names(path)
