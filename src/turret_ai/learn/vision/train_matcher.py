"""`turret-ai train matcher`: our small dual encoder from nothing, or a SigLIP of transformers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from pydantic import Field
from torch import Tensor, nn

from turret_ai.errors import ConfigError
from turret_ai.learn import config as configs
from turret_ai.learn import loop, warm_start
from turret_ai.learn.config import Section
from turret_ai.learn.vision import (
    backgrounds,
    captions,
    crop_bank,
    drawn_pictures,
    mistakes,
    tokens,
)
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.captions import Attributes
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.drawn_pictures import Drawn
from turret_ai.learn.vision.matcher_model import (
    Matcher,
    MatcherShape,
    choice_loss,
    sigmoid_loss,
)
from turret_ai.learn.vision.mistakes import Mistakes
from turret_ai.see import manifests
from turret_ai.see.cropping import CropShape, crop_boxes
from turret_ai.see.description import MatcherDescription, read
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


class Rendered(Section):
    """Craft that are drawn for this training, and kept for the next."""

    folder: Path = Path("crops")
    train: int = Field(0, ge=0, description="crops to draw of training airframes")
    validation: int = Field(0, ge=0, description="crops to draw of validation airframes")
    seed: int = 0
    workers: int = Field(1, ge=1, description="processes that draw")


class MatcherConfig(Section):
    """`turret-ai train matcher` CONFIG."""

    kind: Literal["small", "siglip"] = "small"
    pretrained: str = Field("", description="siglip: a folder or hub name")
    init: str = Field("", description=warm_start.INIT)
    prompt: str = Field("This is a photo of {caption}.", description="siglip: the text's template")
    train: list[Path] = Field([], description="shards of crops, or manifests")
    drawn: Drawn = Field(Drawn(), description="pictures to draw and to cut crops from as well")
    validation: list[Path] = Field([], description="the same, for the choice of the best")
    rendered: Rendered = Rendered()
    backgrounds: list[Path] = Field([], description="manifests to cut backgrounds from")
    validation_backgrounds: list[Path] = Field([], description="manifests")
    background_windows: int = Field(3000, ge=0, description="most of them, kept in memory")
    made_up_windows: int = Field(400, ge=1, description="backgrounds made from noise")
    out: Path
    resume: bool = False
    seed: int = 0
    batch: int = Field(128, ge=2)
    near_misses: int = Field(2, ge=0, description="captions a picture that differ in one thing")
    negatives: float = Field(
        0.1, ge=0, lt=1, description="share of a batch that shows no craft and fits no caption"
    )
    choice_weight: float = Field(
        0.0, ge=0, description="small: of the choice among the batch's pictures and captions"
    )
    helper_weight: float = Field(1.0, ge=0, description="of the heads for type and colours")
    mistakes: Mistakes = Field(
        Mistakes(), description="where a detector is wrong: pictures without craft"
    )
    upscaler: str = Field("", description="siglip: an exported upscaler for the crops")
    model: MatcherShape = MatcherShape()
    crop: CropShape = CropShape(context=0.15, fit="square")
    jitter: Jitter = Jitter()
    augmentation: Augmentation = Augmentation()
    validation_augmentation: Augmentation = Field(
        Augmentation(), description="of the fixed validation set, whatever training sees"
    )
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


@dataclass(frozen=True, slots=True)
class Staged:
    """A spoilt picture (s, s, 3), the box in it (4,) and the craft's cover (s, s), if known."""

    pixels: ImageArray
    box: FloatArray
    cover: ImageArray | None


