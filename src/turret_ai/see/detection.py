# SPDX-License-Identifier: Apache-2.0
"""From a picture to its candidates: models, slices, mirror views, suppression, fusion."""

from __future__ import annotations

import numpy as np

from turret_ai.errors import ConfigError
from turret_ai.execution import ExecutionSettings
from turret_ai.see import fusion
from turret_ai.see.boxes import Boxes
from turret_ai.see.detector import Detector
from turret_ai.see.settings import DetectionSettings
from turret_ai.see.slicing import slices
from turret_ai.types import ImageArray

SLICE_BATCH = 8
"""Most slices that go through a model at once."""


class Detection:
    """Every detector that is asked, and how their answers are put together."""

    def __init__(self, settings: DetectionSettings, execution: ExecutionSettings) -> None:
        """Load the models.

        Raises:
            ModelError: one can't be loaded.
            ConfigError: as many weights as models are needed.
        """
        if settings.weights and len(settings.weights) != len(settings.models):
            raise ConfigError(
                f"{len(settings.models)} detectors need as many weights, not "
                f"{len(settings.weights)}"
            )
        self.settings = settings
        self.detectors = [Detector(name, execution) for name in settings.models]

    def __call__(self, image: ImageArray) -> Boxes:
        """Candidates, best first, in pixels of the image."""
        settings = self.settings
        parts, weights = [], []
        for number, detector in enumerate(self.detectors):
            weight = settings.weights[number] if settings.weights else 1.0
            for boxes in self._views(detector, image):
                parts.append(boxes)
                weights.append(weight)
        if len(parts) == 1:
            found = parts[0]
        else:
            found = fusion.suppress(
                fusion.fuse(parts, settings.fusion_iou, weights), settings.nms_iou
            )
        return found[: settings.limit]

    def shaped(self, boxes: Boxes, image: ImageArray) -> Boxes:
        """Candidates of an image as wide and as high as craft are, by what is known of the models.

        As they are found, encoders know them best: crops are cut before, answers given after this.
        """
        weights = self.settings.weights or [1.0] * len(self.detectors)
        shapes = [detector.about.shape for detector in self.detectors]
        width = float(np.average([shape.width for shape in shapes], weights=weights))
        rise = float(np.average([shape.rise for shape in shapes], weights=weights))
        high, wide = image.shape[:2]
        return boxes.reshaped(width, rise).within(wide, high)

    def _least(self, detector: Detector) -> float:
        return self.settings.confidence or detector.about.confidence

    def _views(self, detector: Detector, image: ImageArray) -> list[Boxes]:
        """The candidates by the picture itself and, if asked for, by its mirror image."""
        views = [self._look(detector, image)]
        if self.settings.flip:
            mirrored = np.ascontiguousarray(image[:, ::-1])
            views.append(self._look(detector, mirrored).flipped(image.shape[1]))
        return views

    def _look(self, detector: Detector, image: ImageArray) -> Boxes:
        settings = self.settings
        least, height, width = self._least(detector), *image.shape[:2]
        # More candidates than needed go in, because suppression takes duplicates away.
        before = 4 * settings.limit
        if settings.slice_columns * settings.slice_rows == 1:
            boxes = detector([image], least, before)[0]
            return fusion.suppress(boxes, settings.nms_iou)[: settings.limit]
        windows = slices(
            width, height, settings.slice_columns, settings.slice_rows, settings.slice_overlap
        )
        parts: list[Boxes] = []
        for start in range(0, len(windows), SLICE_BATCH):
            some = windows[start : start + SLICE_BATCH]
            pieces = [image[w.top : w.top + w.height, w.left : w.left + w.width] for w in some]
            found = detector(pieces, least, before, settings.slice_zoom)
            parts.extend(b.moved(w.left, w.top) for b, w in zip(found, some, strict=True))
        if settings.slice_keeps_full:
            parts.extend(detector([image], least, before))
        merged = fusion.suppress(Boxes.concatenate(parts), settings.nms_iou, smaller=True)
        return merged[: settings.limit]
