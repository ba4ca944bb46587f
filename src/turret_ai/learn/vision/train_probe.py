# SPDX-License-Identifier: Apache-2.0
"""`turret-ai export heads`: heads for an exported matcher, learned on a configuration's crops."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turret_ai.errors import ConfigError
from turret_ai.learn import config as configs
from turret_ai.learn.vision import export, probe, staging
from turret_ai.learn.vision.lite_config import LiteConfig
from turret_ai.learn.vision.lite_data import Craft, LiteData
from turret_ai.learn.vision.probe import Labels
from turret_ai.see.cropping import crop_boxes
from turret_ai.see.description import Heads, MatcherDescription, read
from turret_ai.types import FloatArray, ImageArray

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Told:
    """How often the heads are right on held crops: of the types, and of craft against none."""

    type_share: float
    craft_share: float


def run(name: str, overrides: Sequence[str], model: str, out: Path, count: int) -> Told:
    """Write an exported matcher again, with heads.

    Args:
        name: a configuration of the kind lite: its packs, backgrounds and staging are used.
        count: crops with craft to learn from; a third as many without are added.

    Raises:
        ConfigError: another configuration, or a matcher of other colours of its own.
        ModelError, InputError: no such matcher; no crops; the result can't be written.
    """
    config = configs.load(name, overrides, LiteConfig)
    folder, about = read(model, MatcherDescription)
    if out.resolve() == folder.resolve():
        raise ConfigError(f"{out} is the matcher itself: give another folder")
    if about.heads.types or about.heads.craft:
        raise ConfigError(f"{folder} has heads already")
    data = LiteData(config)
    rng = np.random.default_rng([config.seed, 1 << 28])
    crops, labels = _draw(data, data.train, count, about, rng)
    held, held_labels = _draw(data, data.held, max(64, count // 6), about, rng)
    file = folder / about.image
    made = probe.fit(probe.features(file, _batches(crops)), labels, len(config.types))
    found = probe.features(file, _batches(held)) @ made.weight + made.bias
    there = held_labels.types >= 0
    right = found[there, : made.types].argmax(axis=1) == held_labels.types[there]
    out.mkdir(parents=True, exist_ok=True)
    probe.attach(file, made, out / about.image)
    for part in (about.text, about.tokenizer):
        shutil.copyfile(folder / part, out / part)
    heads = Heads(types=config.types, colours=config.colours, craft=True)
    export.describe(out, about.model_copy(update={"heads": heads}))
    return Told(float(right.mean()), float(((found[:, -1] > 0) == there).mean()))


def _batches(crops: ImageArray) -> list[ImageArray]:
    return [crops[i : i + _BATCH] for i in range(0, len(crops), _BATCH)]


def _draw(
    data: LiteData, craft: Craft, count: int, about: MatcherDescription, rng: np.random.Generator
) -> tuple[ImageArray, Labels]:
    """Crops (n, S, S, 3) as the matcher sees them, and what they show."""
    config = data.config
    staged, kinds = [], []
    colours: list[list[float]] = []
    for _ in range(count):
        number = craft.choose(rng)
        staged.append(staging.stage(craft.crops[number], config.staging, data.grounds, rng))
        kinds.append(craft.kinds[number])
        known = craft.attributes[number]
        colours.append(
            [-1.0 if known is None else float(c in known.colours) for c in config.colours]
        )
    for _ in range(count // 3):
        staged.append(data.nothing(craft, rng))
        kinds.append(probe.UNKNOWN)
        colours.append([-1.0] * len(config.colours))
    crops = [crop_boxes(s.pixels, s.box[None], about.size, about.crop) for s in staged]
    types = np.array(kinds)
    told: FloatArray = np.array(colours, np.float32)
    return np.concatenate(crops), Labels(types, told, (types >= 0).astype(np.float32))
