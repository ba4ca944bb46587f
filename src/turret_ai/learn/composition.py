# SPDX-License-Identifier: Apache-2.0
"""Synthetic images before the sensor: a background, craft before it, now and then one hidden."""

from __future__ import annotations

import copy
import math

import numpy as np

from turret_ai.learn.backdrop import background, blow_out
from turret_ai.learn.foreign_craft import any_craft
from turret_ai.learn.image_types import Composition, Label, Settings
from turret_ai.learn.placing import add_craft, shared_area
from turret_ai.simulate import clutter
from turret_ai.types import Box, ImageArray

_BLOWN_OUT = 0.35
"""Share of pictures whose sky is exposed beyond white."""


def compose(
    index: int, seed: int, split: str, settings: Settings, rng: np.random.Generator
) -> Composition:
    """The picture before the sensor, and its labels."""
    image, camera, axes, light = background(index, seed, split, settings, rng)
    if settings.recipe >= 8 and rng.random() < _BLOWN_OUT:
        blow_out(image, rng)
    if settings.clutter:
        _scatter(image, rng)
    scene = Composition(image, image.copy(), camera, axes, light, split)
    count = int(rng.integers(settings.craft[0], settings.craft[1] + 1))
    for _ in range(4 * count):
        if len(scene.labels) == count:
            break
        add = add_craft if settings.recipe < 8 else any_craft(settings, rng)
        add(scene, settings, rng)
    if settings.clutter and scene.labels:
        bare_rng = copy.deepcopy(rng)
        labels = _cover(scene.image, scene.labels, rng)
        _cover(scene.bare, scene.labels, bare_rng)
        scene.labels = labels
    return scene


def _cover(image: ImageArray, labels: list[Label], rng: np.random.Generator) -> list[Label]:
    """Now and then something in front of a craft; returns the labels as they are then."""
    labels = list(labels)
    if rng.random() < 0.18:
        _obstruct(image, rng, labels[int(rng.integers(len(labels)))][3])
    if rng.random() < 0.12:
        _hide(image, rng, labels, int(rng.integers(len(labels))))
    return labels


def _scatter(image: ImageArray, rng: np.random.Generator) -> None:
    h, w = image.shape[:2]
    for _ in range(int(rng.choice([0, 1, 2, 4, 8], p=[0.4, 0.22, 0.18, 0.12, 0.08]))):
        kind = clutter.NEGATIVES[int(rng.choice(4, p=[0.5, 0.2, 0.15, 0.15]))]
        size = float(np.exp(rng.uniform(math.log(8), math.log(70))))
        kind(image, rng, float(rng.uniform(0, w)), float(rng.uniform(0, 0.75 * h)), size)
    if rng.random() < 0.12:
        clutter.wire(image, rng)
    if rng.random() < 0.3:
        clutter.scraps(image, rng)


def _obstruct(image: ImageArray, rng: np.random.Generator, box: Box) -> None:
    """Something thin before a craft; it hides too little to change the box."""
    x, y = box.centre
    kind = int(rng.integers(3))
    if kind == 0:
        clutter.wire(image, rng)
    elif kind == 1 and box.width > 40:
        clutter.pole(image, rng, x + float(rng.normal(0, box.width)))
    else:
        clutter.twig(image, rng, box.left, y, max(20.0, box.width * 0.7))


def _hide(image: ImageArray, rng: np.random.Generator, labels: list[Label], number: int) -> None:
    """Put a wall before the lower part of one craft; its box then ends at the wall."""
    text, type_name, colours, box = labels[number]
    if box.height < 16:
        return
    top = round(box.top + box.height * float(rng.uniform(0.6, 0.85)))
    left = round(box.left - box.width * float(rng.uniform(0.1, 2.0)))
    right = round(box.left + box.width * float(rng.uniform(1.1, 3.0)))
    wall = Box(left, top, right - left, image.shape[0] - top)
    if any(shared_area(wall, other[3]) > 0.0 for k, other in enumerate(labels) if k != number):
        return
    clutter.wall(image, rng, left, top, right)
    labels[number] = (text, type_name, colours, Box(box.left, box.top, box.width, top - box.top))
