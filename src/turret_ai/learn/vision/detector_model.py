# SPDX-License-Identifier: Apache-2.0
"""A small anchor-free detector that trains well from nothing, or on an ImageNet backbone.

The heat map of object centres is CenterNet's (Zhou, Wang and Kraehenbuehl, "Objects as Points",
2019); the distances to the four sides at every cell are FCOS's (Tian et al., 2019). One class.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from turret_ai.learn.config import Section
from turret_ai.learn.vision.efficientnet_lite import EfficientNetLite, imagenet_range

STRIDE = 4
"""Pixels of the input for one cell of the output maps."""


class DetectorShape(Section):
    """Channels at strides 2, 4, 8, 16, 32, blocks at each, and channels of the output branch."""

    channels: tuple[int, int, int, int, int] = (16, 32, 64, 96, 128)
    blocks: tuple[int, int, int, int] = (1, 2, 2, 2)
    lite: bool = Field(
        False, description="EfficientNet-Lite0 instead of stem and blocks; channels are then what "
        "its features are narrowed to"
    )  # fmt: skip
    frozen: int = Field(0, ge=0, le=16, description="blocks of EfficientNet-Lite0 that stay")
    head: int = Field(48, ge=8)
    refine: int = Field(1, ge=0, description="residual blocks at strides 16, 8 on the way up")


def conv(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Convolution of 3 by 3, normalisation, rectifier."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


def _narrow(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two convolutions round which the input goes as well (He et al., 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )
        nn.init.zeros_(self.second[1].weight)  # an identity at the start trains sooner

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class Detector(nn.Module):
    """RGB in [0, 1], (B, 3, H, W) with H and W multiples of 32, to maps at stride 4."""

    def __init__(self, shape: DetectorShape | None = None) -> None:
        super().__init__()
        shape = shape or DetectorShape()
        c2, c4, c8, c16, c32 = shape.channels
        self.lite = shape.lite
        if shape.lite:
            self.backbone = EfficientNetLite(shape.frozen, top=False)
            narrowed = zip(self.backbone.channels, (c4, c8, c16, c32), strict=True)
            self.narrow = nn.ModuleList(_narrow(before, after) for before, after in narrowed)
        else:
            self.stem = nn.Sequential(
                nn.Conv2d(3, c2, 6, 2, 2, bias=False), nn.BatchNorm2d(c2), nn.ReLU(inplace=True)
            )
            stages = []
            for before, after, blocks in zip(
                (c2, c4, c8, c16), (c4, c8, c16, c32), shape.blocks, strict=True
            ):
                stages.append(
                    nn.Sequential(conv(before, after, 2), *(Residual(after) for _ in range(blocks)))
                )
            self.stages = nn.ModuleList(stages)
        self.down16 = nn.Conv2d(c32, c16, 1)
        self.mix16 = self._mix(c16, c8, shape.refine)
        self.side8 = nn.Conv2d(c8, c8, 1)
        self.mix8 = self._mix(c8, c4, shape.refine)
        self.side4 = nn.Conv2d(c4, c4, 1)
        self.mix4 = conv(c4, shape.head)
        self.heat = nn.Conv2d(shape.head, 1, 1)
        self.sides = nn.Conv2d(shape.head, 4, 1)
        self.cover = nn.Conv2d(shape.head, 1, 1)
        # One cell in a hundred is a centre (Lin et al., "Focal Loss", 2017, section 4.1).
        nn.init.constant_(self.heat.bias, -4.6)  # type: ignore[arg-type]
        nn.init.constant_(self.cover.bias, -3.5)  # type: ignore[arg-type]
        nn.init.constant_(self.sides.bias, 1.5)  # type: ignore[arg-type]

    def _features(self, image: Tensor) -> list[Tensor]:
        """At strides 4, 8, 16 and 32."""
        if self.lite:
            found = self.backbone(imagenet_range(image))
            return [narrow(x) for narrow, x in zip(self.narrow, found, strict=True)]
        x, found = self.stem(image - 0.5), []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    @staticmethod
    def _mix(before: int, after: int, blocks: int) -> nn.Sequential:
        return nn.Sequential(*conv(before, after), *(Residual(after) for _ in range(blocks)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Centre logits (B, 1, H/4, W/4), log of the distances left, top, right, bottom in cells
        (B, 4, H/4, W/4), and logits of a cell's share of craft (B, 1, H/4, W/4).

        The last is for training alone: which pixels are craft teaches where a box ends.
        """
        x4, x8, x16, x32 = self._features(image)
        up16 = self.mix16(F.relu(x16 + F.interpolate(self.down16(x32), scale_factor=2.0)))
        up8 = self.mix8(F.relu(self.side8(x8) + F.interpolate(up16, scale_factor=2.0)))
        up4 = self.mix4(F.relu(self.side4(x4) + F.interpolate(up8, scale_factor=2.0)))
        return self.heat(up4), self.sides(up4).clamp(-4.0, 6.0), self.cover(up4)


