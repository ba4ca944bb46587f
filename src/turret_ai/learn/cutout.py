# SPDX-License-Identifier: Apache-2.0
"""Makes a drawn craft look like a photo that was cut out and pasted: contrast, detail, fringe."""

from __future__ import annotations

import cv2
import numpy as np

from turret_ai.simulate.render import Drawn
from turret_ai.types import ImageArray


def _region(image: ImageArray, drawn: Drawn) -> ImageArray:
    h, w = drawn.cover.shape
    return image[drawn.y : drawn.y + h, drawn.x : drawn.x + w]


def develop(image: ImageArray, rng: np.random.Generator, drawn: Drawn) -> None:
    """A photo's tone curve, sharpness and fine detail, on the craft alone, in place."""
    region = _region(image, drawn)
    picture = region.astype(np.float32)
    contrast = float(rng.uniform(0.0, 0.7))
    t = picture / 255.0
    curve = t * t * (3.0 - 2.0 * t)
    picture += (curve - t) * (255.0 * contrast)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.8, 1.6)))
        picture += (picture - soft) * float(rng.uniform(0.2, 1.2))
    h, w = drawn.cover.shape
    detail = rng.normal(0.0, 1.0, (h, w)).astype(np.float32)
    if rng.random() < 0.5 and min(h, w) > 6:
        detail = cv2.GaussianBlur(detail, (0, 0), float(rng.uniform(0.5, 1.5)))
        detail /= max(1e-3, float(detail.std()))
    picture *= 1.0 + float(rng.uniform(0.0, 0.09)) * detail[..., None]
    cover = drawn.cover[..., None]
    mixed = region * (1.0 - cover) + np.clip(picture, 0, 255) * cover
    region[:] = np.clip(mixed, 0, 255).astype(np.uint8)


def fringe(image: ImageArray, rng: np.random.Generator, drawn: Drawn) -> None:
    """The pale or dark edge of a careless cut, in place."""
    region = _region(image, drawn)
    edge = np.clip(cv2.dilate(drawn.cover, np.ones((3, 3), np.uint8)) - drawn.cover, 0, 1)
    shade = 255.0 if rng.random() < 0.7 else 20.0
    amount = edge[..., None] * np.float32(rng.uniform(0.3, 0.8))
    region[:] = (region * (1 - amount) + shade * amount).astype(np.uint8)


def compress(image: ImageArray, rng: np.random.Generator, drawn: Drawn) -> None:
    """The JPEG that the cut-out's own photo was kept in, on the craft alone, in place."""
    region = _region(image, drawn)
    if min(region.shape[:2]) < 2:
        return
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))]
    _, data = cv2.imencode(".jpg", region, quality)
    kept = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.float32)
    cover = drawn.cover[..., None]
    region[:] = (region * (1 - cover) + kept * cover + 0.5).astype(np.uint8)
