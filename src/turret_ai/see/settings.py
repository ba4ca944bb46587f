# SPDX-License-Identifier: Apache-2.0
"""Every setting of this room. The locator node declares them as its parameters, dots for depth."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from turret_ai.execution import ExecutionSettings
from turret_ai.settings import Settings


class DetectionSettings(Settings):
    """From a picture to candidate boxes."""

    models: list[str] = Field(
        ["detector_lite", "detector_photos"],
        min_length=1,
        max_length=8,
        description="names or folders of detectors",
    )
    weights: list[float] = Field(
        [], description="of the models in the fusion of boxes; empty: equal"
    )
    confidence: float = Field(
        0.0, ge=0, le=1, description="least score of a candidate; 0: the model's own"
    )
    nms_iou: float = Field(0.3, ge=0, le=1, description="overlap above which the weaker box goes")
    limit: int = Field(100, ge=1, le=1000, description="most candidates of an image, best first")
    slice_columns: int = Field(1, ge=1, le=16, description="slices beside each other; 1: none")
    slice_rows: int = Field(1, ge=1, le=16, description="slices above each other; 1: none")
    slice_overlap: float = Field(0.2, ge=0, le=0.9, description="of a slice's side")
    slice_zoom: float = Field(
        2.0, ge=1, le=8, description="most magnification of slices, for models of free input size"
    )
    slice_keeps_full: bool = Field(True, description="also look at the whole image")
    flip: bool = Field(False, description="also look at the mirrored image, and fuse: slower")
    fusion_iou: float = Field(0.5, ge=0, le=1, description="overlap of boxes that are fused")


class UpscalerSettings(Settings):
    """Enlarging of small crops before the matcher."""

    model: str = Field("", description="name or folder; empty: off")
    below: int = Field(96, ge=1, le=2048, description="only crops whose longer side is smaller, px")
    pad: int = Field(10, ge=0, le=64, description="pixels repeated round a crop")
    pad_small: int = Field(1, ge=0, le=64, description="the same for sides of 10 pixels or less")
    batch: int = Field(16, ge=1, le=256, description="most crops at once")


class MatchingSettings(Settings):
    """From boxes and captions to scores."""

    models: list[str] = Field(
        ["matcher_lite", "matcher_lite_2", "matcher_small"],
        min_length=1,
        max_length=8,
        description="names or folders of encoders",
    )
    weights: list[float] = Field([], description="of the models; empty: as they say themselves")
    templates: list[str] = Field(
        [], description="texts with {caption}, averaged; empty: the model's own"
    )
    context: float = Field(
        -1.0, ge=-1, le=2, description="round a box, share of its longer side; -1: the model's own"
    )
    margin: float = Field(
        -1.0, ge=-1, le=200, description="round a box, pixels; -1: the model's own"
    )
    class_bonus: float = Field(
        0.0,
        ge=0,
        le=2,
        description="added to the cosine where the caption names the detector's class of the box",
    )
    detection_weight: float = Field(
        -1.0,
        ge=-1,
        le=2,
        description="of the detection score against the cosine; -1: as fitted with the model",
    )
    sharpen: float = Field(0.0, ge=0, le=5, description="unsharp mask of the crops; 2 is common")
    flip: bool = Field(
        False, description="also look at the mirrored crops, and average; twice the encoder's time"
    )
    batch: int = Field(20, ge=1, le=512, description="most crops at once")
    cached_texts: int = Field(256, ge=0, le=100000, description="captions remembered")
    cached_images: int = Field(4, ge=0, le=1000, description="images whose crops are remembered")
    not_found_below: float = Field(
        -1.0, ge=-1, le=1, description="least match score; -1: as calibrated with the model"
    )
    ambiguous_margin: float = Field(
        -1.0, ge=-1, le=100, description="least lead over the second, log-odds; -1: as calibrated"
    )
    always_answer: bool = Field(
        False, description="never NOT_FOUND where there are candidates: to play for points"
    )
    assignment: Literal["independent", "optimal"] = Field(
        "independent", description="optimal: several captions never share a box"
    )


class SeeSettings(Settings):
    """The locator's parameters."""

    detection: DetectionSettings = DetectionSettings()
    upscaler: UpscalerSettings = UpscalerSettings()
    matching: MatchingSettings = MatchingSettings()
    execution: ExecutionSettings = ExecutionSettings()
