# SPDX-License-Identifier: Apache-2.0
"""A small acoustic model: log-mel features to the probability of each phone, 30 ms by 30 ms.

Convolutional blocks in the way of ConvNeXt (Liu et al., 2022) on one axis, each with the gating by
the utterance's mean of ContextNet (Han et al., 2020), which adapts it to a voice and a radio.
Trained by connectionist temporal classification (Graves et al., 2006).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from turret_ai.hear.model_card import Frontend
from turret_ai.learn.asr.config import CtcSize

_SQUEEZE = 8


class Block(nn.Module):
    """One residual step of the encoder."""

    def __init__(self, size: CtcSize) -> None:
        super().__init__()
        width, inner = size.width, size.width * size.expansion
        self.depthwise = nn.Conv1d(
            width, width, size.kernel, padding=size.kernel // 2, groups=width
        )
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.squeeze = nn.Linear(width, width // _SQUEEZE)
        self.excite = nn.Linear(width // _SQUEEZE, width)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(n, frames, width), (n, frames, 1) -> (n, frames, width)."""
        if mask is not None:
            x = x * mask
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        y = self.narrow(F.gelu(self.widen(self.norm(y))))
        if mask is None:
            mean = y.mean(1, keepdim=True)
        else:
            mean = (y * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        gate = self.excite(F.relu(self.squeeze(mean))).sigmoid()
        out: Tensor = x + self.dropout(y * gate)
        return out


class CtcModel(nn.Module):
    """The encoder and its two heads; the one for the synthesisers' phones is for training only."""

    def __init__(self, size: CtcSize, frontend: Frontend, classes: int, sounds: int = 0) -> None:
        """Fresh weights.

        Args:
            classes: what CTC tells apart, the blank (0) included.
            sounds: classes of the auxiliary head that names the synthesiser's phone in each frame.
        """
        super().__init__()
        self.first = nn.Conv1d(frontend.feature_size, size.width, 3, padding=1)
        self.halve = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.blocks))
        self.norm = nn.LayerNorm(size.width)
        self.ctc = nn.Linear(size.width, classes)
        self.sounds = nn.Linear(size.width, sounds) if sounds > 1 else None

    def encode(self, features: Tensor, frames: Tensor | None = None) -> Tensor:
        """(n, bands, frames) -> (n, frames / 2, width).

        Args:
            frames: lengths in encoder frames, where clips of several lengths are padded.
        """
        x = F.gelu(self.halve(F.gelu(self.first(features)))).transpose(1, 2)
        mask = None
        if frames is not None:
            places = frames.new_ones(x.shape[1]).cumsum(0) - 1
            mask = (places[None] < frames[:, None]).unsqueeze(2).to(x.dtype)
        for block in self.blocks:
            x = block(x, mask)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, features: Tensor) -> Tensor:
        """(n, bands, frames) -> log-probabilities (n, frames / 2, classes), unpadded clips."""
        scores: Tensor = self.ctc(self.encode(features)).float().log_softmax(-1)
        return scores
