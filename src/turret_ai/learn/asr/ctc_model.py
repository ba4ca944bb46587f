# SPDX-License-Identifier: Apache-2.0
"""Acoustic models: log-mel features to the probability of each phone, two mel frames at a time.

Trained by connectionist temporal classification (Graves et al., 2006). Two encoders: a small
convolutional one, from nothing, and that of a Whisper.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from turret_ai.errors import ModelError
from turret_ai.extras import require
from turret_ai.hear.model_card import Frontend
from turret_ai.learn.asr.config import CtcSize, PhoneSize, WhisperPhones
from turret_ai.learn.asr.model import encode

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


class PhoneModel(nn.Module, ABC):
    """An encoder's two heads; the one for the synthesisers' phones is for training only."""

    def __init__(self, width: int, classes: int, sounds: int) -> None:
        """Fresh weights.

        Args:
            width: of what the encoder gives.
            classes: what CTC tells apart, the blank (0) included.
            sounds: classes of the auxiliary head that names the synthesiser's phone in each frame.
        """
        super().__init__()
        self.ctc = nn.Linear(width, classes)
        self.sounds = nn.Linear(width, sounds) if sounds > 1 else None

    @abstractmethod
    def encode(self, features: Tensor, frames: Tensor | None = None) -> Tensor:
        """(n, bands, frames) -> (n, frames / 2, width).

        Args:
            frames: lengths in encoder frames, where clips of several lengths are padded.
        """

    def forward(self, features: Tensor) -> Tensor:
        """(n, bands, frames) -> log-probabilities (n, frames / 2, classes), unpadded clips."""
        scores: Tensor = self.ctc(self.encode(features)).float().log_softmax(-1)
        return scores


def build(size: PhoneSize, frontend: Frontend, classes: int, sounds: int = 0) -> PhoneModel:
    """A model with fresh weights; see `PhoneModel`."""
    if isinstance(size, CtcSize):
        return CtcModel(size, frontend, classes, sounds)
    return WhisperPhoneModel(size, frontend, classes, sounds)


def _places(frames: Tensor, count: int) -> Tensor:
    """(n,) lengths -> (n, count), true where a clip is."""
    return (frames.new_ones(count).cumsum(0) - 1)[None] < frames[:, None]


class WhisperPhoneModel(PhoneModel):
    """The encoder of a Whisper (Radford et al., 2022), which has heard people."""

    def __init__(
        self, size: WhisperPhones, frontend: Frontend, classes: int, sounds: int = 0
    ) -> None:
        super().__init__(size.width, classes, sounds)
        transformers = require("transformers", extra="train")
        config = transformers.WhisperConfig(
            num_mel_bins=frontend.feature_size,
            d_model=size.width,
            encoder_layers=size.layers,
            encoder_attention_heads=size.heads,
            encoder_ffn_dim=size.feed_forward,
            max_source_positions=frontend.window_frames // 2,
            dropout=0.0,
            attn_implementation="eager",  # in bf16 on a CPU faster than sdpa
        )
        self.encoder = transformers.models.whisper.modeling_whisper.WhisperEncoder(config)

    def start_from(self, whisper: Any) -> None:
        """Take the encoder of transformers' Whisper, of the same window.

        Raises:
            ModelError: it is of another size.
        """
        try:
            self.encoder.load_state_dict(whisper.model.encoder.state_dict())
        except RuntimeError as error:
            raise ModelError(f"the Whisper's encoder doesn't fit: {error}") from error

    def encode(self, features: Tensor, frames: Tensor | None = None) -> Tensor:
        """See `PhoneModel.encode`."""
        mask = None
        if frames is not None:
            beyond = ~_places(frames, features.shape[2] // 2)
            least = torch.finfo(features.dtype).min
            mask = beyond[:, None, None].to(features.dtype) * least
        return encode(self.encoder, features, mask)


class CtcModel(PhoneModel):
    """Convolutional blocks in the way of ConvNeXt (Liu et al., 2022) on one axis, each with the
    gating by the utterance's mean of ContextNet (Han et al., 2020), which adapts it to a voice and
    a radio."""

    def __init__(self, size: CtcSize, frontend: Frontend, classes: int, sounds: int = 0) -> None:
        super().__init__(size.width, classes, sounds)
        self.first = nn.Conv1d(frontend.feature_size, size.width, 3, padding=1)
        self.halve = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.blocks))
        self.norm = nn.LayerNorm(size.width)

    def encode(self, features: Tensor, frames: Tensor | None = None) -> Tensor:
        """See `PhoneModel.encode`."""
        x = F.gelu(self.halve(F.gelu(self.first(features)))).transpose(1, 2)
        mask = None
        if frames is not None:
            mask = _places(frames, x.shape[1]).unsqueeze(2).to(x.dtype)
        for block in self.blocks:
            x = block(x, mask)
        normed: Tensor = self.norm(x)
        return normed
