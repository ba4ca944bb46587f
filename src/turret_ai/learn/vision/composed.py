# SPDX-License-Identifier: Apache-2.0
"""Pictures of the competition's size with cut-out craft pasted in: to calibrate on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from turret_ai.learn.vision import backgrounds, hard_negatives, staging
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.relight import relight
from turret_ai.learn.vision.staging import Staging
from turret_ai.simulate import sensor
from turret_ai.types import FloatArray, ImageArray

_TRIES = 30
_APART = 12.0
"""Pixels between two craft."""


@dataclass(frozen=True, slots=True)
class Composed:
    """image (H, W, 3); boxes (n, 4) corners; crops: what was pasted, by number."""

    image: ImageArray
    boxes: FloatArray
    crops: tuple[int, ...]


def compose(
    crops: Sequence[Crop],
    chosen: Sequence[int],
    photo: ImageArray | None,
    settings: Staging,
    rng: Generator,
) -> Composed:
    """Paste crops where they don't touch, mostly above the middle, and spoil the picture.

    Args:
        photo: without craft; None: a made-up sky.
    """
    width, height = hard_negatives.WIDTH, hard_negatives.HEIGHT
    if photo is None:
        sky = cv2.resize(backgrounds.made_up(rng), (width, height), interpolation=cv2.INTER_CUBIC)
        image = np.ascontiguousarray(sky)
    else:
        image = hard_negatives.view(photo, rng)
    boxes: list[FloatArray] = []
    kept: list[int] = []
    for number in chosen:
        moved, box = staging.move(crops[number].pixels, crops[number].box, settings, True, rng)
        side = moved.shape[0]
        for _ in range(_TRIES):
            x = int(rng.integers(0, width - side))
            y = int(min(abs(rng.normal(0, 0.35)), 0.99) * (height - side))
            place = (box + np.array([x, y, x, y], np.float32)).astype(np.float32)
            if all(_clear(place, other) for other in boxes):
                break
        else:
            continue
        under = image[y : y + side, x : x + side]
        layer = relight(moved, settings.light, under.reshape(-1, 3).mean(axis=0), rng)
        image[y : y + side, x : x + side] = backgrounds.over(layer, under)
        boxes.append(place)
        kept.append(number)
    level = str(rng.choice(sensor.LEVELS, p=(0.5, 0.25, 0.25)))
    spoilt = sensor.degrade(image, rng, level)
    return Composed(spoilt, np.array(boxes, np.float32).reshape(-1, 4), tuple(kept))


def _clear(a: FloatArray, b: FloatArray) -> bool:
    return bool(
        a[2] + _APART < b[0] or b[2] + _APART < a[0] or a[3] + _APART < b[1] or b[3] + _APART < a[1]
    )
