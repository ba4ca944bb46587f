# SPDX-License-Identifier: Apache-2.0
"""What `turret-ai train asr` can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from turret_ai.hear.model_card import Frontend
from turret_ai.learn.config import Section
from turret_ai.learn.schedule import Schedule
from turret_ai.learn.speech.radio import RadioSettings


class WhisperSize(Section):
    """A Whisper of our own size, trained from nothing."""

    kind: Literal["whisper"] = "whisper"
    width: int = Field(192, ge=16, description="d_model")
    heads: int = Field(6, ge=1)
    encoder_layers: int = Field(6, ge=1)
    decoder_layers: int = Field(2, ge=1)
    feed_forward: int = Field(768, ge=16)
    vocabulary: int = Field(512, ge=260, le=50000, description="byte-pair tokens of text")

    @model_validator(mode="after")
    def _divides(self) -> WhisperSize:
        if self.width % self.heads:
            raise ValueError("width must be a multiple of heads")
        return self


class CtcSize(Section):
    """A convolutional encoder that tells phones: see `turret_ai.learn.asr.ctc_model`."""

    kind: Literal["ctc"]
    width: int = Field(256, ge=16, description="channels")
    blocks: int = Field(10, ge=1)
    kernel: int = Field(11, ge=3, description="frames of 2 hops that a block looks over; odd")
    expansion: int = Field(3, ge=1, description="inner channels of a block, in widths")
    dropout: float = Field(0.05, ge=0, lt=1, description="after each block")

    @model_validator(mode="after")
    def _is_odd(self) -> CtcSize:
        if self.kernel % 2 == 0:
            raise ValueError("kernel must be odd")
        return self


class WhisperPhones(Section):
    """The encoder of a Whisper under a head that tells phones; the sizes are those of tiny."""

    kind: Literal["whisper_phones"]
    width: int = Field(384, ge=16, description="d_model")
    heads: int = Field(6, ge=1)
    layers: int = Field(4, ge=1)
    feed_forward: int = Field(1536, ge=16)


PhoneSize = CtcSize | WhisperPhones
"""What `turret_ai.learn.asr.ctc_task` trains."""


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "whisper"))
    return str(getattr(value, "kind", "whisper"))


Architecture = Annotated[
    Annotated[WhisperSize, Tag("whisper")]
    | Annotated[CtcSize, Tag("ctc")]
    | Annotated[WhisperPhones, Tag("whisper_phones")],
    Discriminator(_kind),
]


class Data(Section):
    """Clips and what is done to them."""

    train: tuple[Path, ...] = Field(min_length=1, description="folders with a manifest.jsonl")
    times: tuple[int, ...] = Field(
        (), description="how often an epoch sees the clips of each training folder; default: once"
    )
    validation: tuple[Path, ...] = Field(min_length=1, description="noisy and never changed")
    validation_clips: int = Field(100, ge=1)
    texts: Literal["plain", "written"] = Field(
        "plain",
        description="labels in lower case without punctuation, or as the manifest writes them, "
        "which is what public Whispers know",
    )
    radio: RadioSettings | None = Field(None, description="radio added to the training clips")
    resample: tuple[float, float] = Field(
        (0.9, 1.12), description="speed and pitch together: other speakers' vocal tracts"
    )
    warp: tuple[float, float] = Field(
        (1.0, 1.0), description="stretch of the frequency axis: vocal tracts at the same pitch"
    )
    filter_db: float = Field(
        0.0, ge=0, description="standard deviation of a random smooth filter: voices, microphones"
    )
    variants: int = Field(3, ge=1, description="differently distorted copies of each clip")
    cache: Path | None = Field(None, description="folder for features; null: computed each time")
    level_dbfs: float | None = Field(-26.0, description="utterances are brought to this level")
    batch_seconds: float = Field(60.0, gt=0, description="audio in a batch")
    curriculum: tuple[tuple[int, float], ...] = Field(
        (), description="(until batch, longest clip in seconds): short clips first"
    )
    clean_until: int = Field(0, ge=0, description="batches before the radio is switched on")
    noise_only: float = Field(0.02, ge=0, le=0.5, description="share of clips without speech")
    time_masks: int = Field(2, ge=0, description="SpecAugment (Park et al., 2019)")
    time_mask_frames: int = Field(12, ge=0)
    mel_masks: int = Field(2, ge=0)
    mel_mask_bands: int = Field(10, ge=0)


class Loss(Section):
    """Weights of the training loss."""

    ctc: float = Field(
        0.3, ge=0, le=1, description="of a Whisper: letters read by the encoder alone; 0: off"
    )
    phones: float = Field(
        0.0,
        ge=0,
        description="which phone sounds in each frame, as far as the manifests tell: it forms the "
        "encoder in a fraction of the steps that the words alone take; 0: off",
    )
    label_smoothing: float = Field(0.05, ge=0, lt=0.5)
    token_noise: float = Field(
        0.08, ge=0, lt=0.5, description="decoder inputs replaced at random: ears before grammar"
    )
    timestamps: float = Field(0.1, ge=0, le=1, description="share of labels with timestamps")


class AsrConfig(Section):
    """A training run."""

    out: Path
    resume: bool = False
    seed: int = 1
    init: str | None = Field(
        None,
        description="what to start from: for a Whisper a public one (hub name, or folder of "
        "transformers or CTranslate2), which gives whisper_phones its encoder; for both kinds that "
        "tell phones an exported model (name or folder), blocks that it lacks starting as "
        "identities, or a checkpoint (.pt)",
    )
    merges: int | None = Field(
        None,
        ge=0,
        description="of a public Whisper: how many of its vocabulary's first merges stay, beside "
        "what the training texts are written with; null: all",
    )
    frozen: tuple[str, ...] = Field(
        (),
        description="parameters that stay as they are, by the start of their names, such as "
        "model.encoder.conv: what need not move costs no time and forgets nothing",
    )
    frontend: Frontend = Frontend()
    architecture: Architecture = WhisperSize()
    pad_to_window: bool = Field(False, description="always 30 s, as public models need")
    data: Data
    loss: Loss = Loss()
    schedule: Schedule
