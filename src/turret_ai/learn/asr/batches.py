"""Which clips are in which batch: a pure function of the batch's number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from turret_ai.learn.asr.config import AsrConfig
from turret_ai.learn.asr.features import CLEAN, Clip, Features, FeatureStore, Timing
from turret_ai.learn.asr.tokens import Labels

LETTERS = " abcdefghijklmnopqrstuvwxyz'0123456789"
"""What the auxiliary CTC head reads; its class 0 is the blank."""
_PERTURBED = 1 / 1.1
"""Resampling shortens or lengthens a clip; batches are planned by the longest it may become."""


def letters(text: str) -> list[int]:
    """CTC classes of a normalised text."""
    return [LETTERS.index(c) + 1 for c in text if c in LETTERS]


def phone_table(clips: Sequence[Clip], least: int = 20) -> dict[str, int]:
    """Class numbers of the phones that occur at least that often; "_", the pause, is 0."""
    counts = Counter(name for clip in clips for _, name in clip.phones)
    names = sorted(name for name, count in counts.items() if count >= least and name != "_")
    return {"_": 0, **{name: number for number, name in enumerate(names, start=1)}}


def frame_phones(
    clip: Clip, timing: Timing, table: Mapping[str, int], frames: int, frame_s: float
) -> NDArray[np.int64]:
    """The phone class of each encoder frame, -100 where the manifest doesn't tell."""
    if not clip.phones:
        return np.full(frames, -100)
    lead, pace = timing
    starts = np.array([lead + pace * at for at, _ in clip.phones])
    classes = np.array([0, *(table.get(name, -100) for _, name in clip.phones)])
    middle = (np.arange(frames) + 0.5) * frame_s
    found = classes[np.searchsorted(starts, middle, side="right")]
    found[middle > lead + pace * clip.seconds] = 0
    return found


class Plan:
    """Epochs of batches of clips of like length, extended as far as it is asked."""

    def __init__(self, clips: Sequence[Clip], config: AsrConfig) -> None:
        self.clips, self.config = clips, config
        self.batches: list[list[tuple[int, int]]] = []
        self.epoch = 0

    def _longest(self, batch: int) -> float:
        for until, seconds in self.config.data.curriculum:
            if batch < until:
                return seconds
        return float("inf")

    def _extend(self) -> None:
        limit = self._longest(len(self.batches))
        window = self.config.frontend.chunk_length * _PERTURBED - 1.2
        chosen = [i for i, c in enumerate(self.clips) if c.seconds <= min(max(limit, 0.0), window)]
        if not chosen:
            chosen = list(range(len(self.clips)))
        rng = np.random.default_rng([self.config.seed, self.epoch])
        # Length with some jitter: batches of like length whose company changes every epoch.
        order = sorted(chosen, key=lambda i: self.clips[i].seconds * rng.uniform(0.93, 1.07))
        clean = len(self.batches) < self.config.data.clean_until
        variant = CLEAN if clean else self.epoch % self.config.data.variants
        batches: list[list[tuple[int, int]]] = [[]]
        total = 0.0
        for i in order:
            if batches[-1] and total + self.clips[i].seconds > self.config.data.batch_seconds:
                batches.append([])
                total = 0.0
            batches[-1].append((i, variant))
            total += self.clips[i].seconds
        rng.shuffle(batches)
        stages = [*(u for u, _ in self.config.data.curriculum), self.config.data.clean_until]
        ends = [end for end in stages if len(self.batches) < end]
        if ends:
            batches = batches[: min(ends) - len(self.batches)]
        self.batches += batches
        self.epoch += 1

    def __getitem__(self, index: int) -> list[tuple[int, int]]:
        """(clip, variant) of each member of batch number `index`."""
        while len(self.batches) <= index:
            self._extend()
        return self.batches[index]


def mask(features: Features, rng: Generator, config: AsrConfig) -> Features:
    """SpecAugment: stripes of time and of mel bands set to the mean."""
    data = config.data
    features = features.copy()
    bands, frames = features.shape
    mean = float(features.mean())
    for _ in range(data.time_masks):
        width = int(rng.integers(0, data.time_mask_frames + 1))
        start = int(rng.integers(0, max(1, frames - width)))
        features[:, start : start + width] = mean
    for _ in range(data.mel_masks):
        width = int(rng.integers(0, data.mel_mask_bands + 1))
        start = int(rng.integers(0, bands - width + 1))
        features[start : start + width] = mean
    return features


