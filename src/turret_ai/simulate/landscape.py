"""Procedural panoramas of a kind and a seed: the world around the turret."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from turret_ai.errors import InputError
from turret_ai.simulate import noise, scenery, sky
from turret_ai.simulate.panorama import Equirectangular
from turret_ai.simulate.render import Light
from turret_ai.types import ImageArray

KINDS = ("airfield", "harbour", "city", "desert", "forest", "bridge", "works", "plaza", "coast")


@dataclass(frozen=True, slots=True)
class Landscape:
    """A panorama with the daylight that belongs to it."""

    panorama: Equirectangular
    light: Light
    mood: str


_GROUND = {"airfield": ("grass", "asphalt"), "harbour": ("water", "asphalt"), "city": ("paving", "asphalt"),
           "desert": ("sand",), "forest": ("grass", "gravel"), "bridge": ("water", "asphalt"),
           "works": ("gravel", "asphalt"), "plaza": ("paving",), "coast": ("water",)}  # fmt: skip

_LEAVES = (
    (0.2, 0.3, 0.12),
    (0.28, 0.36, 0.16),
    (0.16, 0.24, 0.14),
    (0.4, 0.36, 0.14),
    (0.3, 0.2, 0.1),
)
_WALLS = (
    (0.66, 0.6, 0.52),
    (0.74, 0.72, 0.68),
    (0.5, 0.5, 0.52),
    (0.6, 0.42, 0.34),
    (0.38, 0.4, 0.44),
    (0.8, 0.76, 0.64),
)
_ROOFS = ((0.5, 0.24, 0.18), (0.3, 0.3, 0.32), (0.4, 0.34, 0.3))


def paint(
    kind: str, seed: int, *, mood: str = "", width: int = 4096, textures: int = 0
) -> Landscape:
    """Make a panorama.

    Args:
        kind: one of `KINDS`.
        mood: one of `sky.SKIES`; drawn from the seed if "".
        width: pixels all round; 4096 matches a 1520x870 camera of 70 degrees.
        textures: number of the set of textures; other sets share none.

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
        image, weather.horizon, visibility, bright * float(rng.uniform(0.8, 1.1))
    )
    texture = noise.tile(noise.GRAIN, 100 + textures * 8 + int(rng.integers(4)))
    _hills(canvas, rng, texture)
    _furnish(canvas, rng, kind, texture)
    _grain(canvas, texture, rng, empty)
    return Landscape(Equirectangular(canvas.image), sky.light_of(weather), weather.mood)


def _hills(canvas: scenery.Canvas, rng: np.random.Generator, texture: noise.FloatArray) -> None:
    for k in range(int(rng.integers(0, 3))):
        tall = float(rng.uniform(0.02, 0.11)) / (k + 1)
        tops = noise.ridge(rng, canvas.width, float(rng.uniform(1.8, 2.6))) * tall - 0.012
        rgb = np.array(
            ((0.3, 0.36, 0.24), (0.42, 0.38, 0.3), (0.3, 0.33, 0.34))[int(rng.integers(3))]
        )
        canvas.land(tops, -0.02, rgb, 2200.0 / (k + 1), texture, 0.35)


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


def _furnish(
    canvas: scenery.Canvas, rng: np.random.Generator, kind: str, texture: noise.FloatArray
) -> None:
    foot = -float(rng.uniform(1.6, 9.0))
    yaw = lambda: float(rng.uniform(-math.pi, math.pi))  # noqa: E731
    if kind in ("forest", "airfield", "plaza", "bridge", "coast") or rng.random() < 0.4:
        _treeline(
            canvas,
            rng,
            texture,
            float(rng.uniform(150, 400)),
            float(rng.uniform(10, 25)),
            float(rng.uniform(0.3, 1.0)),
        )
    if kind in ("city", "harbour", "plaza", "works") or rng.random() < 0.3:
        _skyline(canvas, rng, foot, dense=kind == "city")
    if kind == "airfield":
        for _ in range(int(rng.integers(2, 5))):
            scenery.cuboid(
                canvas,
                yaw(),
                float(rng.uniform(90, 260)),
                (float(rng.uniform(25, 60)), 30.0, float(rng.uniform(8, 14))),
                yaw(),
                _WALLS[int(rng.integers(6))],
                foot,
                None,
                _ROOFS[int(rng.integers(3))],
            )
        tower = yaw()
        scenery.cuboid(canvas, tower, 160.0, (6, 6, 28), 0.3, (0.75, 0.74, 0.7), foot)
        scenery.cuboid(canvas, tower, 158.0, (9, 9, 4), 0.3, (0.2, 0.24, 0.28), foot + 28)
    if kind in ("harbour", "coast"):
        for _ in range(int(rng.integers(1, 4))):
            scenery.ship(canvas, rng, yaw(), float(rng.uniform(180, 500)), foot)
    if kind in ("harbour", "works"):
        for _ in range(int(rng.integers(2, 6))):
            scenery.gantry(canvas, rng, yaw(), float(rng.uniform(80, 260)), foot)
        for _ in range(int(rng.integers(6, 22))):
            scenery.cuboid(
                canvas,
                yaw(),
                float(rng.uniform(25, 90)),
                (12.2, 2.5, 2.6 * float(rng.integers(1, 4))),
                yaw(),
                rng.uniform(0.2, 0.65, 3).tolist(),
                foot,
            )
    for _ in range(int(rng.integers(0, 4)) + (3 if kind in ("city", "works") else 0)):
        if rng.random() < 0.6:
            scenery.crane(
                canvas, rng, yaw(), float(rng.uniform(60, 260)), float(rng.uniform(35, 75)), foot
            )
    if rng.random() < 0.35:
        scenery.wires(
            canvas, rng, yaw(), float(rng.uniform(40, 160)), float(rng.uniform(12, 35)), foot
        )
    if kind == "bridge" or rng.random() < 0.12:
        scenery.viaduct(canvas, rng, foot)
    trees = {"forest": (10, 30), "city": (0, 8), "desert": (0, 2), "coast": (0, 6)}.get(
        kind, (1, 14)
    )
    near = sorted(
        (float(rng.uniform(14, 90)) for _ in range(int(rng.integers(*trees)))), reverse=True
    )
    bare, leaves = rng.random() < 0.3, _LEAVES[int(rng.integers(len(_LEAVES)))]
    for distance in near:
        scenery.tree(
            canvas, rng, yaw(), distance, float(rng.uniform(5, 16)), foot, None if bare else leaves
        )
    for _ in range(int(rng.integers(0, 7))):
        scenery.mast(
            canvas,
            rng,
            yaw(),
            float(rng.uniform(9, 70)),
            float(rng.uniform(7, 25)),
            foot,
            rng.random() < 0.5,
        )
    if rng.random() < (0.7 if kind in ("bridge", "harbour", "plaza") else 0.25):
        scenery.fence(canvas, rng, float(rng.uniform(2.0, 5.0)), yaw(), max(foot, -2.2))


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
    canvas.image[top:] = np.clip(rows * factor[..., None], 0, 255).astype(np.uint8)
