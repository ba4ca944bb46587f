# SPDX-License-Identifier: Apache-2.0
"""Every setting of this room. The transcriber node declares them as its parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from turret_ai.settings import Settings

SAMPLE_RATE = 16000
"""Hz of everything behind the edge of this room."""


FAST_MODEL = "asr_whisper_phones"
"""The shipped model of the kind ctc."""


class ListenerSettings(Settings):
    """How a stream of audio is cut into utterances."""

    threshold: float = Field(
        0.4, gt=0, lt=1, description="speech probability from which somebody speaks"
    )
    release: float = Field(
        0.15, ge=0, lt=1, description="how far below the threshold speech may fall and go on"
    )
    start_speech: float = Field(
        0.1, ge=0.032, le=2, description="s of speech in a row that begin an utterance"
    )
    end_silence: float = Field(
        0.65, ge=0.1, le=5, description="s without speech that end it; shorter gaps are bridged"
    )
    early_silence: float = Field(
        0.35,
        ge=0,
        le=5,
        description="s without speech that end it where all that a command needs was said; 0: off",
    )
    open_silence: float = Field(
        0.95,
        ge=0,
        le=5,
        description="s without speech that end it where an order was begun and a field is missing: "
        "people pause between their sentences; 0: end_silence",
    )
    pre_roll: float = Field(0.25, ge=0, le=2, description="s kept before the first speech")
    post_roll: float = Field(0.2, ge=0, le=2, description="s kept after the last speech")
    min_speech: float = Field(
        0.3, ge=0, le=5, description="s of speech below which an utterance is dropped"
    )
    max_length: float = Field(
        14.0, ge=2, le=29, description="s after which an utterance is cut, at its quietest place"
    )
    partial_interval: float = Field(
        0.8, ge=0, le=10, description="s of new audio between partial utterances; 0: none"
    )
    phones: bool = Field(
        True,
        description="ask the phone model, where one is loaded, where speech begins and whether it "
        "goes on: over narrow bands the voice activity detector can be deaf",
    )
    gap_bridged: float = Field(
        0.3, ge=0, le=5, description="s of missing chunks that are filled with silence"
    )

    @model_validator(mode="after")
    def _pauses_in_order(self) -> ListenerSettings:
        if self.early_silence and self.early_silence < self.post_roll:
            raise ValueError("early_silence must be 0 or at least post_roll")
        return self


class RecogniserSettings(Settings):
    """Which engine turns an utterance into text, and how."""

    engine: Literal["auto", "ctc", "whisper", "sphinx"] = Field(
        "auto",
        description="auto: what the model is made for, and beside a Whisper the second engine; "
        "ctc: the fast engine alone; whisper: without a second one",
    )
    model: str = Field(
        "auto",
        description="a shipped model, a folder (ours, or a Whisper for CTranslate2), or a hub "
        "name; auto: the shipped one of the engine",
    )
    second: str = Field(
        FAST_MODEL,
        description="a fast model of the kind ctc beside a Whisper: it tells what is being said "
        "and gives further readings; empty: none",
    )
    allow_download: bool = Field(False, description="fetch a hub name that is not on this disk")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where Whisper runs")
    device_index: int = Field(0, ge=0, le=64, description="index of the GPU")
    compute_type: str = Field(
        "auto",
        description="of CTranslate2; auto: float16 on a GPU, int8 on a CPU, which has no float16",
    )
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0: half of the cores")
    language: str = Field("en", description="of multilingual models; empty: detected")
    beam_size: int = Field(5, ge=1, le=20, description="beams of the decoder")
    alternatives: int = Field(3, ge=1, le=20, description="readings returned, best first")
    initial_prompt: str = Field(
        "auto",
        description="text that public models are primed with; auto: made from the vocabulary",
    )
    hotwords: str = Field("", description="words that public models are hinted at")
    suppress_digits: bool = Field(
        True, description="public models write numbers as words: digit tokens are forbidden"
    )
    lm_scale: float = Field(
        1.0, gt=0, le=5, description="weight of the language model of `ctc` beside the sound"
    )
    search_beam: float = Field(
        14.0, gt=0, le=40, description="nats behind the best at which `ctc` gives a path up"
    )
    fit_threshold: float = Field(
        -4.0, le=0, description="nats a word by which `ctc`'s words may fit worse than any sounds"
    )
    no_speech_threshold: float = Field(
        0.6, ge=0, le=1, description="probability of no speech from which nothing was said"
    )
    log_prob_threshold: float = Field(
        -1.2, le=0, description="mean log-probability of a token below which nothing was understood"
    )
    speech_gate: bool = Field(
        True, description="ask the voice activity detector first; `ctc` tells noise by itself"
    )
    gate_threshold: float = Field(
        0.3, gt=0, lt=1, description="speech probability that counts for the gate"
    )
    gate_speech: float = Field(
        0.2, ge=0, le=5, description="s of speech below which the answer is EMPTY"
    )
    normalise_loudness: bool = Field(
        False, description="to -23 LUFS first (ITU-R BS.1770; extra `audio`)"
    )
    denoise: bool = Field(False, description="spectral subtraction of the steady noise first")


class HearSettings(Settings):
    """How the stream is cut, and how it is recognised."""

    listener: ListenerSettings = ListenerSettings()
    recogniser: RecogniserSettings = RecogniserSettings()
    marked_limit: float = Field(
        60.0, gt=0.0, le=3600.0, description="s after which a marked utterance is taken as it is"
    )
    stream_timeout: float = Field(
        2.0,
        ge=0.3,
        le=60.0,
        description="s without audio after which what was being said has ended",
    )
