# SPDX-License-Identifier: Apache-2.0
"""Procedural panoramas of a kind and a seed: the world around the turret."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turret_ai.errors import InputError
from turret_ai.simulate import noise, scenery, sky, structures
from turret_ai.simulate.panorama import Equirectangular
from turret_ai.simulate.render import Light
from turret_ai.simulate.street import furnish as furnish_street
from turret_ai.types import ImageArray

KINDS = ("airfield", "harbour", "city", "desert", "forest", "bridge", "works", "plaza", "coast")


@dataclass(frozen=True, slots=True)
class Landscape:
    """A panorama with the daylight that belongs to it."""

    panorama: Equirectangular
    light: Light
    mood: str


Colour = tuple[float, float, float]

_GROUND: dict[str, tuple[str, ...]] = {
    "airfield": ("grass", "asphalt"),
    "harbour": ("water", "asphalt"),
    "city": ("paving", "asphalt"),
    "desert": ("sand",),
    "forest": ("grass", "gravel"),
    "bridge": ("water", "asphalt"),
    "works": ("gravel", "asphalt"),
    "plaza": ("paving",),
    "coast": ("water",),
}

_LEAVES: tuple[Colour, ...] = (
    (0.2, 0.3, 0.12),
    (0.28, 0.36, 0.16),
    (0.16, 0.24, 0.14),
    (0.33, 0.4, 0.18),
    (0.24, 0.33, 0.15),
    (0.42, 0.38, 0.16),
    (0.34, 0.25, 0.14),
)
_WALLS: tuple[Colour, ...] = (
    (0.66, 0.6, 0.52),
    (0.74, 0.72, 0.68),
    (0.5, 0.5, 0.52),
    (0.6, 0.42, 0.34),
    (0.38, 0.4, 0.44),
    (0.8, 0.76, 0.64),
)
_ROOFS: tuple[Colour, ...] = ((0.5, 0.24, 0.18), (0.3, 0.3, 0.32), (0.4, 0.34, 0.3))


def paint(
    kind: str,
    seed: int,
    *,
    mood: str = "",
    width: int = 4096,
    textures: int = 0,
    street: bool = False,
) -> Landscape:
    """Make a panorama.

    Args:
        kind: one of `KINDS`.
        mood: one of `sky.SKIES`; drawn from the seed if "".
        width: pixels all round; 4096 matches a 1520x870 camera of 70 degrees.
        textures: number of the set of textures; other sets share none.
        street: also with cars, signs, people, boats and flags.

    Raises:
        InputError: unknown kind or mood.
    """
    if kind not in KINDS:
        raise InputError(f"unknown landscape {kind!r}: known are {', '.join(KINDS)}")
    if mood and mood not in sky.SKIES:
        raise InputError(f"unknown mood {mood!r} of the sky: known are {', '.join(sky.SKIES)}")
    rng = np.random.default_rng((seed, KINDS.index(kind)))
    weather = sky.choose(rng, mood, textures * 8)
    ground = _GROUND[kind][int(rng.integers(len(_GROUND[kind])))]
    image = sky.backdrop(weather, ground, rng, width)
    visibility = float(rng.uniform(500, 2500)) * (1.0 if weather.mood != "clear" else 2.0)
    bright = {"dusk": 0.28, "evening": 0.7, "overcast": 0.75, "blown": 0.8}.get(weather.mood, 1.0)
    empty = image[: width // 4].copy()
    canvas = scenery.Canvas(
        image, weather.horizon, visibility, bright * float(rng.uniform(0.8, 1.1)), textures
    )
    texture = noise.tile(noise.GRAIN, 100 + textures * 8 + int(rng.integers(4)))
    _hills(canvas, rng, texture)
    _furnish(canvas, rng, kind, texture)
    if street:
        furnish_street(canvas, seed)
    _grain(canvas, texture, rng, empty)
    return Landscape(Equirectangular(canvas.image), sky.light_of(weather), weather.mood)


def _hills(canvas: scenery.Canvas, rng: np.random.Generator, texture: noise.FloatArray) -> None:
    for k in range(int(rng.integers(0, 3))):
        tall = float(rng.uniform(0.02, 0.11)) / (k + 1)
        tops = noise.ridge(rng, canvas.width, float(rng.uniform(1.8, 2.6))) * tall - 0.012
        rgb = np.array(
            ((0.3, 0.36, 0.24), (0.42, 0.38, 0.3), (0.3, 0.33, 0.34))[int(rng.integers(3))]
        )
        canvas.land(tops, -0.02, rgb, 2200.0 / (k + 1), texture, 0.16)


def _treeline(
    canvas: scenery.Canvas,
    rng: np.random.Generator,
    texture: noise.FloatArray,
    distance: float,
    tall: float,
    cover: float,
) -> None:
    n = canvas.width
    shape = noise.ridge(rng, n, 0.9, 20) * 0.6 + noise.ridge(rng, n, 0.35, 200) * 0.4
    mask = np.clip((noise.ridge(rng, n, 1.8, 1.5) - 1 + cover) * 8, 0, 1)
    tops = (shape * tall * mask - 1.8) / distance
    rgb = np.array(_LEAVES[int(rng.integers(len(_LEAVES)))])
    canvas.land(tops.astype(np.float32), -2.5 / distance, rgb, distance, texture, 0.9, 40.0)


class _Places:
    """Random places round the camera."""

    def __init__(self, rng: np.random.Generator, foot: float) -> None:
        self.rng, self.foot = rng, foot

    def yaw(self) -> float:
        return float(self.rng.uniform(-math.pi, math.pi))

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, choices: Sequence[Colour]) -> Colour:
        return choices[int(self.rng.integers(len(choices)))]


_TREES = {"forest": (25, 70), "city": (0, 12), "desert": (0, 3), "coast": (0, 10)}
"""Fewest and most single trees of a kind of landscape; (2, 22) for the others."""


def _furnish(
    canvas: scenery.Canvas, rng: np.random.Generator, kind: str, texture: noise.FloatArray
) -> None:
    places = _Places(rng, -float(rng.uniform(1.6, 9.0)))
    wooded = kind in ("forest", "airfield", "plaza", "bridge", "coast")
    if wooded or places.chance(0.4):
        _treeline(
            canvas, rng, texture, places.between(150, 400), places.between(10, 25),
            places.between(0.3, 1.0),
        )  # fmt: skip
    if kind in ("city", "harbour", "plaza", "works") or places.chance(0.3):
        _skyline(canvas, rng, places.foot, dense=kind == "city")
    _landmarks(canvas, places, kind)
    if kind == "bridge" or places.chance(0.12):
        structures.viaduct(canvas, rng, places.foot)
    bare, leaves = places.chance(0.3), places.pick(_LEAVES)
    count = places.count(*_TREES.get(kind, (2, 22)))
    for distance in sorted((places.between(12, 80) for _ in range(count)), reverse=True):
        tall = places.between(5, 17)
        scenery.tree(
            canvas, rng, places.yaw(), distance, tall, places.foot, None if bare else leaves
        )
    for _ in range(places.count(0, 7)):
        structures.mast(
            canvas, rng, places.yaw(), places.between(9, 70), places.between(7, 25), places.foot,
            places.chance(0.5),
        )  # fmt: skip
    if places.chance(0.1):
        structures.roof(canvas, rng, places.foot)
    if places.chance(0.7 if kind in ("bridge", "harbour", "plaza") else 0.25):
        structures.fence(
            canvas, rng, places.between(2.0, 5.0), places.yaw(), max(places.foot, -2.2)
        )


def _landmarks(canvas: scenery.Canvas, places: _Places, kind: str) -> None:
    """What makes a kind of landscape, and a few things that may stand anywhere."""
    rng, foot = places.rng, places.foot
    if kind == "airfield":
        for _ in range(places.count(2, 5)):
            size = (places.between(25, 60), 30.0, places.between(8, 14))
            scenery.cuboid(
                canvas, places.yaw(), places.between(90, 260), size, places.yaw(),
                places.pick(_WALLS), foot, None, places.pick(_ROOFS),
            )  # fmt: skip
        tower = places.yaw()
        scenery.cuboid(canvas, tower, 160.0, (6, 6, 28), 0.3, (0.75, 0.74, 0.7), foot)
        scenery.cuboid(canvas, tower, 158.0, (9, 9, 4), 0.3, (0.2, 0.24, 0.28), foot + 28)
    if kind in ("harbour", "coast"):
        for _ in range(places.count(1, 4)):
            structures.ship(canvas, rng, places.yaw(), places.between(180, 500), foot)
    if kind in ("harbour", "works"):
        for _ in range(places.count(2, 6)):
            structures.gantry(canvas, rng, places.yaw(), places.between(80, 260), foot)
        for _ in range(places.count(6, 22)):
            size = (12.2, 2.5, 2.6 * places.count(1, 4))
            rgb = rng.uniform(0.2, 0.6, 3).tolist()
            scenery.cuboid(
                canvas, places.yaw(), places.between(25, 90), size, places.yaw(), rgb, foot
            )
    if places.chance(0.15):
        for _ in range(places.count(1, 6)):
            structures.turbine(canvas, rng, places.yaw(), places.between(150, 600), foot)
    if kind == "works" or places.chance(0.15):
        for _ in range(places.count(1, 4)):
            structures.chimney(canvas, rng, places.yaw(), places.between(50, 200), foot)
    if places.chance(0.2):
        for _ in range(places.count(1, 4)):
            structures.floodlight(canvas, rng, places.yaw(), places.between(30, 120), foot)
    for _ in range(places.count(0, 4) + (3 if kind in ("city", "works") else 0)):
        if places.chance(0.6):
            structures.crane(
                canvas, rng, places.yaw(), places.between(45, 260), places.between(35, 75), foot
            )
    if places.chance(0.35):
        structures.wires(
            canvas, rng, places.yaw(), places.between(30, 160), places.between(10, 35), foot
        )
    if places.chance(0.25):
        size = (places.between(10, 40), places.between(8, 20), places.between(8, 26))
        scenery.cuboid(
            canvas, places.yaw(), places.between(22, 45), size, places.yaw(), places.pick(_WALLS),
            foot, (0.2, 0.23, 0.28),
        )  # fmt: skip


def _skyline(canvas: scenery.Canvas, rng: np.random.Generator, foot: float, dense: bool) -> None:
    count = int(rng.integers(30, 60)) if dense else int(rng.integers(6, 26))
    distances = sorted(rng.uniform(60 if dense else 140, 500, count), reverse=True)
    for distance in distances:
        tall = float(rng.gamma(2.0, 9.0)) + 6 if dense else float(rng.gamma(2.0, 4.0)) + 4
        rgb = np.array(_WALLS[int(rng.integers(len(_WALLS)))]) * rng.uniform(0.75, 1.1)
        glass = (np.array([0.22, 0.25, 0.3]) if rng.random() < 0.8 else rgb * 1.2).tolist()
        roof = _ROOFS[int(rng.integers(3))] if tall < 14 and rng.random() < 0.7 else None
        scenery.cuboid(
            canvas,
            float(rng.uniform(-math.pi, math.pi)),
            float(distance),
            (float(rng.uniform(10, 30)), float(rng.uniform(10, 22)), min(tall, distance * 0.5)),
            float(rng.uniform(0, math.pi)),
            rgb.tolist(),
            foot,
            glass if distance < 330 else None,
            roof,
        )


def _grain(
    canvas: scenery.Canvas, texture: noise.FloatArray, rng: np.random.Generator, empty: ImageArray
) -> None:
    """Surfaces of real things are never flat: a fine texture over everything but the sky.

    empty: the sky (h / 2, w, 3) as it was before things were put in front of it.
    """
    side = texture.shape[0]
    h, w = canvas.height, canvas.width
    strength = float(rng.uniform(0.15, 0.5))
    tiled = np.tile(1.0 + strength * (texture - 0.5), (1, math.ceil(w / side)))[:, :w]
    changed = np.flatnonzero((canvas.image[: h // 2] != empty).any(axis=(1, 2)))
    top = int(changed[0]) if len(changed) else h // 2
    rows = canvas.image[top:]
    factor = np.tile(tiled, (math.ceil(len(rows) / side), 1))[: len(rows)]
    above = h // 2 - top
    sky = (rows[:above] == empty[top:]).all(axis=2)
    factor[:above][sky] = 1.0
    factor[above:] = 1.0 + 0.35 * (factor[above:] - 1.0)
    canvas.image[top:] = np.clip(rows * factor[..., None], 0, 255).astype(np.uint8)