def stage(
    crop: Crop,
    jitter: Jitter,
    noise: Augmentation,
    grounds: Sequence[ImageArray],
    rng: Generator,
) -> Staged:
    """A craft on a background, zoomed, turned and spoilt, and its box as a detector finds it."""
    layered = crop.pixels.shape[2] == 4
    # A known cover goes through the same turns as the picture.
    pixels: Any = crop.pixels if crop.cover is None else np.dstack([crop.pixels, crop.cover])
    zoom = rng.uniform(*jitter.zoom)
    side = pixels.shape[0]
    target = max(16, round(side * zoom))
    edge = cv2.BORDER_CONSTANT if layered else cv2.BORDER_REFLECT
    centre = (side / 2 - 0.5, side / 2 - 0.5)
    turn = cv2.getRotationMatrix2D(centre, rng.uniform(-1, 1) * jitter.rotation, target / side)
    turn[:, 2] += (target - side) / 2
    shrinks = cv2.INTER_AREA if target < side else cv2.INTER_LINEAR
    pixels = cv2.warpAffine(pixels, turn, (target, target), flags=shrinks, borderMode=edge)
    box = spoilt_box(crop, jitter, rng) * (target / side)
    if rng.random() < jitter.flip:
        pixels = pixels[:, ::-1]
        x0, y0, x1, y1 = box
        box = np.array([target - x1, y0, target - x0, y1])
    if rng.random() < jitter.quarter_turn:
        pixels = np.rot90(pixels)
        x0, y0, x1, y1 = box
        box = np.array([y0, target - x1, y1, target - x0])
    if rng.random() < jitter.perspective:
        corner = np.array([[0, 0], [target, 0], [target, target], [0, target]], np.float32)
        moved = corner + rng.uniform(-0.08, 0.08, (4, 2)).astype(np.float32) * target
        bend = cv2.getPerspectiveTransform(corner, moved)
        pixels = cv2.warpPerspective(
            np.ascontiguousarray(pixels), bend, (target, target), borderMode=edge
        )
    pixels = np.ascontiguousarray(pixels)
    cover: ImageArray | None = None
    if pixels.shape[2] == 4:
        cover = np.ascontiguousarray(pixels[..., 3])
    if layered:
        pixels = backgrounds.lay_on(pixels, grounds[int(rng.integers(len(grounds)))], rng)
    pixels = np.ascontiguousarray(pixels[..., :3])
    return Staged(spoil(pixels, noise, rng), np.asarray(box, np.float32), cover)


