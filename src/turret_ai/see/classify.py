# SPDX-License-Identifier: Apache-2.0
"""Zero-shot classification: which of some classes a picture shows, by the matcher's encoders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from turret_ai.errors import InputError
from turret_ai.execution import ExecutionSettings
from turret_ai.see.boxes import Boxes
from turret_ai.see.matcher import Matcher
from turret_ai.see.settings import MatchingSettings
from turret_ai.types import FloatArray, ImageArray


class Classifier:
    """Encoders, averaged by their weights as probabilities, and the texts of the classes."""

    def __init__(
        self,
        classes: Sequence[str],
        settings: MatchingSettings,
        execution: ExecutionSettings,
        drop: float = 0.002,
    ) -> None:
        """Load the models.

        Args:
            drop: probabilities at or below this are taken as none.

        Raises:
            InputError: fewer than two classes, or one twice.
            ModelError: a model can't be loaded.
        """
        self.classes = [c.strip() for c in classes]
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise InputError("classification needs at least two classes, each named once")
        if not all(self.classes):
            raise InputError("a class without a name")
        self.drop = drop
        self.matcher = Matcher(settings, execution)
        self._texts = [self.matcher.encode_caption(c) for c in self.classes]

    def __call__(self, image: ImageArray) -> FloatArray:
        """Probabilities (classes,) of the whole picture; they sum to 1 unless all were dropped."""
        height, width = image.shape[:2]
        found = self.matcher.encode_boxes(image, Boxes.of([[0, 0, width, height]]))
        total = np.zeros(len(self.classes))
        for number, (encoder, weight) in enumerate(
            zip(self.matcher.encoders, self.matcher.weights, strict=True)
        ):
            texts = np.stack([t[number] for t in self._texts])
            logits = encoder.about.scale * (found[number].vectors[0] @ texts.T)
            chance = np.exp(logits - logits.max())
            total += weight * chance / chance.sum()
        total[total <= self.drop] = 0.0
        return np.asarray(total / max(float(total.sum()), 1e-12), np.float32)
