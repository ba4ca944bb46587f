# SPDX-License-Identifier: Apache-2.0
"""Synthetic images of craft with captions and boxes, as the competition's are.

In process::

    from turret_ai.learn.images import Settings, generate
    rgb, labels = generate(17, seed=0, split="train", settings=Settings())
    for caption, type_name, colours, box in labels: ...

rgb is (870, 1520, 3) uint8 after noise and JPEG; labels are (caption, type, colours, Box in
pixels, clipped to the frame). The same index, seed, split and settings always give the same image.
`Settings.panorama_reuse` neighbouring indices share a panorama, which is made once and kept for the
next calls: ask for indices in order (each worker a contiguous block), not shuffled.
For validation take `split="val"`, for figures `split="test"`: airframe variants, liveries' seeds,
cloud and ground textures and landscapes of one split never occur in another.

Files: `turret-ai synth images OUT --num-images N --index-offset K --split train`.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import cv2
import numpy as np

from turret_ai.errors import InputError
from turret_ai.learn.composition import compose
from turret_ai.learn.image_types import SPLIT_NUMBER, Composition, Label, Settings
from turret_ai.learn.visible import erase, visible_share
from turret_ai.see.boxes import HIT_IOU
from turret_ai.simulate import sensor
from turret_ai.types import ImageArray

__all__ = ["Encoded", "Label", "Settings", "encode", "generate"]

_MASK_COVER = 0.3
"""Least cover of a pixel of the mask: wings and blades are, the blur of a rotor is not."""


def generate(
    index: int, seed: int = 0, split: str = "train", settings: Settings | None = None
) -> tuple[ImageArray, list[Label]]:
    """One image and its labels; see the module's text.

    Raises:
        InputError: unknown split, or a folder of backgrounds without images.
    """
    made = encode(index, seed, split, settings)
    decoded = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8), made.labels


class Encoded(NamedTuple):
    """A synthetic image as it is kept in files.

    jpeg: the bytes of the file. mask: (H, W) uint8, n where the n-th label's craft is, counted
    from 1, and 0 elsewhere.
    """

    jpeg: bytes
    labels: list[Label]
    mask: ImageArray


def encode(
    index: int, seed: int = 0, split: str = "train", settings: Settings | None = None
) -> Encoded:
    """As `generate`, but the image as the bytes of a JPEG file, and with a mask of the craft."""
    settings = settings or Settings()
    if split not in SPLIT_NUMBER:
        raise InputError(f"unknown split {split!r}: known are {', '.join(SPLIT_NUMBER)}")
    rng = np.random.default_rng((seed, SPLIT_NUMBER[split], index))
    scene = compose(index, seed, split, settings, rng)
    level = str(rng.choice(sensor.LEVELS, p=np.array(settings.levels) / sum(settings.levels)))
    _drop_unseen(scene, copy.deepcopy(rng), level)
    image = sensor.degrade(scene.image, rng, level)
    quality = [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg_quality(rng, level)]
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    if not ok:
        raise InputError(f"image {index} could not be encoded as JPEG")
    return Encoded(data.tobytes(), scene.labels, _mask(scene))


def _mask(scene: Composition) -> ImageArray:
    """Which craft each pixel shows; what is in front of a craft is no part of it."""
    mask = np.zeros(scene.image.shape[:2], np.uint8)
    for number, drawn in enumerate(scene.drawn, 1):
        height, width = drawn.cover.shape
        part = mask[drawn.y : drawn.y + height, drawn.x : drawn.x + width]
        part[drawn.cover > _MASK_COVER] = number
    mask[(scene.image == scene.bare).all(axis=2)] = 0
    return mask


def _drop_unseen(scene: Composition, rng: np.random.Generator, level: str) -> None:
    """Take the craft out that the sensor hides, and their labels: those of which so little is left
    to be seen that the box round it would not count as right.

    rng: in the state in which `sensor.degrade` will get it.
    """
    seed = int(rng.integers(1 << 31))
    again = copy.deepcopy(rng)
    seen = sensor.expose(scene.image, rng, level)
    empty = sensor.expose(scene.bare, again, level)
    noisy = sensor.add_noise(empty, again, level, seed)
    hidden = []
    for label, drawn in zip(scene.labels, scene.drawn, strict=True):
        hidden.append(visible_share(seen, empty, noisy, drawn, label[3]) <= HIT_IOU)
    kept = [d for d, out in zip(scene.drawn, hidden, strict=True) if not out]
    for drawn, out in zip(scene.drawn, hidden, strict=True):
        if out:
            erase(scene.image, scene.bare, drawn, kept)
    scene.labels = [one for one, out in zip(scene.labels, hidden, strict=True) if not out]
    scene.drawn = kept
