# SPDX-License-Identifier: Apache-2.0
"""A small dual encoder that trains well from nothing: a picture of a craft and a caption meet.

The loss is SigLIP's (Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023): every pair
of the batch is a yes-or-no question, which suits many captions that fit one picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from turret_ai.learn.config import Section
from turret_ai.learn.vision.detector_model import Residual, conv


class TextShape(Section):
    """The text encoder's sizes, and that of the vectors that pictures and texts share."""

    width: int = Field(128, ge=16, description="of the text encoder")
    layers: int = Field(2, ge=1)
    heads: int = Field(4, ge=1)
    tokens: int = Field(32, ge=8, description="length of a caption")
    vocabulary: int = Field(512, ge=300, description="tokens, 256 of them single bytes")
    embedding: int = Field(128, ge=16)


class MatcherShape(TextShape):
    """Channels at strides 2, 4, 8, 16 with the blocks at each, and the text encoder's sizes."""

    image_size: int = Field(64, ge=32, multiple_of=16, description="side of a crop, pixels")
    channels: tuple[int, int, int, int] = (32, 64, 128, 192)
    blocks: tuple[int, int, int, int] = (1, 1, 3, 2)
    tones: int = Field(48, ge=8, description="channels of the look at single pixels")
    hidden: int = Field(256, ge=16, description="width before the embedding")


