# SPDX-License-Identifier: Apache-2.0
"""One front for every speech engine: utterance in, transcription out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from turret_ai.errors import InputError
from turret_ai.hear import cleaning, command_words, splitting, vad
from turret_ai.hear.model_card import Calibration, read_card
from turret_ai.hear.settings import FAST_MODEL, SAMPLE_RATE, RecogniserSettings
from turret_ai.share import resolve
from turret_ai.types import FloatArray, Hypothesis, Transcription, TranscriptStatus

MAX_SECONDS = 600.0
BEST_MODEL = "asr_whisper_tiny"
_SHORTEST_S = 0.1
_IMPROBABLE = 0.1
"""Confidence below which scraps of words in much noise are not told."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine made of an utterance that holds speech.

    alternatives: best first; none where nothing was understood.
    confidence: probability that the best one is right, 0..1.
    reason: why there is none.
    """

    alternatives: tuple[Hypothesis, ...]
    confidence: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a model reads in one window, not judged yet.

    texts: best first, with the log-probability of the whole in nats.
    mean_log_prob: how well the best one fits, 0 at best; the scale is the engine's own.
    no_speech: probability that nobody speaks, where the model tells; else 0.
    """

    texts: tuple[Hypothesis, ...]
    mean_log_prob: float
    no_speech: float = 0.0

    @property
    def margin(self) -> float:
        """Distance of the best reading to the second in nats; infinite without a second."""
        return self.texts[0].score - self.texts[1].score if len(self.texts) > 1 else math.inf


class Recogniser(ABC):
    """A loaded speech engine. Not thread-safe."""

    tells_noise = False
    """Whether the engine itself hears that nobody speaks, better than the detector does."""

    def __init__(self, settings: RecogniserSettings) -> None:
        self.settings = settings

    @abstractmethod
    def read(self, samples: FloatArray) -> Reading:
        """The engine's own work on mono float32 at 16 kHz."""

    @abstractmethod
    def describe(self) -> dict[str, str]:
        """engine, model and device, for diagnostics."""

    def warm_up(self) -> None:
        """Make the first real utterance as fast as the others."""
        vad.probabilities(np.zeros(SAMPLE_RATE, dtype=np.float32))
        noise = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE) * 0.01
        self.read(noise.astype(np.float32))

    def hears_speech(self, samples: FloatArray) -> bool:
        """Whether there is speech that the detector missed, over a narrow band for instance."""
        return False

    def phone_times(self, samples: FloatArray) -> FloatArray | None:
        """The seconds at which phones begin, in order; None: the engine can't tell.

        Unlike the rest this may be called from another thread.
        """
        return None

    def glance(self, samples: FloatArray) -> Transcription:
        """What is being said so far, at little cost: PARTIAL, or EMPTY.

        Raises:
            InputError, ModelError: see `transcribe`.
        """
        return self.transcribe(samples, partial=True)

    def transcribe(self, samples: FloatArray, partial: bool = False) -> Transcription:
        """Hear one utterance.

        Args:
            samples: mono float32 in [-1, 1], shape (n,), 16 kHz.
            partial: the operator still speaks: the status is PARTIAL instead of FINAL.

        Returns:
            FINAL or PARTIAL with text, or EMPTY with the reason.

        Raises:
            InputError: the samples aren't mono, aren't finite, or are longer than ten minutes.
            ModelError: the engine broke down.
        """
        if samples.ndim != 1:
            raise InputError(f"an utterance is mono, shape (n,): got {samples.shape}")
        seconds = len(samples) / SAMPLE_RATE
        if seconds > MAX_SECONDS:
            raise InputError(f"an utterance of {seconds:.0f} s: {MAX_SECONDS:.0f} s at most")
        if not np.isfinite(samples).all():
            raise InputError("the utterance holds samples that are not numbers (NaN or infinite)")
        if seconds < _SHORTEST_S:
            return _empty(f"{seconds:.3f} s is too short for speech")
        if not samples.any():
            return _empty("digital silence")
        samples = np.clip(samples, -1.0, 1.0)
        settings = self.settings
        speech = vad.speech_seconds(samples, settings.gate_threshold)
        gated = settings.speech_gate and not self.tells_noise
        if gated and speech < settings.gate_speech and not self.hears_speech(samples):
            return _empty(f"no speech: {speech:.2f} s of {seconds:.1f} s sound like it", speech)
        if settings.denoise:
            samples = cleaning.denoise(samples)
        if settings.normalise_loudness:
            samples = cleaning.normalise_loudness(samples)
        reading = self.read(samples)
        if not reading.alternatives:
            return _empty(reading.reason or "nothing was understood", speech)
        return Transcription(
            TranscriptStatus.PARTIAL if partial else TranscriptStatus.FINAL,
            reading.alternatives[0].text,
            reading.confidence,
            reading.alternatives,
            speech,
        )


