"""A second look at each candidate: its box drawn anew in a crop of one size.

What a second stage does in a two-stage detector (Ren et al., "Faster R-CNN", 2015): a detector
sees craft of 8 and of 400 pixels with the same filters, the refiner sees all of them equally large.
The quality that it tells is the overlap that its box should have with the true one, as in IoU-Net
(Jiang et al., 2018).
"""

from __future__ import annotations

import numpy as np

from turret_ai.errors import ModelError
from turret_ai.see import description
from turret_ai.see.boxes import Boxes
from turret_ai.see.cropping import crop_boxes, widened
from turret_ai.see.description import RefinerDescription
from turret_ai.see.execution import Shapes, profiled
from turret_ai.see.settings import ExecutionSettings
from turret_ai.types import FloatArray, ImageArray

BATCH = 32
"""Most crops that go through the model at once."""


class Refiner:
    """A loaded refiner."""

    def __init__(self, name: str, execution: ExecutionSettings) -> None:
        """Load by name or folder.

        Raises:
            ModelError: not there, broken, or of another kind.
        """
        self.folder, self.about = description.read(name, RefinerDescription)
        crops = Shapes(*((n, 3, self.about.size, self.about.size) for n in (1, BATCH // 2, BATCH)))
        self.session = profiled(self.folder / self.about.file, execution, crops)

    def __call__(self, image: ImageArray, boxes: Boxes) -> Boxes:
        """The candidates with new boxes and scores, in the same order, in pixels of the image.

        A new score is the geometric mean of the detector's and of the told quality. A box that
        comes out as nonsense keeps the place that the detector gave it.

        Raises:
            ModelError: the model tells something else than boxes and qualities.
        """
        if not len(boxes):
            return boxes
        about = self.about
        frames = widened(boxes.xyxy, about.crop)
        crops = crop_boxes(image, boxes.xyxy, about.size, about.crop)
        sides, quality = [], []
        for start in range(0, len(crops), BATCH):
            tensor = crops[start : start + BATCH].transpose(0, 3, 1, 2).astype(np.float32)
            outputs = self.session(np.ascontiguousarray(tensor) / np.float32(255))
            if len(outputs) != 2 or outputs[0].shape != (len(tensor), 4):
                raise ModelError(f"{self.folder} should tell boxes and qualities")
            sides.append(np.asarray(outputs[0], np.float32))
            quality.append(np.asarray(outputs[1], np.float32).reshape(-1))
        made = placed(np.concatenate(sides), frames)
        good = np.isfinite(made).all(axis=1, keepdims=True)
        good = good & (made[:, 2:] - made[:, :2] > 1.0).all(axis=1, keepdims=True)
        told = np.nan_to_num(np.concatenate(quality), nan=0.0).clip(0, 1)
        refined = np.where(good, made, boxes.xyxy)
        height, width = image.shape[:2]
        return Boxes.of(refined, np.sqrt(boxes.scores * told), boxes.labels).clip(width, height)


def placed(sides: FloatArray, frames: FloatArray) -> FloatArray:
    """Corners as shares of crops, (n, 4), to corners in the picture.

    Args:
        frames: (n, 4) corners of the crops in the picture, pixels.
    """
    size = frames[:, 2:] - frames[:, :2]
    corners: FloatArray = np.tile(frames[:, :2], 2) + sides * np.tile(size, 2)
    return corners
