"""model.yaml: what a speech model needs to be told beside its weights."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from turret_ai.errors import ModelError
from turret_ai.hear.settings import Settings


class Calibration(Settings):
    """Logistic regression from what the decoder says to the probability that the text is right."""

    bias: float
    log_prob: float = Field(description="weight of the mean log-probability of a token")
    margin: float = Field(0.0, description="weight of the distance to the second reading, nats")
    margin_cap: float = Field(5.0, gt=0, description="largest distance that counts, nats")


class ModelCard(Settings):
    """What model.yaml may say. A public model has none: the defaults are right for it."""

    own: bool = Field(False, description="trained by `turret-ai train asr` from nothing")
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
        return ModelCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ModelError(f"{path} can't be read: {error}") from error
