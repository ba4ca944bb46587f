# SPDX-License-Identifier: Apache-2.0
"""Which clips are in which batch: a pure function of the batch's number."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from turret_ai.errors import InputError, ModelError
from turret_ai.learn.asr.config import AsrConfig
from turret_ai.learn.asr.features import CLEAN, Clip, Features, FeatureStore, Timing
from turret_ai.learn.asr.tokens import Labels

LETTERS = " abcdefghijklmnopqrstuvwxyz'0123456789"
"""What the auxiliary CTC head reads; its class 0 is the blank."""
_FILTER_POINTS = 7
_DB_OF_FEATURE = 40.0
"""Decibels of one unit of Whisper's features: 10 for a factor of ten, which is a quarter."""
_TOP_HZ = 8000.0
_LOG64 = float(np.log(6.4))
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


def prepare_phones(config: AsrConfig, clips: Sequence[Clip]) -> Mapping[str, int]:
    """The run's phones.json: their class numbers, fixed when the run began.

    Raises:
        InputError: `out` can't be written.
        ModelError: the file is broken.
    """
    if not config.loss.phones:
        return {"_": 0}
    path = config.out / "phones.json"
    if path.exists():
        try:
            return {str(name): int(number) for name, number in json.loads(path.read_text()).items()}
        except (ValueError, AttributeError) as error:
            raise ModelError(f"{path} is not a table of phones: {error}") from error
    table = phone_table(clips)
    try:
        config.out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(table), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} can't be written: {error}") from error
    return table


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


class Epochs:
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
        seen = [(i, copy) for i in chosen for copy in range(self.clips[i].times)]
        order = sorted(seen, key=lambda s: self.clips[s[0]].seconds * rng.uniform(0.93, 1.07))
        clean = len(self.batches) < self.config.data.clean_until
        batches: list[list[tuple[int, int]]] = [[]]
        total = 0.0
        for i, copy in order:
            variant = (self.epoch * self.clips[i].times + copy) % self.config.data.variants
            if batches[-1] and total + self.clips[i].seconds > self.config.data.batch_seconds:
                batches.append([])
                total = 0.0
            batches[-1].append((i, CLEAN if clean else variant))
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


def warp(features: Features, factor: float) -> Features:
    """Move what sounds at frequency f to `factor` f (Jaitly and Hinton, 2013, "Vocal tract length
    perturbation"), linearly up to the highest frequency.

    Args:
        features: shape (mel bands, frames), bands as Whisper's: Slaney's mel scale up to 8 kHz.
    """
    if factor == 1.0:
        return features
    bands = features.shape[0]
    top = _mel(np.array(_TOP_HZ))
    centres = _hz(np.arange(1, bands + 1) / (bands + 1) * top)
    source = np.minimum(_mel(centres / factor) / top * (bands + 1) - 1, bands - 1)
    below = np.clip(np.floor(source).astype(int), 0, bands - 2)
    share = np.clip(source - below, 0.0, 1.0).astype(np.float32)[:, None]
    moved: Features = features[below] * (1 - share) + features[below + 1] * share
    return moved


def colour(features: Features, rng: Generator, spread_db: float) -> Features:
    """Send through a random smooth filter (Nam, Kim and Park, 2022, "FilterAugment").

    Args:
        features: Whisper's: (log10 of the power + 4) / 4, shape (mel bands, frames).
        spread_db: standard deviation of the gain at each of the filter's points.
    """
    if spread_db == 0.0:
        return features
    gain = rng.normal(0.0, spread_db, _FILTER_POINTS)
    bands = features.shape[0]
    smooth = np.interp(np.linspace(0, _FILTER_POINTS - 1, bands), np.arange(_FILTER_POINTS), gain)
    return features + (smooth / _DB_OF_FEATURE).astype(np.float32)[:, None]


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's scale: linear to 1 kHz (15 mel), then 27 to each factor of 6.4."""
    return np.where(hz < 1000, hz * 0.015, 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / _LOG64)


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel / 0.015, 1000 * np.exp((mel - 15) * _LOG64 / 27))


def pad(features: Sequence[Features], frames: int | None = None) -> Tensor:
    """Stack; missing frames are zeros, as faster-whisper pads. Shape (n, bands, even length)."""
    longest = frames or max(f.shape[1] for f in features)
    longest += longest % 2
    out = np.zeros((len(features), features[0].shape[0], longest), dtype=np.float32)
    for row, item in zip(out, features, strict=True):
        row[:, : item.shape[1]] = item[:, :longest]
    return torch.from_numpy(out)


