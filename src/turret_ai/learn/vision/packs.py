"""Shards of crops from many materials, made in parallel and resumed where they stopped."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from turret_ai.learn.vision import crop_bank
from turret_ai.learn.vision.crop_bank import Crop

SHARD = 1000
"""Crops in one file, about."""
Rows = Callable[[int], list[Crop]]
"""Gives some crops for a number; an empty list where nothing came of it."""
_MOST_ROWS = 1 << 20


def fill(path: Path, rows: Rows, first: int) -> int:
    """Write one shard from rows first, first + 1, ...; returns how many crops. A shard that is
    there stays."""
    if path.exists():
        return 0
    cv2.setNumThreads(1)
    crops: list[Crop] = []
    for number in range(first, first + SHARD):
        crops += rows(number)
        if len(crops) >= SHARD:
            break
    if crops:
        crop_bank.save(path, crops)
    return len(crops)
