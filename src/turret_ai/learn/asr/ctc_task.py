# SPDX-License-Identifier: Apache-2.0
"""Training the acoustic model of phones: the task that the training loop runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor, nn
from torch.nn import functional as F

from turret_ai.errors import InputError, ModelError
from turret_ai.hear.phone_graph import BLANK, CLASSES, spell
from turret_ai.learn import loop, warm_start
from turret_ai.learn.asr.batches import AcousticBatcher, pad, prepare_phones
from turret_ai.learn.asr.config import AsrConfig, PhoneSize
from turret_ai.learn.asr.ctc_model import Block, PhoneModel, WhisperPhoneModel, build
from turret_ai.learn.asr.features import Clip, FeatureStore, read_clips
from turret_ai.learn.asr.model import freeze, public, shorten
from turret_ai.share import resolve

KIND = "asr-ctc"
_VALIDATION_BATCH = 16


class _Losses(nn.Module):
    """The model with its losses, so that `forward` is what a training step needs."""

    def __init__(self, model: PhoneModel, sounds: float) -> None:
        super().__init__()
        self.net, self.weight = model, sounds

    def forward(
        self,
        features: Tensor,
        phones: Tensor,
        ctc_targets: Tensor,
        ctc_lengths: Tensor,
        frames: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and its parts by name; see `AsrModel.forward` for the arguments."""
        heard = self.net.encode(features, frames)
        scores = self.net.ctc(heard).float().log_softmax(-1).transpose(0, 1)
        spoken = F.ctc_loss(
            scores, ctc_targets, frames, ctc_lengths, blank=BLANK, zero_infinity=True
        )
        parts = {"ctc": spoken}
        total = spoken
        if self.net.sounds is not None and bool((phones >= 0).any()):
            named = self.net.sounds(heard).float()
            parts["phones"] = F.cross_entropy(named.flatten(0, 1), phones.flatten())
            total = total + self.weight * parts["phones"]
        return total, parts


class CtcTask:
    """An acoustic model in training. Satisfies `turret_ai.learn.loop.Task`."""

    kind = KIND

    def __init__(self, config: AsrConfig) -> None:
        if not isinstance(config.architecture, PhoneSize):
            raise ModelError(f"an architecture of kind {config.architecture.kind!r} has no phones")
        torch.manual_seed(config.seed)
        self.config = config
        data = config.data
        clips = read_clips(data.train, data.times)
        store = FeatureStore(data, config.frontend, config.seed, augment=True)
        table = prepare_phones(config, clips)
        self.acoustic = AcousticBatcher(clips, store, table, spell, config)
        net = build(config.architecture, config.frontend, CLASSES, len(table))
        if config.init is not None:
            _start_from(net, config.init, config.frontend.window_frames // 2)
        freeze(net, config.frozen)
        self.model: nn.Module = _Losses(net, config.loss.phones)
        self.net = net
        self.validation = read_clips(data.validation)[: data.validation_clips]
        self.unchanged = FeatureStore(data, config.frontend, config.seed, augment=False)

    def batch(self, index: int) -> dict[str, Tensor]:
        """Batch number `index`."""
        rng = np.random.default_rng([self.config.seed, 7, index])
        return self.acoustic(index, rng).inputs

    def loss(
        self, model: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, Mapping[str, float]]:
        """See `_Losses.forward`."""
        loss, parts = model(**batch)
        return loss, {name: part.item() for name, part in parts.items()}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Phone error rate of the best class of each frame on the noisy set, also by engine."""
        device = next(model.parameters()).device
        ordered = sorted(self.validation, key=lambda clip: clip.seconds)
        wrong: dict[str, list[int]] = {}
        for start in range(0, len(ordered), _VALIDATION_BATCH):
            group = ordered[start : start + _VALIDATION_BATCH]
            features = [self.unchanged.get(clip, 0)[0] for clip in group]
            frames = torch.tensor([f.shape[1] // 2 for f in features], device=device)
            best = self.net.ctc(self.net.encode(pad(features).to(device), frames)).argmax(-1)
            for clip, row, count in zip(group, best.tolist(), frames.tolist(), strict=True):
                errors, length = _errors(clip, row[:count])
                for key in ("", str(clip.entry.get("engine", ""))):
                    told = wrong.setdefault(key, [0, 0])
                    told[0] += errors
                    told[1] += length
        rates = {key: errors / max(1, length) for key, (errors, length) in wrong.items()}
        figures = {"score": 1 - rates.pop("")}
        return figures | {f"per_{engine}": rate for engine, rate in sorted(rates.items())}


def _start_from(net: PhoneModel, name: str, positions: int) -> None:
    """Take the weights of a checkpoint, of an exported model, or of a Whisper's encoder; what they
    lack adds nothing at first.

    Args:
        positions: of a Whisper's encoder, the longest utterance in its frames.

    Raises:
        InputError: there is no such checkpoint or folder.
        ModelError: it holds no model of this kind and width.
    """
    if name.endswith(".pt"):
        content = loop.load(Path(name), KIND)
        weights = content.get("average") or content["model"]
        own = {k.removeprefix("net."): v for k, v in weights.items() if k.startswith("net.")}
        warm_start.transplant(net, own, Path(name))
        return
    if isinstance(net, WhisperPhoneModel) and not _is_exported(name):
        net.start_from(shorten(public(name), positions))
        return
    for block in net.modules():
        if isinstance(block, Block):
            nn.init.zeros_(block.narrow.weight)
            nn.init.zeros_(block.narrow.bias)
    warm_start.restore(net, resolve(name, "models") / "model.onnx")


def _is_exported(name: str) -> bool:
    try:
        return (resolve(name, "models") / "model.onnx").is_file()
    except InputError:  # perhaps a name of the hub
        return False


def collapse(classes: list[int]) -> list[int]:
    """The phones that a row of frame classes stands for: repeats joined, blanks dropped."""
    kept = [c for c, before in zip(classes, [BLANK, *classes], strict=False) if c != before]
    return [c for c in kept if c != BLANK]


def _errors(clip: Clip, row: list[int]) -> tuple[int, int]:
    wanted = spell(clip.text)
    return Levenshtein.distance(collapse(row), wanted), len(wanted)
