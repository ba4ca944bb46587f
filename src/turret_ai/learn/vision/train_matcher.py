"""`turret-ai train matcher`: our small dual encoder from nothing, or a SigLIP of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from pydantic import Field
from torch import Tensor, nn

from turret_ai.learn import config as configs
from turret_ai.learn import loop
from turret_ai.learn.config import Section
from turret_ai.learn.vision import captions, crop_bank, tokens
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.captions import Attributes
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.matcher_model import Matcher, MatcherShape, sigmoid_loss
from turret_ai.see.cropping import CropShape, crop_boxes
from turret_ai.types import FloatArray, ImageArray


class Jitter(Section):
    """How a true box is spoiled to look like a detector's."""

    shift: float = Field(0.06, ge=0, description="standard deviation, of the side")
    stretch: float = Field(0.08, ge=0, description="standard deviation of the log of the side")
    zoom: tuple[float, float] = Field((0.6, 1.3), description="scale before the noise is added")
    flip: float = Field(0.5, ge=0, le=1)
    quarter_turn: float = Field(0.0, ge=0, le=1)
    perspective: float = Field(0.0, ge=0, le=1)
    rotation: float = Field(8.0, ge=0, description="largest turn, degrees")


class MatcherConfig(Section):
    """`turret-ai train matcher` CONFIG."""

    kind: Literal["small", "siglip"] = "small"
    pretrained: str = Field("", description="siglip: a folder or hub name")
    prompt: str = Field("This is a photo of {caption}.", description="siglip: the text's template")
    train: list[Path] = Field(min_length=1, description="shards of crops, or manifests")
    validation: list[Path] = Field(min_length=1)
    out: Path
    resume: bool = False
    seed: int = 0
    batch: int = Field(128, ge=2)
    near_misses: int = Field(2, ge=0, description="captions a picture that differ in one thing")
    helper_weight: float = Field(1.0, ge=0, description="of the heads for type and colours")
    upscaler: Path | None = Field(None, description="an upscaler for the crops, before training")
    model: MatcherShape = MatcherShape()
    crop: CropShape = CropShape(context=0.15, fit="square")
    jitter: Jitter = Jitter()
    augmentation: Augmentation = Augmentation()
    types: list[str] = Field(min_length=2)
    colours: list[str] = Field(min_length=2)
    schedule: loop.Schedule


def spoilt_box(crop: Crop, jitter: Jitter, rng: Generator) -> FloatArray:
    """The true box as a detector might have found it, corners (4,)."""
    x0, y0, x1, y1 = crop.box
    w, h = x1 - x0, y1 - y0
    cx = (x0 + x1) / 2 + rng.normal() * jitter.shift * w
    cy = (y0 + y1) / 2 + rng.normal() * jitter.shift * h
    w = w * np.exp(rng.normal() * jitter.stretch)
    h = h * np.exp(rng.normal() * jitter.stretch)
    return np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], np.float32)


