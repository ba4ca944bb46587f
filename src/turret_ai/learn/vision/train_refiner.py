"""`turret-ai train refiner`: the second look at a detector's candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from turret_ai.learn import config as configs
from turret_ai.learn import loop
from turret_ai.learn.config import Section
from turret_ai.learn.vision import drawn_pictures, refiner_data
from turret_ai.learn.vision.augment import Augmentation
from turret_ai.learn.vision.detector_model import giou
from turret_ai.learn.vision.drawn_pictures import Drawn
from turret_ai.learn.vision.refiner_data import Proposals
from turret_ai.learn.vision.refiner_model import Refiner, RefinerShape
from turret_ai.learn.vision.train_detector import read_all
from turret_ai.see.cropping import CropShape


class RefinerConfig(Section):
    """`turret-ai train refiner` CONFIG."""

    train: list[Path] = Field([], description="manifests or their folders")
    drawn: Drawn = Field(Drawn(), description="pictures to draw and to train on as well")
    validation: list[Path] = Field(min_length=1, description="noisy pictures, used as they are")
    validation_crops: int = Field(640, ge=1)
    proposals: Proposals = Proposals()
    out: Path
    resume: bool = False
    seed: int = 0
    batch: int = Field(96, ge=1)
    model: RefinerShape = RefinerShape()
    crop: CropShape = CropShape(context=0.6, fit="square")
    augmentation: Augmentation = Augmentation()
    box_weight: float = Field(2.0, gt=0, description="of GIoU; corners count by smooth L1 as well")
    schedule: loop.Schedule


class RefinerTask:
    """From a candidate's crop to the craft's box. Satisfies `turret_ai.learn.loop.Task`."""

    kind = "refiner/corners"

    def __init__(self, config: RefinerConfig) -> None:
        self.config = config
        torch.manual_seed(config.seed)
        self.model: nn.Module = Refiner(config.model)
        self.scenes = read_all([*config.train, *drawn_pictures.draw(config.drawn)])
        self.mined = refiner_data.mine(
            config.proposals,
            self.scenes,
            config.augmentation,
            config.seed,
            config.out / "proposals.npz",
        )
        held = read_all(config.validation)
        self.held_out = refiner_data.batch(
            held,
            {},
            config.validation_crops,
            config.proposals,
            config.crop,
            config.model.size,
            None,
            np.random.default_rng([config.seed, 1 << 30]),
            range(len(held)),
        )

    def batch(self, index: int) -> loop.Batch:
        config = self.config
        rng = np.random.default_rng([config.seed, index])
        return refiner_data.batch(
            self.scenes,
            self.mined,
            config.batch,
            config.proposals,
            config.crop,
            config.model.size,
            config.augmentation,
            rng,
        )

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        sides, quality = model(image)
        sides, quality = sides.float(), quality.float()
        craft, true = batch["craft"], batch["sides"]
        overlap = giou(sides, true)
        count = craft.sum().clamp(min=1)
        box = ((1 - overlap) * craft).sum() / count
        corner = (F.smooth_l1_loss(sides, true, reduction="none", beta=0.05).sum(1) * craft).sum()
        corner = corner / count
        reached = overlap.detach().clamp(min=0) * craft
        told = F.binary_cross_entropy_with_logits(quality, reached)
        parts = {"box": box, "corner": corner, "quality": told}
        figures = {name: float(part.detach()) for name, part in parts.items()}
        return self.config.box_weight * box + corner + told, figures

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Mean overlap of the craft's boxes, share above a half, and how well quality tells it."""
        device = next(model.parameters()).device
        made = [model(part.to(device)) for part in self.held_out["image"].split(64)]
        sides = torch.cat([m[0] for m in made]).float().cpu()
        quality = torch.cat([m[1] for m in made]).float().cpu().sigmoid()
        craft = self.held_out["craft"] > 0
        overlap = giou(sides, self.held_out["sides"]).clamp(min=0)[craft]
        return {
            "score": float(overlap.mean()),
            "above_half": float((overlap > 0.5).float().mean()),
            "above_075": float((overlap > 0.75).float().mean()),
            "craft_quality": float(quality[craft].mean()),
            "other_quality": float(quality[~craft].mean()) if bool((~craft).any()) else 0.0,
        }


def run(name: str, overrides: Sequence[str]) -> Path:
    """Train by a configuration; returns the best checkpoint."""
    config = configs.load(name, overrides, RefinerConfig)
    content: dict[str, Any] = config.model_dump(mode="json")
    return loop.fit(RefinerTask(config), config.schedule, config.out, config.resume, content)