class Exported(nn.Module):
    """The detector with what every user of it needs: peaks in [0, 1] and distances in pixels."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Peaks (B, 1, H/4, W/4), zero beside a local maximum, and sides (B, 4, H/4, W/4)."""
        heat, sides, _ = self.detector(image)
        heat = heat.sigmoid()
        peaks = heat * (F.max_pool2d(heat, 3, 1, 1) == heat).to(heat.dtype)
        return peaks, sides.exp() * STRIDE


def targets(
    boxes: Tensor, owner: Tensor, batch: int, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """What the maps should be.

    Args:
        boxes: (n, 4) corners x0, y0, x1, y1 in input pixels.
        owner: (n,) index of the image in the batch that a box belongs to.
        batch, height, width: of the maps, in cells.

    Returns:
        heat (B, h, w): a Gaussian for each box, 1 at the cell of its centre; index (B, h, w) int64:
        which box a cell should regress, -1 for none.
    """
    heat = torch.zeros(batch, height, width)
    index = torch.full((batch, height, width), -1, dtype=torch.int64)
    ys, xs = torch.arange(height), torch.arange(width)
    # Large boxes first, so that a small one in front of it keeps its cells.
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for i in area.argsort(descending=True).tolist():
        x0, y0, x1, y1 = (boxes[i] / STRIDE).tolist()
        b = int(owner[i])
        cx, cy = int((x0 + x1) / 2), int((y0 + y1) / 2)
        if not (0 <= cx < width and 0 <= cy < height):
            continue
        sx, sy = max(0.5, (x1 - x0) * 0.09), max(0.5, (y1 - y0) * 0.09)
        gauss = torch.exp(-(((ys - cy) / sy) ** 2)[:, None] / 2 - (((xs - cx) / sx) ** 2) / 2)
        heat[b] = torch.maximum(heat[b], gauss)
        index[b][gauss > 0.3] = i
    return heat, index


def detection_loss(
    heat: Tensor,
    sides: Tensor,
    target: Tensor,
    index: Tensor,
    boxes: Tensor,
    ignore: Tensor,
) -> tuple[Tensor, Tensor]:
    """Penalty-reduced focal loss of the centres, and GIoU loss of the boxes.

    Args:
        heat: logits (B, 1, h, w). sides: logs (B, 4, h, w). target, index: of `targets`.
        boxes: (n, 4) input pixels. ignore: (B, h, w) True where nothing is asked of the heat.
    """
    logit = heat[:, 0].float()
    p = logit.sigmoid().clamp(1e-5, 1 - 1e-5)
    positive = target >= 0.999
    gain = torch.where(
        positive,
        (1 - p) ** 2 * torch.log(p),
        (1 - target) ** 4 * p**2 * torch.log(1 - p),
    )
    centre_loss = -gain[~ignore].sum() / positive.sum().clamp(min=1)
    cells = index >= 0
    if not cells.any():
        return centre_loss, sides.sum() * 0.0
    _b, y, x = torch.nonzero(cells, as_tuple=True)
    distance = sides.float().permute(0, 2, 3, 1)[cells].exp()
    cx, cy = x.float() + 0.5, y.float() + 0.5
    made = torch.stack(
        [cx - distance[:, 0], cy - distance[:, 1], cx + distance[:, 2], cy + distance[:, 3]], 1
    )
    wanted = boxes[index[cells]] / STRIDE
    # Every box counts alike: a large one has a hundred times the cells of a small one.
    own = index[cells]
    whole = torch.zeros(len(boxes), device=target.device).index_add(0, own, target[cells])
    weight = target[cells] / whole[own]
    overlap = giou(made, wanted)
    return centre_loss, ((1 - overlap) * weight).sum() / weight.sum()


def cover_loss(cover: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of the cells' shares of craft, per cell of craft.

    Args:
        cover: logits (B, 1, h, w). wanted: (B, h, w) in 0..1, or -1 where it isn't known.
    """
    known = (wanted >= 0).float()
    share = wanted.clamp(min=0)
    loss = F.binary_cross_entropy_with_logits(
        cover[:, 0].float(), share, weight=known, reduction="sum"
    )
    return loss / (share.sum() + known.sum() * 0.01).clamp(min=1.0)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of corner boxes, row by row (Rezatofighi et al., 2019)."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inter = (high - low).clamp(min=0).prod(1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(1), (b[:, 2:] - b[:, :2]).prod(1)
    union = area_a + area_b - inter
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    return inter / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)
