# SPDX-License-Identifier: Apache-2.0
"""Cut-out craft by type and source, backgrounds, and places that aren't craft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from turret_ai.errors import ConfigError
from turret_ai.learn.vision import backgrounds, captions, crop_bank, packed, staging
from turret_ai.learn.vision.captions import Attributes
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.lite_config import LiteConfig
from turret_ai.learn.vision.staging import Staged
from turret_ai.see import images
from turret_ai.types import ImageArray

PICTURES = ("*.jpg", "*.jpeg", "*.png")


class Craft:
    """The crops of one split. attributes: None where the colours aren't known for certain."""

    def __init__(
        self,
        folders: Sequence[Path],
        shares: Mapping[str, float],
        types: Sequence[str],
        colours: Sequence[str],
        split: str,
    ) -> None:
        """Load the crops.

        Args:
            folders: of shards, or packs (`packed`).
            shares: how often a source is drawn against another, by its name; else 1.

        Raises:
            ConfigError: no crop of that split shows a craft.
            InputError: a shard or pack can't be read.
        """
        loaded = [crop for folder in folders for crop in _crops(folder, split)]
        self.crops: list[Crop] = []
        self.empty: list[Crop] = []
        self.kinds: list[int] = []
        self.attributes: list[Attributes | None] = []
        groups: dict[int, dict[str, list[int]]] = {}
        for crop in loaded:
            known = captions.parse(crop.caption, types, colours)
            name = crop.origin.type_name or (known.type_name if crop.caption else "")
            if name not in types:
                if not name:
                    self.empty.append(crop)
                continue
            kind = types.index(name)
            groups.setdefault(kind, {}).setdefault(crop.origin.source, []).append(len(self.crops))
            self.crops.append(crop)
            self.kinds.append(kind)
            self.attributes.append(known if known.colours else None)
        if not self.crops:
            places = ", ".join(str(f) for f in folders)
            raise ConfigError(f"no craft in shards *_{split}_*.npz or packs of {places}")
        self._groups = []
        for sources in groups.values():
            weights = np.array([shares.get(source, 1.0) for source in sources])
            self._groups.append((list(sources.values()), weights / weights.sum()))

    def choose(self, rng: Generator) -> int:
        """A crop: its type first, then its source, so that no type or source drowns others."""
        sources, weights = self._groups[int(rng.integers(len(self._groups)))]
        chosen = sources[int(rng.choice(len(sources), p=weights))]
        return chosen[int(rng.integers(len(chosen)))]


def _crops(path: Path, split: str) -> list[Crop]:
    """Of the shards of a folder, or of a pack."""
    if path.is_file():
        return [crop for crop in packed.read(path).crops if crop.origin.split == split]
    return [crop for p in crop_bank.shards(path, split) for crop in crop_bank.load(p)]


def pictures(folders: Sequence[Path], count: int, seed: int) -> list[ImageArray]:
    """Up to `count` pictures without craft of folders and packs (`packed`), at least 64 px each.

    Raises:
        InputError: a picture or pack can't be read.
    """
    rng = np.random.default_rng([seed, 77])
    paths = sorted(p for f in folders for kind in PICTURES for p in f.rglob(kind))
    within = [b for f in folders if f.is_file() for b in packed.read(f).backgrounds]
    chosen = rng.permutation(len(paths) + len(within))[:count].tolist()
    found = [images.load(paths[i]) if i < len(paths) else within[i - len(paths)] for i in chosen]
    return [f for f in found if min(f.shape[:2]) >= 64]


def grounds(folders: Sequence[Path], count: int, seed: int, skies: float = 0.0) -> list[ImageArray]:
    """Those of `pictures`, and made-up ones, an eighth as many.

    Args:
        skies: share that are bright, plain skies instead, below 1.

    Raises:
        InputError: a picture or pack can't be read.
    """
    found = pictures(folders, count, seed)
    rng = np.random.default_rng([seed, 78])
    made = max(60, len(found) // 8)
    found += [backgrounds.made_up(rng) for _ in range(made)]
    plain = round(len(found) * skies / (1 - skies))
    return found + [backgrounds.bright_sky(rng) for _ in range(plain)]


class LiteData:
    """Everything that batches and the fixed validation set are made of."""

    def __init__(self, config: LiteConfig) -> None:
        cv2.setNumThreads(1)
        self.config = config
        packs, names = config.packs, (config.types, config.colours)
        self.train = Craft(packs.folders, packs.shares, *names, "train")
        self.held = Craft(packs.folders, packs.shares, *names, "val")
        self.grounds = grounds(packs.backgrounds, packs.windows, config.seed, packs.skies)

    def staged(self, number: int, rng: Generator) -> Staged:
        """One of the training crops in a picture."""
        return staging.stage(self.train.crops[number], self.config.staging, self.grounds, rng)

    def empty_number(self, craft: Craft, rng: Generator) -> int | None:
        """Which of `craft.empty` to show as a place without craft; None: a part of a background."""
        if craft.empty and rng.random() < self.config.mistakes:
            return int(rng.integers(len(craft.empty)))
        return None

    def nothing(self, craft: Craft, rng: Generator) -> Staged:
        """A place without craft: where a detector was fooled, or any."""
        number = self.empty_number(craft, rng)
        if number is None:
            return staging.nothing(self.grounds, self.config.staging, rng)
        found = staging.stage(craft.empty[number], self.config.staging, self.grounds, rng)
        side = found.pixels.shape[:2]
        return Staged(found.pixels, found.box, np.zeros(side, np.uint8))

    def validation(self) -> tuple[list[Staged], list[int]]:
        """Fixed pictures: held crops by number, then as many places without craft (-1) as make a
        fifth."""
        config, held = self.config, self.held
        rng = np.random.default_rng([config.seed, 1 << 30])
        count = min(config.packs.held, len(held.crops))
        chosen = list(dict.fromkeys(held.choose(rng) for _ in range(count)))
        made = [staging.stage(held.crops[i], config.staging, self.grounds, rng) for i in chosen]
        empty = max(8, len(chosen) // 4)
        made += [self.nothing(held, rng) for _ in range(empty)]
        return made, chosen + [-1] * empty
