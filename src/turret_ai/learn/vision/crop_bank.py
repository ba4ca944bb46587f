# SPDX-License-Identifier: Apache-2.0
"""Craft with their surroundings, cut from pictures at their own resolution, kept in memory.

Reading crops is a hundred times cheaper than reading pictures, so that a dual encoder sees many.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.see.manifests import Scene
from turret_ai.types import FloatArray, ImageArray

AROUND = 1.7
"""Side of a crop over the longer side of its box: room for jitter and context."""
LARGEST = 176
"""Larger crops are reduced to this side, pixels."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a crop comes from.

    type_name: of the craft, known even where the caption isn't; "" where there is none.
    source: painted, textured, photograph or negative; airframe: what is kept within one split.
    """

    type_name: str = ""
    source: str = ""
    airframe: str = ""
    livery: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Crop:
    """box: (4,) corners in the crop; caption: of the craft; "" if its
    colours aren't known for certain, or it is no craft: `origin` tells.

    pixels: (s, s, 3) RGB, or (s, s, 4) with the cover as alpha and colours premultiplied by it: a
    craft that waits for a background. cover: (s, s) 0..255 where the craft is in RGB pixels, if
    that is known; shards don't keep it.
    """

    pixels: ImageArray
    box: FloatArray
    caption: str
    cover: ImageArray | None = None
    origin: Origin = Origin()


def cut(image: ImageArray, box: FloatArray, caption: str, cover: ImageArray | None = None) -> Crop:
    """A square round a box, edge pixels repeated beyond the picture.

    cover: (H, W) 0..255, where the craft is.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    side = max(x1 - x0, y1 - y0, 12.0) * AROUND
    scale = min(1.0, LARGEST / side)
    size = max(16, round(side * scale))
    scale = size / side
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    matrix[:, 2] += scale / 2 - 0.5
    flags = cv2.INTER_LINEAR

    def taken(picture: ImageArray) -> ImageArray:
        if scale < 0.6:  # linear sampling would skip pixels
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), np.uint8)
        edge = cv2.BORDER_REPLICATE
        warped = cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=edge)
        return np.asarray(warped, np.uint8)

    inside = (np.array([x0, y0, x1, y1]) - [left, top, left, top]) * scale
    part = None if cover is None else taken(cover)
    return Crop(taken(image), inside.astype(np.float32), caption, part)


def extent(solid: NDArray[np.bool_]) -> FloatArray | None:
    """Corners (4,) round the true cells of a mask (h, w); None if it has none."""
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return None
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def from_scenes(scenes: Iterable[Scene]) -> Iterator[Crop]:
    """Every annotated box of the pictures."""
    from turret_ai.learn.image_files import mask_beside  # which pastes crops itself

    for scene in scenes:
        image = scene.load()
        mask = mask_beside(scene.path, *image.shape[:2])
        for number, (box, caption) in enumerate(zip(scene.boxes, scene.captions, strict=True), 1):
            cover = None if mask is None else np.where(mask == number, 255, 0).astype(np.uint8)
            yield cut(image, box, caption, cover)


def save(path: Path, crops: Sequence[Crop]) -> None:
    """Write a shard (.npz).

    Raises:
        InputError: it can't be written.
    """
    sizes = np.array([c.pixels.shape[0::2] for c in crops], np.int32)
    data = np.concatenate([c.pixels.ravel() for c in crops])
    boxes = np.stack([c.box for c in crops])
    captions = json.dumps([c.caption for c in crops])
    origins = json.dumps([asdict(c.origin) for c in crops])
    write(path, np.savez_compressed, data=data, sizes=sizes, boxes=boxes,
          captions=np.array(captions), origins=np.array(origins))  # fmt: skip


def write(path: Path, savez: Callable[..., None], **content: np.ndarray) -> None:
    """Write arrays by one of NumPy's functions; the file is whole or isn't there.

    Raises:
        InputError: it can't be written.
    """
    partial = path.with_suffix(".partial.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        savez(partial, **content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path} can't be written: {error}") from error


def shards(folder: Path, split: str) -> list[Path]:
    """The shards of a split, but for those that are being written right now."""
    found = sorted(folder.glob(f"*_{split}_*.npz"))
    return [path for path in found if ".partial" not in path.name]


def load(path: Path) -> list[Crop]:
    """Read a shard, every shard of a folder, or cut the crops of a manifest's pictures.

    Raises:
        InputError: nothing there, or not a shard.
    """
    if path.is_dir() and (found := sorted(path.glob("*.npz"))):
        return [crop for shard in found for crop in load(shard)]
    if path.suffix != ".npz":
        from turret_ai.see import manifests

        return list(from_scenes(manifests.read(path)))
    try:
        with np.load(path, allow_pickle=False) as file:
            data, sizes, boxes = file["data"], file["sizes"], file["boxes"]
            captions = json.loads(str(file["captions"]))
            none = "[]"  # Older shards don't say where their crops are from.
            origins = json.loads(str(file["origins"]) if "origins" in file else none)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is not a shard of crops: {error}") from error
    origins = origins or [{}] * len(captions)
    lengths = sizes[:, 0].astype(np.int64) ** 2 * sizes[:, 1]
    return [
        Crop(data[end - n : end].reshape(size, size, depth), box, text, None, Origin(**origin))
        for end, n, (size, depth), box, text, origin in zip(
            np.cumsum(lengths), lengths, sizes.tolist(), boxes, captions, origins, strict=True
        )
    ]
