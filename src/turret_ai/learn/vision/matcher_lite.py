# SPDX-License-Identifier: Apache-2.0
"""A dual encoder on an ImageNet backbone, with heads that name type, colours and "no craft".

As `matcher_model`, but its picture encoder starts from EfficientNet-Lite0. The heads' answers go
out beside the embedding, so that the locator can weigh them with the cosine.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from turret_ai.learn.vision.efficientnet_lite import HEAD, EfficientNetLite, imagenet_range
from turret_ai.learn.vision.matcher_model import TextEncoder, TextShape, under


class LiteShape(TextShape):
    """Sizes of the layers after the backbone, and the text encoder's."""

    image_size: int = Field(96, ge=64, multiple_of=32, description="side of a crop, pixels")
    frozen: int = Field(3, ge=0, le=16, description="blocks of the backbone that stay as they are")
    neck: int = Field(24, ge=8, description="channels of the look for the craft's mask")
    tones: int = Field(32, ge=8, description="channels of the look at single pixels")
    hidden: int = Field(320, ge=16, description="width before the embedding")
    dropout: float = Field(0.1, ge=0, lt=1)


class LiteEncoder(nn.Module):
    """RGB crops in [0, 1], (B, 3, S, S), to what the heads read."""

    def __init__(self, shape: LiteShape) -> None:
        super().__init__()
        self.backbone = EfficientNetLite(shape.frozen)
        c4, c8, c16, c32 = self.backbone.channels
        self.lateral = nn.ModuleList(nn.Conv2d(c, shape.neck, 1) for c in (c4, c8, c16, c32))
        self.to_mask = nn.Sequential(
            nn.Conv2d(shape.neck, shape.neck, 3, 1, 1, bias=False),
            nn.BatchNorm2d(shape.neck),
            nn.ReLU(inplace=True),
            nn.Conv2d(shape.neck, 1, 1),
        )
        tones = shape.tones
        self.tint = nn.Sequential(
            nn.Conv2d(3, tones, 1), nn.ReLU(inplace=True), nn.Conv2d(tones, tones, 1),
            nn.ReLU(inplace=True),
        )  # fmt: skip
        features = 3 * tones + c8 + 2 * c16 + c32 + HEAD
        self.norm = nn.BatchNorm1d(features)
        self.hidden = nn.Sequential(
            nn.Linear(features, shape.hidden), nn.ReLU(inplace=True), nn.Dropout(shape.dropout)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, hidden), and the mask's logits (B, S/4, S/4)."""
        x4, x8, x16, x32 = self.backbone(imagenet_range(image))
        context = self.lateral[3](x32)
        for lateral, x in zip(self.lateral[2::-1], (x16, x8, x4), strict=True):
            context = lateral(x) + F.interpolate(context, scale_factor=2.0)
        logits = self.to_mask(F.relu(context))
        mask = logits.sigmoid()
        fine = F.interpolate(mask, scale_factor=2.0, mode="bilinear")
        mask8 = F.avg_pool2d(mask, 2)
        mask16 = F.avg_pool2d(mask8, 2)
        tint = self.tint(F.avg_pool2d((image - 0.5) * 2, 2))
        inside = torch.cat([fine, 1 - fine], 1)
        tones = torch.einsum("bchw,bkhw->bkc", tint, inside)
        tones = tones / (inside.sum((2, 3))[..., None] + 1e-3)
        parts = [
            tones.flatten(1),
            (F.avg_pool2d(tint, 2) * mask).amax((2, 3)),
            under(x8, mask8),
            under(x16, mask16),
            x16.amax((2, 3)),
            under(x32, F.avg_pool2d(mask16, 2)),
            self.backbone.top(x32).mean((2, 3)),
        ]
        return self.hidden(self.norm(torch.cat(parts, 1))), logits[:, 0]


class LiteMatcher(nn.Module):
    """Both encoders, the heads, and the scale and bias of the loss."""

    def __init__(self, shape: LiteShape, types: int, colours: int) -> None:
        super().__init__()
        self.image = LiteEncoder(shape)
        self.project = nn.Linear(shape.hidden, shape.embedding)
        self.type_head = nn.Linear(shape.hidden, types)
        self.colour_head = nn.Linear(shape.hidden, colours)
        self.craft_head = nn.Linear(shape.hidden, 1)
        self.text = TextEncoder(shape)
        self.log_scale = nn.Parameter(torch.tensor(3.0))
        self.bias = nn.Parameter(torch.tensor(-8.0))

    def answers(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Unit vectors (B, E), logits of types (B, types), colours (B, colours) and craft (B,), and
        of the mask (B, S/4, S/4)."""
        hidden, mask = self.image(image)
        vectors = F.normalize(self.project(hidden), dim=-1)
        return (
            vectors,
            self.type_head(hidden),
            self.colour_head(hidden),
            self.craft_head(hidden)[:, 0],
            mask,
        )

    def logits(self, vectors: Tensor, captions: Tensor) -> Tensor:
        """(B, M) of pictures' and captions' unit vectors."""
        return vectors @ captions.T * self.log_scale.exp().clamp(max=60) + self.bias

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        return self.answers(image)


class ExportedImage(nn.Module):
    """The picture side as the run time wants it: log-probabilities where the heads give logits."""

    outputs = ("embedding", "types", "colours", "craft")

    def __init__(self, model: LiteMatcher) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Unit vectors (B, E), log-probabilities (B, types), and logits (B, colours) and (B, 1)."""
        vectors, kinds, colours, craft, _ = self.model.answers(image)
        return vectors, kinds.log_softmax(-1), colours, craft[:, None]
