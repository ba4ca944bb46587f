# SPDX-License-Identifier: Apache-2.0
"""The package's own stages, with the settings of the nodes, for evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turret_ai.aim.settings import AimSettings
from turret_ai.hear import recogniser
from turret_ai.hear.settings import HearSettings
from turret_ai.ros import parameters as ros_parameters
from turret_ai.ros.arguments import Arguments
from turret_ai.see import locator
from turret_ai.see.settings import SeeSettings
from turret_ai.types import Command, FloatArray, ImageArray, Location, Progress, Transcription
from turret_ai.understand import Understander, UnderstandSettings
from turret_ai.understand.commanding import command_of
from turret_ai.understand.completeness import Completeness


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """What the four nodes take as parameters."""

    transcriber: HearSettings
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
        read("transcriber", HearSettings),
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
        self._progress = Completeness()
        self._understander = Understander(settings.commander)
        self._locator = locator.load(settings.locator)
        self._recogniser.warm_up()
        self._locator.warm_up()

    def transcribe(self, samples: FloatArray) -> Transcription:
        return self._recogniser.transcribe(samples)

    def glance(self, samples: FloatArray) -> Transcription:
        return self._recogniser.glance(samples)

    def phone_times(self, samples: FloatArray) -> FloatArray | None:
        return self._recogniser.phone_times(samples)

    def progress(self, text: str) -> Progress:
        return self._progress(text)

    def understand(self, heard: Transcription) -> Command | None:
        return command_of(self._understander, heard)

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
