# SPDX-License-Identifier: Apache-2.0
"""What `staging.stage` does to one crop, for batches on a graphics card.

All crops and backgrounds lie in its memory; a batch is drawn, lit, laid on backgrounds, spoilt and
cut out there, from the same settings as one by one on the CPU.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.relight import Relight
from turret_ai.learn.vision.spoiling import Draw, bilinear, filtered, gaussian, spoil
from turret_ai.learn.vision.staging import ROOM, SOLID, Staging
from turret_ai.see.cropping import CropShape
from turret_ai.types import ImageArray

NOTHING = -1
"""The number that stands for a part of a background instead of a crop."""
_CANVASES = (0, 64, 96, 128, math.inf)
"""Pictures whose sides lie between two of these are made together, in squares of the largest."""
_FINE = 0.6
"""Scale below which several samples are averaged, as in `staging.move` and `cropping`."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Pictures of any sizes in one array. pixels: (all, c) uint8; start, height, width: (n,)."""

    pixels: Tensor
    start: Tensor
    height: Tensor
    width: Tensor

    @classmethod
    def of(cls, pictures: Sequence[ImageArray], device: torch.device) -> Stock:
        """On a device; all with as many channels."""
        flat = np.concatenate([p.reshape(-1, p.shape[2]) for p in pictures])
        sizes = torch.tensor([p.shape[:2] for p in pictures], dtype=torch.int64)
        counts = sizes.prod(1)
        return cls(
            torch.from_numpy(flat).to(device),
            (counts.cumsum(0) - counts).to(device),
            sizes[:, 0].to(device),
            sizes[:, 1].to(device),
        )

    def sample(self, which: Tensor, column: Tensor, row: Tensor, bounded: Tensor) -> Tensor:
        """Bilinear, (b, c, h, w) in 0..255, at places (b, h, w) in pixels.

        bounded: (b,) bool; beyond these pictures is nothing, beyond others their mirror image.
        """
        height, width = (s[which][:, None, None] for s in (self.height, self.width))
        start = self.start[which][:, None, None]
        left, top = column.floor(), row.floor()
        found = torch.zeros((*column.shape, self.pixels.shape[1]), device=column.device)
        for dx in (0, 1):
            for dy in (0, 1):
                weight = 1 - (column - left - dx).abs()
                weight = weight * (1 - (row - top - dy).abs())
                x, y = left.long() + dx, top.long() + dy
                inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
                weight = torch.where(inside | ~bounded[:, None, None], weight, 0)
                x, y = x % (2 * width), y % (2 * height)
                x, y = torch.minimum(x, 2 * width - 1 - x), torch.minimum(y, 2 * height - 1 - y)
                found += self.pixels[start + y * width + x] * weight[..., None]
        return found.permute(0, 3, 1, 2)


