# SPDX-License-Identifier: Apache-2.0
"""One small file with all that a matcher is trained on: crops of both splits, and backgrounds.

For machines that get little to carry. Colours are coded as WebP, each crop in its own quality-bound
picture, after they were spread beyond the craft's outline, so that no block of the coder holds a
hard edge; where the craft is, as one bit a pixel. Outlines are made soft again when they are read.
"""

from __future__ import annotations

import json
import lzma
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.learn.vision import crop_bank
from turret_ai.learn.vision.crop_bank import Crop, Origin
from turret_ai.see import images
from turret_ai.see.images import swap_channels
from turret_ai.types import FloatArray, ImageArray

QUALITIES = (95, 92, 88, 84, 80, 75, 70, 60, 50, 40, 30)
"""Of the WebP coder, best first."""
SIDE = 192
"""Of a background, pixels."""
_SAMPLE = 400
_ROOM = 0.97
"""Share of the size that estimates may fill."""
_SOLID = 128
_EDGE = 0.5
"""Deviation of the blur that makes outlines soft again, pixels."""
_MAGIC = "turret_ai crops 1"
_BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Piece:
    """A crop as it is coded: straight colours (h, w, 3), solid (h, w) bool or None for pictures
    with their surroundings; where its corner was in the square of `side`; the rest as of `Crop`."""

    colours: ImageArray
    solid: NDArray[np.bool_] | None
    left: int
    top: int
    side: int
    box: FloatArray
    caption: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Packed:
    """What a file holds."""

    crops: tuple[Crop, ...]
    backgrounds: tuple[ImageArray, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of it. loss_db: peak signal to noise of the craft's colours (a sample)."""

    crops: int
    backgrounds: int
    quality: int
    size: int
    loss_db: float


def piece(crop: Crop, longest: float) -> Piece:
    """A crop cut to what is to be seen of it, reduced so that its box is no longer than `longest`
    pixels.

    Raises:
        InputError: nothing is to be seen of it.
    """
    pixels, box = crop.pixels, crop.box
    shrink = longest / max(float(max(box[2] - box[0], box[3] - box[1])), 1.0)
    if shrink < 1:
        side = max(8, round(pixels.shape[0] * shrink))
        box = box * np.float32(side / pixels.shape[0])
        small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(small, np.uint8)
    side = pixels.shape[0]
    if pixels.shape[2] == 3:
        return Piece(pixels, None, 0, 0, side, box, crop.caption, crop.origin)
    solid = pixels[..., 3] >= _SOLID
    found = crop_bank.extent(solid)
    if found is None:
        raise InputError("a crop without a solid pixel")
    left, top, right, bottom = (int(v) for v in found)
    part = np.s_[top:bottom, left:right]
    colours = _spread(pixels[part], solid[part])
    return Piece(colours, solid[part], left, top, side, box, crop.caption, crop.origin)


def _spread(layer: ImageArray, solid: NDArray[np.bool_]) -> ImageArray:
    """Straight colours of a premultiplied layer, continued smoothly where it isn't solid."""
    cover = layer[..., 3:].astype(np.float32)
    known = solid.astype(np.float32)
    straight = layer[..., :3] * (255 / np.maximum(cover, 1)) * known[..., None]
    out, open_ = straight.copy(), ~solid
    for sigma in (1, 2, 4, 8, 16, 32):
        weight = cv2.GaussianBlur(known, (0, 0), sigma)
        here = open_ & (weight > 0.02)
        blurred = cv2.GaussianBlur(straight, (0, 0), sigma)
        out[here] = blurred[here] / weight[here][:, None]
        open_ &= ~here
    return np.asarray(np.clip(out + 0.5, 0, 255), np.uint8)


def write(
    out: Path,
    pieces: Sequence[Piece],
    backgrounds: Sequence[ImageArray],
    megabytes: float,
    say: Callable[[str], None] = lambda _: None,
) -> Written:
    """Write a file of at most so many megabytes (2^20 bytes), in the best quality that fits.

    Raises:
        InputError: no crop, too little room even for the poorest quality, or it can't be written.
    """
    if not pieces:
        raise InputError("no crops to pack")
    room = int(megabytes * 2**20)
    grounds = [_sized(b) for b in backgrounds]
    masks = _masks(pieces)
    about = lzma.compress(
        json.dumps({"captions": [p.caption for p in pieces],
                    "origins": [asdict(p.origin) for p in pieces]}).encode()
    )  # fmt: skip
    places = np.array([(p.left, p.top, *p.colours.shape[1::-1], p.side) for p in pieces], np.int16)
    boxes = np.stack([p.box for p in pieces]).astype(np.float32)
    fixed = len(masks) + len(about) + places.nbytes + boxes.nbytes + 8 * len(pieces) + 4096
    for quality in QUALITIES:
        crops = _estimate([p.colours for p in pieces], quality)
        if fixed + (crops + _estimate(grounds, quality)) / _ROOM > room:
            continue
        coded = [_webp(p.colours, quality) for p in pieces]
        ground = [_webp(g, quality) for g in grounds]
        content = {
            "magic": np.array(_MAGIC),
            "solid": np.array([p.solid is not None for p in pieces]),
            "places": places,
            "boxes": boxes,
            "colours": np.frombuffer(b"".join(coded), np.uint8),
            "ends": np.cumsum([len(c) for c in coded], dtype=np.int64),
            "masks": np.frombuffer(masks, np.uint8),
            "about": np.frombuffer(about, np.uint8),
            "backgrounds": np.frombuffer(b"".join(ground), np.uint8),
            "background_ends": np.cumsum([len(c) for c in ground], dtype=np.int64),
        }
        crop_bank.write(out, np.savez, **content)
        size = out.stat().st_size
        if size <= room:
            loss = _loss(pieces, coded)
            return Written(len(pieces), len(grounds), quality, size, loss)
        say(f"quality {quality} gives {size / 2**20:.1f} MB: too much")
    out.unlink(missing_ok=True)
    raise InputError(
        f"{len(pieces)} crops and {len(grounds)} backgrounds don't fit into {megabytes:g} MB: "
        f"take fewer"
    )


def _sized(ground: ImageArray) -> ImageArray:
    """A background whose shorter side is at most SIDE."""
    share = SIDE / min(ground.shape[:2])
    if share >= 1:
        return ground
    size = (round(ground.shape[1] * share), round(ground.shape[0] * share))
    return np.asarray(cv2.resize(ground, size, interpolation=cv2.INTER_AREA), np.uint8)


def _webp(rgb: ImageArray, quality: int) -> bytes:
    options = [cv2.IMWRITE_WEBP_QUALITY, quality]
    done, coded = cv2.imencode(".webp", swap_channels(rgb), options)
    if not done:
        raise InputError("OpenCV can't write WebP here")
    return bytes(coded.tobytes())


def _estimate(pictures: Sequence[ImageArray], quality: int) -> float:
    """Bytes of all pictures, by those of some."""
    some = pictures[:: max(1, len(pictures) // _SAMPLE)]
    return sum(len(_webp(p, quality)) for p in some) * len(pictures) / max(1, len(some))


def _masks(pieces: Sequence[Piece]) -> bytes:
    """Where the craft are: one bit a pixel, rows padded to the widest, so that equal columns lie
    under one another, all in one stream."""
    masks = [p.solid for p in pieces if p.solid is not None]
    widest = max((m.shape[1] for m in masks), default=0)
    padded = [np.pad(m, ((0, 0), (0, widest - m.shape[1]))) for m in masks]
    bits = [np.packbits(m, axis=1).tobytes() for m in padded]
    return lzma.compress(b"".join(bits), preset=9)


def _loss(pieces: Sequence[Piece], coded: Sequence[bytes]) -> float:
    """PSNR of the solid pixels, dB, of a sample."""
    squares = []
    for k in range(0, len(pieces), max(1, len(pieces) // _SAMPLE)):
        solid = pieces[k].solid
        error = images.decode(coded[k]).astype(np.float32) - pieces[k].colours
        squares.append(np.square(error if solid is None else error[solid]).mean())
    return float(10 * np.log10(255**2 / max(1e-9, float(np.mean(squares)))))


@lru_cache(maxsize=1)
def read(path: Path) -> Packed:
    """Everything in a file of `write`. Layers come as squares no larger than they must be. The last
    one is kept in memory.

    Raises:
        InputError: it can't be read, or is none.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if "magic" not in file or str(file["magic"]) != _MAGIC:
                raise ValueError("no pack of crops")
            content = {name: file[name] for name in file.files}
        about = json.loads(lzma.decompress(content["about"].tobytes()))
        masks = _unpacked(content)
        coded = _parts(content["colours"], content["ends"])
        rows = zip(
            coded, masks, content["places"].tolist(), content["boxes"],
            about["captions"], about["origins"], strict=True,
        )  # fmt: skip
        crops = tuple(
            _crop(images.decode(data), mask, place, box, caption, Origin(**origin))
            for data, mask, place, box, caption, origin in rows
        )
        parts = _parts(content["backgrounds"], content["background_ends"])
        return Packed(crops, tuple(images.decode(data) for data in parts))
    except _BROKEN as error:
        raise InputError(f"{path} is not a pack of crops: {error}") from error


def _parts(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> Iterator[bytes]:
    start = 0
    for end in ends.tolist():
        yield data[start:end].tobytes()
        start = end


def _unpacked(content: Mapping[str, np.ndarray]) -> Iterator[NDArray[np.bool_] | None]:
    places, layered = content["places"], content["solid"]
    widest = int(places[layered, 2].max(initial=0))
    wide = -(-widest // 8)
    data = np.frombuffer(lzma.decompress(content["masks"].tobytes()), np.uint8).reshape(-1, wide)
    row = 0
    for place, has in zip(places.tolist(), layered.tolist(), strict=True):
        if not has:
            yield None
            continue
        width, height = place[2:4]
        bits = np.unpackbits(data[row : row + height], axis=1)[:, :width]
        row += height
        yield bits.astype(bool)


def _crop(
    colours: ImageArray,
    solid: NDArray[np.bool_] | None,
    place: Sequence[int],
    box: FloatArray,
    caption: str,
    origin: Origin,
) -> Crop:
    if solid is None:
        return Crop(colours, box, caption, None, origin)
    left, top, width, height, _ = place
    side = max(width, height) + 4  # room for a soft outline
    x, y = (side - width) // 2, (side - height) // 2
    cover = np.zeros((side, side), np.float32)
    cover[y : y + height, x : x + width] = solid
    cover = cv2.GaussianBlur(cover, (0, 0), _EDGE)
    beyond = (y, side - height - y, x, side - width - x)
    spread = cv2.copyMakeBorder(colours, *beyond, cv2.BORDER_REPLICATE)
    layer = np.dstack([spread * cover[..., None], cover * 255])
    moved = box + np.array([x - left, y - top] * 2, np.float32)
    return Crop(np.asarray(layer + 0.5, np.uint8), moved, caption, None, origin)


def chosen(
    folders: Sequence[Path], most: int, held: int, negatives: int, longest: float, seed: int
) -> tuple[list[Piece], list[str]]:
    """Crops of the shards of folders, so many of training, of validation and without craft (of
    both): the same number of each type and source, as far as there are enough.

    Returns:
        the pieces, and what was left out.

    Raises:
        InputError: no shards, or one can't be read.
    """
    rng = np.random.default_rng([seed, 41])
    groups: dict[tuple[str, str], dict[tuple[str, str], list[Piece]]] = {}
    problems: set[str] = set()
    splits = ("train", "val")
    shards = [(p, s) for f in folders for s in splits for p in crop_bank.shards(f, s)]
    if not shards:
        raise InputError(
            f"no shards *_train_*.npz or *_val_*.npz in {', '.join(map(str, folders))}"
        )
    for path, split in shards:
        for crop in crop_bank.load(path):
            try:
                found = piece(crop, longest)
            except InputError as error:
                problems.add(f"{path.name}: {error}")
                continue
            found = replace(found, origin=replace(found.origin, split=split))
            kind = "craft" if found.origin.type_name or found.caption else "empty"
            group = groups.setdefault((kind, split), {})
            name = (found.origin.type_name or found.caption, found.origin.source)
            group.setdefault(name if kind == "craft" else ("", ""), []).append(found)
    wanted = {("craft", "train"): most, ("craft", "val"): held, ("empty", "train"): negatives,
              ("empty", "val"): negatives // 8}  # fmt: skip
    kept: list[Piece] = []
    for key, group in groups.items():
        sizes = _levelled([len(g) for g in group.values()], wanted[key])
        for pieces, count in zip(group.values(), sizes, strict=True):
            kept += [pieces[int(i)] for i in sorted(rng.permutation(len(pieces))[:count])]
    return kept, sorted(problems)


def _levelled(sizes: Sequence[int], total: int) -> list[int]:
    """At most so many of groups of those sizes: large ones are cut to one level."""
    if sum(sizes) <= total:
        return list(sizes)
    low, high = 0, max(sizes)
    while high - low > 1:
        level = (low + high) // 2
        low, high = (level, high) if sum(min(s, level) for s in sizes) <= total else (low, level)
    return [min(s, low) for s in sizes]
