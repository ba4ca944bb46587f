# SPDX-License-Identifier: Apache-2.0
"""How well each box of a picture fits each caption."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

from turret_ai.errors import ConfigError
from turret_ai.execution import ExecutionSettings
from turret_ai.see.boxes import Boxes
from turret_ai.see.cropping import CropShape, crop_boxes, widened
from turret_ai.see.encoders import DualEncoder
from turret_ai.see.evidence import Evidence, Wanted, features, log_odds
from turret_ai.see.settings import MatchingSettings
from turret_ai.see.upscaler import Upscaler
from turret_ai.types import FloatArray, ImageArray

K = TypeVar("K")
V = TypeVar("V")


class _Cache(Generic[K, V]):
    """The last so many values, by key."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        if self.size:
            self._kept[key] = value
            while len(self._kept) > self.size:
                self._kept.popitem(last=False)


class Matcher:
    """Dual encoders, weighted. Scores are log-odds: the weighted mean of the models'."""

    def __init__(
        self,
        settings: MatchingSettings,
        execution: ExecutionSettings,
        upscaler: Upscaler | None = None,
    ) -> None:
        """Load the models.

        Raises:
            ModelError: one can't be loaded.
            ConfigError: weights that don't fit the models, or a template without {caption}.
        """
        if settings.weights and len(settings.weights) != len(settings.models):
            raise ConfigError(
                f"{len(settings.models)} matchers need as many weights, not {len(settings.weights)}"
            )
        for template in settings.templates:
            if "{caption}" not in template:
                raise ConfigError(f"the template {template!r} has no {{caption}}")
        self.settings = settings
        self.upscaler = upscaler
        self.encoders = [DualEncoder(n, execution, settings.batch) for n in settings.models]
        weights = np.asarray(
            settings.weights or [e.about.weight for e in self.encoders], np.float64
        )
        if (weights < 0).any() or weights.sum() <= 0:
            raise ConfigError("the weights of matchers must not be negative, nor all zero")
        self.weights = weights / weights.sum()
        self._texts: _Cache[str, list[FloatArray]] = _Cache(settings.cached_texts)
        self._images: _Cache[bytes, list[Evidence]] = _Cache(settings.cached_images)

    @property
    def not_found_below(self) -> float:
        """The least probability of a fit."""
        return self._limit("not_found_below")

    @property
    def ambiguous_margin(self) -> float:
        """The least lead over the second, log-odds."""
        return self._limit("ambiguous_margin")

    def _limit(self, name: str) -> float:
        """As it is set, else the weighted mean of what the models say."""
        asked = float(getattr(self.settings, name))
        found = [getattr(e.about.calibration, name) for e in self.encoders]
        return asked if asked >= 0.0 else float(np.dot(self.weights, found))

    def encode_caption(self, caption: str) -> list[FloatArray]:
        """One unit vector (e,) for each encoder: the mean over the templates."""
        known = self._texts.get(caption)
        if known is not None:
            return known
        vectors = []
        for encoder in self.encoders:
            templates = self.settings.templates or encoder.about.templates
            # Not str.format: a caption or template may hold other braces.
            texts = [t.replace("{caption}", caption) for t in templates]
            mean = encoder.encode_texts(texts).mean(axis=0)
            vectors.append((mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32))
        self._texts.put(caption, vectors)
        return vectors

    def encode_boxes(self, image: ImageArray, boxes: Boxes) -> list[Evidence]:
        """What each encoder says of n boxes."""
        key = b""
        if self.settings.cached_images:
            digest = hashlib.blake2b(boxes.xyxy.tobytes(), digest_size=16)
            digest.update(np.ascontiguousarray(image).data)
            key = digest.digest()
            known = self._images.get(key)
            if known is not None:
                return known
        found = []
        for encoder in self.encoders:
            crops = self._crops(image, boxes.xyxy, encoder)
            views = [self._encode(encoder, crops)]
            if self.settings.flip and len(crops):
                views.append(self._encode(encoder, np.ascontiguousarray(crops[:, :, ::-1])))
            found.append(Evidence.mean(views))
        if key:
            self._images.put(key, found)
        return found

    def _encode(self, encoder: DualEncoder, crops: ImageArray) -> Evidence:
        """Of crops, no more than `batch` at once."""
        size = self.settings.batch
        return Evidence.join(
            [encoder.encode_images(crops[i : i + size]) for i in range(0, len(crops), size)]
        )

    def _crops(self, image: ImageArray, xyxy: FloatArray, encoder: DualEncoder) -> ImageArray:
        settings, own = self.settings, encoder.about.crop
        shape = CropShape(
            context=own.context if settings.context < 0 else settings.context,
            margin=own.margin if settings.margin < 0 else settings.margin,
            fit=own.fit,
        )
        size = encoder.about.size
        if self.upscaler is None:
            return crop_boxes(image, xyxy, size, shape, settings.sharpen)
        height, width = image.shape[:2]
        outer = widened(xyxy, shape)
        windows, offsets, which = [], [], []
        for i, (x0, y0, x1, y1) in enumerate(outer.tolist()):
            left, top = int(max(0, np.floor(x0))), int(max(0, np.floor(y0)))
            right, bottom = int(min(width, np.ceil(x1))), int(min(height, np.ceil(y1)))
            longer = max(right - left, bottom - top)
            if right > left and bottom > top and longer < self.upscaler.settings.below:
                windows.append(np.ascontiguousarray(image[top:bottom, left:right]))
                offsets.append((left, top))
                which.append(i)
        crops = crop_boxes(image, xyxy, size, shape, settings.sharpen)
        factor = float(self.upscaler.factor)
        exact = CropShape()  # the box is widened already
        for i, (left, top), large in zip(which, offsets, self.upscaler(windows), strict=True):
            moved = (outer[i] - np.array([left, top, left, top], np.float32)) * factor
            crops[i] = crop_boxes(large, moved[None], size, exact, settings.sharpen)[0]
        return crops

    def __call__(
        self,
        image: ImageArray,
        boxes: Boxes,
        captions: Sequence[str],
        labels: Sequence[str] = (),
    ) -> FloatArray:
        """Log-odds (n boxes, m captions) that a box is what a caption says.

        Args:
            boxes: with their detection scores.
            labels: the class names of the boxes, for the class bonus; empty: none are known.
        """
        if not len(boxes) or not captions:
            return np.zeros((len(boxes), len(captions)), np.float32)
        return self.score(self.encode_boxes(image, boxes), boxes, captions, labels)

    def score(
        self,
        pictures: Sequence[Evidence],
        boxes: Boxes,
        captions: Sequence[str],
        labels: Sequence[str] = (),
    ) -> FloatArray:
        """The same of boxes that were encoded before.

        Args:
            pictures: what `encode_boxes` said of them.
        """
        scores = np.zeros((len(boxes), len(captions)), np.float64)
        if not len(boxes):
            return scores.astype(np.float32)
        for j, caption in enumerate(captions):
            texts = self.encode_caption(caption)
            words = f" {caption.lower()} "
            named = [bool(label) and f" {label.lower()} " in words for label in labels]
            bonus = self.settings.class_bonus * np.asarray(named or [False], np.float64)
            for encoder, weight, picture, text in zip(
                self.encoders, self.weights, pictures, texts, strict=True
            ):
                wanted = Wanted.read(caption, encoder.about.heads)
                terms = encoder.about.terms(wanted.type_number is not None)
                if self.settings.detection_weight >= 0:
                    share = self.settings.detection_weight * terms.cosine
                    terms = terms.model_copy(update={"detection": share})
                found = features(picture, text, wanted, boxes.scores)
                scores[:, j] += weight * (log_odds(found, terms) + bonus * terms.cosine)
        return scores.astype(np.float32)

    def types(self, pictures: Sequence[Evidence]) -> list[str]:
        """What each of n boxes shows by the heads of the encoders that name the types of the first
        one that does; empty if none does.

        Args:
            pictures: what `encode_boxes` said of them.
        """
        able = [
            (encoder.about.heads.types, weight, picture.types)
            for encoder, weight, picture in zip(self.encoders, self.weights, pictures, strict=True)
            if picture.types is not None
        ]
        if not able:
            return []
        names = able[0][0]
        total = sum(weight * found for types, weight, found in able if types == names)
        return [names[i] for i in np.argmax(total, axis=1).tolist()]
