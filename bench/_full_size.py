# SPDX-License-Identifier: Apache-2.0
"""The networks of 2024 in full size, with random weights, exported through the package's own code.

Random weights take the same time as trained ones. The detector is no copy of a public one: it has
the parts of YOLOv6-L (https://arxiv.org/abs/2209.02976: re-parametrised 3x3 convolutions in CSP
blocks, a PAN neck, heads apart for class and box) and about its parameters and operations.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn

from turret_ai.learn.vision import export, export_public
from turret_ai.learn.vision.upscaler_model import Upscaler, UpscalerShape
from turret_ai.see.description import DetectorDescription, InputDescription

SIGLIP = {
    "tiny": (64, 128, 2, 2, 64),
    "base-patch16-224": (768, 3072, 12, 12, 224),
    "large-patch16-384": (1024, 4096, 24, 16, 384),
}
"""Width, width of the MLP, layers, heads and picture side of SigLIP's towers."""


@dataclass(frozen=True, slots=True)
class DetectorSize:
    """height, width: of the input, pixels. channels: of the strides 2, 4, 8, 16, 32. depth: blocks
    of the four stages. neck: blocks of each of the neck's stages."""

    height: int = 896
    width: int = 1536
    channels: tuple[int, ...] = (64, 128, 256, 512, 1024)
    depth: tuple[int, ...] = (6, 12, 18, 6)
    neck: int = 12


SMALL_DETECTOR = DetectorSize(128, 192, (8, 16, 24, 32, 48), (1, 1, 1, 1), 1)


def _conv(before: int, after: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(before, after, size, stride, size // 2)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(conv, nn.ReLU(inplace=True))


class _Stage(nn.Module):
    """A CSP block: half of the channels go through 3x3 convolutions, half go round them."""

    def __init__(self, before: int, after: int, blocks: int) -> None:
        super().__init__()
        half = after // 2
        self.through = nn.Sequential(
            _conv(before, half, 1), *(_conv(half, half) for _ in range(blocks))
        )
        self.round = _conv(before, half, 1)
        self.join = _conv(2 * half, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        joined: Tensor = self.join(torch.cat([self.through(x), self.round(x)], 1))
        return joined


class _Head(nn.Module):
    """One level: class and box apart, decoded to pixels as YOLOv6's export does."""

    def __init__(self, channels: int, stride: int, height: int, width: int) -> None:
        super().__init__()
        self.stride = stride
        self.stem = _conv(channels, channels, 1)
        self.classes = nn.Sequential(_conv(channels, channels), nn.Conv2d(channels, 1, 1))
        self.box = nn.Sequential(_conv(channels, channels), nn.Conv2d(channels, 4, 1))
        y, x = torch.meshgrid(
            torch.arange(height // stride), torch.arange(width // stride), indexing="ij"
        )
        self.register_buffer("place", (torch.stack([x, y], -1).reshape(1, -1, 2) + 0.5) * stride)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        score = self.classes(x).flatten(2).transpose(1, 2).sigmoid()
        sides = self.box(x).flatten(2).transpose(1, 2).sigmoid() * (8 * self.stride)
        centre = self.place + (sides[..., 2:] - sides[..., :2]) / 2
        size = sides[..., 2:] + sides[..., :2]
        return torch.cat([centre, size, torch.ones_like(score), score], -1)


class FullSizeDetector(nn.Module):
    """RGB in [0, 1], (1, 3, H, W), to (1, n, 6): cx, cy, w, h in pixels, 1, the class's score."""

    def __init__(self, size: DetectorSize) -> None:
        super().__init__()
        c1, c2, c3, c4, c5 = size.channels
        self.stem = _conv(3, c1, stride=2)
        self.down = nn.ModuleList(_conv(a, b, stride=2) for a, b in _pairs(size.channels))
        self.stages = nn.ModuleList(
            _Stage(c, c, n) for c, n in zip((c2, c3, c4, c5), size.depth, strict=True)
        )
        self.enlarge = nn.Upsample(scale_factor=2.0, mode="nearest")
        n3, n4, n5 = c3 // 2, c4 // 2, c5 // 2
        self.narrow = nn.ModuleList([_conv(c5, n4, 1), _conv(n4, n3, 1)])
        self.up = nn.ModuleList([_Stage(n4 + c4, n4, size.neck), _Stage(n3 + c3, n3, size.neck)])
        self.back = nn.ModuleList([_conv(n3, n3, stride=2), _conv(n4, n4, stride=2)])
        self.out = nn.ModuleList([_Stage(n3 + n4, n4, size.neck), _Stage(n4 + c5, n5, size.neck)])
        self.heads = nn.ModuleList(
            _Head(c, s, size.height, size.width) for c, s in ((n3, 8), (n4, 16), (n5, 32))
        )

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(image)
        levels = []
        for down, stage in zip(self.down, self.stages, strict=True):
            x = stage(down(x))
            levels.append(x)
        _, p3, p4, p5 = levels
        p4 = self.up[0](torch.cat([self.enlarge(self.narrow[0](p5)), p4], 1))
        p3 = self.up[1](torch.cat([self.enlarge(self.narrow[1](p4)), p3], 1))
        p4 = self.out[0](torch.cat([self.back[0](p3), p4], 1))
        p5 = self.out[1](torch.cat([self.back[1](p4), p5], 1))
        return torch.cat([h(p) for h, p in zip(self.heads, (p3, p4, p5), strict=True)], 1)


def _pairs(channels: Sequence[int]) -> list[tuple[int, int]]:
    return list(itertools.pairwise(channels))


def detector(folder: Path, size: DetectorSize) -> FullSizeDetector:
    """Build the detector and export it to a model folder."""
    torch.manual_seed(0)
    network = FullSizeDetector(size).eval()
    example = torch.rand(1, 3, size.height, size.width)
    export.to_onnx(network, [example], folder / "model.onnx", ["image"], ["boxes"], {})
    about = DetectorDescription(
        name=folder.name,
        layout="yolov6",
        input=InputDescription(width=size.width, height=size.height),
        confidence=0.5,
    )
    export.describe(folder, about)
    return network


def upscaler(folder: Path, small: bool = False) -> Upscaler:
    """Build Real-ESRGAN's x4v3 network and export it to a model folder."""
    torch.manual_seed(0)
    shape = UpscalerShape() if small else UpscalerShape(features=64, convolutions=32, factor=4)
    network = Upscaler(shape).eval()
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "weights.pth")
    export.upscaler(folder / "weights.pth", folder)
    return network


def siglip(folder: Path, name: str) -> transformers.SiglipModel:
    """Build a SigLIP and export its towers to the model folder `folder/onnx`."""
    width, mlp, layers, heads, side = SIGLIP[name]
    tower = {
        "hidden_size": width, "intermediate_size": mlp, "num_hidden_layers": layers,
        "num_attention_heads": heads,
    }  # fmt: skip
    torch.manual_seed(0)
    model = transformers.SiglipModel(
        transformers.SiglipConfig(
            text_config={**tower, "vocab_size": 32000},
            vision_config={**tower, "image_size": side, "patch_size": 16},
        )
    ).eval()
    source = folder / "source"
    model.save_pretrained(source)
    tokenizer = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, "jet": 2}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(source)
    export_public.siglip(str(source), folder / "onnx")
    return model


def picture(height: int = 870, width: int = 1520) -> np.ndarray:
    """A noise picture (H, W, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
