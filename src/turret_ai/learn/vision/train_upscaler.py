# SPDX-License-Identifier: Apache-2.0
"""`turret-ai train upscaler`: an SRVGGNetCompact on crops of craft, spoilt and made small.

The loss is the mean absolute difference (L1), as in the first stage of Real-ESRGAN (PSNR-oriented).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from pydantic import Field
from torch import Tensor, nn

from turret_ai.errors import ConfigError
from turret_ai.learn import config as configs
from turret_ai.learn import loop
from turret_ai.learn.config import Section
from turret_ai.learn.schedule import Schedule
from turret_ai.learn.vision import backgrounds, crop_bank
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.upscaler_model import Upscaler, UpscalerShape
from turret_ai.types import ImageArray


class UpscalerConfig(Section):
    """`turret-ai train upscaler` CONFIG."""

    train: list[Path] = Field(min_length=1, description="shards of crops, or manifests")
    validation: list[Path] = Field(min_length=1)
    validation_crops: int = Field(200, ge=1)
    out: Path
    resume: bool = False
    seed: int = 0
    batch: int = Field(16, ge=1)
    side: int = Field(24, ge=8, description="of the small picture, pixels")
    model: UpscalerShape = UpscalerShape()
    augmentation: Augmentation = Augmentation()
    schedule: Schedule


class UpscalerTask:
    """Small and spoilt to large and clean."""

    kind = "upscaler/srvgg"

    def __init__(self, config: UpscalerConfig) -> None:
        self.config = config
        torch.manual_seed(config.seed)
        self.model: nn.Module = Upscaler(config.model)
        large = config.side * config.model.factor
        rng = np.random.default_rng(config.seed)
        self.grounds = [backgrounds.made_up(rng) for _ in range(200)]

        def read(paths: Sequence[Path]) -> list[ImageArray]:
            crops = [c.pixels for path in paths for c in crop_bank.load(path)]
            fitting = [c for c in crops if c.shape[0] >= large]
            if not fitting:
                raise ConfigError(f"no crop has {large} pixels a side: lower `side`")
            return fitting

        self.crops = read(config.train)
        pairs = [
            self._pair(crop, np.random.default_rng([config.seed, 1 << 30, number]))
            for number, crop in enumerate(read(config.validation)[: config.validation_crops])
        ]
        self.held_small = self._tensor([p[0] for p in pairs])
        self.held_large = self._tensor([p[1] for p in pairs])

    @staticmethod
    def _tensor(pictures: Sequence[ImageArray]) -> Tensor:
        return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255

    def _pair(self, pixels: ImageArray, rng: Generator) -> tuple[ImageArray, ImageArray]:
        side, factor = self.config.side, self.config.model.factor
        if pixels.shape[2] == 4:
            ground = self.grounds[int(rng.integers(len(self.grounds)))]
            pixels = backgrounds.lay_on(pixels, ground, rng)
        large = side * factor
        x, y = (int(v) for v in rng.integers(pixels.shape[0] - large + 1, size=2))
        clean = pixels[y : y + large, x : x + large]
        if rng.random() < 0.5:
            clean = clean[:, ::-1]
        small: Any = cv2.resize(
            np.ascontiguousarray(clean), (side, side), interpolation=cv2.INTER_AREA
        )
        return spoil(small, self.config.augmentation, rng), np.ascontiguousarray(clean)

    def batch(self, index: int) -> loop.Batch:
        rng = np.random.default_rng([self.config.seed, index])
        chosen = rng.integers(len(self.crops), size=self.config.batch).tolist()
        pairs = [self._pair(self.crops[i], rng) for i in chosen]
        return {
            "small": self._tensor([p[0] for p in pairs]),
            "large": self._tensor([p[1] for p in pairs]),
        }

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        loss = F.l1_loss(model(batch["small"]), batch["large"])
        return loss, {"l1": float(loss.detach())}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        device = next(model.parameters()).device
        made = torch.cat([model(s.to(device)).cpu() for s in self.held_small.split(32)])
        error = (made.clamp(0, 1) - self.held_large).square().mean((1, 2, 3))
        return {"score": float((-10 * torch.log10(error.clamp(min=1e-10))).mean())}


def run(name: str, overrides: Sequence[str]) -> Path:
    """Train by a configuration; returns the best checkpoint. The score is the PSNR in dB."""
    config = configs.load(name, overrides, UpscalerConfig)
    content: dict[str, Any] = config.model_dump(mode="json")
    return loop.fit(UpscalerTask(config), config.schedule, config.out, config.resume, content)