def pad(features: Sequence[Features], frames: int | None = None) -> Tensor:
    """Stack; missing frames are zeros, as faster-whisper pads. Shape (n, bands, even length)."""
    longest = frames or max(f.shape[1] for f in features)
    longest += longest % 2
    out = np.zeros((len(features), features[0].shape[0], longest), dtype=np.float32)
    for row, item in zip(out, features, strict=True):
        row[:, : item.shape[1]] = item[:, :longest]
    return torch.from_numpy(out)


class Batcher:
    """Builds the tensors of batch number `index`."""

    def __init__(
        self,
        clips: Sequence[Clip],
        store: FeatureStore,
        labels: Labels,
        phones: Mapping[str, int],
        config: AsrConfig,
    ) -> None:
        self.store, self.labels, self.config = store, labels, config
        self.clips = clips
        self.plan = Plan(clips, config)
        self.phones = phones

    def __call__(self, index: int) -> dict[str, Tensor]:
        """See `turret_ai.learn.asr.model.AsrModel.forward` for the keys."""
        config = self.config
        rng = np.random.default_rng([config.seed, 7, index])
        features: list[Features] = []
        sequences: list[list[int]] = []
        spelled: list[list[int]] = []
        sounds: list[NDArray[np.int64]] = []
        frame_s = config.frontend.hop_length / 16000
        for i, variant in self.plan[index]:
            clip = self.clips[i]
            if rng.random() < config.data.noise_only:
                features.append(self.store.without_speech(rng, min(clip.seconds, 6.0)))
                sequences.append(self.labels.encode(""))
                spelled.append([])
                sounds.append(np.zeros(features[-1].shape[1] // 2, dtype=np.int64))
                continue
            found, timing = self.store.get(clip, variant)
            stamped = rng.random() < config.loss.timestamps
            seconds = found.shape[1] * frame_s if stamped else None
            features.append(mask(found, rng, config))
            sequences.append(self.labels.encode(clip.text, seconds))
            spelled.append(letters(clip.text))
            sounds.append(frame_phones(clip, timing, self.phones, found.shape[1] // 2, 2 * frame_s))
        # More padding than the batch needs, now and then: what follows speech must not matter.
        longest = max(f.shape[1] for f in features) + int(rng.integers(0, 40))
        window = config.frontend.window_frames
        inputs = pad(features, window if config.pad_to_window else min(longest, window))
        length = max(len(s) for s in sequences) - 1
        decoder_input = torch.full((len(sequences), length), self.labels.end)
        targets = torch.full((len(sequences), length), -100)
        for row, sequence in enumerate(sequences):
            given = np.array(sequence[:-1])
            noisy = rng.random(len(given)) < config.loss.token_noise
            noisy[: len(self.labels.prompt)] = False
            given[noisy] = rng.integers(0, self.labels.end, int(noisy.sum()))
            decoder_input[row, : len(given)] = torch.from_numpy(given)
            targets[row, : len(sequence) - 1] = torch.tensor(sequence[1:])
        widest = max(1, max(len(s) for s in spelled))
        ctc = torch.zeros((len(spelled), widest), dtype=torch.long)
        for row, word in enumerate(spelled):
            ctc[row, : len(word)] = torch.tensor(word, dtype=torch.long)
        phones = torch.full((len(sounds), inputs.shape[2] // 2), -100)
        for row, sound in enumerate(sounds):
            count = min(len(sound), phones.shape[1])
            phones[row, :count] = torch.from_numpy(sound[:count])
        return {
            "features": inputs,
            "phones": phones,
            "decoder_input": decoder_input,
            "targets": targets,
            "ctc_targets": ctc,
            "ctc_lengths": torch.tensor([len(s) for s in spelled]),
            "frames": torch.tensor([min(f.shape[1], inputs.shape[2]) // 2 for f in features]),
        }
