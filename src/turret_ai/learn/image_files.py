# SPDX-License-Identifier: Apache-2.0
"""Synthetic images as files: parallel, resumable, with the competition's JSONL, COCO and a sheet.

A folder holds `images/image_K.jpg`, one small JSON of labels for each in `labels/`, a picture of
which craft is where in `masks/` (n where the n-th label's craft is, else 0), and, once all are
there, `vlm.jsonl` (the competition's format), `coco.json` and `sheet.jpg`. `recipe.json` says how
they were made; a folder with another recipe is refused.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from turret_ai.errors import InputError
from turret_ai.learn import images
from turret_ai.simulate.craft import TYPES
from turret_ai.types import ImageArray

MASKS = "masks"
"""The folder of masks, beside that of images."""


def write(
    out: Path,
    number: int,
    offset: int,
    seed: int,
    split: str,
    settings: images.Settings,
    workers: int = 0,
) -> Path:
    """Fill a folder with images offset .. offset + number - 1; those that are there are kept.

    Returns:
        the path of the JSONL.

    Raises:
        InputError: the folder was made by another recipe, or can't be written.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    # `Settings.recipe`: raise it when the same index starts to give another image.
    recipe = {"version": settings.recipe, "seed": seed, "split": split, **asdict(settings)}
    _claim(out, recipe)
    todo = [k for k in range(offset, offset + number) if not _finished(out, k)]
    blocks: dict[int, list[int]] = {}
    for k in todo:
        blocks.setdefault(k // max(1, settings.panorama_reuse), []).append(k)
    workers = workers or os.cpu_count() or 1
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, transient=False) as progress:
        bar = progress.add_task("images", total=number, completed=number - len(todo))
        if workers == 1 or len(blocks) <= 1:
            for block in blocks.values():
                for k in block:
                    _write_block(out, [k], seed, split, settings)
                    progress.advance(bar)
        else:
            context = multiprocessing.get_context("spawn")
            stop = context.Event()
            with ProcessPoolExecutor(workers, context, _enter_worker, (stop,)) as pool:
                jobs = [
                    pool.submit(_write_block, out, block, seed, split, settings)
                    for block in blocks.values()
                ]
                try:
                    for job in as_completed(jobs):
                        progress.advance(bar, job.result())
                except BaseException:
                    stop.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    return collate(out)


_stop: Event | None = None


