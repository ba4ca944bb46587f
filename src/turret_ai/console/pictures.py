# SPDX-License-Identifier: Apache-2.0
"""Camera pictures small enough to be sent many times a second, the last ones by their stamps."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np

from turret_ai.see import images
from turret_ai.types import ImageArray

_THUMBNAIL_WIDTH = 320
_THUMBNAIL_QUALITY = 60
_NEAR_NS = 300_000_000
"""How far the stamp of a picture may be from the wanted one, where that one was left out."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG, and the size in pixels of the picture that it was made from."""

    jpeg: bytes
    width: int
    height: int


def shrink(rgb: ImageArray, width: int, quality: int) -> Picture:
    """Scale an RGB picture (H, W, 3) down to `width` pixels at most, and compress it."""
    return Picture(images.encode(_scaled(rgb, width), ".jpg", quality), rgb.shape[1], rgb.shape[0])


def thumbnail(picture: Picture) -> bytes:
    """A small JPEG of it, for a list of many."""
    small = _scaled(images.decode(picture.jpeg), _THUMBNAIL_WIDTH)
    return images.encode(small, ".jpg", _THUMBNAIL_QUALITY)


def _scaled(rgb: ImageArray, width: int) -> ImageArray:
    before = rgb.shape[1]
    if before <= width:
        return rgb
    size = (width, max(1, round(rgb.shape[0] * width / before)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)


class Recent:
    """The last pictures by stamp, ns. Callable from any thread."""

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._kept: OrderedDict[int, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, stamp_ns: int, picture: Picture) -> None:
        """Take in one picture, and forget the oldest."""
        with self._lock:
            self._kept[stamp_ns] = picture
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def near(self, stamp_ns: int) -> Picture | None:
        """The picture of a stamp, or the nearest one within 0.3 s."""
        with self._lock:
            best = min(self._kept, key=lambda each: abs(each - stamp_ns), default=None)
            if best is None or abs(best - stamp_ns) > _NEAR_NS:
                return None
            return self._kept[best]
