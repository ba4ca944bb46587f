# SPDX-License-Identifier: Apache-2.0
"""Real-ESRGAN's way of enlarging crops: padded first, so that their edges aren't harmed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from turret_ai.errors import ModelError
from turret_ai.execution import ExecutionSettings, Session
from turret_ai.see import description
from turret_ai.see.description import UpscalerDescription
from turret_ai.see.settings import UpscalerSettings
from turret_ai.types import ImageArray

SMALL = 10
"""A crop with a side of that many pixels or less gets the small padding."""
STEP = 16
"""Crops are padded to a common multiple of this, so that several fit one batch."""


class Upscaler:
    """A loaded enlarging model."""

    def __init__(self, settings: UpscalerSettings, execution: ExecutionSettings) -> None:
        """Load.

        Raises:
            ModelError: not there, broken, or of another kind.
        """
        self.settings = settings
        folder, self.about = description.read(settings.model, UpscalerDescription)
        self.session = Session(folder / self.about.file, execution)

    @property
    def factor(self) -> int:
        """How many times larger the result is."""
        return self.about.factor

    def __call__(self, crops: Sequence[ImageArray]) -> list[ImageArray]:
        """(h, w, 3) each to (factor h, factor w, 3) each, in order."""
        results: list[ImageArray | None] = [None] * len(crops)
        groups: dict[tuple[int, int], list[int]] = {}
        pads = []
        for i, crop in enumerate(crops):
            height, width = crop.shape[:2]
            pad = self.settings.pad_small if min(height, width) <= SMALL else self.settings.pad
            pads.append(pad)
            size = tuple(-(-(side + 2 * pad) // STEP) * STEP for side in (height, width))
            groups.setdefault((size[0], size[1]), []).append(i)
        for (tall, wide), numbers in groups.items():
            for start in range(0, len(numbers), self.settings.batch):
                some = numbers[start : start + self.settings.batch]
                batch = np.stack([self._padded(crops[i], pads[i], tall, wide) for i in some])
                tensor = batch.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
                large = self.session(np.ascontiguousarray(tensor))[0]
                if large.shape[2:] != (tall * self.factor, wide * self.factor):
                    raise ModelError(
                        f"{self.session.model} made {large.shape[2:]} of {(tall, wide)}: its "
                        f"description says x{self.factor}"
                    )
                pixels = (np.clip(large, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)
                for i, picture in zip(some, pixels, strict=True):
                    first = pads[i] * self.factor
                    height, width = (side * self.factor for side in crops[i].shape[:2])
                    results[i] = np.ascontiguousarray(
                        picture[first : first + height, first : first + width]
                    )
        return [r for r in results if r is not None]

    @staticmethod
    def _padded(crop: ImageArray, pad: int, tall: int, wide: int) -> ImageArray:
        height, width = crop.shape[:2]
        padded: ImageArray = cv2.copyMakeBorder(  # type: ignore[assignment]
            crop, pad, tall - height - pad, pad, wide - width - pad, cv2.BORDER_REPLICATE
        )
        return padded