class CropData:
    """Crops, their attributes and backgrounds, for training and for validation."""

    def __init__(self, config: MatcherConfig) -> None:
        self.config = config
        drawn = drawn_pictures.draw(config.drawn)
        self.crops = self._crops([*config.train, *drawn], config.rendered.train, "train")
        self.grounds = self._grounds([*config.backgrounds, *drawn], config.background_windows)
        self.mistakes = mistakes.find(
            config.mistakes, drawn, config.augmentation, config.seed, config.out / "mistakes.npz"
        )
        self.attributes = [self._parse(c) for c in self.crops]
        self.held_crops = self._crops(config.validation, config.rendered.validation, "val")
        self.held_grounds = self._grounds(
            config.validation_backgrounds, config.background_windows // 4
        )
        self.held_attributes = [self._parse(c) for c in self.held_crops]

    def held(self, number: int) -> Staged:
        """Validation picture and box, always spoilt in the same way."""
        rng = np.random.default_rng([self.config.seed, 1 << 30, number])
        quiet = Jitter(zoom=(1, 1), flip=0, rotation=0)
        noise = self.config.validation_augmentation
        return stage(self.held_crops[number], quiet, noise, self.held_grounds, rng)

    def draw(self, rng: Generator) -> tuple[list[int], list[Attributes], list[Attributes], Tensor]:
        """Crops of a batch; their attributes; the captions asked of each; which fit (B, M).

        The last rows of "which fit" are for pictures without craft.
        """
        config = self.config
        without = round(config.batch * config.negatives)
        chosen = rng.integers(len(self.crops), size=config.batch - without).tolist()
        own = [self.attributes[i] for i in chosen]
        asked = list(own)
        for attributes in own:
            for _ in range(config.near_misses):
                asked.append(captions.near_miss(attributes, config.types, config.colours, rng))
        numbers = {a: n for n, a in enumerate(dict.fromkeys(asked))}
        fits = F.one_hot(torch.tensor([numbers[a] for a in own]), len(numbers)).bool()
        fits = F.pad(fits, (0, 0, 0, without), value=False)
        return chosen, own, list(numbers), fits

    def nothing(self, rng: Generator) -> Staged:
        """A box round a part of a background, as a detector that was fooled gives it."""
        config = self.config
        if self.mistakes and rng.random() < config.mistakes.share:
            fooled = self.mistakes[int(rng.integers(len(self.mistakes)))]
            staged = stage(fooled, config.jitter, config.augmentation, self.grounds, rng)
            return replace(staged, cover=np.zeros(staged.pixels.shape[:2], np.uint8))
        ground = self.grounds[int(rng.integers(len(self.grounds)))]
        side = int(rng.integers(40, backgrounds.SIDE))
        x, y = (int(v) for v in rng.integers(backgrounds.SIDE - side + 1, size=2))
        pixels = spoil(
            np.ascontiguousarray(ground[y : y + side, x : x + side]), config.augmentation, rng
        )
        width, height = side / crop_bank.AROUND, side / crop_bank.AROUND * rng.uniform(0.3, 1)
        centre = side / 2
        corners = [centre - width / 2, centre - height / 2, centre + width / 2, centre + height / 2]
        return Staged(pixels, np.array(corners, np.float32), np.zeros((side, side), np.uint8))

    def top1(self, similar: Tensor, rng: Generator, others: int = 5) -> float:
        """Share of captions whose own picture beats those of some others with other captions.

        similar: (pictures, captions) of the validation set.
        """
        hits, count = 0, similar.shape[1]
        for caption in range(count):
            rivals = rng.integers(count, size=others).tolist()
            own = self.held_attributes[caption]
            rivals = [r for r in rivals if self.held_attributes[r] != own]
            hits += all(similar[caption, caption] > similar[r, caption] for r in rivals)
        share: float = float(hits) / max(1, count)
        return share

    def _crops(self, paths: Sequence[Path], count: int, split: str) -> list[Crop]:
        crops = [c for path in paths for c in crop_bank.load(path)]
        made = self.config.rendered
        if count:
            from turret_ai.learn.vision import render_crops

            shards = render_crops.render(made.folder, count, made.seed, split, made.workers)
            crops += [c for shard in shards for c in crop_bank.load(shard)]
        if not crops:
            raise ConfigError(f"no crops: set `{split}` to manifests, or `rendered.{split}`")
        return crops

    def _grounds(self, paths: Sequence[Path], count: int) -> list[ImageArray]:
        found = [scene for manifest in paths for scene in manifests.read(manifest)]
        windows = backgrounds.from_scenes(found, count, self.config.seed)
        rng = np.random.default_rng([self.config.seed, count])
        return windows + [backgrounds.made_up(rng) for _ in range(self.config.made_up_windows)]

    def _parse(self, crop: Crop) -> Attributes:
        return captions.parse(crop.caption, self.config.types, self.config.colours)


class MatcherTask:
    """The small dual encoder."""

    kind = "matcher/small"

    def __init__(self, config: MatcherConfig) -> None:
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
            "ids": self._ids([captions.paraphrase(a, rng) for a in asked]),
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

    def _ids(self, texts: Sequence[str]) -> Tensor:
        """Token ids (n, L), as long as the longest text: padding takes time and changes nothing."""
        encoded = self.tokenizer.encode_batch(list(texts))
        ids = torch.tensor([e.ids for e in encoded], dtype=torch.int64)
        return ids[:, : max(1, int((ids != 0).sum(1).max()))]

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
            ids = self._ids([captions.paraphrase(a, rng) for a in wanted])
            return torch.cat([model.text(i.to(device)) for i in ids.split(512)]).cpu()

        pictures = torch.from_numpy(self.held).permute(0, 3, 1, 2).float() / 255
        images = torch.cat([model.image(p.to(device)) for p in pictures.split(256)]).cpu()
        right = encode(attributes)
        wrong = encode(
            [captions.near_miss(a, config.types, config.colours, rng) for a in attributes]
        )
        prefers = (images * right).sum(1) > (images * wrong).sum(1)
        return {
            "score": self.data.top1(images @ right.T, rng),
            "near": float(prefers.float().mean()),
        }


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
