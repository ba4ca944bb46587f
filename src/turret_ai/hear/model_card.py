# SPDX-License-Identifier: Apache-2.0
"""model.yaml: what a speech model needs to be told beside its weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from pydantic import Field

from turret_ai import documents
from turret_ai.errors import ConfigError, ModelError
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.overrides import check
from turret_ai.settings import Settings


class Calibration(Settings):
    """Logistic regression from what the decoder says to the probability that the text is right."""

    bias: float
    log_prob: float = Field(description="weight of the mean log-probability of a token")
    margin: float = Field(0.0, description="weight of the distance to the second reading, nats")
    margin_cap: float = Field(5.0, gt=0, description="largest distance that counts, nats")
    foreign: float = Field(0.0, description="weight of the share of words that no command has")

    def probability(self, mean_log_prob: float, margin: float, foreign: float = 0.0) -> float:
        """That it is a command and these are its words, 0..1.

        Args:
            margin: distance to the second reading, nats.
            foreign: share of the words that no command has.
        """
        margin = min(max(margin, 0.0), self.margin_cap)
        z = self.bias + self.log_prob * mean_log_prob + self.margin * margin
        z += self.foreign * foreign
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


class Frontend(Settings):
    """The log-mel features of a model of ours, named as in Whisper's preprocessor_config.json."""

    feature_size: int = Field(80, ge=16, le=128, description="mel bands")
    hop_length: int = Field(160, ge=80, le=400, description="samples at 16 kHz")
    n_fft: int = Field(400, ge=160, le=1024)
    chunk_length: int = Field(30, ge=5, le=30, description="seconds: the longest utterance")

    @property
    def window_frames(self) -> int:
        """Mel frames of the longest utterance; the encoder makes half as many."""
        return self.chunk_length * SAMPLE_RATE // self.hop_length


class ModelCard(Settings):
    """What model.yaml may say. A public model has none: the defaults are right for it."""

    kind: Literal["whisper", "ctc"] = Field(
        "whisper", description="ctc: model.onnx tells phones, a graph makes words of them"
    )
    frontend: Frontend = Field(Frontend(), description="of ctc; a Whisper has its own file")
    phones: tuple[str, ...] = Field((), description="of ctc: the classes after the blank, in order")
    own: bool = Field(False, description="trained by `turret-ai train asr` from nothing")
    primed: bool = Field(True, description="a public Whisper is given a prompt of the vocabulary")
    any_length: bool = Field(False, description="takes features of any length up to its window")
    level_dbfs: float | None = Field(None, description="level that utterances are brought to")
    calibration: Calibration | None = None


def read_card(folder: Path) -> ModelCard:
    """The model.yaml of a folder, or the defaults where there is none.

    Raises:
        ModelError: it can't be read.
    """
    path = folder / "model.yaml"
    if not path.is_file():
        return ModelCard()
    try:
        return check(documents.read_yaml(path) or {}, ModelCard, str(path))
    except ConfigError as error:
        raise ModelError(str(error)) from error