def prepare(
    crop: Crop, size: int, shape: CropShape, jitter: Jitter, noise: Augmentation, rng: Generator
) -> ImageArray:
    """One training picture (size, size, 3): zoomed, turned, spoilt, cut like a detector's box."""
    zoom = rng.uniform(*jitter.zoom)
    side = crop.pixels.shape[0]
    target = max(16, round(side * zoom))
    centre = (side / 2 - 0.5, side / 2 - 0.5)
    turn = cv2.getRotationMatrix2D(centre, rng.uniform(-1, 1) * jitter.rotation, target / side)
    turn[:, 2] += (target - side) / 2
    pixels = cv2.warpAffine(
        crop.pixels, turn, (target, target), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    box = spoilt_box(crop, jitter, rng) * (target / side)
    if rng.random() < jitter.flip:
        pixels, box = (
            pixels[:, ::-1],
            np.array([target, 0, target, 0])
            - box[[2, 1, 0, 3]]
            * [
                1,
                -1,
                1,
                -1,
            ],
        )
    if rng.random() < jitter.quarter_turn:
        pixels = np.rot90(pixels)
        x0, y0, x1, y1 = box
        box = np.array([y0, target - x1, y1, target - x0])
    if rng.random() < jitter.perspective:
        corner = np.array([[0, 0], [target, 0], [target, target], [0, target]], np.float32)
        moved = corner + rng.uniform(-0.08, 0.08, (4, 2)).astype(np.float32) * target
        bend = cv2.getPerspectiveTransform(corner, moved)
        pixels = cv2.warpPerspective(
            np.ascontiguousarray(pixels), bend, (target, target), borderMode=cv2.BORDER_REFLECT
        )
    pixels = spoil(np.ascontiguousarray(pixels), noise, rng)
    cut: ImageArray = crop_boxes(pixels, np.asarray(box, np.float32)[None], size, shape)[0]
    return cut


class MatcherTask:
    """The small dual encoder."""

    kind = "matcher/small"

    def __init__(self, config: MatcherConfig) -> None:
        self.config = config
        self.crops = [c for path in config.train for c in crop_bank.load(path)]
        self.attributes = [self._parse(c) for c in self.crops]
        torch.manual_seed(config.seed)
        self.model: nn.Module = Matcher(config.model, len(config.types), len(config.colours))
        shape = config.model
        self.tokenizer = tokens.train(
            [" ".join(config.types + config.colours + ["and", "camouflage"])] * 20
            + [c.caption for c in self.crops],
            shape.vocabulary,
            shape.tokens,
        )
        config.out.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save(str(config.out / "tokenizer.json"))
        held = [c for path in config.validation for c in crop_bank.load(path)]
        self.held_attributes = [self._parse(c) for c in held]
        quiet = Jitter(zoom=(1, 1), flip=0, rotation=0)
        self.held = np.stack(
            [
                prepare(
                    crop,
                    shape.image_size,
                    config.crop,
                    quiet,
                    config.augmentation,
                    np.random.default_rng([config.seed, 1 << 30, number]),
                )
                for number, crop in enumerate(held)
            ]
        )

    def _parse(self, crop: Crop) -> Attributes:
        return captions.parse(crop.caption, self.config.types, self.config.colours)

    def batch(self, index: int) -> loop.Batch:
        config = self.config
        rng = np.random.default_rng([config.seed, index])
        chosen = rng.integers(len(self.crops), size=config.batch).tolist()
        pictures = np.stack(
            [
                prepare(
                    self.crops[i],
                    config.model.image_size,
                    config.crop,
                    config.jitter,
                    config.augmentation,
                    rng,
                )
                for i in chosen
            ]
        )
        own = [self.attributes[i] for i in chosen]
        asked = list(own)
        for attributes in own:
            for _ in range(config.near_misses):
                asked.append(captions.near_miss(attributes, config.types, config.colours, rng))
        numbers = {a: n for n, a in enumerate(dict.fromkeys(asked + own))}
        texts = [captions.paraphrase(a, rng) for a in numbers]
        ids = np.array([e.ids for e in self.tokenizer.encode_batch(texts)], np.int64)
        mine = torch.tensor([numbers[a] for a in own])
        fits = F.one_hot(mine, len(numbers)).bool()
        colours = [[float(c in a.colours) for c in config.colours] for a in own]
        kinds = [
            config.types.index(a.type_name) if a.type_name in config.types else -100 for a in own
        ]
        return {
            "image": torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255,
            "ids": torch.from_numpy(ids),
            "fits": fits,
            "type": torch.tensor(kinds),
            "colours": torch.tensor(colours),
        }

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        logits, kinds, colours = model(image, batch["ids"])
        match = sigmoid_loss(logits.float(), batch["fits"])
        kind = F.cross_entropy(kinds.float(), batch["type"])
        colour = F.binary_cross_entropy_with_logits(colours.float(), batch["colours"])
        loss = match + self.config.helper_weight * (kind + 3 * colour)
        figures = {
            "match": float(match.detach()),
            "type": float(kind.detach()),
            "colour": float(colour.detach()),
        }
        return loss, figures

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        assert isinstance(model, Matcher)
        config = self.config
        device = next(model.parameters()).device
        pictures = torch.from_numpy(self.held).permute(0, 3, 1, 2).float() / 255
        images = torch.cat([model.image(p.to(device)) for p in pictures.split(256)]).cpu()
        rng = np.random.default_rng(config.seed)
        texts = [captions.paraphrase(a, rng) for a in self.held_attributes]
        ids = np.array([e.ids for e in self.tokenizer.encode_batch(texts)], np.int64)
        asked = torch.cat(
            [model.text(i.to(device)) for i in torch.from_numpy(ids).split(512)]
        ).cpu()
        similar = images @ asked.T
        return {"score": self._top1(similar, rng, 5), "near": self._near(model, images, rng)}

    def _top1(self, similar: Tensor, rng: Generator, others: int) -> float:
        """Share of captions whose own picture beats those of five others with other captions."""
        hits, count = 0, similar.shape[1]
        for caption in range(count):
            rivals = rng.integers(count, size=others).tolist()
            own = self.held_attributes[caption]
            rivals = [r for r in rivals if self.held_attributes[r] != own]
            hits += all(similar[caption, caption] > similar[r, caption] for r in rivals)
        return float(hits) / max(1, count)

    def _near(self, model: Matcher, images: Tensor, rng: Generator) -> float:
        """Share of pictures that prefer their own caption to a near miss."""
        config = self.config
        device = next(model.parameters()).device
        wrong = [
            captions.paraphrase(captions.near_miss(a, config.types, config.colours, rng), rng)
            for a in self.held_attributes
        ]
        right = [captions.paraphrase(a, rng) for a in self.held_attributes]
        ids = np.array([e.ids for e in self.tokenizer.encode_batch(right + wrong)], np.int64)
        texts = model.text(torch.from_numpy(ids).to(device)).cpu()
        good, bad = texts[: len(right)], texts[len(right) :]
        return float(((images * good).sum(1) > (images * bad).sum(1)).float().mean())


def run(name: str, overrides: Sequence[str]) -> Path:
    """Train by a configuration; returns the best checkpoint."""
    config = configs.load(name, overrides, MatcherConfig)
    content: dict[str, Any] = config.model_dump(mode="json")
    if config.kind == "siglip":
        from turret_ai.learn.vision.tune_siglip import SiglipTask

        task: loop.Task = SiglipTask(config)
    else:
        task = MatcherTask(config)
    return loop.fit(task, config.schedule, config.out, config.resume, content)
