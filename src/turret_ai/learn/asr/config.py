"""What `turret-ai train asr` can be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from turret_ai.learn.config import Section
from turret_ai.learn.loop import Schedule
from turret_ai.learn.speech.radio import RadioSettings


class Frontend(Section):
    """The log-mel features, as faster-whisper's preprocessor_config.json names them."""

    feature_size: int = Field(80, ge=16, le=128, description="mel bands")
    hop_length: int = Field(160, ge=80, le=400, description="samples at 16 kHz")
    n_fft: int = Field(400, ge=160, le=1024)
    chunk_length: int = Field(30, ge=5, le=30, description="seconds: the longest utterance")

    @property
    def window_frames(self) -> int:
        """Mel frames of the longest utterance; the encoder makes half as many."""
        return self.chunk_length * 16000 // self.hop_length


class Architecture(Section):
    """A Whisper of our own size, trained from nothing."""

    width: int = Field(192, ge=16, description="d_model")
    heads: int = Field(6, ge=1)
    encoder_layers: int = Field(6, ge=1)
    decoder_layers: int = Field(2, ge=1)
    feed_forward: int = Field(768, ge=16)
    vocabulary: int = Field(512, ge=260, le=50000, description="byte-pair tokens of text")

    @model_validator(mode="after")
    def _divides(self) -> Architecture:
        if self.width % self.heads:
            raise ValueError("width must be a multiple of heads")
        return self


class Data(Section):
    """Clips and what is done to them."""

    train: tuple[Path, ...] = Field(min_length=1, description="folders with a manifest.jsonl")
    validation: tuple[Path, ...] = Field(min_length=1, description="noisy and never changed")
    validation_clips: int = Field(100, ge=1)
    radio: RadioSettings | None = Field(None, description="radio added to the training clips")
    resample: tuple[float, float] = Field(
        (0.9, 1.12), description="speed and pitch together: other speakers' vocal tracts"
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

    ctc: float = Field(0.3, ge=0, le=1, description="letters read by the encoder alone; 0: off")
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
    init: str | None = Field(None, description="a public Whisper (folder or hub name) to tune")
    frontend: Frontend = Frontend()
    architecture: Architecture = Architecture()
    pad_to_window: bool = Field(False, description="always 30 s, as public models need")
    data: Data
    loss: Loss = Loss()
    schedule: Schedule
