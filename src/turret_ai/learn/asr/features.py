# SPDX-License-Identifier: Apache-2.0
"""Log-mel features of training clips, computed exactly as they will be when recognising."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import soxr
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.random import Generator
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.hear.level import to_level
from turret_ai.hear.model_card import Frontend
from turret_ai.learn.asr.config import Data
from turret_ai.learn.speech import radio
from turret_ai.normalise import plain
from turret_ai.types import FloatArray

Features = NDArray[np.float32]
SAMPLE_RATE = 16000
Timing = tuple[float, float]
"""(a, b): what was at time t in the clip is at a + b t in the features."""
CLEAN = -1
"""The variant without radio."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One spoken sentence on disk, with what the manifest says of it."""

    path: Path
    text: str
    """Normalised."""
    seconds: float
    entry: dict[str, Any]
    phones: tuple[tuple[float, str], ...] = ()
    """(start in seconds, name), where the manifest has them."""
    written: str = ""
    """As the manifest has it, with capitals and punctuation."""
    times: int = 1
    """How often it is seen in an epoch, each time distorted differently."""

    def label(self, texts: Literal["plain", "written"]) -> str:
        """What a model is to write."""
        return self.text if texts == "plain" else self.written


def _phones(text: str) -> tuple[tuple[float, str], ...]:
    pairs = (item.rpartition("@") for item in text.split())
    return tuple((float(at), name) for name, _, at in pairs)


def read_manifest(folder: Path) -> list[Clip]:
    """The clips of a folder with a manifest.jsonl.

    Raises:
        InputError: no manifest, a broken line, or a file that is named there and missing.
    """
    manifest = folder / "manifest.jsonl" if folder.is_dir() else folder
    if not manifest.is_file():
        raise InputError(f"{folder} has no manifest.jsonl: `turret-ai synth audio` makes one")
    clips = []
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            path = manifest.parent / entry["audio"]
            written = str(entry["transcript"]).strip()
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{manifest}, line {number}: {error!r}") from error
        if not path.is_file():
            raise InputError(f"{manifest}, line {number}: {path} is missing")
        seconds = entry.get("seconds") or soundfile.info(path).duration
        phones = _phones(entry.get("phones", ""))
        clips.append(Clip(path, plain(written), float(seconds), entry, phones, written))
    if not clips:
        raise InputError(f"{manifest} names no clips")
    return clips


def read_clips(folders: Sequence[Path], times: Sequence[int] = ()) -> list[Clip]:
    """The clips of several manifests, one after the other; those of folder k are `times[k]`."""
    counts = [*times, *[1] * len(folders)]
    return [
        replace(clip, times=count)
        for folder, count in zip(folders, counts, strict=False)
        for clip in read_manifest(folder)
    ]


def extractor(frontend: Frontend) -> FeatureExtractor:
    """faster-whisper's own, so that training and recognising see the same numbers."""
    return FeatureExtractor(
        feature_size=frontend.feature_size,
        hop_length=frontend.hop_length,
        n_fft=frontend.n_fft,
        chunk_length=frontend.chunk_length,
    )


class FeatureStore:
    """Features of clips, each in several differently distorted variants, kept on disk."""

    def __init__(self, data: Data, frontend: Frontend, seed: int, augment: bool) -> None:
        self.data, self.frontend, self.seed, self.augment = data, frontend, seed, augment
        self.extractor = extractor(frontend)
        recipe = {
            "radio": data.radio.model_dump(mode="json") if data.radio and augment else None,
            "resample": data.resample if augment else None,
            "level": data.level_dbfs,
            "frontend": frontend.model_dump(),
            "seed": seed,
        }
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]
        self.cache = data.cache / digest if data.cache else None

    def _distort(
        self, samples: FloatArray, rng: Generator, clean: bool
    ) -> tuple[FloatArray, Timing]:
        factor = float(rng.uniform(*self.data.resample))
        samples = soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE * factor).astype(np.float32)
        if self.data.radio is None or clean:
            return samples, (0.0, factor)
        samples, met = radio.transmit(samples, rng, self.data.radio)
        return samples, (met.lead_s, factor / met.tempo)

    def _compute(self, samples: FloatArray) -> Features:
        samples = samples[: self.frontend.chunk_length * SAMPLE_RATE]
        if self.data.level_dbfs is not None:
            samples = to_level(samples, self.data.level_dbfs)
        features = self.extractor(samples)[:, : self.frontend.window_frames]
        return np.asarray(features, dtype=np.float32)

    def get(self, clip: Clip, variant: int) -> tuple[Features, Timing]:
        """Features of shape (mel bands, frames), and the timing; variant CLEAN has no radio.

        Raises:
            InputError: the audio can't be read.
        """
        file = None
        if self.cache is not None:
            name = hashlib.sha256(str(clip.path).encode()).hexdigest()[:20]
            file = self.cache / name[:2] / f"{name}-{variant}.npz"
            if file.exists():
                with np.load(file, allow_pickle=False) as kept:
                    lead, pace = (float(v) for v in kept["timing"])
                    return kept["features"].astype(np.float32), (lead, pace)
        try:
            samples, rate = soundfile.read(clip.path, dtype="float32")
        except (OSError, soundfile.LibsndfileError) as error:
            raise InputError(f"{clip.path} can't be read: {error}") from error
        if rate != SAMPLE_RATE:
            samples = soxr.resample(samples, rate, SAMPLE_RATE)
        timing: Timing = (0.0, 1.0)
        if self.augment:
            token = int(hashlib.sha256(clip.path.name.encode()).hexdigest()[:8], 16)
            rng = np.random.default_rng([self.seed, token, variant + 1])
            samples, timing = self._distort(samples, rng, clean=variant == CLEAN)
        features = self._compute(np.asarray(samples, dtype=np.float32))
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".partial")
            with partial.open("wb") as out:
                np.savez(out, features=features.astype(np.float16), timing=np.array(timing))
            partial.replace(file)
            features = features.astype(np.float16).astype(np.float32)
        return features, timing

    def without_speech(self, rng: Generator, seconds: float) -> Features:
        """Features of noise, a tone or silence as the radio gives them when nobody speaks."""
        count = int(seconds * SAMPLE_RATE)
        kind = str(rng.choice(["white", "pink", "brown", "hum", "crackle", "babble", "tone", "0"]))
        if kind == "tone":
            hz = rng.uniform(100, 3500)
            samples = np.sin(2 * np.pi * hz * np.arange(count) / SAMPLE_RATE).astype(np.float32)
        elif kind == "0":
            samples = (rng.standard_normal(count) * 1e-4).astype(np.float32)
        else:
            samples = radio.noise(rng, kind, count)
        if self.data.radio is not None:
            quiet = self.data.radio.model_copy(update={"lead_s": (0.0, 0.0), "stretch": 0.0})
            samples, _ = radio.transmit(samples * 0.1, rng, quiet)
        return self._compute(samples)
