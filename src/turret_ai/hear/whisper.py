# SPDX-License-Identifier: Apache-2.0
"""Any Whisper that CTranslate2 can load, through faster-whisper: public ones and our own.

The decoding is done here instead of by `WhisperModel.transcribe`, for three reasons: an utterance
is one window already, several readings with their scores are wanted, and a model of ours takes
any length up to its window where faster-whisper always fills up to 30 s.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from turret_ai import vocabulary
from turret_ai.errors import InputError, ModelError
from turret_ai.hear.level import to_level
from turret_ai.hear.model_card import ModelCard, read_card
from turret_ai.hear.recogniser import Decoded, WindowedRecogniser
from turret_ai.hear.settings import SAMPLE_RATE, RecogniserSettings
from turret_ai.share import resolve
from turret_ai.types import FloatArray, Hypothesis

_TAIL_FRAMES = 50
"""Of silence after what was said, for a model that takes any length: where speech ends with the
window, the decoder begins anew."""
_COMPRESSIBLE = 2.4
"""Compression ratio of a text from which the decoder loops: openai-whisper's threshold."""
_IMPROBABLE, _DOUBTFUL = 0.03, -0.5
"""Talk that was heard well is told though it is no command; what is neither is not."""
_TOKENS_PER_SECOND = 12
"""More than anybody says; longer output is a decoder that loops."""


