# SPDX-License-Identifier: Apache-2.0
"""The models of the stages, as an evaluation calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from turret_ai.types import Command, FloatArray, ImageArray, Location, Progress, Transcription


class Stages(Protocol):
    """What is evaluated."""

    def transcribe(self, samples: FloatArray) -> Transcription:
        """Hear one utterance: mono at 16 kHz, shape (n,)."""

    def glance(self, samples: FloatArray) -> Transcription:
        """What is being said so far, at little cost."""

    def phone_times(self, samples: FloatArray) -> FloatArray | None:
        """The seconds at which phones begin in mono at 16 kHz; None: can't be told."""

    def progress(self, text: str) -> Progress:
        """How much of an order a text holds: it decides how long a pause may be."""

    def understand(self, heard: Transcription) -> Command | None:
        """The command that follows, None where nothing is to be said."""

    def locate(self, image: ImageArray, caption: str) -> Location:
        """Find the described craft in an RGB image."""

    def describe(self) -> Mapping[str, Any]:
        """Models and settings, for the report."""
