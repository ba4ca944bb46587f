# SPDX-License-Identifier: Apache-2.0
"""`turret-ai train asr`: the task that the training loop runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import jiwer
import torch
from torch import Tensor, nn

from turret_ai.errors import InputError, ModelError
from turret_ai.learn import config as configs
from turret_ai.learn import loop
from turret_ai.learn.asr import narrowing, tokens
from turret_ai.learn.asr.batches import Batcher, pad, prepare_phones
from turret_ai.learn.asr.config import AsrConfig, PhoneSize, WhisperSize
from turret_ai.learn.asr.ctc_task import CtcTask
from turret_ai.learn.asr.features import Clip, FeatureStore, read_clips
from turret_ai.learn.asr.model import AsrModel, build_whisper, tokenizer_of
from turret_ai.learn.budget import Budget
from turret_ai.normalise import plain

KIND = "asr"


class AsrTask:
    """A speech recogniser in training. Satisfies `turret_ai.learn.loop.Task`."""

    kind = KIND

    def __init__(self, config: AsrConfig, labels: tokens.Labels) -> None:
        self.config, self.labels = config, labels
        torch.manual_seed(config.seed)
        data = config.data
        clips = read_clips(data.train, data.times)
        store = FeatureStore(data, config.frontend, config.seed, augment=True)
        self.batch = Batcher(clips, store, labels, prepare_phones(config, clips), config)
        self.asr = AsrModel(build_whisper(config, labels), config.loss, len(self.batch.phones))
        self.model: nn.Module = self.asr
        self.validation = read_clips(data.validation)[: data.validation_clips]
        self.unchanged = FeatureStore(data, config.frontend, config.seed, augment=False)

    def loss(
        self, model: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, Mapping[str, float]]:
        """See `AsrModel.forward`."""
        loss, parts = model(**batch)
        return loss, {name: part.item() for name, part in parts.items()}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Word error rate on the fixed noisy set, all of it and by engine."""
        device = next(model.parameters()).device
        window = self.config.frontend.window_frames
        frames = window if self.config.pad_to_window else None
        ordered = sorted(self.validation, key=lambda clip: clip.seconds)
        heard: list[tuple[Clip, str]] = []
        for start in range(0, len(ordered), 16):
            group = ordered[start : start + 16]
            features = pad([self.unchanged.get(clip, 0)[0] for clip in group], frames).to(device)
            texts = [plain(text) for text in self.asr.greedy(features, self.labels)]
            heard += zip(group, texts, strict=True)
        figures = {"score": 1 - jiwer.wer([c.text for c, _ in heard], [t for _, t in heard])}
        for engine in sorted({str(clip.entry.get("engine", "")) for clip, _ in heard} - {""}):
            pairs = [(c.text, t) for c, t in heard if c.entry.get("engine") == engine]
            figures[f"wer_{engine}"] = jiwer.wer([a for a, _ in pairs], [b for _, b in pairs])
        return figures


def prepare_labels(config: AsrConfig) -> tokens.Labels:
    """The run's tokenizer.json: made from the training texts once, or the public model's, which
    `merges` makes smaller.

    Raises:
        InputError: `out` can't be written.
    """
    path = config.out / "tokenizer.json"
    if not path.exists():
        try:
            config.out.mkdir(parents=True, exist_ok=True)
            if config.init is not None:
                public = tokenizer_of(config.init)
                if config.merges is None:
                    path.write_bytes(public.read_bytes())
                else:
                    clips = read_clips(config.data.train)
                    labels = {clip.label(config.data.texts) for clip in clips}
                    fewer = narrowing.narrowed(tokens.load(public), config.merges, labels)
                    fewer.tokenizer.save(str(path), pretty=False)
            else:
                size = config.architecture
                if not isinstance(size, WhisperSize):
                    raise ModelError(f"an architecture of kind {size.kind!r} has no tokens")
                texts = [clip.text for clip in read_clips(config.data.train)]
                made = tokens.train(texts, size.vocabulary, config.frontend.chunk_length)
                made.save(str(path))
        except OSError as error:
            raise InputError(f"{config.out} can't be written: {error}") from error
    return tokens.load(path)


def run(
    config_name: str,
    overrides: Sequence[str],
    budget: Budget | None = None,
    export: Path | None = None,
) -> Path:
    """Train by a configuration; returns the best checkpoint.

    Args:
        export: folder for the exported model, in eight bits; none: nothing is exported.

    Raises:
        TurretError: see `turret_ai.learn.loop.fit` and `turret_ai.learn.config.load`.
    """
    config = configs.load(config_name, overrides, AsrConfig)
    torch.set_num_threads(config.schedule.threads)
    task: loop.Task
    if isinstance(config.architecture, PhoneSize):
        task = CtcTask(config)
    else:
        task = AsrTask(config, prepare_labels(config))
    content = config.model_dump(mode="json")
    best = loop.fit(task, config.schedule, config.out, config.resume, content, budget)
    if export is not None:
        from turret_ai.learn.asr import export as exporting

        exporting.run(str(best), export)
    return best
