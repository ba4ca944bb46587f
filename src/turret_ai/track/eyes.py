# SPDX-License-Identifier: Apache-2.0
"""Candidates in a part of a picture, with their looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from turret_ai.see.detection import Detection
from turret_ai.see.matcher import Matcher
from turret_ai.track.settings import TrackSettings
from turret_ai.track.sight import Seen
from turret_ai.track.window import Window
from turret_ai.types import Box, FloatArray, ImageArray


class Eyes(Protocol):
    """What a pursuit asks of the models."""

    def look(self, rgb: ImageArray, window: Window, caption: str) -> list[Seen]:
        """Candidates inside a window of a picture (H, W, 3), in pixels of the picture."""


class ModelEyes:
    """Detector and matcher. Not thread-safe: one thread at a time."""

    def __init__(self, settings: TrackSettings) -> None:
        """Load the models.

        Raises:
            ModelError: a model is missing, broken or of another kind.
            ConfigError: settings that don't go together.
        """
        self.settings = settings
        self._detection = Detection(settings.detection, settings.execution)
        self._matcher = Matcher(settings.matching, settings.execution)

    def warm_up(self) -> None:
        """Run once, so that the first real picture isn't slower."""
        side = self.settings.look.smallest
        grey = np.full((side, side, 3), 128, np.uint8)
        self.look(grey, Window(0, 0, side, side), "grey drone")
        self._matcher.encode_caption("grey drone")

    def look(self, rgb: ImageArray, window: Window, caption: str) -> list[Seen]:
        """Candidates inside a window of a picture (H, W, 3), in pixels of the picture."""
        part = np.ascontiguousarray(window.cut(rgb))
        boxes = self._detection(part)
        if not len(boxes):
            return []
        odds = self._matcher(part, boxes, [caption])[:, 0]  # remembers the crops' vectors
        vectors = self._vectors(part, boxes)
        found = []
        for number in range(len(boxes)):
            box = boxes.as_box(number)
            box = Box(box.left + window.left, box.top + window.top, box.width, box.height)
            found.append(
                Seen(box, float(boxes.scores[number]), float(odds[number]), vectors[number])
            )
        return found

    def _vectors(self, part: ImageArray, boxes: object) -> FloatArray:
        """One unit vector (n, e) a box: the encoders' side by side, by their weights."""
        evidence = self._matcher.encode_boxes(part, boxes)  # type: ignore[arg-type]
        weights = np.sqrt(self._matcher.weights).astype(np.float32)
        sides = [w * e.vectors for w, e in zip(weights, evidence, strict=True)]
        return np.concatenate(sides, axis=1)

    def describe(self) -> Mapping[str, object]:
        """The models and what they run on, for diagnostics."""
        detectors, encoders = self._detection.detectors, self._matcher.encoders
        return {
            "detector": ", ".join(d.about.name or d.folder.name for d in detectors),
            "matcher": ", ".join(e.about.name or e.folder.name for e in encoders),
            "device": ", ".join(sorted({d.session.provider for d in detectors})),
        }
