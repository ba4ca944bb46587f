# SPDX-License-Identifier: Apache-2.0
"""A Whisper whose encoder takes any length up to its window, with a CTC head while training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from turret_ai.errors import ModelError
from turret_ai.extras import require
from turret_ai.learn.asr import from_ctranslate2, narrowing, tokens
from turret_ai.learn.asr.batches import LETTERS
from turret_ai.learn.asr.config import AsrConfig, Loss, WhisperSize
from turret_ai.learn.asr.tokens import Labels


def build_whisper(config: AsrConfig, labels: Labels) -> Any:
    """transformers' Whisper: a fresh one of our size, or `config.init`.

    Raises:
        ModelError: `config.init` can't be loaded.
        MissingExtraError: transformers isn't installed.
    """
    transformers = require("transformers", extra="train")
    if config.init is not None:
        whisper = public(config.init)
        if config.merges is not None:
            before = tokens.load(tokenizer_of(config.init))
            narrowing.narrow(whisper, before, labels, config.frontend.chunk_length)
        freeze(whisper, config.frozen)
        return shorten(whisper, config.frontend.window_frames // 2)
    size = config.architecture
    if not isinstance(size, WhisperSize):
        raise ModelError(f"an architecture of kind {size.kind!r} is no Whisper")
    return transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            vocab_size=labels.size,
            num_mel_bins=config.frontend.feature_size,
            d_model=size.width,
            encoder_layers=size.encoder_layers,
            decoder_layers=size.decoder_layers,
            encoder_attention_heads=size.heads,
            decoder_attention_heads=size.heads,
            encoder_ffn_dim=size.feed_forward,
            decoder_ffn_dim=size.feed_forward,
            max_source_positions=config.frontend.window_frames // 2,
            max_target_positions=448,
            dropout=0.0,
            pad_token_id=labels.end,
            bos_token_id=labels.end,
            eos_token_id=labels.end,
            decoder_start_token_id=labels.start,
            suppress_tokens=[],
            begin_suppress_tokens=[],
        )
    )


def public(init: str) -> Any:
    """transformers' Whisper of a folder (its own format or CTranslate2's) or a hub name.

    Raises:
        ModelError: it can't be loaded.
        MissingExtraError: transformers isn't installed.
    """
    folder = Path(init).expanduser()
    if (folder / "model.bin").is_file():
        return from_ctranslate2.load(folder)
    transformers = require("transformers", extra="train")
    try:
        return transformers.WhisperForConditionalGeneration.from_pretrained(init)
    except Exception as error:
        raise ModelError(f"the Whisper {init!r} can't be loaded: {error}") from error


def freeze(whisper: Any, starts: Sequence[str]) -> None:
    names = [name for name, _ in whisper.named_parameters()]
    for start in starts:
        if not any(name.startswith(start) for name in names):
            raise ModelError(f"no parameter begins with {start!r}; the first is {names[0]}")
    for name, parameter in whisper.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(starts)) if starts else True)


def shorten(whisper: Any, positions: int) -> Any:
    """Forget the encoder's positions beyond the window."""
    embed = whisper.model.encoder.embed_positions
    if positions < embed.weight.shape[0]:
        shorter = nn.Embedding(positions, embed.weight.shape[1])
        shorter.weight = nn.Parameter(embed.weight[:positions].clone(), requires_grad=False)
        whisper.model.encoder.embed_positions = shorter
        whisper.config.max_source_positions = positions
    return whisper


def encode(encoder: Any, features: Tensor, mask: Tensor | None = None) -> Tensor:
    """transformers' encoder on any length: (n, bands, frames) -> (n, frames / 2, width).

    Args:
        mask: added to what each frame attends to, broadcast to (n, heads, frames / 2, frames / 2).
    """
    x = F.gelu(encoder.conv1(features))
    x = F.gelu(encoder.conv2(x)).permute(0, 2, 1)
    x = x + encoder.embed_positions.weight[: x.shape[1]]
    for layer in encoder.layers:
        x = layer(x, mask)
        x = x[0] if isinstance(x, tuple) else x
    normed: Tensor = encoder.layer_norm(x)
    return normed


