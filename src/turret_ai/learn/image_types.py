# SPDX-License-Identifier: Apache-2.0
"""What synthetic images are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from turret_ai.aim.camera import Camera
from turret_ai.simulate import render
from turret_ai.types import Box, ImageArray

Label = tuple[str, str, tuple[str, ...], Box]
"""(caption, type, colours, Box in pixels, clipped to the frame)."""
SPLIT_NUMBER = {"train": 0, "val": 1, "test": 2}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the images are like; the defaults are the competition's.

    craft: fewest and most in an image.
    median_px, spread: the root of a box's area is log-normal: its median in pixels and the
        standard deviation of its logarithm. With the poses this gives boxes of about 60x40 px, the
        5th percentiles 31 and 21, the 95th 128 and 74 (the competition's: 60x40, 32x24, 128x64).
    wide_share: the share of craft whose longer side is instead spread evenly (in the logarithm)
        over smallest_px..largest_px.
    levels: shares of clean, mildly and strongly degraded images.
    panorama_reuse: how many images in a row look at one panorama.
    backgrounds: a folder of photos or panoramas to paste on, instead of procedural landscapes.
    backgrounds_share: in how many images.
    craft_models: a folder of textured models (`config/craft_models.yaml` says which it may hold),
        of which models_share of the craft are drawn.
    cutouts: a folder of shards of layers, such as `turret-ai synth crops photographs` writes, of
        which cutouts_share of the craft are pasted.
    """

    width: int = 1520
    height: int = 870
    craft: tuple[int, int] = (3, 8)
    median_px: float = 49.0
    spread: float = 0.33
    wide_share: float = 0.12
    smallest_px: float = 8.0
    largest_px: float = 420.0
    levels: tuple[float, float, float] = (0.2, 0.4, 0.4)
    panorama_reuse: int = 12
    panorama_width: int = 4096
    backgrounds: str = ""
    clutter: bool = True
    backgrounds_share: float = 1.0
    craft_models: str = ""
    models_share: float = 0.55
    cutouts: str = ""
    cutouts_share: float = 0.15

    @property
    def recipe(self) -> int:
        """7 with our own painted craft alone, 8 with craft of others: as photographs show them."""
        return 8 if self.craft_models or self.cutouts else 7


@dataclass(slots=True)
class Composition:
    """A picture before the sensor (H, W, 3), the same without its craft, and both's labels.

    camera, axes (3, 3), light: what it was taken with, as `backdrop.background` gives them.
    split: of the craft that it shows.
    """

    image: ImageArray
    bare: ImageArray
    camera: Camera
    axes: np.ndarray
    light: render.Light
    split: str
    labels: list[Label] = field(default_factory=list)
    drawn: list[render.Drawn] = field(default_factory=list)
    """What was drawn for each label."""
