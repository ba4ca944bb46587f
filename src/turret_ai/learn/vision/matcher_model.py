"""A small dual encoder that trains well from nothing: a picture of a craft and a caption meet.

The loss is SigLIP's (Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023): every pair
of the batch is a yes-or-no question, which suits many captions that fit one picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from turret_ai.learn.config import Section


class MatcherShape(Section):
    """Channels at strides 2, 4, 8, 16 with the blocks at each, and the text encoder's sizes."""

    image_size: int = Field(64, ge=32, multiple_of=16, description="side of a crop, pixels")
    channels: tuple[int, int, int, int] = (32, 64, 128, 192)
    blocks: tuple[int, int, int, int] = (1, 1, 2, 1)
    width: int = Field(128, ge=16, description="of the text encoder")
    layers: int = Field(2, ge=1)
    heads: int = Field(4, ge=1)
    tokens: int = Field(32, ge=8, description="length of a caption")
    vocabulary: int = Field(512, ge=300, description="tokens, 256 of them single bytes")
    embedding: int = Field(128, ge=16)


def _conv(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class ImageEncoder(nn.Module):
    """RGB crops in [0, 1], (B, 3, S, S), to unit vectors (B, E)."""

    def __init__(self, shape: MatcherShape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for after, blocks in zip(shape.channels, shape.blocks, strict=True):
            layers.append(_conv(before, after, 2))
            layers.extend(_Residual(after) for _ in range(blocks))
            before = after
        self.body = nn.Sequential(*layers)
        # Means tell colours, maxima tell parts, the flat map tells where they are.
        self.spot = nn.Conv2d(before, 32, 1)
        cells = (shape.image_size // 16) ** 2
        self.project = nn.Linear(2 * before + 32 * cells, shape.embedding)
        self.features = 2 * before + 32 * cells

    def pooled(self, image: Tensor) -> Tensor:
        """(B, features) before the projection."""
        x = self.body((image - 0.5) * 2)
        flat = F.relu(self.spot(x)).flatten(1)
        return torch.cat([x.mean((2, 3)), x.amax((2, 3)), flat], 1)

    def forward(self, image: Tensor) -> Tensor:
        return F.normalize(self.project(self.pooled(image)), dim=-1)


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
    """Token ids (B, L) int64, 0 is padding, to unit vectors (B, E)."""

    def __init__(self, shape: MatcherShape) -> None:
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
        x = self.words(ids) + self.places
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
        self.type_head = nn.Linear(self.image.features, types)
        self.colour_head = nn.Linear(self.image.features, colours)
        self.log_scale = nn.Parameter(torch.tensor(2.3))
        self.bias = nn.Parameter(torch.tensor(-6.0))

    def forward(self, image: Tensor, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, M) of B pictures and M captions, and the helpers' (B, types), (B, colours)."""
        pooled = self.image.pooled(image)
        pictures = F.normalize(self.image.project(pooled), dim=-1)
        captions = self.text(ids)
        logits = pictures @ captions.T * self.log_scale.exp().clamp(max=60) + self.bias
        return logits, self.type_head(pooled), self.colour_head(pooled)


def sigmoid_loss(logits: Tensor, fits: Tensor) -> Tensor:
    """SigLIP's loss: the mean over pictures of the summed negative log-likelihood of its pairs.

    fits: (B, M) bool.
    """
    signs = fits.to(logits.dtype) * 2 - 1
    return -F.logsigmoid(logits * signs).sum(1).mean()
