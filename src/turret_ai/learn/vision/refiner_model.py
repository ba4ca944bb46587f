"""A small network that draws the box of the craft in the middle of a crop."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from turret_ai.learn.config import Section
from turret_ai.learn.vision.detector_model import Residual, conv


class RefinerShape(Section):
    """Side of a crop; channels at strides 2, 4, 8 and 16, and blocks at each."""

    size: int = Field(64, ge=32, multiple_of=16, description="side of a crop, pixels")
    channels: tuple[int, int, int, int] = (24, 48, 96, 128)
    blocks: tuple[int, int, int, int] = (1, 1, 2, 2)
    hidden: int = Field(256, ge=16)


class Refiner(nn.Module):
    """RGB crops in [0, 1], (B, 3, S, S), to corners as shares of the crop and a quality."""

    def __init__(self, shape: RefinerShape | None = None) -> None:
        super().__init__()
        shape = shape or RefinerShape()
        stages, before = [], 3
        for after, blocks in zip(shape.channels, shape.blocks, strict=True):
            stages += [conv(before, after, 3, 2), *(Residual(after) for _ in range(blocks))]
            before = after
        self.stages = nn.Sequential(*stages)
        cells = (shape.size // 16) ** 2
        self.hidden = nn.Sequential(
            nn.Flatten(), nn.Linear(before * cells, shape.hidden), nn.ReLU(inplace=True)
        )
        self.sides = nn.Linear(shape.hidden, 4)
        self.quality = nn.Linear(shape.hidden, 1)
        nn.init.zeros_(self.sides.weight)
        # The middle of the crop, about as large as a candidate with its context.
        self.sides.bias.data = torch.tensor([0.25, 0.25, 0.75, 0.75])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Corners (B, 4) and the logit of the quality (B,)."""
        hidden = self.hidden(self.stages((image - 0.5) * 2))
        return self.sides(hidden), self.quality(hidden)[:, 0]


class Exported(nn.Module):
    """The refiner as its users need it: corners, and qualities in [0, 1]."""

    def __init__(self, refiner: Refiner) -> None:
        super().__init__()
        self.refiner = refiner

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Corners (B, 4), qualities (B,)."""
        sides, quality = self.refiner(image)
        return sides, quality.sigmoid()
