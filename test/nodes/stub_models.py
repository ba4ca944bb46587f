# SPDX-License-Identifier: Apache-2.0
"""Models that cost nothing and answer by what is plainly in their input.

    python stub_models.py transcriber --ros-args ...

runs a node with them in the place of the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from unittest import mock

import numpy as np
from scipy.ndimage import find_objects, label
from scipy.signal import correlate

from turret_ai.hear import files
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.scene import CommandEntry
from turret_ai.track.sight import Seen
from turret_ai.track.window import Window
from turret_ai.types import (
    Box,
    FloatArray,
    Hypothesis,
    ImageArray,
    Location,
    LocationStatus,
    Transcription,
    TranscriptStatus,
)


@lru_cache(maxsize=1)
def spoken() -> tuple[tuple[CommandEntry, FloatArray], ...]:
    """The sentences that the ears know, with their sound."""
    commands = [c for c in scenes.load("airfield").commands if c.audio is not None]
    return tuple((command, files.read(str(command.audio))) for command in commands)


class Ears:
    """Finds the known sentence in the sound, and gives the words of it that were heard."""

    def transcribe(self, samples: FloatArray) -> Transcription:
        best, at, which = 0.0, 0, 0
        for number, (_, clip) in enumerate(spoken()):
            likeness = correlate(samples, clip, method="fft") / np.linalg.norm(clip)
            peak = int(np.argmax(likeness))
            if likeness[peak] > best:
                best, at, which = float(likeness[peak]), peak, number
        if best < 0.5:
            return Transcription(TranscriptStatus.EMPTY, reason="no speech")
        command, clip = spoken()[which]
        begin = at - len(clip) + 1  # where the clip begins within the samples
        words = command.text.split()
        first = round(max(0.0, -begin / len(clip)) * len(words))
        last = round(min(1.0, (len(samples) - begin) / len(clip)) * len(words))
        text = " ".join(words[first:last])
        return Transcription(TranscriptStatus.FINAL, text, 0.9, (Hypothesis(text, -0.1),))

    def glance(self, samples: FloatArray) -> Transcription:
        return self.transcribe(samples)

    def phone_times(self, samples: FloatArray) -> None:
        return None

    def warm_up(self) -> None:
        self.transcribe(spoken()[0][1])

    def describe(self) -> Mapping[str, object]:
        return {"model": "stub"}


class Eyes:
    """Finds red patches; two of them are too many."""

    def look(self, image: ImageArray) -> ImageArray:
        return image

    def choose(self, image: ImageArray, captions: list[str]) -> list[Location]:
        return [self.locate(image, caption) for caption in captions]

    def locate(self, image: ImageArray, caption: str) -> Location:
        found, _ = label((image[..., 0] > 200) & (image[..., 1] < 60))
        boxes = [
            Box(float(x.start), float(y.start), float(x.stop - x.start), float(y.stop - y.start))
            for y, x in find_objects(found)
        ]
        if not boxes:
            return Location(LocationStatus.NOT_FOUND, reason="nothing red")
        candidates = tuple((box, 0.9, 0.5) for box in boxes)
        if len(boxes) > 1:
            reason = "two fit about equally"
            status = LocationStatus.AMBIGUOUS
            return Location(status, boxes[0], 0.9, 0.5, 0.0, reason, candidates)
        return Location(LocationStatus.FOUND, boxes[0], 0.9, 0.5, 0.5, "", candidates)

    def prepare(self, caption: str) -> None:
        """Nothing to encode."""

    def warm_up(self) -> None:
        """Nothing to load."""

    def describe(self) -> Mapping[str, object]:
        return {"model": "stub"}


class Sharp:
    """Sees red patches in a part of a picture; all of them look alike."""

    def look(self, rgb: ImageArray, window: Window, caption: str) -> list[Seen]:
        part = window.cut(rgb)
        found, _ = label((part[..., 0] > 200) & (part[..., 1] < 60))
        return [
            Seen(
                Box(
                    float(x.start + window.left),
                    float(y.start + window.top),
                    float(x.stop - x.start),
                    float(y.stop - y.start),
                ),
                0.9,
                2.0,
            )
            for y, x in find_objects(found)
        ]


def installed() -> Any:
    """While this context lasts, the loaders give these models."""
    return (
        mock.patch.multiple("turret_ai.hear.recogniser", load=lambda *_, **__: Ears()),
        mock.patch.multiple("turret_ai.see.locator", load=lambda *_, **__: Eyes()),
        mock.patch.multiple("turret_ai.nodes.tracker", load=lambda *_, **__: Sharp()),
    )


if __name__ == "__main__":
    import sys

    from turret_ai.nodes.main import main

    ears, eyes, sharp = installed()
    with ears, eyes, sharp:
        sys.exit(main())
