# SPDX-License-Identifier: Apache-2.0
"""One ONNX detector with its description: pictures to candidate boxes in their own pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import ModelError
from turret_ai.execution import ExecutionSettings, Session, Shapes
from turret_ai.see import description, heads
from turret_ai.see.boxes import Boxes
from turret_ai.see.description import DetectorDescription
from turret_ai.see.letterbox import Letterbox
from turret_ai.types import ImageArray

USUAL = (3, 896, 1536)
"""What TensorRT prepares for where the input size is free: a 1520 x 870 picture."""


class Detector:
    """A loaded detector; it suppresses nothing."""

    def __init__(self, name: str, execution: ExecutionSettings) -> None:
        """Load by name or folder.

        Raises:
            ModelError: not there, broken, or of another kind.
        """
        self.folder, self.about = description.read(name, DetectorDescription)
        size = (3, self.about.input.height, self.about.input.width)
        usual = size if all(size) else USUAL
        model = self.folder / self.about.file
        self.session = Session(model, execution)
        if self.session.provider == "tensorrt":
            shapes = Shapes((1, *usual), (1, *usual), (1, *usual))
            self.session = Session(model, execution, {self.session.inputs[0]: shapes})
        fixed = self.session.shapes[0]
        if len(fixed) != 4:
            raise ModelError(f"{model} takes {fixed}: a detector takes (batch, 3, height, width)")
        self._one_by_one = fixed[0] == 1
        self._check_size(fixed)

    def _check_size(self, fixed: Sequence[int | None]) -> None:
        wanted = (self.about.input.height, self.about.input.width)
        for side, size in zip(fixed[2:], wanted, strict=True):
            if side is not None and side != size:
                raise ModelError(
                    f"{self.folder}: the model's input is {fixed[3]} x {fixed[2]}, its description "
                    f"says {wanted[1]} x {wanted[0]}"
                )

    def __call__(
        self, images: Sequence[ImageArray], least: float, limit: int, zoom: float = 1.0
    ) -> list[Boxes]:
        """Candidates of pictures of one size, best first, in pixels of each.

        Args:
            least: score below which a candidate is dropped. limit: most of them for a picture.
            zoom: most magnification where the model's input size is free.
        """
        if not images:
            return []
        height, width = images[0].shape[:2]
        box = Letterbox.fit((width, height), self.about.input, zoom)
        stacked = np.stack([self._tensor(box.apply(i, self.about.input.pad_value)) for i in images])
        batches = [stacked] if not self._one_by_one else [s[None] for s in stacked]
        found: list[Boxes] = []
        for batch in batches:
            more = []
            if (
                len(self.session.inputs) > 1
            ):  # DETRs with post-processing ask for the picture's size
                more.append(np.tile(np.array([box.outer], np.int64), (len(batch), 1)))
            outputs = self.session(batch, *more, outputs=self.about.outputs)
            outputs = [np.asarray(o, np.float32) for o in outputs]
            found.extend(self._decode(outputs, least, limit, box))
        return [self._kept(box.undo(boxes).clip(width, height)) for boxes in found]

    def _tensor(self, image: ImageArray) -> NDArray[np.float32]:
        about = self.about.input
        if about.bgr:
            image = image[..., ::-1]
        tensor = image.transpose(2, 0, 1).astype(np.float32)
        tensor *= 1.0 / about.scale
        if any(about.mean) or any(s != 1 for s in about.std):
            tensor -= np.asarray(about.mean, np.float32)[:, None, None]
            tensor /= np.asarray(about.std, np.float32)[:, None, None]
        return tensor

    def _decode(
        self, outputs: list[NDArray[np.float32]], least: float, limit: int, box: Letterbox
    ) -> list[Boxes]:
        layout = self.about.layout
        if layout == "yolov6":
            return heads.decode_yolov6(outputs, least, limit)
        if layout == "yolov8":
            return heads.decode_yolov8(outputs, least, limit)
        if layout == "detr":
            return heads.decode_detr(outputs, least, limit, *box.outer)
        if layout == "detr_boxes":
            return heads.decode_detr_boxes(outputs, least, limit)
        if len(outputs) < 2:
            raise ModelError(f"{self.folder}: centres and sides are needed, there is one output")
        return heads.decode_centres(outputs[0], outputs[1], self.about.stride, least, limit)

    def _kept(self, boxes: Boxes) -> Boxes:
        return boxes[np.isin(boxes.labels, self.about.keep)] if self.about.keep else boxes

    def label(self, index: int) -> str:
        """The name of a class, or "" where the description has none."""
        labels = self.about.labels
        return labels[index] if 0 <= index < len(labels) else ""
