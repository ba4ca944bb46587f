# SPDX-License-Identifier: Apache-2.0
"""Fitting a picture into a model's input, and boxes back, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from turret_ai.see.boxes import Boxes
from turret_ai.see.description import InputDescription
from turret_ai.types import ImageArray


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture of `source` pixels drawn at `inner` size, `offset` from the corner of `outer`.

    Every size is (width, height). Scales are those of the rounded sizes, so that undoing is exact.
    """

    source: tuple[int, int]
    inner: tuple[int, int]
    outer: tuple[int, int]
    offset: tuple[int, int]

    @property
    def scale(self) -> tuple[float, float]:
        """Input pixels for a pixel of the source, (x, y)."""
        return self.inner[0] / self.source[0], self.inner[1] / self.source[1]

    @classmethod
    def fit(cls, source: tuple[int, int], to: InputDescription, zoom: float = 1.0) -> Letterbox:
        """How a picture of (width, height) goes into a model's input.

        Args:
            zoom: most magnification, for inputs of free size.
        """
        width, height = source
        if to.width and to.height:
            outer = (to.width, to.height)
            scale = min(to.width / width, to.height / height)
        else:
            scale = min(zoom, to.longest / max(width, height))
            inner = (max(1, round(width * scale)), max(1, round(height * scale)))
            step = to.multiple
            outer = (-(-inner[0] // step) * step, -(-inner[1] // step) * step)
        if to.resize == "stretch":
            return cls(source, outer, outer, (0, 0))
        inner = (
            min(outer[0], max(1, round(width * scale))),
            min(outer[1], max(1, round(height * scale))),
        )
        centred = to.resize == "letterbox"
        spare = (outer[0] - inner[0], outer[1] - inner[1])
        offset = (spare[0] // 2, spare[1] // 2) if centred else (0, 0)
        return cls(source, inner, outer, offset)

    def apply(self, image: ImageArray, pad_value: int = 114) -> ImageArray:
        """(outer height, outer width, 3) with the picture in it."""
        if self.inner != self.source:
            shrinks = self.inner[0] < self.source[0]
            image = cv2.resize(  # type: ignore[assignment]
                image, self.inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            )
        if self.inner == self.outer:
            return image
        out = np.full((self.outer[1], self.outer[0], 3), pad_value, np.uint8)
        x, y = self.offset
        out[y : y + self.inner[1], x : x + self.inner[0]] = image
        return out

    def undo(self, boxes: Boxes) -> Boxes:
        """Boxes in pixels of the input to pixels of the picture."""
        x, y = self.scale
        return boxes.moved(-self.offset[0], -self.offset[1]).scaled(1 / x, 1 / y)

    def do(self, boxes: Boxes) -> Boxes:
        """Boxes in pixels of the picture to pixels of the input."""
        x, y = self.scale
        return boxes.scaled(x, y).moved(*self.offset)