@dataclass(frozen=True, slots=True)
class Moved:
    """Crops at their size in pictures. layers: (b, 4, S, S) premultiplied, 0..255; side: (b,)
    pixels of each picture; boxes: (b, 4) corners of the craft."""

    layers: Tensor
    side: Tensor
    boxes: Tensor


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Crops to stage together, (b,) each: see `DeviceStaging._sizes`."""

    number: Tensor
    empty: Tensor
    size: Tensor
    factor: Tensor
    side: Tensor


class DeviceStaging:
    """Stages batches of crops by their numbers."""

    def __init__(
        self,
        crops: Sequence[Crop],
        grounds: Sequence[ImageArray],
        settings: Staging,
        shape: CropShape,
        size: int,
        device: torch.device,
    ) -> None:
        """size: of the network's input, pixels."""
        self.settings, self.shape, self.size = settings, shape, size
        self.crops = Stock.of([_rgba(c) for c in crops], device)
        self.grounds = Stock.of(grounds, device)
        self.boxes = torch.from_numpy(np.stack([c.box for c in crops])).float().to(device)
        depth = [c.pixels.shape[2] for c in crops]
        self.layered = torch.tensor([d == 4 for d in depth], device=device)
        self.shown = torch.tensor([bool(c.origin.type_name or c.caption) for c in crops]).to(device)

    def __call__(self, numbers: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A batch.

        Args:
            numbers: (b,) of crops, or NOTHING.

        Returns:
            pictures (b, 3, size, size) in 0..1 and covers (b, size / 4, size / 4) in 0..1, -1 where
            nobody knows.
        """
        draw = Draw(generator)
        empty = numbers == NOTHING
        number = numbers.clamp(min=0)
        size, factor, side = self._sizes(number, empty, draw)
        n, device = len(numbers), number.device
        seen = torch.empty(n, 3, self.size, self.size, device=device)
        cover = torch.empty(n, self.size // 4, self.size // 4, device=device)
        for low, high in itertools.pairwise(_CANVASES):
            here = ((side > low) & (side <= high)).nonzero()[:, 0]
            if len(here):
                drawn = _Drawn(number[here], empty[here], size[here], factor[here], side[here])
                seen[here], cover[here] = self._staged(drawn, draw)
        return seen, cover

    def _staged(self, drawn: _Drawn, draw: Draw) -> tuple[Tensor, Tensor]:
        """Pictures and covers of crops of about a size."""
        number, empty = drawn.number, drawn.empty
        layered = self.layered[number] & ~empty
        moved = self._move(drawn, draw)
        ground = self._parts(moved.side, moved.layers.shape[-1], draw)
        layer = self._lit(moved.layers, ground, moved.side, layered, draw)
        clear = torch.where(empty[:, None, None, None], 255.0, 255 - layer[:, 3:])
        whole = layer[:, :3] * ~empty[:, None, None, None] + ground * clear / 255
        picture = torch.where((layered | empty)[:, None, None, None], whole, moved.layers[:, :3])
        picture = (picture + 0.5).floor().clamp(0, 255)
        picture = spoil(picture, moved.side, self.settings.noise, draw)
        box, frame = self._kept(moved, ~empty, layered, draw)
        box = self._displaced(box, draw)
        seen, cover = self._cut(picture, moved.layers[:, 3:], box, frame)
        known = layered | empty | ~self.shown[number]
        cover = torch.where(layered[:, None, None], cover, 0.0)
        return seen, torch.where(known[:, None, None], cover, -1.0)

    def _sizes(self, number: Tensor, empty: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """Of each crop, (b,): its craft's longer side, its magnification, its picture's side."""
        scale, box = self.settings.scale, self.boxes[number]
        longer = (box[:, 2:] - box[:, :2]).max(1).values.clamp(min=1)
        size = (math.log(scale.median) + scale.spread * draw.normal(len(number))).exp()
        size = size.clamp(scale.smallest, scale.largest)
        factor = torch.where(empty, 1.0, (size / longer).clamp(max=scale.enlarge))
        side = torch.where(empty, size, longer * factor).mul(ROOM).round().clamp(min=12)
        return size, factor, side

    def _move(self, drawn: _Drawn, draw: Draw) -> Moved:
        """As `staging.move`; a part of a background gets a box as `staging.nothing` draws it."""
        number, empty, size, factor, side = (
            drawn.number, drawn.empty, drawn.size, drawn.factor, drawn.side
        )  # fmt: skip
        moves, n, box = self.settings.moves, len(number), self.boxes[number]
        dives = draw.chance(n, moves.steep)
        most = torch.where(dives, moves.steepest, moves.rotation)
        angle = torch.deg2rad(draw.even(n, -1, 1) * most)
        stretch = (draw.normal(n) * moves.stretch / 2).exp()
        mirror = 1 - 2 * draw.chance(n, moves.flip).float()
        cosine, sine = angle.cos(), angle.sin()
        turn = torch.stack([cosine, -sine, sine, cosine], 1).reshape(n, 2, 2)
        shape = torch.stack([mirror * stretch, 1 / stretch], 1)
        linear = turn * shape[:, None, :] * factor[:, None, None]
        centre = (box[:, :2] + box[:, 2:]) / 2
        shift = side[:, None] / 2 - (linear @ centre[..., None])[..., 0]
        canvas = int(side.max())
        layers = torch.zeros(n, 4, canvas, canvas, device=box.device)
        for fine in (True, False):
            here = ((factor >= _FINE) == fine).nonzero()[:, 0]
            if len(here):
                layers[here] = self._warped(number[here], linear[here], shift[here], canvas, fine)
        place = torch.arange(canvas, device=box.device)
        inside = place < side[:, None]
        layers = layers * (inside[:, None, :] & inside[:, :, None])[:, None]
        found = self._boxes(layers[:, 3], box, linear, shift, self.layered[number])
        wide, tall = size, size * draw.even(n, 0.3, 1)
        upright = draw.chance(n, 0.15)
        wide, tall = torch.where(upright, tall, wide), torch.where(upright, wide, tall)
        half = torch.stack([-wide, -tall, wide, tall], 1) / 2
        found = torch.where(empty[:, None], side[:, None] / 2 + half, found)
        return Moved(layers, side, found)

    def _warped(
        self, number: Tensor, linear: Tensor, shift: Tensor, canvas: int, fine: bool
    ) -> Tensor:
        back = torch.linalg.inv(linear)
        offsets = (0.0,) if fine else (-1 / 3, 0.0, 1 / 3)
        place = torch.arange(canvas, device=linear.device) + 0.5
        out: Tensor | None = None
        for dx in offsets:
            for dy in offsets:
                x = place[None, None, :] + dx - shift[:, 0, None, None]
                y = place[None, :, None] + dy - shift[:, 1, None, None]
                column = back[:, 0, 0, None, None] * x + back[:, 0, 1, None, None] * y - 0.5
                row = back[:, 1, 0, None, None] * x + back[:, 1, 1, None, None] * y - 0.5
                part = self.crops.sample(number, column, row, self.layered[number])
                out = part if out is None else out + part
        assert out is not None
        return out / len(offsets) ** 2

    @staticmethod
    def _boxes(
        cover: Tensor, box: Tensor, linear: Tensor, shift: Tensor, layered: Tensor
    ) -> Tensor:
        """Round what is solid; of pictures, and where nothing is, the moved box's own."""
        x, y = box[:, [0, 0, 2, 2]], box[:, [1, 3, 1, 3]]
        corners = torch.stack([x, y], -1) @ linear.transpose(1, 2) + shift[:, None]
        moved = torch.cat([corners.amin(1), corners.amax(1)], 1)
        return _tight(cover, moved, layered)

    def _parts(self, side: Tensor, canvas: int, draw: Draw) -> Tensor:
        """As `staging.part_of`, (b, 3, S, S); what lies beyond one is its mirror image."""
        n = len(side)
        many = torch.full((n,), float(len(self.grounds.start)), device=side.device)
        which = draw.whole(torch.zeros_like(many), many)
        height, width = self.grounds.height[which], self.grounds.width[which]
        least = torch.minimum(height, width).float()
        other = (side * draw.even(n, 0.7, 2.0)).round()
        taken = torch.where(draw.chance(n, 0.6), side, other)
        taken = torch.minimum(taken.clamp(min=8), least)
        zero = torch.zeros_like(taken)
        top, left = draw.whole(zero, height - taken + 1), draw.whole(zero, width - taken + 1)
        step = taken / side
        flipped = draw.chance(n, 0.5)[:, None]
        wide = (step.clamp(min=1) - 1).clamp(max=1)[:, None] / 4  # samples to average over
        place = torch.arange(canvas, device=side.device) + 0.5
        along = place * step[:, None]
        across = torch.where(flipped, taken[:, None] - along, along)
        free = torch.zeros_like(flipped[:, 0])
        out = torch.zeros(n, 3, canvas, canvas, device=side.device)
        for dx in (-1, 1):
            for dy in (-1, 1):
                column = left[:, None] + across - 0.5 + dx * wide
                row = top[:, None] + along - 0.5 + dy * wide
                columns = column[:, None, :].expand(-1, canvas, -1)
                rows = row[:, :, None].expand(-1, -1, canvas)
                out += self.grounds.sample(which, columns, rows, free) / 4
        return out

    def _lit(
        self, layers: Tensor, ground: Tensor, side: Tensor, layered: Tensor, draw: Draw
    ) -> Tensor:
        """As `relight.relight`; pictures stay as they are."""
        light: Relight = self.settings.light
        n, size = len(layers), layers.shape[-1]
        colour, cover = layers[:, :3], layers[:, 3:]
        gain = (draw.normal(n) * light.exposure).exp()
        gain = torch.where(draw.chance(n, light.overexposed), draw.even(n, 1.3, 2.0), gain)
        colour = colour * (gain[:, None] * (1 + light.tint * draw.normal(n, 3)))[..., None, None]
        contrast = (draw.normal(n) * light.contrast).exp()[:, None, None, None]
        middle = colour.sum((2, 3)) / (cover.sum((2, 3)) / 255).clamp(min=1)
        colour = contrast * colour + (1 - contrast) * middle[..., None, None] * cover / 255
        shaded = draw.chance(n, light.shade)
        slope = self._slope(side, size, light.shade_depth, draw)
        colour = torch.where(shaded[:, None, None, None], colour * slope, colour)
        place = torch.arange(size, device=side.device)
        inside = place < side[:, None]
        inside = (inside[:, None, :] & inside[:, :, None])[:, None]
        air = (ground * inside).sum((2, 3)) / inside.sum((2, 3))
        depth = draw.even(n, *light.haze_depth) * draw.chance(n, light.haze)
        depth = depth[:, None, None, None]
        colour = (1 - depth) * colour + depth * air[..., None, None] * cover / 255
        out = torch.cat([torch.minimum(colour.clamp(min=0), cover), cover], 1)
        soft = draw.chance(n, light.soften) & layered
        sigma = draw.even(n, 0.3, 0.8)
        if here := soft.nonzero()[:, 0].tolist():
            out[here] = filtered(out[here], gaussian(sigma[here], 7))
        return torch.where(layered[:, None, None, None], out, layers)

    @staticmethod
    def _slope(side: Tensor, size: int, depth: tuple[float, float], draw: Draw) -> Tensor:
        n = len(side)
        angle = (math.pi / 2 + 0.6 * draw.normal(n))[:, None, None]
        place = torch.arange(size, device=side.device) / side[:, None] - 0.5
        along = place[:, None, :] * angle.cos() + place[:, :, None] * angle.sin()
        ramp = (0.5 + along / draw.even(n, 0.2, 1.0)[:, None, None]).clamp(0, 1)
        return (1 - draw.even(n, *depth)[:, None, None] * ramp)[:, None]

    def _kept(
        self, moved: Moved, craft: Tensor, layered: Tensor, draw: Draw
    ) -> tuple[Tensor, Tensor]:
        """As `staging.kept`, but after the spoiling: boxes, and corners (b, 4) of what is left of
        the pictures."""
        moves, n = self.settings.moves, len(moved.side)
        side, box, nought = moved.side, moved.boxes, torch.zeros_like(moved.side)
        frame = torch.stack([nought, nought, side, side], 1)
        cut = draw.chance(n, moves.cut) & craft
        axis = draw.chance(n, 0.5).long()
        rows = torch.arange(n, device=box.device)
        low, high = box[rows, axis], box[rows, axis + 2]
        lost = (high - low) * draw.even(n, *moves.cut_depth)
        first = torch.minimum((low + lost).round().clamp(min=0), side - 2)
        last = torch.minimum((high - lost).round().clamp(min=2), side)
        before = draw.chance(n, 0.5)
        ends = frame.clone()
        ends[rows, axis] = torch.where(before, first, nought)
        ends[rows, axis + 2] = torch.where(before, side, last)
        frame = torch.where(cut[:, None], ends, frame)
        inside = box.clamp(min=frame[:, [0, 1, 0, 1]], max=frame[:, [2, 3, 2, 3]])
        place = torch.arange(moved.layers.shape[-1], device=box.device)
        across = (place >= frame[:, :1]) & (place < frame[:, 2:3])
        down = (place >= frame[:, 1:2]) & (place < frame[:, 3:])
        left = moved.layers[:, 3] * (down[:, :, None] & across[:, None, :])
        inside = _tight(left, inside, layered)
        return torch.where(cut[:, None], inside, box), frame

    def _displaced(self, box: Tensor, draw: Draw) -> Tensor:
        """As `staging.displaced`."""
        moves, n = self.settings.moves, len(box)
        side = box[:, 2:] - box[:, :2]
        centre = (box[:, :2] + box[:, 2:]) / 2 + draw.normal(n, 2) * moves.box_shift * side
        side = side * (draw.normal(n, 2) * moves.box_stretch).exp()
        return torch.cat([centre - side / 2, centre + side / 2], 1)

    def _cut(
        self, picture: Tensor, cover: Tensor, box: Tensor, frame: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As `cropping.crop_boxes` of the pictures within frames (b, 4): pictures and covers in
        0..1."""
        wide, tall = (box[:, 2:] - box[:, :2]).unbind(1)
        longer = torch.maximum(wide, tall)
        extra = 2 * (self.shape.context * longer + self.shape.margin)
        if self.shape.fit == "square":
            wide = tall = longer + extra
        else:
            wide, tall = wide + extra, tall + extra
        x, y = ((box[:, :2] + box[:, 2:]) / 2).unbind(1)

        def places(centre: Tensor, length: Tensor, axis: int, offset: float) -> Tensor:
            length = length.clamp(min=1)[:, None]
            rough = (self.size / length < _FINE).float()
            along = (torch.arange(self.size, device=box.device) + 0.5 + offset * rough) / self.size
            place = centre[:, None] - length / 2 + along * length - 0.5
            return place.clamp(min=frame[:, axis, None], max=frame[:, axis + 2, None] - 1)

        both = torch.cat([picture, cover], 1)
        out = torch.zeros(len(both), 4, self.size, self.size, device=box.device)
        for dx in (-0.25, 0.25):
            column = places(x, wide, 0, dx)[:, None, :].expand(-1, self.size, -1)
            for dy in (-0.25, 0.25):
                row = places(y, tall, 1, dy)[:, :, None].expand(-1, -1, self.size)
                out += bilinear(both, column, row) / 4
        seen = (out[:, :3] + 0.5).floor().clamp(0, 255) / 255
        return seen, F.avg_pool2d(out[:, 3:], 4)[:, 0] / 255


def _tight(cover: Tensor, otherwise: Tensor, layered: Tensor) -> Tensor:
    """Boxes (b, 4) round what is solid of covers (b, S, S) that are layered."""
    solid = cover >= SOLID
    size = cover.shape[-1]
    ends = []
    for axis in (1, 2):
        line = solid.any(axis).float()
        first, last = line.argmax(1), size - line.flip(1).argmax(1)
        ends.append((first, last))
    tight = torch.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], 1).float()
    use = layered & solid.flatten(1).any(1)
    return torch.where(use[:, None], tight, otherwise)


def _rgba(crop: Crop) -> ImageArray:
    if crop.pixels.shape[2] == 4:
        return crop.pixels
    solid = np.full((*crop.pixels.shape[:2], 1), 255, np.uint8)
    return np.concatenate([crop.pixels, solid], axis=2)
