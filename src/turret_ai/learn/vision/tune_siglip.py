# SPDX-License-Identifier: Apache-2.0
"""Tuning a public SigLIP on crops: the same questions and data as for the small matcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from turret_ai.errors import ConfigError, ModelError
from turret_ai.execution import ExecutionSettings
from turret_ai.extras import require
from turret_ai.learn import loop
from turret_ai.learn.vision import captions
from turret_ai.learn.vision.matcher_config import SiglipConfig
from turret_ai.learn.vision.matcher_data import CropData, stage
from turret_ai.learn.vision.matcher_model import sigmoid_loss, top1
from turret_ai.learn.vision.staging import Staged
from turret_ai.see.cropping import CropShape, crop_boxes, widened
from turret_ai.see.settings import UpscalerSettings
from turret_ai.see.upscaler import Upscaler
from turret_ai.types import ImageArray

TOKENS = 64
"""Length that SigLIP's texts are padded to."""


def load_pretrained(name: str) -> tuple[Any, Any]:
    """A SigLIP and its tokenizer from a folder or the hub.

    Raises:
        ConfigError: no name. ModelError: it can't be loaded.
    """
    if not name:
        raise ConfigError("set `pretrained` to a folder or hub name of a SigLIP")
    transformers = require("transformers", extra="train")
    try:
        model = transformers.SiglipModel.from_pretrained(name)
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
    except Exception as error:  # of many kinds: missing files, no network, other architectures
        raise ModelError(f"{name} can't be loaded as a SigLIP: {error}") from error
    return model, tokenizer


class SiglipTask:
    """A SigLIP that is tuned with all its weights."""

    kind = "matcher/siglip"

    def __init__(self, config: SiglipConfig) -> None:
        self.config = config
        self.model: nn.Module
        self.model, self.tokenizer = load_pretrained(config.pretrained)
        vision = self.model.config.vision_config
        self.size = int(vision.image_size)
        self.length = min(TOKENS, int(self.model.config.text_config.max_position_embeddings))
        self.data = CropData(config)
        self.upscaler = (
            Upscaler(UpscalerSettings(model=config.upscaler), ExecutionSettings(provider="cpu"))
            if config.upscaler
            else None
        )
        config.out.mkdir(parents=True, exist_ok=True)
        self.model.config.save_pretrained(config.out)
        self.tokenizer.save_pretrained(config.out)

    def _picture(self, staged: Staged) -> ImageArray:
        pixels, box = staged.pixels, staged.box
        shape = self.config.crop
        if self.upscaler is None:
            cut: ImageArray = crop_boxes(pixels, box[None], self.size, shape)[0]
            return cut
        outer = widened(box[None], shape)[0]
        height, width = pixels.shape[:2]
        left, top = (int(v) for v in np.clip(np.floor(outer[:2]), 0, [width - 1, height - 1]))
        right, bottom = (
            int(v) for v in np.clip(np.ceil(outer[2:]), [left + 1, top + 1], [width, height])
        )
        large = self.upscaler([np.ascontiguousarray(pixels[top:bottom, left:right])])[0]
        moved = (outer - np.array([left, top, left, top], np.float32)) * self.upscaler.factor
        enlarged: ImageArray = crop_boxes(large, moved[None], self.size, CropShape())[0]
        return enlarged

    def _tensor(self, pictures: Sequence[ImageArray]) -> Tensor:
        return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1

    def _ids(self, wanted: Sequence[captions.Attributes], rng: np.random.Generator) -> Tensor:
        texts = [
            self.config.prompt.replace("{caption}", captions.paraphrase(a, rng)) for a in wanted
        ]
        encoded = self.tokenizer(
            texts,
            padding="max_length",
            max_length=self.length,
            truncation=True,
            return_tensors="pt",
        )
        ids: Tensor = encoded["input_ids"]
        return ids

    def batch(self, index: int) -> loop.Batch:
        config = self.config
        rng = np.random.default_rng([config.seed, index])
        chosen, _own, asked, fits = self.data.draw(rng)
        pictures = []
        for i in chosen:
            staged = stage(
                self.data.crops[i], config.jitter, config.augmentation, self.data.grounds, rng
            )
            pictures.append(self._picture(staged))
        empty = len(fits) - len(chosen)
        pictures += [self._picture(self.data.nothing(rng)) for _ in range(empty)]
        return {"image": self._tensor(pictures), "ids": self._ids(asked, rng), "fits": fits}

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        result = model(pixel_values=batch["image"], input_ids=batch["ids"])
        loss = sigmoid_loss(result.logits_per_image.float(), batch["fits"])
        return loss, {"match": float(loss.detach())}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        device = next(model.parameters()).device
        rng = np.random.default_rng(self.config.seed)
        count = len(self.data.held_crops)
        pictures = [self._picture(self.data.held(n)) for n in range(count)]
        ids = self._ids(self.data.held_attributes, rng)
        images, texts = [], []
        for start in range(0, count, 64):
            some = slice(start, start + 64)
            result = model(
                pixel_values=self._tensor(pictures[some]).to(device),
                input_ids=ids[some].to(device),
            )
            images.append(result.image_embeds.float().cpu())
            texts.append(result.text_embeds.float().cpu())
        similar = torch.cat(images) @ torch.cat(texts).T
        return {"score": top1(similar, self.data.held_attributes, rng)}