@dataclass(frozen=True, slots=True)
class Heard:
    """The acoustic half of a batch.

    inputs: see `AsrModel.forward` for the keys.
    clips: each member with its length in seconds; None: noise in which nobody speaks.
    """

    inputs: dict[str, Tensor]
    clips: list[tuple[Clip | None, float]]


class AcousticBatcher:
    """Features, phones of the frames and CTC targets of batch number `index`."""

    def __init__(
        self,
        clips: Sequence[Clip],
        store: FeatureStore,
        phones: Mapping[str, int],
        spell: Callable[[str], list[int]],
        config: AsrConfig,
    ) -> None:
        self.clips, self.store, self.phones, self.config = clips, store, phones, config
        self.spell = spell
        self.epochs = Epochs(clips, config)

    def __call__(self, index: int, rng: Generator) -> Heard:
        """The batch; `rng` decides on masks, padding and pure noise."""
        config = self.config
        features: list[Features] = []
        chosen: list[tuple[Clip | None, float]] = []
        spelled: list[list[int]] = []
        sounds: list[NDArray[np.int64]] = []
        frame_s = config.frontend.hop_length / 16000
        for i, variant in self.epochs[index]:
            clip = self.clips[i]
            if rng.random() < config.data.noise_only:
                found = self.store.without_speech(rng, min(clip.seconds, 6.0))
                chosen.append((None, 0.0))
                spelled.append([])
                sounds.append(np.zeros(found.shape[1] // 2, dtype=np.int64))
                features.append(found)
                continue
            found, timing = self.store.get(clip, variant)
            chosen.append((clip, found.shape[1] * frame_s))
            spelled.append(self.spell(clip.text))
            sounds.append(frame_phones(clip, timing, self.phones, found.shape[1] // 2, 2 * frame_s))
            found = warp(found, float(rng.uniform(*config.data.warp)))
            found = colour(found, rng, config.data.filter_db)
            features.append(mask(found, rng, config))
        # More padding than the batch needs, now and then: what follows speech must not matter.
        longest = max(f.shape[1] for f in features) + int(rng.integers(0, 40))
        window = config.frontend.window_frames
        inputs = pad(features, window if config.pad_to_window else min(longest, window))
        frames = inputs.shape[2] // 2
        return Heard(
            {
                "features": inputs,
                "phones": _rows(sounds, frames, -100),
                "ctc_targets": _rows(spelled, max(1, max(len(s) for s in spelled)), 0),
                "ctc_lengths": torch.tensor([len(s) for s in spelled]),
                "frames": torch.tensor([min(f.shape[1] // 2, frames) for f in features]),
            },
            chosen,
        )


def _rows(rows: Sequence[Sequence[int] | NDArray[np.int64]], width: int, fill: int) -> Tensor:
    out = np.full((len(rows), width), fill, dtype=np.int64)
    for row, values in zip(out, rows, strict=True):
        row[: len(values)] = np.asarray(values[:width], dtype=np.int64)
    return torch.from_numpy(out)


class Batcher:
    """Builds the tensors of batch number `index` for a Whisper."""

    def __init__(
        self,
        clips: Sequence[Clip],
        store: FeatureStore,
        labels: Labels,
        phones: Mapping[str, int],
        config: AsrConfig,
    ) -> None:
        self.labels, self.config, self.phones = labels, config, phones
        self.acoustic = AcousticBatcher(clips, store, phones, letters, config)

    def __call__(self, index: int) -> dict[str, Tensor]:
        """See `turret_ai.learn.asr.model.AsrModel.forward` for the keys."""
        config = self.config
        rng = np.random.default_rng([config.seed, 7, index])
        heard = self.acoustic(index, rng)
        sequences: list[list[int]] = []
        for clip, seconds in heard.clips:
            stamped = clip is not None and rng.random() < config.loss.timestamps
            if clip is None and config.init is not None and rng.random() < 0.5:
                # A public Whisper is asked for text even where it doubts that somebody speaks.
                sequences.append([*self.labels.prompt, self.labels.end])
                continue
            text = "" if clip is None else clip.label(config.data.texts)
            sequences.append(self.labels.encode(text, seconds if stamped else None))
        length = max(len(s) for s in sequences) - 1
        given = [np.array(sequence[:-1]) for sequence in sequences]
        for row in given:
            noisy = rng.random(len(row)) < config.loss.token_noise
            noisy[: len(self.labels.prompt)] = False
            row[noisy] = rng.integers(0, self.labels.end, int(noisy.sum()))
        return {
            **heard.inputs,
            "decoder_input": _rows(given, length, self.labels.end),
            "targets": _rows([s[1:] for s in sequences], length, -100),
        }
