# SPDX-License-Identifier: Apache-2.0
"""What `turret-ai train matcher` is told: one type of configuration for each kind of matcher."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel

from turret_ai.learn import warm_start
from turret_ai.learn.config import Section
from turret_ai.learn.schedule import Schedule
from turret_ai.learn.vision.augment import Augmentation
from turret_ai.learn.vision.drawn_pictures import Drawn
from turret_ai.learn.vision.lite_config import LiteConfig
from turret_ai.learn.vision.matcher_model import MatcherShape
from turret_ai.learn.vision.mistakes import Mistakes
from turret_ai.see.cropping import CropShape


class Jitter(Section):
    """How a true box is spoiled to look like a detector's."""

    shift: float = Field(0.06, ge=0, description="standard deviation, of the side")
    stretch: float = Field(0.08, ge=0, description="standard deviation of the log of the side")
    zoom: tuple[float, float] = Field((0.6, 1.3), description="scale before the noise is added")
    flip: float = Field(0.5, ge=0, le=1)
    quarter_turn: float = Field(0.0, ge=0, le=1)
    perspective: float = Field(0.0, ge=0, le=1)
    rotation: float = Field(8.0, ge=0, description="largest turn, degrees")


class CropConfig(Section):
    """What every training on whole crops is told."""

    train: list[Path] = Field([], description="shards of crops, or manifests")
    drawn: Drawn = Field(Drawn(), description="pictures to draw and to cut crops from as well")
    validation: list[Path] = Field([], description="the same, for the choice of the best")
    backgrounds: list[Path] = Field([], description="manifests to cut backgrounds from")
    validation_backgrounds: list[Path] = Field([], description="manifests")
    background_windows: int = Field(3000, ge=0, description="most of them, kept in memory")
    made_up_windows: int = Field(400, ge=1, description="backgrounds made from noise")
    out: Path
    resume: bool = False
    seed: int = 0
    batch: int = Field(128, ge=2)
    near_misses: int = Field(2, ge=0, description="captions a picture that differ in one thing")
    negatives: float = Field(
        0.1, ge=0, lt=1, description="share of a batch that shows no craft and fits no caption"
    )
    mistakes: Mistakes = Field(
        Mistakes(), description="where a detector is wrong: pictures without craft"
    )
    crop: CropShape = CropShape(context=0.15, fit="square")
    jitter: Jitter = Jitter()
    augmentation: Augmentation = Augmentation()
    validation_augmentation: Augmentation = Field(
        Augmentation(), description="of the fixed validation set, whatever training sees"
    )
    types: list[str] = Field(min_length=2)
    colours: list[str] = Field(min_length=2)
    schedule: Schedule


class SmallConfig(CropConfig):
    """Our small dual encoder, from nothing."""

    kind: Literal["small"] = "small"
    init: str = Field("", description=warm_start.INIT)
    choice_weight: float = Field(
        0.0, ge=0, description="of the choice among the batch's pictures and captions"
    )
    helper_weight: float = Field(1.0, ge=0, description="of the heads for type and colours")
    model: MatcherShape = MatcherShape()


class SiglipConfig(CropConfig):
    """A SigLIP of transformers."""

    kind: Literal["siglip"]
    pretrained: str = Field("", description="a folder or hub name")
    prompt: str = Field("This is a photo of {caption}.", description="the text's template")
    upscaler: str = Field("", description="an exported upscaler for the crops")


class AnyConfig(
    RootModel[Annotated[SmallConfig | SiglipConfig | LiteConfig, Field(discriminator="kind")]]
):
    """A configuration of any kind of matcher."""