class AsrModel(nn.Module):
    """What is trained. `whisper` is what is exported; the CTC head is dropped."""

    def __init__(self, whisper: Any, loss: Loss, phones: int = 0) -> None:
        super().__init__()
        self.whisper = whisper
        self.settings = loss
        width = int(whisper.config.d_model)
        self.ctc = nn.Linear(width, len(LETTERS) + 1) if loss.ctc else None
        self.phones = nn.Linear(width, phones) if loss.phones and phones > 1 else None

    def encode(self, features: Tensor) -> Tensor:
        """(n, bands, frames) -> (n, frames / 2, width), without padding to the window."""
        return encode(self.whisper.model.encoder, features)

    def forward(
        self,
        features: Tensor,
        decoder_input: Tensor,
        targets: Tensor,
        ctc_targets: Tensor,
        ctc_lengths: Tensor,
        frames: Tensor,
        phones: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and its parts by name.

        Args:
            features: (n, bands, frames).
            decoder_input, targets: (n, tokens); -100 in `targets` is not counted.
            ctc_targets, ctc_lengths: letters, padded, and their number.
            frames: encoder frames of each clip before padding.
            phones: (n, frames / 2); -100 is not counted.
        """
        heard = self.encode(features)
        decoded = self.whisper.model.decoder(
            input_ids=decoder_input, encoder_hidden_states=heard, use_cache=False
        ).last_hidden_state
        logits = self.whisper.proj_out(decoded)
        entropy = F.cross_entropy(
            logits.float().flatten(0, 1),
            targets.flatten(),
            label_smoothing=self.settings.label_smoothing,
        )
        parts = {"entropy": entropy}
        total = entropy
        if self.ctc is not None:
            scores = self.ctc(heard).float().log_softmax(-1).transpose(0, 1)
            parts["ctc"] = F.ctc_loss(
                scores, ctc_targets, frames, ctc_lengths, reduction="mean", zero_infinity=True
            )
            total = (1 - self.settings.ctc) * total + self.settings.ctc * parts["ctc"]
        if self.phones is not None and bool((phones >= 0).any()):
            sounds = self.phones(heard).float()
            parts["phones"] = F.cross_entropy(sounds.flatten(0, 1), phones.flatten())
            total = total + self.settings.phones * parts["phones"]
        return total, parts

    @torch.no_grad()
    def greedy(self, features: Tensor, labels: Labels, longest: int = 120) -> list[str]:
        """Transcripts of a batch by greedy decoding."""
        heard = self.encode(features)
        ids = torch.tensor([labels.prompt] * len(features), device=features.device)
        done = torch.zeros(len(features), dtype=torch.bool, device=features.device)
        past: Any = None
        given = ids
        for _ in range(longest):
            out = self.whisper.model.decoder(
                input_ids=given, encoder_hidden_states=heard, past_key_values=past, use_cache=True
            )
            past = out.past_key_values
            scores = self.whisper.proj_out(out.last_hidden_state[:, -1])
            scores[:, labels.no_timestamps :] = -torch.inf
            given = scores.argmax(-1, keepdim=True)
            given = torch.where(done[:, None], labels.end, given)
            ids = torch.cat([ids, given], 1)
            done |= given[:, 0] == labels.end
            if bool(done.all()):
                break
        start = len(labels.prompt)
        return [labels.decode(row[start:]) for row in ids.tolist()]


def tokenizer_of(init: str) -> Path:
    """The tokenizer.json of a public Whisper (a folder or a hub name).

    Raises:
        ModelError: it has none.
    """
    folder = Path(init).expanduser()
    if folder.is_dir():
        return folder / "tokenizer.json"
    hub = require("huggingface_hub", extra="train")
    try:
        return Path(hub.hf_hub_download(init, "tokenizer.json"))
    except Exception as error:
        raise ModelError(f"the tokenizer of {init!r} can't be fetched: {error}") from error
