# SPDX-License-Identifier: Apache-2.0
"""Packs of crops for the matcher: shards by material, made in parallel, resumable.

A shard is kept whole: what is there isn't made again. What can't be read is named once, and the
rest goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
from rich.progress import track

from turret_ai.errors import InputError
from turret_ai.learn.vision import craft_crops, crop_bank, photo_crops
from turret_ai.learn.vision.crop_bank import Crop

SHARD = 1000
"""Crops in one file, about; photographs that are looked at for one file."""
KINDS = ("painted", "textured", "photographs")


@dataclass(frozen=True, slots=True)
class Task:
    """One shard. folder: of the models or photographs; painted craft need none. guides and
    uncut: as `photo_crops.photo_row` has them."""

    kind: str
    path: Path
    first: int
    seed: int
    split: str
    folder: Path
    guides: tuple[str, str] | None = None
    uncut: bool = False


def write(
    kind: str,
    out: Path,
    count: int,
    seed: int,
    split: str,
    folder: Path,
    workers: int = 1,
    guides: tuple[str, str] | None = None,
    uncut: bool = False,
) -> tuple[list[Path], list[str]]:
    """Shards of about `count` crops (of all photographs, whatever `count`).

    Args:
        guides: a detector and a matcher for photographs without a plain sky. uncut: those that they
            can't cut, too, as they are.

    Returns:
        the files, and what could not be read.

    Raises:
        InputError: unknown kind, nothing in `folder` to make crops of, or `out` can't be written.
    """
    if kind not in KINDS:
        raise InputError(f"no kind {kind!r} of crops: {', '.join(KINDS)}")
    problems: set[str] = set()
    if kind == "textured":
        problems.update(craft_crops.usable(folder, split))
    if kind == "photographs":
        count = len(photo_crops.files(folder, split))
    tasks = [
        Task(
            kind,
            out / f"{kind}_{split}_{seed}_{k:03d}.npz",
            k * SHARD,
            seed,
            split,
            folder,
            guides,
            uncut,
        )
        for k in range(-(-count // SHARD))
    ]
    title = f"{kind} crops"
    if workers <= 1:
        for task in track(tasks, title):
            problems.update(fill(task))
    else:
        with get_context("spawn").Pool(workers) as pool:
            for found in track(pool.imap(fill, tasks), title, total=len(tasks)):
                problems.update(found)
    return [t.path for t in tasks if t.path.exists()], sorted(problems)


def fill(task: Task) -> list[str]:
    """Write one shard, if it isn't there; returns what could not be read."""
    if task.path.exists():
        return []
    cv2.setNumThreads(1)
    crops: list[Crop] = []
    problems: list[str] = []
    for number in range(task.first, task.first + SHARD):
        try:
            crops += _row(task, number)
        except InputError as error:
            problems.append(str(error))
        if len(crops) >= SHARD and task.kind != "photographs":
            break
    if crops:
        crop_bank.save(task.path, crops)
    return problems


def _row(task: Task, number: int) -> list[Crop]:
    if task.kind == "painted":
        return craft_crops.painted_row(number, task.seed, task.split)
    if task.kind == "textured":
        return craft_crops.textured_row(number, task.seed, task.split, task.folder)
    photo = number, task.seed, task.split, task.folder
    return photo_crops.photo_row(*photo, task.guides, task.uncut)
