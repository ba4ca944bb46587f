# SPDX-License-Identifier: Apache-2.0
"""Crops of labelled pictures for the detector, each a pure function of its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.random import Generator
from pydantic import Field

from turret_ai.learn.config import Section
from turret_ai.learn.image_files import mask_beside
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.backgrounds import over
from turret_ai.learn.vision.crop_bank import Crop
from turret_ai.learn.vision.detector_model import STRIDE
from turret_ai.see.boxes import iou
from turret_ai.see.manifests import Scene
from turret_ai.types import FloatArray, ImageArray


class CropSettings(Section):
    """How windows are cut from pictures."""

    size: int = Field(256, ge=64, multiple_of=32, description="side of the input, pixels")
    zoom: tuple[float, float] = Field((0.7, 1.5), description="scale of the picture, drawn evenly")
    on_object: float = Field(0.75, ge=0, le=1, description="share of windows that hold a box")
    per_picture: int = Field(2, ge=1, description="windows cut from a picture once it is read")
    paste: float = Field(0.0, ge=0, le=1, description="chance that drawn craft are added")
    paste_most: int = Field(3, ge=1, description="most craft added to a window")
    visible: float = Field(0.35, ge=0, le=1, description="share of a box inside that counts")


def cut(
    image: ImageArray, boxes: FloatArray, settings: CropSettings, rng: Generator
) -> tuple[ImageArray, FloatArray, FloatArray]:
    """One window of a picture.

    Args:
        image: (H, W, 3), or (H, W, 4) where the last channel says where craft are (0 or 255).
        boxes: (n, 4) corners, pixels of the image.

    Returns:
        the window (size, size, 3 or 4), boxes in it (m, 4), and boxes to be ignored, because too
        little of them is inside (k, 4); all in pixels of the window.
    """
    size = settings.size
    zoom = rng.uniform(*settings.zoom)
    span = size / zoom
    height, width = image.shape[:2]
    if len(boxes) and rng.random() < settings.on_object:
        x0, y0, x1, y1 = boxes[rng.integers(len(boxes))]
        cx = (x0 + x1) / 2 + rng.uniform(-0.45, 0.45) * span
        cy = (y0 + y1) / 2 + rng.uniform(-0.45, 0.45) * span
    else:
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
    # Windows stay inside, because at inference the border of the picture is rarely near.
    left = float(np.clip(cx - span / 2, 0, max(0.0, width - span)))
    top = float(np.clip(cy - span / 2, 0, max(0.0, height - span)))
    matrix = np.array([[zoom, 0, -left * zoom], [0, zoom, -top * zoom]], np.float64)
    matrix[:, 2] += zoom / 2 - 0.5  # OpenCV counts from pixel centres
    window = cv2.warpAffine(
        image,
        matrix,
        (size, size),
        flags=cv2.INTER_AREA if zoom < 0.8 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(114, 114, 114, 0),
    )
    moved = (boxes - [left, top, left, top]) * zoom
    clipped = np.clip(moved, 0, size)
    area = np.prod(np.maximum(moved[:, 2:] - moved[:, :2], 1e-6), axis=1)
    inside = np.prod(np.maximum(clipped[:, 2:] - clipped[:, :2], 0), axis=1) / area
    sides = (clipped[:, 2:] - clipped[:, :2]).min(axis=1, initial=np.inf)
    seen = (inside > settings.visible) & (sides >= 4)
    cut_off = (inside > 0) & ~seen
    if rng.random() < 0.5:
        window = window[:, ::-1]
        clipped = clipped[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [size, 0, size, 0]
    return (
        np.ascontiguousarray(window),
        clipped[seen].astype(np.float32),
        clipped[cut_off].astype(np.float32),
    )


def paste(
    window: ImageArray,
    boxes: FloatArray,
    layers: Sequence[Crop],
    settings: CropSettings,
    rng: Generator,
) -> tuple[ImageArray, FloatArray]:
    """Lay drawn craft over free places of a window (S, S, 3 or 4); returns it and all boxes."""
    window, size = window.copy(), window.shape[0]
    for _ in range(int(rng.integers(1, settings.paste_most + 1))):
        layer = layers[int(rng.integers(len(layers)))]
        side = max(12, round(layer.pixels.shape[0] * rng.uniform(*settings.zoom)))
        scale = side / layer.pixels.shape[0]
        x, y = (int(v) for v in rng.integers(-side // 4, size - side * 3 // 4, size=2))
        box = layer.box * scale + [x, y, x, y]
        kept = np.clip(box, 0, size)
        lost = 1 - np.prod(kept[2:] - kept[:2]) / max(1e-6, np.prod(box[2:] - box[:2]))
        if lost > 0.5 or (iou(kept[None].astype(np.float32), boxes) > 0.05).any():
            continue
        drawn = cv2.resize(layer.pixels, (side, side), interpolation=cv2.INTER_AREA)
        x0, y0, x1, y1 = max(0, x), max(0, y), min(size, x + side), min(size, y + side)
        part = drawn[y0 - y : y1 - y, x0 - x : x1 - x]
        window[y0:y1, x0:x1] = over(np.asarray(part, np.uint8), window[y0:y1, x0:x1])
        boxes = np.concatenate([boxes, kept[None].astype(np.float32)])
    return window, boxes


class Windows(NamedTuple):
    """A batch of B windows of S pixels.

    images: (B, 3, S, S) float32 in [0, 1]. boxes, ignored: corners of each window. covers: the
    share of craft in each of (S/4, S/4) cells; None where that isn't known.
    """

    images: torch.Tensor
    boxes: list[FloatArray]
    ignored: list[FloatArray]
    covers: list[FloatArray | None]


def batch(
    scenes: Sequence[Scene],
    layers: Sequence[Crop],
    count: int,
    settings: CropSettings,
    augmentation: Augmentation,
    seed: int,
    index: int,
) -> Windows:
    """Batch number `index`."""
    rng = np.random.default_rng([seed, index])
    windows: list[ImageArray] = []
    made = Windows(torch.empty(0), [], [], [])
    while len(windows) < count:
        scene = scenes[int(rng.integers(len(scenes)))]
        image = _with_mask(scene)
        for _ in range(min(settings.per_picture, count - len(windows))):
            window, boxes, vague = cut(image, scene.boxes, settings, rng)
            if layers and rng.random() < settings.paste:
                window, boxes = paste(window, boxes, layers, settings, rng)
            made.covers.append(cells(window[..., 3]) if window.shape[2] == 4 else None)
            windows.append(spoil(np.ascontiguousarray(window[..., :3]), augmentation, rng))
            made.boxes.append(boxes)
            made.ignored.append(vague)
    stacked = torch.from_numpy(np.stack(windows)).permute(0, 3, 1, 2).float() / 255
    return made._replace(images=stacked)


def _with_mask(scene: Scene) -> ImageArray:
    """The picture with its mask as fourth channel, where there is one."""
    image = scene.load()
    mask = mask_beside(scene.path, *image.shape[:2])
    if mask is None:
        return image
    return np.dstack([image, np.where(mask > 0, 255, 0).astype(np.uint8)])


def cells(cover: ImageArray) -> FloatArray:
    """Shares (S/4, S/4) of craft in the cells of a cover (S, S) 0..255."""
    side = cover.shape[0] // STRIDE
    cells = cv2.resize(np.ascontiguousarray(cover), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float32) / np.float32(255)
