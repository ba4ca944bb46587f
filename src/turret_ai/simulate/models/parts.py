# SPDX-License-Identifier: Apache-2.0
"""What a model file holds, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turret_ai.types import ImageArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Material:
    """rgb: (3,) of the diffuse colour, sRGB; clear: 0 opaque, 1 invisible."""

    rgb: tuple[float, float, float]
    clear: float


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a file, triangulated, in the file's own axes.

    vertices (n, 3); faces (m, 3); uv (m, 3, 2), v upwards; materials (m,) numbers of the file's
    materials; texture: the name as it is written, "" for none.
    """

    name: str
    texture: str
    vertices: FloatArray
    faces: NDArray[np.int32]
    uv: FloatArray
    materials: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Model:
    """A file's materials, its objects that have faces, and the textures in the file itself, by
    name."""

    materials: tuple[Material, ...]
    parts: tuple[Part, ...]
    pictures: Mapping[str, ImageArray] = field(default_factory=dict)
