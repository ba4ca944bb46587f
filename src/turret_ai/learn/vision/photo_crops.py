# SPDX-License-Identifier: Apache-2.0
"""Crops of craft from photographs that lie in folders by airframe or by type."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from turret_ai.errors import InputError
from turret_ai.learn import colour_words
from turret_ai.learn.vision import crop_bank, layers, photo_cutouts, photo_segments
from turret_ai.learn.vision.captions import compose
from turret_ai.learn.vision.crop_bank import AROUND, Crop, Origin
from turret_ai.learn.vision.photo_cutouts import Cutout
from turret_ai.simulate.craft import TYPES
from turret_ai.simulate.models import catalogue
from turret_ai.types import FloatArray, ImageArray

SIZES = (100.0, 66.0, 44.0)
"""Pixels of the longer side at most, of the crops from one photograph."""
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_HELD = 7
"""In folders by type, one group of photographs in so many is for validation."""
_ROOM = 0.15
"""Border round a photograph that craft may fill, of its longer side: its edge repeated."""
_LONGEST = 320
"""Pixels that are enough of a photograph's longer side."""


@lru_cache(maxsize=4)
def files(folder: Path, split: str) -> tuple[Path, ...]:
    """The photographs of a split, in an order that mixes the airframes.

    Raises:
        InputError: there are none.
    """
    found = sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in _ENDINGS and _kind(p)[1] == split
    )
    if not found:
        raise InputError(f"{folder} has no folders of photographs that the table knows")
    order = np.random.default_rng(len(found)).permutation(len(found))
    return tuple(found[i] for i in order)


def _kind(path: Path) -> tuple[str, str]:
    """Type and split of a photograph: by the table, if it knows the folder as an airframe; or the
    folder is named as a type, and what is of one group stays in one split. Else both are ""."""
    known = catalogue.photographs().get(path.parent.name)
    if known is not None:
        return known
    name = path.parent.name.lower().replace("_", " ")
    if name not in TYPES:
        return "", ""
    held = zlib.crc32(_group(path).encode()) % _HELD == 0
    return name, "val" if held else "train"


def _group(path: Path) -> str:
    """The name, less a second number at its end: "film_3_0120" is a frame of "film_3"."""
    return re.sub(r"^(.*\d.*)[-_ ]\d+$", r"\1", path.stem)


def photo_row(
    number: int,
    seed: int,
    split: str,
    folder: Path,
    guides: tuple[str, str] | None = None,
    uncut: bool = False,
) -> list[Crop]:
    """Crops of photograph `number`: several sizes of what is cut from it, else none; none, too,
    where there are fewer.

    Args:
        guides: a detector and a matcher (exported ones) that help where no plain sky is behind it;
            None: those are left out.
        uncut: with guides, a crop of what can't be cut as well, with its own background: it tells
            the type alone.

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
    rgb = _bounded(np.asarray(cv2.cvtColor(data, cv2.COLOR_BGR2RGB), np.uint8))
    type_name, _ = _kind(path)
    by_type = path.parent.name not in catalogue.photographs()
    airframe = _group(path) if by_type else path.parent.name
    origin = Origin(type_name, "photograph", airframe, path.stem, split)
    cutout = photo_cutouts.cut(rgb)
    if isinstance(cutout, str) and guides is not None:
        segmenter, roomy = photo_segments.segmenter(*guides), _framed(rgb)
        cutout = segmenter.cut(rgb)
        if isinstance(cutout, str):
            cutout = segmenter.cut(roomy)
        if isinstance(cutout, str) and uncut:
            box = segmenter.find(roomy, sure=True)
            if box is not None:
                whole = crop_bank.cut(roomy, box, "")
                return [replace(whole, origin=replace(origin, source="uncut"))]
    if isinstance(cutout, str):
        return []
    return _layers(cutout, origin, np.random.default_rng([seed, number, 13]))


def _bounded(rgb: ImageArray) -> ImageArray:
    """Reduced, where it is larger than needed."""
    scale = _LONGEST / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _framed(rgb: ImageArray) -> ImageArray:
    """With a border: models look for craft in pictures, not for such that fill one."""
    room = round(_ROOM * max(rgb.shape[:2]))
    framed = cv2.copyMakeBorder(rgb, room, room, room, room, cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8)


def _layers(cutout: Cutout, origin: Origin, rng: Generator) -> list[Crop]:
    """Several sizes of it, with a caption where its colours are beyond doubt."""
    words = colour_words.name(cutout.colour, cutout.cover > 0.8, type_name=origin.type_name)
    caption = ""
    if cutout.coloured and words.sure:
        caption = compose(words.colours, origin.type_name, words.camouflage)
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
