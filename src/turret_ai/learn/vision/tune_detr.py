# SPDX-License-Identifier: Apache-2.0
"""Tuning a public DETR (D-FINE, RT-DETR, ...) of transformers on whole pictures, one class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from turret_ai.errors import ConfigError, ModelError
from turret_ai.extras import require
from turret_ai.learn import loop
from turret_ai.learn.vision.augment import spoil
from turret_ai.learn.vision.train_detector import DetrConfig, read_all, scenes, scored
from turret_ai.see.boxes import Boxes
from turret_ai.see.description import InputDescription
from turret_ai.see.heads import decode_detr
from turret_ai.see.letterbox import Letterbox
from turret_ai.types import ImageArray


def load_pretrained(name: str, classes: int | None = None) -> Any:
    """A detector of transformers from a folder or the hub.

    Args:
        classes: a new head for that many; None: keep the model's.

    Raises:
        ConfigError: no name. ModelError: it can't be loaded.
    """
    if not name:
        raise ConfigError("set `pretrained` to a folder or hub name of a D-FINE or RT-DETR")
    transformers = require("transformers", extra="train")
    more = {} if classes is None else {"num_labels": classes, "ignore_mismatched_sizes": True}
    try:
        return transformers.AutoModelForObjectDetection.from_pretrained(name, **more)
    except Exception as error:  # of many kinds: missing files, no network, other architectures
        raise ModelError(f"{name} can't be loaded as a detector: {error}") from error


class DetrTask:
    """A DETR with one class."""

    kind = "detector/detr"

    def __init__(self, config: DetrConfig) -> None:
        self.config = config
        torch.manual_seed(config.seed)
        self.model: nn.Module = load_pretrained(config.pretrained, classes=1)
        self.scenes = scenes(config)
        self.held_out = read_all(config.validation)[: config.validation_pictures]
        width, height = config.picture
        self.input = InputDescription(width=width, height=height)
        config.out.mkdir(parents=True, exist_ok=True)
        self.model.config.save_pretrained(config.out)

    def _tensor(self, image: ImageArray) -> Tensor:
        return torch.from_numpy(image).permute(2, 0, 1).float() / 255

    def batch(self, index: int) -> loop.Batch:
        config = self.config
        rng = np.random.default_rng([config.seed, index])
        images, boxes, owner = [], [], []
        for number in range(config.batch):
            scene = self.scenes[int(rng.integers(len(self.scenes)))]
            image, true = scene.load(), Boxes.of(scene.boxes)
            if rng.random() < 0.5:
                image, true = np.ascontiguousarray(image[:, ::-1]), true.flipped(image.shape[1])
            image = spoil(image, config.augmentation, rng)
            fitted = Letterbox.fit((image.shape[1], image.shape[0]), self.input)
            images.append(self._tensor(fitted.apply(image)))
            placed = fitted.do(true).scaled(1 / self.input.width, 1 / self.input.height).xyxy
            centres = (placed[:, :2] + placed[:, 2:]) / 2
            boxes.append(np.concatenate([centres, placed[:, 2:] - placed[:, :2]], axis=1))
            owner += [number] * len(placed)
        return {
            "image": torch.stack(images),
            "boxes": torch.from_numpy(np.concatenate(boxes).astype(np.float32)),
            "owner": torch.tensor(owner),
        }

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        labels = []
        for number in range(len(batch["image"])):
            own = batch["boxes"][batch["owner"] == number]
            kinds = torch.zeros(len(own), dtype=torch.int64, device=own.device)
            labels.append({"class_labels": kinds, "boxes": own})
        result = model(pixel_values=batch["image"], labels=labels)
        loss: Tensor = result.loss
        return loss, {"loss": float(loss.detach())}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        device = next(model.parameters()).device

        def find(image: ImageArray) -> Boxes:
            fitted = Letterbox.fit((image.shape[1], image.shape[0]), self.input)
            result = model(pixel_values=self._tensor(fitted.apply(image))[None].to(device))
            outputs = [result.logits.float().cpu().numpy(), result.pred_boxes.float().cpu().numpy()]
            boxes = decode_detr(outputs, 0.05, 200, self.input.width, self.input.height)[0]
            return fitted.undo(boxes)

        measured = scored(self.config, self.held_out, find)
        return {"score": measured.average_precision, "recall": measured.recall_at(0.5)}
