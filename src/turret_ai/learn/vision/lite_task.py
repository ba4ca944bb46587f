# SPDX-License-Identifier: Apache-2.0
"""Training of the dual encoder on an ImageNet backbone."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turret_ai.learn import loop, warm_start
from turret_ai.learn.vision import captions, efficientnet_lite, tokens
from turret_ai.learn.vision.captions import Attributes
from turret_ai.learn.vision.device_staging import NOTHING, DeviceStaging
from turret_ai.learn.vision.lite_config import LiteConfig
from turret_ai.learn.vision.lite_data import LiteData
from turret_ai.learn.vision.matcher_lite import LiteMatcher
from turret_ai.learn.vision.matcher_model import choice_loss, sigmoid_loss, top1
from turret_ai.learn.vision.staging import Staged
from turret_ai.see.cropping import crop_boxes
from turret_ai.see.description import MatcherDescription, read
from turret_ai.types import FloatArray

UNKNOWN = -100
"""A type that the loss leaves out."""


class LiteTask:
    """The dual encoder with heads. Batches follow from their number and the shards that are there:
    a run that is resumed takes in new shards."""

    kind = "matcher/lite"

    def __init__(self, config: LiteConfig) -> None:
        self.config = config
        self.data = LiteData(config)
        self.on_device = config.staging_on == "device" or (
            config.staging_on == "auto" and torch.cuda.is_available()
        )
        self._stage: DeviceStaging | None = None
        torch.manual_seed(config.seed)
        model = LiteMatcher(config.model, len(config.types), len(config.colours))
        self.model: nn.Module = model
        if config.backbone:
            efficientnet_lite.load(model.image.backbone, Path(config.backbone))
        folder, about = read(config.text, MatcherDescription)
        warm_start.restore(model.text, folder / about.text)
        torch.nn.init.constant_(model.log_scale, math.log(about.scale))
        torch.nn.init.constant_(model.bias, about.bias)
        if config.init:
            self._start_from(model, config.init)
        model.text.requires_grad_(config.train_text)
        model.to(memory_format=torch.channels_last)
        self.tokenizer = self._tokenizer(folder / about.tokenizer)
        staged, self.held = self.data.validation()
        self.held_pictures = self._pictures(staged)

    def _start_from(self, model: LiteMatcher, name: str, batches: int = 4) -> None:
        """Take the weights of a checkpoint, or of an exported matcher of this kind."""
        if name.endswith(".pt"):
            content = loop.load(Path(name), self.kind)
            # The averaged weights of a last.pt: its own are still noisy.
            weights = content.get("average") or content["model"]
            warm_start.transplant(model, weights, Path(name))
            return
        folder, about = read(name, MatcherDescription)
        folded = warm_start.restore(
            model, folder / about.image, "model", norms=efficientnet_lite.NORMS
        )
        torch.nn.init.constant_(model.log_scale, math.log(about.scale))
        torch.nn.init.constant_(model.bias, about.bias)
        rng = np.random.default_rng([self.config.seed, 1 << 29])
        chosen = [self.data.train.choose(rng) for _ in range(batches * self.config.batch)]
        pictures = self._pictures([self.data.staged(i, rng) for i in chosen])
        parts = pictures.split(self.config.batch)
        warm_start.settle(model, folded, lambda: [model(p) for p in parts])

    def rate(self, name: str) -> float:
        """Learning rate of a parameter as a share of the schedule's."""
        return self.config.backbone_rate if name.startswith("image.backbone") else 1.0

    def batch(self, index: int) -> loop.Batch:
        config, craft = self.config, self.data.train
        rng = np.random.default_rng([config.seed, index])
        without = round(config.batch * config.negatives)
        chosen = [craft.choose(rng) for _ in range(config.batch - without)]
        pictures = self._numbers if self.on_device else self._staged
        shown = pictures(chosen, without, rng)
        own = [craft.attributes[i] for i in chosen] + [None] * without
        known = [a for a in own if a is not None]
        asked = list(known)
        for one in known:
            for _ in range(config.near_misses):
                asked.append(captions.near_miss(one, config.types, config.colours, rng))
        numbers = {a: n for n, a in enumerate(dict.fromkeys(asked))}
        fits = torch.zeros(len(own), max(1, len(numbers)), dtype=torch.bool)
        colours = torch.full((len(own), len(config.colours)), -1.0)
        for row, attributes in enumerate(own):
            if attributes is not None:
                fits[row, numbers[attributes]] = True
                colours[row] = torch.tensor(
                    [float(c in attributes.colours) for c in config.colours]
                )
        kinds = [craft.kinds[i] for i in chosen] + [UNKNOWN] * without
        return {
            **shown,
            "ids": tokens.ids(
                self.tokenizer, [captions.paraphrase(a, rng) for a in numbers] or [""]
            ),
            "fits": fits,
            # Of a craft of unknown colours nobody can say which captions fit.
            "asked": torch.tensor([a is not None for a in own[: len(chosen)]] + [True] * without),
            "type": torch.tensor(kinds),
            "colours": colours,
        }

    def _staged(self, chosen: Sequence[int], without: int, rng: np.random.Generator) -> loop.Batch:
        """Pictures and masks of crops and of places without craft, made here."""
        staged = [self.data.staged(i, rng) for i in chosen]
        staged += [self.data.nothing(self.data.train, rng) for _ in range(without)]
        return {"image": self._pictures(staged), "mask": self._masks(staged)}

    def _numbers(self, chosen: Sequence[int], without: int, rng: np.random.Generator) -> loop.Batch:
        """What `prepare` makes these of: numbers of crops, of empty places after them."""
        craft = self.data.train
        empty = [self.data.empty_number(craft, rng) for _ in range(without)]
        numbers = [NOTHING if e is None else len(craft.crops) + e for e in empty]
        return {
            "crops": torch.tensor([*chosen, *numbers]),
            "seed": torch.tensor(int(rng.integers(1 << 62))),
        }

    def prepare(self, batch: loop.Batch) -> loop.Batch:
        """Stage the crops of a batch where it is, if they aren't yet."""
        if "crops" not in batch:
            return batch
        device = batch["crops"].device
        if self._stage is None:
            data, config = self.data, self.config
            self._stage = DeviceStaging(
                [*data.train.crops, *data.train.empty],
                data.grounds,
                config.staging,
                config.crop,
                config.model.image_size,
                device,
            )
        generator = torch.Generator(device).manual_seed(int(batch["seed"]))
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            image, mask = self._stage(batch["crops"], generator)
        image = image.contiguous(memory_format=torch.channels_last)
        return {**batch, "image": image, "mask": mask}

    def _pictures(self, staged: Sequence[Staged]) -> Tensor:
        size = self.config.model.image_size
        crops = [crop_boxes(s.pixels, s.box[None], size, self.config.crop) for s in staged]
        pictures = torch.from_numpy(np.concatenate(crops)).permute(0, 3, 1, 2)
        return pictures.float().div_(255).contiguous(memory_format=torch.channels_last)

    def _masks(self, staged: Sequence[Staged]) -> Tensor:
        """Covers (B, S/4, S/4) in 0..1; -1 where one isn't known."""
        size = self.config.model.image_size // 4
        masks: FloatArray = np.full((len(staged), size, size), -1, np.float32)
        for mask, one in zip(masks, staged, strict=True):
            if one.cover is not None:
                cover = np.repeat(one.cover[..., None], 3, axis=2)
                mask[:] = crop_boxes(cover, one.box[None], size, self.config.crop)[0, ..., 0] / 255
        return torch.from_numpy(masks)

    def _tokenizer(self, source: Path) -> Any:
        path = self.config.out / "tokenizer.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            shutil.copyfile(source, path)
        return tokens.load(path, self.config.model.tokens)

    def loss(self, model: nn.Module, batch: loop.Batch) -> tuple[Tensor, Mapping[str, float]]:
        config = self.config
        bare: Any = getattr(model, "module", model)
        vectors, kinds, colours, craft, mask = model(batch["image"])
        with torch.set_grad_enabled(config.train_text):
            texts = bare.text(batch["ids"])
        asked = batch["asked"]
        logits = bare.logits(vectors, texts).float()[asked]
        fits = batch["fits"][asked]
        there = batch["type"] >= 0
        known = batch["colours"][:, 0] >= 0
        seen = (batch["mask"] >= 0).float()
        parts = {
            "match": sigmoid_loss(logits, fits),
            "choice": choice_loss(logits, fits),
            "type": F.cross_entropy(kinds.float(), batch["type"], label_smoothing=config.smoothing),
            "colours": F.binary_cross_entropy_with_logits(
                colours.float()[known], batch["colours"][known]
            )
            if known.any()
            else colours.sum() * 0.0,
            "craft": F.binary_cross_entropy_with_logits(craft.float(), there.float()),
            "mask": F.binary_cross_entropy_with_logits(
                mask.float(), batch["mask"].clamp(min=0), weight=seen
            ),
        }
        loss = sum((getattr(config.weights, k) * v for k, v in parts.items()), torch.zeros(()))
        return loss, {k: float(v.detach()) for k, v in parts.items()}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        assert isinstance(model, LiteMatcher)
        config, data = self.config, self.data
        device = next(model.parameters()).device
        answers = [model.answers(p.to(device)) for p in self.held_pictures.split(128)]
        vectors, kinds, colours, craft = (
            torch.cat([a[i] for a in answers]).float().cpu() for i in range(4)
        )
        there = torch.tensor([n >= 0 for n in self.held])
        types = torch.tensor([data.held.kinds[n] if n >= 0 else UNKNOWN for n in self.held])
        right = kinds.argmax(1)[there] == types[there]
        each = {
            name: float(right[types[there] == k].float().mean())
            for k, name in enumerate(config.types)
            if (types == k).any()
        }
        wanted = [
            (row, attributes)
            for row, n in enumerate(self.held)
            if n >= 0 and (attributes := data.held.attributes[n]) is not None
        ]
        rows = torch.tensor([row for row, _ in wanted])
        own = [a for _, a in wanted]
        rng = np.random.default_rng(config.seed)
        wrong = [captions.near_miss(a, config.types, config.colours, rng) for a in own]
        joint = self._scores(model, vectors[rows], kinds[rows], colours[rows], own)
        beside = self._scores(model, vectors[rows], kinds[rows], colours[rows], wrong)
        prefers = joint.diagonal() > beside.diagonal()
        cosine = vectors[rows] @ self._texts(model, own).T
        return {
            "score": top1(joint, own, np.random.default_rng(config.seed)),
            "cosine": top1(cosine, own, np.random.default_rng(config.seed)),
            "near": float(prefers.float().mean()),
            "type": float(np.mean(list(each.values()))),
            "craft": float(((craft > 0) == there).float().mean()),
            **{f"type of {name}": share for name, share in each.items()},
        }

    def _texts(self, model: LiteMatcher, wanted: Sequence[Attributes]) -> Tensor:
        device = next(model.parameters()).device
        rng = np.random.default_rng(self.config.seed)
        ids = tokens.ids(self.tokenizer, [captions.paraphrase(a, rng) for a in wanted])
        return torch.cat([model.text(i.to(device)) for i in ids.split(512)]).cpu()

    def _scores(
        self,
        model: LiteMatcher,
        vectors: Tensor,
        kinds: Tensor,
        colours: Tensor,
        wanted: Sequence[Attributes],
    ) -> Tensor:
        """Log-likelihoods (pictures, captions): half the dual encoder's logit and the heads'."""
        config = self.config
        texts = self._texts(model, wanted)
        scale = float(model.log_scale.detach().exp().clamp(max=60))
        numbers = torch.tensor([config.types.index(a.type_name) for a in wanted])
        named = torch.tensor([[float(c in a.colours) for c in config.colours] for a in wanted])
        chance = F.logsigmoid(colours) @ named.T + F.logsigmoid(-colours) @ (1 - named).T
        return 0.5 * scale * vectors @ texts.T + kinds.log_softmax(1)[:, numbers] + chance