def _enter_worker(stop: Event) -> None:
    """A worker leaves Ctrl-C to its parent, which then tells it to stop after its image."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _claim(out: Path, recipe: dict[str, Any]) -> None:
    recipe = json.loads(json.dumps(recipe))
    path = out / "recipe.json"
    try:
        (out / "images").mkdir(parents=True, exist_ok=True)
        (out / "labels").mkdir(exist_ok=True)
        (out / MASKS).mkdir(exist_ok=True)
        if path.exists():
            # Settings that came later have the value that leaves everything as it was.
            old = {**asdict(images.Settings()), **json.loads(path.read_text())}
            old = json.loads(json.dumps(old))
            if old != recipe:
                changed = sorted(k for k in {*old, *recipe} if old.get(k) != recipe.get(k))
                raise InputError(
                    f"{out} holds images of another recipe (differing: {', '.join(changed)})"
                )
        else:
            path.write_text(json.dumps(recipe, indent=1) + "\n")
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"{out} can't be used for images: {error}") from error


def _finished(out: Path, index: int) -> bool:
    return (out / "labels" / f"image_{index}.json").exists()


def _write_block(
    out: Path, block: list[int], seed: int, split: str, settings: images.Settings
) -> int:
    cv2.setNumThreads(1)
    for index in block:
        if _stop is not None and _stop.is_set():
            break
        made = images.encode(index, seed, split, settings)
        record = {
            "image": f"image_{index}.jpg",
            "annotations": [
                {
                    "caption": text,
                    "bbox": [round(v, 2) for v in box.as_list()],
                    "type": type_name,
                    "colours": list(colours),
                }
                for text, type_name, colours, box in made.labels
            ],
        }
        try:
            (out / "images" / f"image_{index}.jpg").write_bytes(made.jpeg)
            (out / MASKS / f"image_{index}.png").write_bytes(
                cv2.imencode(".png", made.mask)[1].tobytes()
            )
            # The labels come last and whole, so that their presence means a finished image.
            part = out / "labels" / f".image_{index}.part"
            part.write_text(json.dumps(record))
            part.replace(out / "labels" / f"image_{index}.json")
        except OSError as error:
            raise InputError(f"image {index} could not be written to {out}: {error}") from error
    return len(block)


def mask_beside(picture: Path, height: int, width: int) -> ImageArray | None:
    """The mask (H, W) uint8 of a picture that `write` made; None of any other picture.

    Raises:
        InputError: there is a file, but no mask of the picture's size in it.
    """
    path = picture.parent.parent / MASKS / f"{picture.stem}.png"
    if not path.is_file():
        return None
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise InputError(f"{path} is not a picture of a mask")
    if mask.shape != (height, width):
        raise InputError(f"{path} is not of its picture's size, {width}x{height}")
    return np.asarray(mask, np.uint8)


def _records(out: Path) -> list[dict[str, Any]]:
    paths = sorted((out / "labels").glob("image_*.json"), key=lambda p: int(p.stem.split("_")[1]))
    return [json.loads(p.read_text()) for p in paths]


def collate(out: Path) -> Path:
    """Write `vlm.jsonl`, `coco.json` and `sheet.jpg` from the labels that are there."""
    records = _records(out)
    lines = []
    for record in records:
        short = [{"caption": a["caption"], "bbox": a["bbox"]} for a in record["annotations"]]
        lines.append(json.dumps({"image": record["image"], "annotations": short}))
    jsonl = out / "vlm.jsonl"
    jsonl.write_text("\n".join(lines) + "\n")
    recipe = json.loads((out / "recipe.json").read_text())
    (out / "coco.json").write_text(json.dumps(_coco(records, recipe["width"], recipe["height"])))
    sheet = contact_sheet(out, records[:12])
    if sheet is not None:
        cv2.imwrite(str(out / "sheet.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return jsonl


def _coco(records: Iterable[dict[str, Any]], width: int, height: int) -> dict[str, Any]:
    coco: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(TYPES)],
    }
    for record in records:
        number = len(coco["images"]) + 1
        coco["images"].append(
            {"id": number, "file_name": record["image"], "width": width, "height": height}
        )
        for a in record["annotations"]:
            coco["annotations"].append(
                {
                    "id": len(coco["annotations"]) + 1,
                    "image_id": number,
                    "category_id": TYPES.index(a["type"]) + 1,
                    "bbox": a["bbox"],
                    "area": a["bbox"][2] * a["bbox"][3],
                    "iscrowd": 0,
                    "caption": a["caption"],
                }
            )
    return coco


def contact_sheet(out: Path, records: list[dict[str, Any]]) -> np.ndarray | None:
    """A picture (BGR) of some images with their boxes and captions, to judge by eye."""
    cells = []
    for record in records:
        picture = cv2.imread(str(out / "images" / record["image"]))
        if picture is None:
            continue
        for a in record["annotations"]:
            x, y, w, h = (round(v) for v in a["bbox"])
            cv2.rectangle(picture, (x, y), (x + w, y + h), (0, 0, 255), 1, cv2.LINE_AA)
            cv2.putText(picture, a["caption"], (x, max(12, y - 4)), cv2.FONT_HERSHEY_SIMPLEX, 0.5,
                        (0, 0, 255), 1, cv2.LINE_AA)  # fmt: skip
        height = round(760 * picture.shape[0] / picture.shape[1])
        cells.append(cv2.resize(picture, (760, height), interpolation=cv2.INTER_AREA))
    if not cells:
        return None
    if len(cells) % 2:
        cells.append(np.zeros_like(cells[0]))
    return np.vstack([np.hstack(cells[i : i + 2]) for i in range(0, len(cells), 2)])