def _empty(reason: str, speech: float = 0.0) -> Transcription:
    return Transcription(TranscriptStatus.EMPTY, speech_seconds=speech, reason=reason)


class WindowedRecogniser(Recogniser):
    """An engine that decodes windows of limited length and says how sure it is of each."""

    window_s: float
    """Longest piece that `decode` takes, in seconds."""
    calibration: Calibration | None
    """Makes a probability of what the decoder says; None: exp of the mean log-probability."""

    @abstractmethod
    def decode(self, samples: FloatArray) -> Decoded:
        """One window of mono float32 at 16 kHz.

        Raises:
            ModelError: the model broke down.
        """

    @abstractmethod
    def refused(self, decoded: Decoded) -> str:
        """Why a decoding with texts is not believed; "" if it is."""

    def read(self, samples: FloatArray) -> Reading:
        """See `Recogniser.read`. The score is the log-probability of the whole reading."""
        decoded = [self.decode(piece) for piece in splitting.split(samples, self.window_s)]
        spoken = [d for d in decoded if d.texts and not self.refused(d)]
        if not spoken:
            reasons = [self.refused(d) for d in decoded if d.texts]
            return Reading((), 0.0, next(iter(reasons), "nothing was understood"))
        confidence = math.prod(self._confidence(d) for d in spoken)
        if 2 * len(spoken) < len(decoded) and confidence < _IMPROBABLE:
            return Reading((), 0.0, "unintelligible for the most part")
        texts = spoken[0].texts
        if len(spoken) > 1:
            joined = " ".join(d.texts[0].text for d in spoken)
            texts = (Hypothesis(joined, sum(d.texts[0].score for d in spoken)),)
        return Reading(texts, confidence)

    def _confidence(self, decoded: Decoded) -> float:
        if self.calibration is None:
            return math.exp(min(0.0, decoded.mean_log_prob))
        foreign = command_words.foreign_share(decoded.texts[0].text)
        return self.calibration.probability(decoded.mean_log_prob, decoded.margin, foreign)


def load(settings: RecogniserSettings | None = None) -> Recogniser:
    """Load the engine that the settings name.

    Raises:
        ModelError: the model is missing, broken or of another kind.
        MissingExtraError: the engine isn't installed.
    """
    settings = settings or RecogniserSettings()
    if settings.engine == "sphinx":
        from turret_ai.hear.sphinx import SphinxRecogniser

        return SphinxRecogniser(settings)
    if settings.model == "auto":
        model = FAST_MODEL if settings.engine == "ctc" else BEST_MODEL
        settings = settings.model_copy(update={"model": model})
    if settings.engine == "ctc" or (settings.engine == "auto" and _is_ctc(settings.model)):
        return _fast(settings)
    from turret_ai.hear.whisper import WhisperRecogniser

    best = WhisperRecogniser(settings)
    if settings.engine == "whisper" or not settings.second:
        return best
    from turret_ai.hear.pair import PairRecogniser

    second = settings.model_copy(update={"model": settings.second, "threads": 1})
    return PairRecogniser(settings, best, _fast(second))


def _fast(settings: RecogniserSettings) -> Recogniser:
    from turret_ai.hear.ctc import CtcRecogniser

    return CtcRecogniser(settings)


def _is_ctc(model: str) -> bool:
    try:
        folder = resolve(model, "models")
    except InputError:  # perhaps a name of the hub
        return False
    return folder.is_dir() and read_card(folder).kind == "ctc"
