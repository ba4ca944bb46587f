# SPDX-License-Identifier: Apache-2.0
"""Shards of places where a detector sees craft in pictures that hold none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from turret_ai.errors import InputError
from turret_ai.execution import ExecutionSettings
from turret_ai.learn.vision import crop_bank
from turret_ai.learn.vision.crop_bank import Crop, Origin
from turret_ai.see import images
from turret_ai.see.detection import Detection
from turret_ai.see.settings import DetectionSettings
from turret_ai.simulate import sensor
from turret_ai.types import ImageArray

WIDTH, HEIGHT = 1520, 870
"""Of the views, pixels: the competition's."""


def find(
    detector: str,
    pictures: Sequence[Path],
    split: str,
    seed: int,
    views: int = 2,
    confidence: float = 0.1,
    most: int = 40,
    report: Callable[[int, str], None] = lambda _number, _remark: None,
) -> list[Crop]:
    """Cut what a detector finds in pictures without craft, each looked at in some random views.

    Args:
        detector: an exported one, name or folder.
        most: mistakes of one view, the strongest.
        report: called with the number of pictures done, and why one was left out, if it was.

    Raises:
        ModelError: no such detector.
    """
    detect = Detection(
        DetectionSettings(models=[detector], confidence=confidence, flip=False),
        ExecutionSettings(threads=1),
    )
    crops: list[Crop] = []
    for number, path in enumerate(pictures):
        rng = np.random.default_rng([seed, number])
        try:
            picture = images.load(path)
        except InputError as error:
            report(number + 1, str(error))
            continue
        for _ in range(views):
            seen = view(picture, rng)
            level = str(rng.choice(sensor.LEVELS, p=(0.5, 0.3, 0.2)))
            found = detect(sensor.degrade(seen, rng, level))[:most]
            origin = Origin("", "negative", path.stem, "", split)
            # The boxes come from the spoilt picture, the pixels don't: training spoils them anew.
            for box in found.xyxy:
                cut = crop_bank.cut(seen, box, "")
                crops.append(Crop(cut.pixels, cut.box, "", None, origin))
        report(number + 1, "")
    return crops


def view(picture: ImageArray, rng: np.random.Generator) -> ImageArray:
    """A random part of a picture, brought to the size of the competition's."""
    height, width = picture.shape[:2]
    fits = min(width / WIDTH, height / HEIGHT)
    scale = fits * rng.uniform(0.35, 1.0) if fits > 1 else fits
    taken_w, taken_h = min(width, round(WIDTH * scale)), min(height, round(HEIGHT * scale))
    x = int(rng.integers(width - taken_w + 1))
    y = int(rng.integers(height - taken_h + 1))
    part = picture[y : y + taken_h, x : x + taken_w]
    way = cv2.INTER_AREA if taken_w > WIDTH else cv2.INTER_LINEAR
    seen = cv2.resize(part, (WIDTH, HEIGHT), interpolation=way)
    return np.ascontiguousarray(seen[:, ::-1] if rng.random() < 0.5 else seen)
