# SPDX-License-Identifier: Apache-2.0
"""Pictures that are drawn for a training: many craft in each, no noise.

A picture costs little more with sixteen craft than with four, and noise is added anew each time a
picture is used, so that it serves many times.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from turret_ai.learn.config import Section


class Drawn(Section):
    """Pictures 0 to `count` - 1 of a seed, kept in a folder for the next training."""

    folder: Path = Path("data/drawn")
    count: int = Field(0, ge=0, description="pictures; 0: none")
    seed: int = 0
    craft: tuple[int, int] = Field((10, 16), description="fewest and most craft in a picture")
    wide_share: float = Field(
        0.25, ge=0, le=1, description="share of the craft of any size, 8 to 420 px, even rarely"
    )
    landscape_reuse: int = Field(8, ge=1, description="pictures in a row of one landscape")
    workers: int = Field(1, ge=1, description="processes that draw")


def draw(settings: Drawn) -> list[Path]:
    """Draw what isn't there yet; returns the folder, or nothing where none are asked for.

    Raises:
        InputError: the folder holds pictures of another recipe, or can't be written.
    """
    if not settings.count:
        return []
    from turret_ai.learn import image_files, images

    recipe = images.Settings(
        levels=(1.0, 0.0, 0.0),
        craft=settings.craft,
        wide_share=settings.wide_share,
        panorama_reuse=settings.landscape_reuse,
    )
    image_files.write(
        settings.folder, settings.count, 0, settings.seed, "train", recipe, settings.workers
    )
    return [settings.folder]
