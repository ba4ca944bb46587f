# SPDX-License-Identifier: Apache-2.0
"""A craft as geometry: parts with roles, spinning discs, its size; and the variants of each type.

A variant is a named set of parameters of one of the eight types. Frame: x forward, y left, z up,
metres, origin near the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import numpy as np

from turret_ai import share
from turret_ai.errors import InputError
from turret_ai.simulate.solids import Float64Array, Solid

TYPES = (
    "drone",
    "helicopter",
    "missile",
    "light aircraft",
    "cargo aircraft",
    "commercial aircraft",
    "fighter plane",
    "fighter jet",
)
"""The type names of the captions, in the order of every table."""

ROLES = ("paint", "wing", "tail", "trim", "nacelle", "dark", "glass", "metal", "flame", "blade")
"""What a face is for; the first five take the livery's colours, the rest have their own."""

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Disc:
    """The blur of a spinning rotor: centre (3,), unit normal (3,), radius in metres."""

    centre: tuple[float, float, float]
    normal: tuple[float, float, float]
    radius: float


@dataclass(slots=True)
class Airframe:
    """One built craft.

    parts: (role, solid). Solids of role "blade" are left out where the craft spins.
    discs: what takes their place then.
    """

    type_name: str
    variant: str
    parts: list[tuple[str, Solid]] = field(default_factory=list)
    discs: list[Disc] = field(default_factory=list)

    def add(self, role: str, *solids: Solid) -> None:
        """Append solids of one role."""
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}")
        self.parts += [(role, solid) for solid in solids]

    @property
    def bounds(self) -> tuple[Float64Array, Float64Array]:
        """Smallest and largest corner, metres."""
        points = np.concatenate([s.vertices for _, s in self.parts])
        return points.min(0), points.max(0)

    @property
    def size(self) -> float:
        """The longest edge of the bounding cuboid, metres."""
        low, high = self.bounds
        return float((high - low).max())

    @property
    def triangles(self) -> int:
        """How many faces all parts have."""
        return sum(len(s.faces) for _, s in self.parts)


@dataclass(frozen=True, slots=True)
class Variant:
    """A named airframe of a type.

    split: which data set may show it.
    builder: what adds the parts to an `Airframe`; ConfigError where it can't take the numbers.
    numbers: the builder's keywords.
    """

    type_name: str
    name: str
    split: str
    builder: Callable[..., None]
    numbers: Mapping[str, Any]

    def assemble(self) -> Airframe:
        """The airframe, centred on its bounding cuboid.

        Raises:
            ConfigError: the builder can't take the numbers.
        """
        frame = Airframe(self.type_name, self.name)
        self.builder(frame, **self.numbers)
        low, high = frame.bounds
        middle = (low + high) / 2.0
        frame.parts = [(r, s.moved(-middle)) for r, s in frame.parts]
        frame.discs = [
            Disc(tuple(float(v) for v in np.array(d.centre) - middle), d.normal, d.radius)  # type: ignore[arg-type]
            for d in frame.discs
        ]
        return frame


def variants(type_name: str, split: str | None = None) -> list[Variant]:
    """The variants of a type (`config/airframes.yaml`), of one split or of all.

    Raises:
        InputError: no such type.
    """
    if type_name not in TYPES:
        raise InputError(f"unknown craft type {type_name!r}: known are {', '.join(TYPES)}")
    return [v for v in _catalogue()[type_name] if split is None or v.split == split]


@cache
def _catalogue() -> dict[str, list[Variant]]:
    from turret_ai.simulate import airframes  # which builds on this module

    return airframes.read(share.path("config/airframes.yaml"))


@lru_cache(maxsize=128)
def build(type_name: str, variant: str) -> Airframe:
    """The airframe of a variant, centred on its bounding cuboid.

    Raises:
        InputError: no such type or variant; the text lists those that exist.
    """
    for candidate in variants(type_name):
        if candidate.name == variant:
            return candidate.assemble()
    names = ", ".join(v.name for v in variants(type_name))
    raise InputError(f"unknown variant {variant!r} of {type_name}: known are {names}")
