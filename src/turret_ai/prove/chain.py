"""The package's own stages, with the settings of the nodes, for evaluations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turret_ai.aim.settings import AimSettings
from turret_ai.hear import recogniser
from turret_ai.hear.edge import Resampler
from turret_ai.hear.listener import Listener, SpeechEnded
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.nodes.transcriber import TranscriberParameters
from turret_ai.prove.stages import Cut
from turret_ai.prove.timeline import AudioChunk
from turret_ai.ros import parameters as ros_parameters
from turret_ai.ros.arguments import Arguments
from turret_ai.see import locator
from turret_ai.see.settings import SeeSettings
from turret_ai.types import Command, ImageArray, Location, Transcription, Utterance
from turret_ai.understand import Understander, UnderstandSettings


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """What the four nodes take as parameters."""

    transcriber: TranscriberParameters
    commander: UnderstandSettings
    locator: SeeSettings
    aim: AimSettings


def chain_settings(
    params_files: Sequence[Path] = (), parameters: Sequence[str] = ()
) -> ChainSettings:
    """Settings of the stages, read as their nodes read them.

    Args:
        params_files: YAML files with `ros__parameters`, later ones on top.
        parameters: `node:name:=value`, on top of the files.

    Raises:
        ConfigError: a file or a value can't be used.
    """
    words = ["--ros-args"]
    for file in params_files:
        words += ["--params-file", str(file)]
    for parameter in parameters:
        words += ["-p", parameter]
    arguments = Arguments.parse(words)

    def read(name: str, model: Any) -> Any:
        arguments.known |= {each.name for each in ros_parameters.specify(model)}
        return ros_parameters.resolve(model, arguments.settings(name, f"/{name}"), None, f"/{name}")

    found = ChainSettings(
        read("transcriber", TranscriberParameters),
        read("commander", UnderstandSettings),
        read("locator", SeeSettings),
        read("controller", AimSettings),
    )
    arguments.check_unused()
    return found


class Chain:
    """Loads all models at once; `turret_ai.prove.stages.Stages` says what the methods do.

    Raises:
        ModelError: a model is missing or broken.
    """

    def __init__(self, settings: ChainSettings) -> None:
        self.settings = settings
        self._recogniser = recogniser.load(settings.transcriber.recogniser)
        self._understander = Understander(settings.commander)
        self._locator = locator.load(settings.locator)
        self._recogniser.warm_up()
        self._locator.warm_up()

    def utterances(self, chunks: Iterable[AudioChunk]) -> Iterator[Cut]:
        listener = Listener(self.settings.transcriber.listener)
        marked: list[AudioChunk] = []
        for chunk in chunks:
            if marked and chunk.utterance_id != marked[0].utterance_id:
                yield _joined(marked)  # its end was lost
                marked = []
            if chunk.utterance_id is None:
                events = listener.feed(chunk.samples, chunk.rate, 1, chunk.stamp_ns)
                yield from self._ended(events)
                continue
            marked.append(chunk)
            if not len(chunk.samples):
                yield _joined(marked)
                marked = []
        if marked:
            yield _joined(marked)
        yield from self._ended(listener.flush())

    def _ended(self, events: Sequence[object]) -> Iterator[Cut]:
        for event in events:
            if isinstance(event, SpeechEnded):
                seconds = len(event.samples) / SAMPLE_RATE
                if event.cause == "silence":
                    post_roll = self.settings.transcriber.listener.post_roll
                    seconds = max(0.0, seconds - post_roll)
                yield Cut(Utterance("", event.samples, event.stamp_ns), seconds)

    def transcribe(self, utterance: Utterance) -> Transcription:
        return self._recogniser.transcribe(utterance.samples)

    def understand(self, transcription: Transcription) -> Command:
        return self._understander.parse(transcription.alternatives or transcription.text)

    def locate(self, image: ImageArray, caption: str) -> Location:
        return self._locator.locate(image, caption)

    def describe(self) -> Mapping[str, Any]:
        return {
            "transcriber": self.settings.transcriber.model_dump(),
            "commander": self.settings.commander.model_dump(),
            "locator": self.settings.locator.model_dump(),
            "speech model": dict(self._recogniser.describe()),
            "vision models": dict(self._locator.describe()),
        }


def _joined(chunks: Sequence[AudioChunk]) -> Cut:
    """The utterance of marked chunks, at 16 kHz."""
    whole = np.concatenate([chunk.samples for chunk in chunks])
    rate = chunks[0].rate
    seconds = len(whole) / rate
    if rate != SAMPLE_RATE:
        whole = Resampler(rate)(whole, last=True)
    return Cut(Utterance(chunks[0].utterance_id or "", whole, chunks[0].stamp_ns), seconds)
