# SPDX-License-Identifier: Apache-2.0
"""Crops of rendered craft for the matcher: from textured models, and of our own painted ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator

from turret_ai.aim.camera import Camera
from turret_ai.errors import InputError
from turret_ai.learn import colour_words
from turret_ai.learn.image_types import SPLIT_NUMBER
from turret_ai.learn.vision import layers
from turret_ai.learn.vision.captions import compose
from turret_ai.learn.vision.crop_bank import Crop, Origin
from turret_ai.simulate import airframes, craft, livery, mesh, render
from turret_ai.simulate.models import catalogue, textured

VIEWS = 14
"""Poses of each paint job in a row: reading a model takes longer than drawing it."""
TEXTURED_SHARES = {
    "drone": 0.3, "helicopter": 0.9, "missile": 0.3, "light aircraft": 1.1,
    "cargo aircraft": 0.7, "commercial aircraft": 1.2, "fighter plane": 0.45, "fighter jet": 1.1,
}  # fmt: skip
"""How often each type is drawn from models: few airframes shouldn't be seen too often."""
PAINTED_SHARES = {
    "drone": 1.6, "helicopter": 0.9, "missile": 1.6, "light aircraft": 1.0,
    "cargo aircraft": 1.3, "commercial aircraft": 0.6, "fighter plane": 1.0, "fighter jet": 0.7,
}  # fmt: skip
"""How often each type is painted: more often what models lack."""
_OFFSPRING = 0.8
"""How often a painted craft of training is none of the listed airframes but one like them."""
_LEAST_SHARE = 0.05
_DETAIL = 256
"""Largest side of a texture, pixels."""
_MEDIAN_PX, _SPREAD, _SMALLEST_PX, _LARGEST_PX = 72.0, 0.32, 26.0, 100.0
_NEUTRAL = livery.Livery((), (), "plain", 0)


def _type(shares: dict[str, float], among: Sequence[str], rng: Generator) -> str:
    weights = np.array([shares[t] for t in among])
    return among[int(rng.choice(len(among), p=weights / weights.sum()))]


def _size(rng: Generator) -> float:
    """Pixels of the longer side."""
    return float(
        np.clip(np.exp(rng.normal(np.log(_MEDIAN_PX), _SPREAD)), _SMALLEST_PX, _LARGEST_PX)
    )


def usable(folder: Path, split: str) -> tuple[str, ...]:
    """What is wrong with models of a folder.

    Raises:
        InputError: it has none of the split.
    """
    entries, problems = catalogue.find(folder)
    if not any(e.kind.split == split for e in entries):
        raise InputError(f"{folder} has no models of the split {split}")
    return problems


def textured_row(number: int, seed: int, split: str, folder: Path) -> list[Crop]:
    """Some views of one paint job of one model.

    Raises:
        InputError: no models of the split, or this one can't be drawn.
    """
    rng = np.random.default_rng([seed, SPLIT_NUMBER[split], number, 11])
    entries = [e for e in catalogue.find(folder)[0] if e.kind.split == split]
    type_name = _type(TEXTURED_SHARES, sorted({e.kind.type_name for e in entries}), rng)
    mine = [e for e in entries if e.kind.type_name == type_name]
    airframes = sorted({e.kind.airframe for e in mine})
    # An airframe with many liveries is worth more than one with a single one, but not by so many.
    weights = (
        np.array(
            [sum(len(e.liveries) for e in mine if e.kind.airframe == a) for a in airframes], float
        )
        ** 0.4
    )
    airframe = airframes[int(rng.choice(len(airframes), p=weights / weights.sum()))]
    jobs = [(e, job) for e in mine if e.kind.airframe == airframe for job in e.liveries]
    entry, (name, textures) = jobs[int(rng.integers(len(jobs)))]
    model = textured.load(entry.path, textures, entry.kind.up, _DETAIL)
    origin = Origin(type_name, "textured", airframe, f"{entry.path.stem} {name}".strip(), split)
    crops = []
    for _ in range(VIEWS):
        made = layers.draw(model, _NEUTRAL, type_name, _size(rng), rng)
        if made is None:
            continue
        colour, cover, placed, camera = made
        box = layers.box_of(cover)
        if box is None:
            continue
        paint, there = render.paint(placed, layers.coarse(camera), np.eye(3))
        words = colour_words.name(paint, there, type_name=type_name, rng=rng)
        caption = compose(words.colours, type_name, words.camouflage and rng.random() < 0.7)
        crops.append(Crop(layers.rgba(colour, cover), box, caption, None, origin))
    return crops


def painted_row(number: int, seed: int, split: str) -> list[Crop]:
    """Some views of one of our own craft in one paint job."""
    rng = np.random.default_rng([seed, SPLIT_NUMBER[split], number, 12])
    type_name = _type(PAINTED_SHARES, craft.TYPES, rng)
    variants = craft.variants(type_name, split)
    variant = variants[int(rng.integers(len(variants)))]
    if split == "train" and rng.random() < _OFFSPRING:
        variant = airframes.offspring(variant, variants, rng)
    model = mesh.of(variant.assemble(), bool(rng.random() < 0.35))
    crops = []
    for _ in range(VIEWS // 2):
        paint = livery.random_livery(type_name, rng, SPLIT_NUMBER[split] << 26)
        made = layers.draw(model, paint, type_name, _size(rng), rng)
        if made is None:
            continue
        colour, cover, placed, camera = made
        box = layers.box_of(cover)
        seen = _seen_colours(placed, camera)
        if box is None or seen is None:
            continue
        camouflage = paint.camouflage and len(seen) > 1
        caption = livery.caption(type_name, seen, camouflage)
        origin = Origin(type_name, "painted", f"painted {variant.name}", paint.pattern, split)
        crops.append(Crop(layers.rgba(colour, cover), box, caption, None, origin))
    return crops


def _seen_colours(placed: render.Placed, camera: Camera) -> tuple[str, ...] | None:
    """The colours of a livery in view, the largest first; None if it isn't clear which are."""
    shares = render.colour_shares(placed, layers.coarse(camera), np.eye(3))
    names = placed.livery.colours
    if any(0.02 < s < _LEAST_SHARE for s in shares):
        return None
    ranked = sorted(zip(shares, names, strict=True), reverse=True)
    seen = tuple(n for s, n in ranked if s >= _LEAST_SHARE)
    return seen or None
