"""Candidates as a detector proposes them, and the boxes that a refiner should make of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.random import Generator
from pydantic import Field
from rich.progress import track
from torch import Tensor

from turret_ai.errors import InputError
from turret_ai.learn.config import Section
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.see.boxes import iou
from turret_ai.see.cropping import CropShape, crop_boxes, widened
from turret_ai.see.manifests import Scene
from turret_ai.types import FloatArray

OWN = 0.1
"""Least overlap of a candidate with the craft that it is meant to show."""


class Proposals(Section):
    """Where candidates come from."""

    detector: str = Field("", description="an exported detector, name or folder; empty: none")
    pictures: int = Field(400, ge=1, description="most pictures that it looks at beforehand")
    confidence: float = Field(0.08, gt=0, lt=1, description="least score of a candidate")
    share: float = Field(0.5, ge=0, le=1, description="of its candidates, where there are some")
    per_picture: int = Field(32, ge=1, description="candidates from a picture once it is spoilt")
    shift: float = Field(0.15, ge=0, description="of made-up ones: standard deviation, of a side")
    stretch: float = Field(0.3, ge=0, description="standard deviation of the log of a side")
    part: float = Field(0.25, ge=0, le=1, description="share of made-up ones that show a part")
    empty: float = Field(0.06, ge=0, le=1, description="share of boxes anywhere")


def mine(
    settings: Proposals, scenes: Sequence[Scene], noise: Augmentation, seed: int, kept: Path
) -> dict[int, FloatArray]:
    """What the detector proposes in spoilt pictures: number of the scene -> (n, 4) corners.

    Args:
        kept: an .npz that is written the first time and read from then on.

    Raises:
        ModelError: no such detector. InputError: the file can't be read or written.
    """
    if not settings.detector:
        return {}
    if kept.is_file():
        try:
            with np.load(kept, allow_pickle=False) as stored:
                return {int(name): stored[name] for name in stored.files}
        except (OSError, ValueError, BadZipFile) as error:
            raise InputError(f"{kept} can't be read: {error}") from error
    from turret_ai.see.detection import Detection
    from turret_ai.see.settings import DetectionSettings, ExecutionSettings

    detect = Detection(
        DetectionSettings(
            models=[settings.detector], confidence=settings.confidence, refiner="off"
        ),
        ExecutionSettings(),
    )
    rng = np.random.default_rng([seed, 1 << 28])
    order = rng.permutation(len(scenes))[: settings.pictures].tolist()
    found = {
        number: detect(spoil(scenes[number].load(), noise, rng)).xyxy
        for number in track(order, description="proposing")
    }
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(kept, **{str(number): boxes for number, boxes in found.items()})  # type: ignore[arg-type]
    except OSError as error:
        raise InputError(f"{kept} can't be written: {error}") from error
    return found


def make_up(
    true: FloatArray, count: int, settings: Proposals, size: tuple[int, int], rng: Generator
) -> FloatArray:
    """Candidates (count, 4): true boxes shifted and stretched, parts of them, boxes anywhere.

    Args:
        true: (n, 4) corners. size: width and height of the picture, pixels.
    """
    out = np.empty((count, 4), np.float32)
    for k in range(count):
        if not len(true) or rng.random() < settings.empty:
            side = np.exp(rng.uniform(np.log(12), np.log(160), 2))
            centre = rng.uniform((0, 0), size)
        else:
            x0, y0, x1, y1 = true[rng.integers(len(true))]
            side, centre = np.array([x1 - x0, y1 - y0]), np.array([x0 + x1, y0 + y1]) / 2
            if rng.random() < settings.part:
                share = rng.uniform(0.35, 1.0, 2)
                centre = centre + rng.uniform(-0.5, 0.5, 2) * (1 - share) * side
                side = side * share
            else:
                centre = centre + rng.normal(size=2) * settings.shift * side
                side = side * np.exp(rng.normal(size=2) * settings.stretch)
        out[k] = [*(centre - side / 2), *(centre + side / 2)]
    return out


def proposed(
    true: FloatArray,
    mined: FloatArray | None,
    settings: Proposals,
    size: tuple[int, int],
    rng: Generator,
) -> FloatArray:
    """The candidates of one picture, (per_picture, 4)."""
    count = settings.per_picture
    if mined is None or not len(mined):
        return make_up(true, count, settings, size, rng)
    taken = min(len(mined), round(count * settings.share))
    some = mined[rng.permutation(len(mined))[:taken]]
    return np.concatenate([some, make_up(true, count - taken, settings, size, rng)])


def wanted(
    candidates: FloatArray, true: FloatArray, frames: FloatArray
) -> tuple[FloatArray, np.ndarray]:
    """What a refiner should answer.

    Args:
        candidates: (n, 4). true: (m, 4). frames: (n, 4) corners of the crops.

    Returns:
        corners of each candidate's craft as shares of its crop (n, 4), and whether it has one (n,).
    """
    if not len(true):
        return np.zeros((len(candidates), 4), np.float32), np.zeros(len(candidates), bool)
    overlap = iou(candidates, true)
    own = overlap.argmax(axis=1)
    corner, size = np.tile(frames[:, :2], 2), np.tile(frames[:, 2:] - frames[:, :2], 2)
    sides: FloatArray = ((true[own] - corner) / size).astype(np.float32)
    return sides, overlap.max(axis=1) > OWN


def batch(
    scenes: Sequence[Scene],
    mined: dict[int, FloatArray],
    count: int,
    settings: Proposals,
    crop: CropShape,
    size: int,
    noise: Augmentation | None,
    rng: Generator,
    numbers: Sequence[int] | None = None,
) -> dict[str, Tensor]:
    """Crops of spoilt pictures and what a refiner should make of them.

    Args:
        noise: None where the pictures have their own.
        numbers: of the scenes, in turn; None: any, half of them such as were mined.

    Returns:
        image (count, 3, size, size) in [0, 1], sides (count, 4), craft (count,) of 0 and 1.
    """
    with_candidates = list(mined)
    crops, sides, craft = [], [], []
    missing, turn = count, 0
    while missing > 0:
        if numbers is not None:
            number = numbers[turn % len(numbers)]
        elif with_candidates and rng.random() < 0.5:
            number = with_candidates[int(rng.integers(len(with_candidates)))]
        else:
            number = int(rng.integers(len(scenes)))
        turn += 1
        scene = scenes[number]
        image = scene.load()
        if noise is not None:
            image = spoil(image, noise, rng)
        shown = (image.shape[1], image.shape[0])
        boxes = proposed(scene.boxes, mined.get(number), settings, shown, rng)[:missing]
        told, has = wanted(boxes, scene.boxes, widened(boxes, crop))
        pixels = crop_boxes(image, boxes, size, crop)
        mirrored = rng.random(len(boxes)) < 0.5
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        told[mirrored] = told[mirrored][:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]
        crops.append(pixels)
        sides.append(told)
        craft.append(has)
        missing -= len(boxes)
    return {
        "image": torch.from_numpy(np.concatenate(crops)).permute(0, 3, 1, 2).float() / 255,
        "sides": torch.from_numpy(np.concatenate(sides)).float(),
        "craft": torch.from_numpy(np.concatenate(craft)).float(),
    }