class ImageEncoder(nn.Module):
    """RGB crops in [0, 1], (B, 3, S, S), to unit vectors (B, E).

    A mask of the craft is predicted on the way, and features are averaged under it: a colour is a
    property of the craft's pixels and a type one of its outline, whatever is behind. Taught with
    the cover of drawn craft, the mask makes training from nothing several times faster.
    """

    def __init__(self, shape: MatcherShape) -> None:
        super().__init__()
        stages, before = [], 3
        for after, blocks in zip(shape.channels, shape.blocks, strict=True):
            stages.append(
                nn.Sequential(conv(before, after, 2), *(Residual(after) for _ in range(blocks)))
            )
            before = after
        self.stages = nn.ModuleList(stages)
        _, c4, c8, c16 = shape.channels
        self.from8, self.from16 = nn.Conv2d(c8, c4, 1), nn.Conv2d(c16, c4, 1)
        self.to_mask = nn.Sequential(conv(c4, 32), nn.Conv2d(32, 1, 1))
        tones = shape.tones
        self.tint = nn.Sequential(
            nn.Conv2d(3, tones, 1), nn.ReLU(inplace=True), nn.Conv2d(tones, tones, 1),
            nn.ReLU(inplace=True),
        )  # fmt: skip
        self.spot = nn.Conv2d(c16, 32, 1)
        cells = (shape.image_size // 16) ** 2
        self.features = 2 * tones + 2 * c16 + c8 + 32 * cells + 16 * cells
        self.norm = nn.BatchNorm1d(self.features)
        self.hidden = nn.Sequential(nn.Linear(self.features, shape.hidden), nn.ReLU(inplace=True))
        self.project = nn.Linear(shape.hidden, shape.embedding)

    def pooled(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, hidden) before the projection, and the mask's logits (B, S/4, S/4)."""
        centred = (image - 0.5) * 2
        x2 = self.stages[0](centred)
        x4 = self.stages[1](x2)
        x8 = self.stages[2](x4)
        x16 = self.stages[3](x8)
        context = F.interpolate(self.from8(x8) + F.interpolate(self.from16(x16), scale_factor=2.0),
                                scale_factor=2.0)  # fmt: skip
        logits = self.to_mask(F.relu(x4 + context))
        mask = logits.sigmoid()
        fine = F.interpolate(mask, scale_factor=2.0, mode="bilinear")
        tint = self.tint(F.avg_pool2d(centred, 2))
        mask8, mask16 = F.avg_pool2d(mask, 2), F.avg_pool2d(mask, 4)
        parts = [
            under(tint, fine),
            (tint * fine).amax((2, 3)),
            under(x8, mask8),
            under(x16, mask16),
            x16.amax((2, 3)),
            F.relu(self.spot(x16)).flatten(1),
            mask.flatten(1),
        ]
        return self.hidden(self.norm(torch.cat(parts, 1))), logits[:, 0]

    def forward(self, image: Tensor) -> Tensor:
        return F.normalize(self.project(self.pooled(image)[0]), dim=-1)


def under(features: Tensor, mask: Tensor) -> Tensor:
    """Mean (B, C) of features (B, C, h, w) weighted by a mask (B, 1, h, w)."""
    return (features * mask).sum((2, 3)) / (mask.sum((2, 3)) + 1e-3)


class _TextBlock(nn.Module):
    """Pre-norm transformer block, written out so that its export keeps a free batch size."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class TextEncoder(nn.Module):
    """Token ids (B, L) int64, 0 is padding, L up to `tokens`, to unit vectors (B, E)."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.places = nn.Parameter(torch.randn(shape.tokens, shape.width) * 0.02)
        self.blocks = nn.ModuleList(
            _TextBlock(shape.width, shape.heads) for _ in range(shape.layers)
        )
        self.norm = nn.LayerNorm(shape.width)
        self.project = nn.Linear(shape.width, shape.embedding)
        nn.init.normal_(self.words.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        mask = ids != 0
        # A slice of the whole would be exported as a constant without a name.
        whole = ids.shape[1] == len(self.places)
        x = self.words(ids) + (self.places if whole else self.places[: ids.shape[1]])
        for block in self.blocks:
            x = block(x, mask)
        weight = mask.to(x.dtype)[..., None]
        mean = (self.norm(x) * weight).sum(1) / weight.sum(1).clamp(min=1)
        return F.normalize(self.project(mean), dim=-1)


class Matcher(nn.Module):
    """Both encoders, the scale and bias of the loss, and heads that help only the training."""

    def __init__(self, shape: MatcherShape, types: int, colours: int) -> None:
        super().__init__()
        self.image = ImageEncoder(shape)
        self.text = TextEncoder(shape)
        self.type_head = nn.Linear(shape.hidden, types)
        self.colour_head = nn.Linear(shape.hidden, colours)
        self.log_scale = nn.Parameter(torch.tensor(2.3))
        self.bias = nn.Parameter(torch.tensor(-6.0))

    def forward(self, image: Tensor, ids: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits (B, M) of B pictures and M captions, and the helpers' (B, types), (B, colours) and
        masks (B, S/4, S/4)."""
        pooled, mask = self.image.pooled(image)
        pictures = F.normalize(self.image.project(pooled), dim=-1)
        captions = self.text(ids)
        logits = pictures @ captions.T * self.log_scale.exp().clamp(max=60) + self.bias
        return logits, self.type_head(pooled), self.colour_head(pooled), mask


def sigmoid_loss(logits: Tensor, fits: Tensor) -> Tensor:
    """SigLIP's loss: the mean over pictures of the summed negative log-likelihood of its pairs.

    fits: (B, M) bool.
    """
    signs = fits.to(logits.dtype) * 2 - 1
    return -F.logsigmoid(logits * signs).sum(1).mean()


def top1(similar: Tensor, own: Sequence[object], rng: np.random.Generator) -> float:
    """Share of captions whose own picture beats those of five others with other captions.

    similar: (n, n) of pictures and captions; own: what each caption says.
    """
    hits, count = 0, len(own)
    for caption in range(count):
        rivals = [r for r in rng.integers(count, size=5) if own[r] != own[caption]]
        hits += all(similar[caption, caption] > similar[r, caption] for r in rivals)
    return hits / max(1, count)


def choice_loss(logits: Tensor, fits: Tensor) -> Tensor:
    """What the locator is asked: which of these pictures does a caption mean? And the other way
    round. The mean of both cross-entropies (InfoNCE: Oord, Li and Vinyals, 2018).

    logits, fits: (B, M). Other pictures and captions that fit too are no rivals. Zero where nothing
    fits.
    """
    rows, columns = torch.nonzero(fits, as_tuple=True)
    if not len(rows):
        return logits.sum() * 0.0
    rivals = logits.masked_fill(fits, float("-inf"))
    own = logits[rows, columns]
    among_pictures = torch.logaddexp(own, rivals.logsumexp(0)[columns]) - own
    among_captions = torch.logaddexp(own, rivals.logsumexp(1)[rows]) - own
    return (among_pictures.mean() + among_captions.mean()) / 2
