# SPDX-License-Identifier: Apache-2.0
"""`turret-ai train matcher`: our dual encoders, or a SigLIP of transformers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turret_ai.learn import config as configs
from turret_ai.learn import loop, warm_start
from turret_ai.learn.budget import Budget
from turret_ai.learn.vision import captions, finish, tokens
from turret_ai.learn.vision.captions import Attributes
from turret_ai.learn.vision.lite_config import LiteConfig
from turret_ai.learn.vision.matcher_config import AnyConfig, SiglipConfig, SmallConfig
from turret_ai.learn.vision.matcher_data import CropData, stage
from turret_ai.learn.vision.matcher_model import Matcher, choice_loss, sigmoid_loss, top1
from turret_ai.learn.vision.staging import Staged
from turret_ai.see.cropping import crop_boxes
from turret_ai.see.description import MatcherDescription, read
from turret_ai.types import FloatArray


class MatcherTask:
    """The small dual encoder."""

    kind = "matcher/small"

    def __init__(self, config: SmallConfig) -> None:
        self.config = config
        self.data = CropData(config)
        shape = config.model
        torch.manual_seed(config.seed)
        self.model: nn.Module = Matcher(shape, len(config.types), len(config.colours))
        self.folded: list[nn.BatchNorm2d] = []
        self.known_tokens: Path | None = None
        if config.init:
            self._start_from(config.init)
        self.tokenizer = self._tokenizer(config.out / "tokenizer.json")
        held = [self.data.held(n) for n in range(len(self.data.held_crops))]
        self.held = np.concatenate(
            [crop_boxes(s.pixels, s.box[None], shape.image_size, config.crop) for s in held]
        )
        if self.folded:
            last = config.schedule.steps * config.schedule.accumulate
            images = [self.batch(last + i)["image"] for i in range(4)]  # training doesn't see them
            warm_start.settle(
                self.model, self.folded, lambda: [self.model.image(i) for i in images]
            )

    def _start_from(self, name: str) -> None:
        """Take the weights and the tokenizer of an exported matcher, or of a checkpoint. The
        normalisations of an exported one are settled once there are batches."""
        assert isinstance(self.model, Matcher)
        if name.endswith(".pt"):
            weights = loop.load(Path(name), self.kind)["model"]
            warm_start.transplant(self.model, weights, Path(name))
            self.known_tokens = Path(name).parent / "tokenizer.json"
            return
        folder, about = read(name, MatcherDescription)
        self.folded = warm_start.restore(self.model.image, folder / about.image)
        warm_start.restore(self.model.text, folder / about.text)
        torch.nn.init.constant_(self.model.log_scale, math.log(about.scale))
        torch.nn.init.constant_(self.model.bias, about.bias)
        self.known_tokens = folder / about.tokenizer

    def batch(self, index: int) -> loop.Batch:
        config = self.config
        rng = np.random.default_rng([config.seed, index])
        chosen, own, asked, fits = self.data.draw(rng)
        size = config.model.image_size
        staged = [
            stage(self.data.crops[i], config.jitter, config.augmentation, self.data.grounds, rng)
            for i in chosen
        ]
        staged += [self.data.nothing(rng) for _ in range(len(fits) - len(chosen))]
        pictures = np.concatenate(
            [crop_boxes(s.pixels, s.box[None], size, config.crop) for s in staged]
        )
        masks = np.stack([self._mask(s) for s in staged])
        colours = [[float(c in a.colours) for c in config.colours] for a in own]
        kinds = [
            config.types.index(a.type_name) if a.type_name in config.types else -100 for a in own
        ]
        empty = len(fits) - len(own)
        colours += [[-1.0] * len(config.colours)] * empty
        kinds += [-100] * empty
        return {
            "image": torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255,
            "ids": tokens.ids(self.tokenizer, [captions.paraphrase(a, rng) for a in asked]),
            "fits": fits,
            "type": torch.tensor(kinds),
            "colours": torch.tensor(colours),
            "mask": torch.from_numpy(masks),
        }

    def _mask(self, staged: Staged) -> FloatArray:
        """The cover (S/4, S/4) in 0..1; -1 where it isn't known."""
        size = self.config.model.image_size
        if staged.cover is None:
            return np.full((size // 4, size // 4), -1, np.float32)
        cover = np.repeat(staged.cover[..., None], 3, axis=2)
        cut = crop_boxes(cover, staged.box[None], size, self.config.crop)[0, ..., 0]
        small: FloatArray = cv2.resize(
            cut.astype(np.float32) / 255, (size // 4, size // 4), interpolation=cv2.INTER_AREA
        )
        return small

    def _tokenizer(self, path: Path) -> Any:
        shape = self.config.model
        if self.config.resume and path.is_file():  # the weights go with these tokens
            return tokens.load(path, shape.tokens)
        if self.known_tokens is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.known_tokens, path)
            return tokens.load(path, shape.tokens)
        words = " ".join([*self.config.types, *self.config.colours, "and", "camouflage"])
        texts = [words] * 20 + [c.caption for c in self.data.crops]
        tokenizer = tokens.train(texts, shape.vocabulary, shape.tokens)
        path.parent.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(path))
        return tokenizer

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        logits, kinds, colours, mask = model(image, batch["ids"])
        match = sigmoid_loss(logits.float(), batch["fits"])
        kind = F.cross_entropy(kinds.float(), batch["type"])
        craft = batch["colours"][:, 0] >= 0
        colour = F.binary_cross_entropy_with_logits(colours.float()[craft], batch["colours"][craft])
        known = (batch["mask"] >= 0).float()
        cover = F.binary_cross_entropy_with_logits(
            mask.float(), batch["mask"].clamp(min=0), weight=known
        )
        choice = choice_loss(logits.float(), batch["fits"])
        loss = match + self.config.choice_weight * choice
        loss = loss + self.config.helper_weight * (kind + 3 * colour + 2 * cover)
        figures = {
            "match": float(match.detach()),
            "choice": float(choice.detach()),
            "type": float(kind.detach()),
            "colour": float(colour.detach()),
            "mask": float(cover.detach()),
        }
        return loss, figures

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        assert isinstance(model, Matcher)
        config, attributes = self.config, self.data.held_attributes
        device = next(model.parameters()).device
        rng = np.random.default_rng(config.seed)

        def encode(wanted: Sequence[Attributes]) -> Tensor:
            ids = tokens.ids(self.tokenizer, [captions.paraphrase(a, rng) for a in wanted])
            return torch.cat([model.text(i.to(device)) for i in ids.split(512)]).cpu()

        pictures = torch.from_numpy(self.held).permute(0, 3, 1, 2).float() / 255
        images = torch.cat([model.image(p.to(device)) for p in pictures.split(256)]).cpu()
        right = encode(attributes)
        wrong = encode(
            [captions.near_miss(a, config.types, config.colours, rng) for a in attributes]
        )
        prefers = (images * right).sum(1) > (images * wrong).sum(1)
        return {
            "score": top1(images @ right.T, attributes, rng),
            "near": float(prefers.float().mean()),
        }


def run(
    name: str,
    overrides: Sequence[str],
    budget: Budget | None = None,
    export: Path | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train by a configuration, and do what it says of the time afterwards; returns the best
    checkpoint.

    Args:
        export: folder for the exported model, in the place of `finish.model`.
        say: gets the figures of the last validation and of what is measured afterwards.
    """
    config = configs.load(name, overrides, AnyConfig).root
    content: dict[str, Any] = config.model_dump(mode="json")
    task: loop.Task
    if isinstance(config, SmallConfig):
        task = MatcherTask(config)
    elif isinstance(config, SiglipConfig):
        from turret_ai.learn.vision.tune_siglip import SiglipTask

        task = SiglipTask(config)
    else:
        from turret_ai.learn.vision.lite_task import LiteTask

        task = LiteTask(config)
    best = loop.fit(task, config.schedule, config.out, config.resume, content, budget)
    figures = loop.last_figures(config.out)
    say("validation: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    if isinstance(config, LiteConfig):
        wanted = config.finish if export is None else config.finish.with_model(export)
        for row in finish.run(wanted, config.out, budget) if wanted.model else []:
            say(finish.told(row))
    elif export is not None and isinstance(config, SiglipConfig):
        from turret_ai.learn.vision import export_public

        export_public.siglip(config.pretrained, export, best)
    elif export is not None:
        from turret_ai.learn.vision import export as exporting

        exporting.matcher(best, export)
    return best
