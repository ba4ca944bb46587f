# SPDX-License-Identifier: Apache-2.0
"""Whole crops on backgrounds, spoilt as a detector and a camera would: what matchers learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from torch import Tensor

from turret_ai.errors import ConfigError
from turret_ai.learn.vision import backgrounds, captions, crop_bank, drawn_pictures, mistakes
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.captions import Attributes
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.matcher_config import CropConfig, Jitter
from turret_ai.learn.vision.staging import Staged, displaced
from turret_ai.see import manifests
from turret_ai.types import ImageArray


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
    box = displaced(crop.box, jitter.shift, jitter.stretch, rng) * (target / side)
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

    def __init__(self, config: CropConfig) -> None:
        self.config = config
        drawn = drawn_pictures.draw(config.drawn)
        self.crops = self._crops([*config.train, *drawn], "train")
        self.grounds = self._grounds([*config.backgrounds, *drawn], config.background_windows)
        self.mistakes = mistakes.find(
            config.mistakes, drawn, config.augmentation, config.seed, config.out / "mistakes.npz"
        )
        self.attributes = [self._parse(c) for c in self.crops]
        self.held_crops = self._crops(config.validation, "validation")
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

    def _crops(self, paths: Sequence[Path], key: str) -> list[Crop]:
        crops = [c for path in paths for c in crop_bank.load(path)]
        if not crops:
            raise ConfigError(f"no crops: set `{key}` to manifests or shards")
        return crops

    def _grounds(self, paths: Sequence[Path], count: int) -> list[ImageArray]:
        found = [scene for manifest in paths for scene in manifests.read(manifest)]
        windows = backgrounds.from_scenes(found, count, self.config.seed)
        rng = np.random.default_rng([self.config.seed, count])
        return windows + [backgrounds.made_up(rng) for _ in range(self.config.made_up_windows)]

    def _parse(self, crop: Crop) -> Attributes:
        return captions.parse(crop.caption, self.config.types, self.config.colours)
