# SPDX-License-Identifier: Apache-2.0
"""Crops of craft cut from photographs that lie in folders by airframe."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from turret_ai.errors import InputError
from turret_ai.learn import colour_words
from turret_ai.learn.vision import layers, photo_cutouts, photo_segments
from turret_ai.learn.vision.captions import compose
from turret_ai.learn.vision.crop_bank import AROUND, Crop, Origin
from turret_ai.simulate.models import catalogue
from turret_ai.types import FloatArray

SIZES = (100.0, 66.0, 44.0)
"""Pixels of the longer side at most, of the crops from one photograph."""
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


@lru_cache(maxsize=4)
def files(folder: Path, split: str) -> tuple[Path, ...]:
    """The photographs of a split, in an order that mixes the airframes.

    Raises:
        InputError: there are none.
    """
    known = catalogue.photographs()
    found = sorted(
        p
        for p in folder.rglob("*")
        if p.suffix.lower() in _ENDINGS and known.get(p.parent.name, ("", ""))[1] == split
    )
    if not found:
        raise InputError(f"{folder} has no folders of photographs that the table knows")
    order = np.random.default_rng(len(found)).permutation(len(found))
    return tuple(found[i] for i in order)


def photo_row(
    number: int, seed: int, split: str, folder: Path, guides: tuple[str, str] | None = None
) -> list[Crop]:
    """Crops of several sizes of photograph `number`; none where it can't be cut well, or where
    there are fewer.

    Args:
        guides: a detector and a matcher (exported ones) that help where no plain sky is behind it;
            None: those are left out.

    Raises:
        InputError: it can't be read.
        ModelError: no such models.
    """
    paths = files(folder, split)
    if number >= len(paths):
        return []
    path = paths[number]
    data = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if data is None:
        raise InputError(f"{path} can't be read as a picture")
    rgb = np.asarray(cv2.cvtColor(data, cv2.COLOR_BGR2RGB), np.uint8)
    cutout = photo_cutouts.cut(rgb)
    if isinstance(cutout, str) and guides is not None:
        cutout = photo_segments.segmenter(*guides).cut(rgb)
    if isinstance(cutout, str):
        return []
    rng = np.random.default_rng([seed, number, 13])
    type_name = catalogue.photographs()[path.parent.name][0]
    words = colour_words.name(cutout.colour, cutout.cover > 0.8, type_name=type_name)
    caption = ""
    if cutout.coloured and words.sure:
        caption = compose(words.colours, type_name, words.camouflage)
    origin = Origin(type_name, "photograph", path.parent.name, path.stem, split)
    colour = layers.spread(cutout.colour.astype(np.float32), cutout.cover)
    crops = []
    for size in SIZES:
        crop = _reduced(colour, cutout.cover, size * float(rng.uniform(0.85, 1.0)), rng)
        if crop is not None:
            crops.append(Crop(crop[0], crop[1], caption, None, origin))
    return crops


def _reduced(
    colour: FloatArray, cover: FloatArray, size: float, rng: Generator
) -> tuple[np.ndarray, FloatArray] | None:
    """A layer and its box, at most `size` pixels long, exposed a little otherwise."""
    box = layers.box_of(cover)
    if box is None:
        return None
    longer = float(max(box[2] - box[0], box[3] - box[1]))
    scale = min(1.0, size / longer)
    side = round(longer * scale * AROUND)
    middle = (box[:2] + box[2:]) / 2
    matrix = np.array([[scale, 0, side / 2 - middle[0] * scale],
                       [0, scale, side / 2 - middle[1] * scale]])  # fmt: skip
    if scale < 0.7:
        colour, cover = (cv2.GaussianBlur(p, (0, 0), 0.4 / scale) for p in (colour, cover))
    gain = 2.0 ** rng.normal(0, 0.2, 1) * (1 + rng.normal(0, 0.02, 3))
    colour, cover = (
        cv2.warpAffine(p, matrix, (side, side), flags=cv2.INTER_LINEAR) for p in (colour, cover)
    )
    inside = layers.box_of(cover)
    if inside is None:
        return None
    return layers.rgba(colour * gain.astype(np.float32), cover), inside