def _folder(settings: RecogniserSettings) -> str:
    try:
        folder = resolve(settings.model, "models")
    except InputError as error:
        if settings.allow_download:
            return settings.model
        raise ModelError(
            f"{error}; a name of the hub needs allow_download=true and a network"
        ) from error
    if not (folder / "model.bin").is_file():
        raise ModelError(f"{folder} is not a CTranslate2 model: it has no model.bin")
    for name in ("tokenizer.json", "config.json"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is not a Whisper for faster-whisper: it has no {name}")
    return str(folder)


class WhisperRecogniser(WindowedRecogniser):
    """faster-whisper's model with our decoding."""

    def __init__(self, settings: RecogniserSettings) -> None:
        """Load the model.

        Raises:
            ModelError: it is missing, broken, not a Whisper, or the device can't run it.
        """
        super().__init__(settings)
        folder = _folder(settings)
        gpu = settings.device == "cuda" or (
            settings.device == "auto" and ctranslate2.get_cuda_device_count() > 0
        )
        self.device = "cuda" if gpu else "cpu"
        compute = settings.compute_type
        if compute == "auto":
            compute = "float16" if gpu else "int8"
        possible = ctranslate2.get_supported_compute_types(self.device)
        if compute not in possible:
            raise ModelError(
                f"compute_type {compute!r} is not for a {self.device.upper()}, where it would take "
                f"many times longer or fail: auto, or one of {', '.join(sorted(possible))}"
            )
        self.card = read_card(Path(folder)) if Path(folder).is_dir() else ModelCard()
        self.calibration = self.card.calibration
        try:
            self._model: Any = WhisperModel(
                folder,
                device=self.device,
                device_index=settings.device_index,
                compute_type=compute,
                # Threads that wait for one another by spinning: too many are slower than one
                # where anything else runs.
                cpu_threads=settings.threads or max(1, (os.cpu_count() or 2) // 2),
                local_files_only=not settings.allow_download,
            )
        except Exception as error:
            raise ModelError(f"the Whisper in {folder} can't be loaded: {error}") from error
        self._name = Path(folder).name
        self._compute = compute
        extractor = self._model.feature_extractor
        self.window_s = float(extractor.nb_max_frames * extractor.hop_length / SAMPLE_RATE)

    def describe(self) -> dict[str, str]:
        """engine, model and device."""
        return {
            "engine": "whisper",
            "model": self._name,
            "device": f"{self.device} ({self._compute})",
        }

    def refused(self, decoded: Decoded) -> str:
        """See `WindowedRecogniser.refused`."""
        settings = self.settings
        mean = decoded.mean_log_prob
        # Public models see no speech where there is some: only a doubtful text confirms it.
        unsure = self.card.own or mean < settings.log_prob_threshold
        if decoded.no_speech > settings.no_speech_threshold and unsure:
            return f"no speech (probability {decoded.no_speech:.2f})"
        text = decoded.texts[0].text.encode()
        if len(text) / len(zlib.compress(text)) > _COMPRESSIBLE:
            return "unintelligible (the same words again and again)"
        doubted = self.calibration is not None and self._confidence(decoded) < _IMPROBABLE
        if mean < (_DOUBTFUL if doubted else settings.log_prob_threshold):
            return f"unintelligible (mean log-probability {mean:.2f})"
        return ""

    def _features(self, samples: FloatArray) -> Any:
        if self.card.level_dbfs is not None:
            samples = to_level(samples, self.card.level_dbfs)
        extractor = self._model.feature_extractor
        features = extractor(samples)
        most = int(extractor.nb_max_frames)
        features = features[:, :most]
        length = most
        if self.card.any_length:
            length = min(most, features.shape[1] + _TAIL_FRAMES + features.shape[1] % 2)
        padded = np.zeros((1, features.shape[0], length), dtype=np.float32)
        padded[0, :, : features.shape[1]] = features
        return ctranslate2.StorageView.from_array(padded)

    def decode(self, samples: FloatArray) -> Decoded:
        """See `WindowedRecogniser.decode`; the mean is over the tokens."""
        settings = self.settings
        wanted = max(settings.alternatives, 1)
        longest = 16 + int(len(samples) / SAMPLE_RATE * _TOKENS_PER_SECOND)
        try:
            heard = self._model.model.encode(self._features(samples))
            tokenizer = self._tokenizer(heard)
            prompt = self._prompt(tokenizer)
            result = self._model.model.generate(
                heard,
                [prompt],
                beam_size=max(settings.beam_size, wanted),
                num_hypotheses=wanted,
                length_penalty=1.0,
                max_length=min(448, len(prompt) + longest),
                return_scores=True,
                return_no_speech_prob=True,
                suppress_blank=not self.card.own,
                suppress_tokens=self._suppressed(tokenizer),
            )[0]
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"the Whisper {self._name} broke down: {error}") from error
        found: dict[str, Hypothesis] = {}
        for ids, score in zip(result.sequences_ids, result.scores, strict=True):
            text = tokenizer.decode([i for i in ids if i < tokenizer.eot]).strip()
            if text:
                found.setdefault(text, Hypothesis(text, float(score) * max(1, len(ids))))
        texts = tuple(sorted(found.values(), key=lambda h: -h.score))
        mean = float(result.scores[0]) if texts else -math.inf
        return Decoded(texts, mean, float(result.no_speech_prob))

    def _tokenizer(self, heard: Any) -> Tokenizer:
        if not self._model.model.is_multilingual or self.settings.language:
            return self._fixed_tokenizer
        detected = self._model.model.detect_language(heard)[0][0][0].strip("<|>")
        return Tokenizer(self._model.hf_tokenizer, True, "transcribe", detected)

    @cached_property
    def _fixed_tokenizer(self) -> Tokenizer:
        multilingual = bool(self._model.model.is_multilingual)
        try:
            return Tokenizer(
                self._model.hf_tokenizer, multilingual, "transcribe", self.settings.language or "en"
            )
        except ValueError as error:
            raise ModelError(f"language {self.settings.language!r}: {error}") from error

    def _prompt(self, tokenizer: Tokenizer) -> list[int]:
        previous: list[int] = []
        hotwords = None
        if self.card.primed and not self.card.own:
            text = self.settings.initial_prompt
            text = prompt_of_vocabulary() if text == "auto" else text
            previous = tokenizer.encode(f" {text.strip()}") if text.strip() else []
            hotwords = self.settings.hotwords or None
        prompt: list[int] = self._model.get_prompt(
            tokenizer, previous, without_timestamps=True, hotwords=hotwords
        )
        return prompt

    def _suppressed(self, tokenizer: Tokenizer) -> list[int]:
        if self.card.own:
            return []
        suppressed = list(get_suppressed_tokens(tokenizer, [-1]))
        if self.settings.suppress_digits:
            suppressed += self._digit_tokens
        return sorted(set(suppressed))

    @cached_property
    def _digit_tokens(self) -> list[int]:
        tokenizer = self._model.hf_tokenizer
        end = tokenizer.token_to_id("<|endoftext|>")
        return digit_tokens(tokenizer.get_vocab(with_added_tokens=False), end)


def digit_tokens(tokens: dict[str, int], end: int) -> list[int]:
    """The ids of text tokens that hold a digit."""
    return [i for token, i in tokens.items() if i < end and any(c.isdigit() for c in token)]


def prompt_of_vocabulary(examples: Sequence[str] = ("three two zero", "zero niner five")) -> str:
    """Two sentences of command that show a public model spelling, digits and the tools' names."""
    words = vocabulary.load()
    tools = [t.name for t in words.tools if not t.rare]
    types = [t.name for t in words.types if not t.rare]
    first = words.target((words.colour_names[0], words.colour_names[1]), types[-1])
    second = words.target((words.colour_names[6 % len(words.colour_names)],), types[0])
    return (
        f"Heading is {examples[0]}, target is {first}, tool to deploy is {tools[0]}. "
        f"Turret Alpha, deploy {tools[min(3, len(tools) - 1)]} at {second}, "
        f"heading {examples[1]}. Tools: {', '.join(tools)}."
    )
