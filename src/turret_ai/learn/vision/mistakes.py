# SPDX-License-Identifier: Apache-2.0
"""Where a detector sees craft that aren't there: the hardest pictures without craft."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from turret_ai.learn.config import Section
from turret_ai.learn.vision import crop_bank
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.see import manifests
from turret_ai.see.boxes import iou
from turret_ai.see.manifests import Scene

APART = 0.1
"""Largest overlap with a craft of a box that counts as a mistake."""


class Mistakes(Section):
    """What to look for them with, and where."""

    detector: str = Field("", description="an exported detector, name or folder; empty: none")
    pictures: list[Path] = Field([], description="manifests, besides the pictures that are drawn")
    most_pictures: int = Field(400, ge=1, description="pictures to look at")
    confidence: float = Field(0.1, gt=0, lt=1, description="least score of a mistake")
    share: float = Field(0.7, ge=0, le=1, description="of the pictures without craft")


def find(
    settings: Mistakes, drawn: Sequence[Path], noise: Augmentation, seed: int, kept: Path
) -> list[Crop]:
    """Cut the mistakes from spoilt pictures' originals, without a caption.

    Args:
        drawn: more manifests.
        kept: a shard that is written the first time and read from then on.

    Raises:
        ModelError: no such detector. InputError: no pictures, or the shard can't be written.
    """
    if not settings.detector:
        return []
    if kept.is_file():
        return crop_bank.load(kept)
    scenes = [s for manifest in [*settings.pictures, *drawn] for s in manifests.read(manifest)]
    crops = _look(settings, scenes, noise, seed)
    if crops:
        crop_bank.save(kept, crops)
    return crops


def _look(
    settings: Mistakes, scenes: Sequence[Scene], noise: Augmentation, seed: int
) -> list[Crop]:
    from turret_ai.execution import ExecutionSettings
    from turret_ai.see.detection import Detection
    from turret_ai.see.settings import DetectionSettings

    detect = Detection(
        DetectionSettings(models=[settings.detector], confidence=settings.confidence),
        ExecutionSettings(),
    )
    rng = np.random.default_rng([seed, 1 << 29])
    order = rng.permutation(len(scenes))[: settings.most_pictures]
    crops: list[Crop] = []
    for number in order.tolist():
        scene = scenes[number]
        image = scene.load()
        found = detect(spoil(image, noise, rng)).xyxy
        wrong = iou(found, scene.boxes).max(axis=1, initial=0.0) < APART
        # The box comes from the spoilt picture, the pixels don't: training spoils them anew.
        crops += [crop_bank.cut(image, box, "") for box in found[wrong]]
    return crops
