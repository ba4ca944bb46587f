"""The four stages as an evaluation calls them: one after the other, nothing in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from turret_ai.prove.timeline import AudioChunk
from turret_ai.types import Command, ImageArray, Location, Transcription, Utterance


@dataclass(frozen=True, slots=True)
class Cut:
    """An utterance cut out of the audio. seconds: from its first sample to the end of speech."""

    utterance: Utterance
    seconds: float


class Stages(Protocol):
    """What is evaluated."""

    def utterances(self, chunks: Iterable[AudioChunk]) -> Iterator[Cut]:
        """Cut the audio into utterances, marked ones as they are marked."""

    def transcribe(self, utterance: Utterance) -> Transcription:
        """Hear one utterance."""

    def understand(self, transcription: Transcription) -> Command:
        """Read a command out of what was heard."""

    def locate(self, image: ImageArray, caption: str) -> Location:
        """Find the described craft in an RGB image."""

    def describe(self) -> Mapping[str, Any]:
        """Models and settings, for the report."""
