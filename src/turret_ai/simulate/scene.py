# SPDX-License-Identifier: Apache-2.0
"""Scene descriptions: what the world round the turret holds, read from YAML.

A scene names a panorama, the daylight, the craft with their places and paths, the turret's limits
and commands to try. Degrees here are those of people: headings clockwise from north, elevations
upwards. A folder of the competition's kit (case.json beside six faces of a cubemap) loads as a
scene, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from turret_ai import documents, share
from turret_ai.aim.limits import Limits
from turret_ai.errors import InputError, TurretError
from turret_ai.settings import Settings
from turret_ai.simulate import craft, livery
from turret_ai.simulate.path import Attitude, Path
from turret_ai.simulate.turret import TurretLimits
from turret_ai.simulate.wall import Wall


class PanoramaSource(Settings):
    """One of: a procedural landscape (kind, seed, mood), a cubemap's folder, an image file."""

    kind: str = ""
    seed: int = Field(0, ge=0)
    mood: str = ""
    width: int = Field(4096, ge=256, le=16384, multiple_of=4)
    cubemap: str = ""
    faces: tuple[str, ...] = ()
    image: str = ""

    @model_validator(mode="after")
    def _one_of_them(self) -> PanoramaSource:
        if sum(map(bool, (self.kind, self.cubemap, self.image))) != 1:
            raise ValueError("give exactly one of kind, cubemap and image")
        return self


class Sun(Settings):
    """Where the sun is, degrees, and how strong against the sky's light."""

    heading: float = Field(ge=-360.0, le=720.0)
    elevation: float = Field(ge=0.0, le=90.0)
    strength: float = Field(1.0, ge=0.0, le=2.0)


class CraftEntry(Settings):
    """One craft: what it is, how it is painted, where it is and how it moves."""

    type: str
    variant: str
    colours: tuple[str, ...] = Field(min_length=1, max_length=3)
    camouflage: bool = False
    pattern: str = ""
    seed: int = Field(0, ge=0)
    spinning: bool = True
    heading: float = Field(ge=-360.0, le=720.0, description="where it is seen, degrees")
    elevation: float = Field(ge=-30.0, le=90.0, description="degrees")
    distance: float = Field(gt=1.0, le=20000.0, description="metres")
    attitude: Attitude = Attitude()
    path: Path = Path()

    @model_validator(mode="after")
    def _known(self) -> CraftEntry:
        names = [v.name for v in craft.variants(self.type)]
        if self.variant not in names:
            raise ValueError(f"unknown variant {self.variant!r} of {self.type}: {', '.join(names)}")
        livery.make(self.colours, self.seed, self.pattern, self.camouflage)
        return self

    @property
    def livery(self) -> livery.Livery:
        """Its paint."""
        return livery.make(self.colours, self.seed, self.pattern, self.camouflage)

    @property
    def caption(self) -> str:
        """Its description."""
        return livery.caption(self.type, self.colours, self.livery.camouflage)

    @property
    def place(self) -> NDArray[np.float64]:
        """The middle of its path, (3,) metres in the base frame."""
        yaw, up = -math.radians(self.heading), math.radians(self.elevation)
        return self.distance * np.array(
            [math.cos(up) * math.cos(yaw), math.cos(up) * math.sin(yaw), math.sin(up)]
        )


class TurretEntry(Settings):
    """The turret's limits in degrees; elevation is positive up."""

    yaw: tuple[float, float] = (-250.0, 250.0)
    elevation: tuple[float, float] = (-20.0, 30.0)
    yaw_rate: float = Field(540.0, gt=0.0)
    pitch_rate: float = Field(540.0, gt=0.0)
    acceleration: float = Field(1800.0, gt=0.0, description="degrees/s^2")

    def to_limits(self) -> TurretLimits:
        """The same as the turret's type, radians in REP-103."""
        r = math.radians
        joints = Limits(
            r(-self.yaw[1]), r(-self.yaw[0]), r(-self.elevation[1]), r(-self.elevation[0])
        )
        a = r(self.acceleration)
        return TurretLimits(joints, r(self.yaw_rate), r(self.pitch_rate), a, a)


class CommandEntry(Settings):
    """A sentence to speak, and what it means. `audio`: a file beside the scene, if there is one."""

    text: str
    heading: str = Field(pattern=r"^\d{3}$")
    tool: str
    target: str
    style: Literal["novice", "advanced", ""] = ""
    audio: FilePath | None = None


class SceneFile(Settings):
    """The whole of a scene's YAML."""

    name: str
    description: str = ""
    panorama: PanoramaSource
    sun: Sun | None = None
    turret: TurretEntry = TurretEntry()
    craft: tuple[CraftEntry, ...] = ()
    walls: tuple[Wall, ...] = ()
    commands: tuple[CommandEntry, ...] = ()

    @model_validator(mode="after")
    def _unique_captions(self) -> SceneFile:
        captions = [c.caption for c in self.craft]
        twice = sorted({c for c in captions if captions.count(c) > 1})
        if twice:
            raise ValueError(f"captions must be unique in a scene: {', '.join(twice)}")
        return self


@dataclass(frozen=True, slots=True)
class Outline:
    """Something already in the panorama: its caption and directions (n, 3) round its edge."""

    caption: str
    directions: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scene:
    """A loaded scene. folder: where its relative files lie. outlines: craft in the panorama."""

    name: str
    folder: FilePath
    panorama: PanoramaSource
    sun: Sun | None
    turret: TurretLimits
    craft: tuple[CraftEntry, ...]
    commands: tuple[CommandEntry, ...]
    outlines: tuple[Outline, ...] = ()
    description: str = ""
    walls: tuple[Wall, ...] = ()


def load(name: str | FilePath) -> Scene:
    """A scene by its shipped name, by its YAML file, or by a folder of the competition's kit.

    Raises:
        InputError: there is no such scene, or it is not valid; the text names the field.
    """
    path = share.resolve(str(name), "scenes", ".yaml")
    if path.is_dir():
        from turret_ai.simulate.competition import load_case

        return load_case(path)
    return parse(documents.read_yaml(path, error=InputError), path)


def parse(data: Any, path: FilePath) -> Scene:
    """A scene from the content of its YAML; relative files are sought beside `path`.

    Raises:
        InputError: unknown or invalid fields; the text names them.
    """
    try:
        file = SceneFile.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'scene'}: {e['msg']}" for e in error.errors()
        )
        raise InputError(f"{path} is not a valid scene: {problems}") from error
    except TurretError as error:
        raise InputError(f"{path} is not a valid scene: {error}") from error
    commands = []
    for command in file.commands:
        if command.audio is not None:
            audio = path.parent / command.audio
            if not audio.is_file():
                raise InputError(f"{path} names {command.audio}, which is not there")
            command = command.model_copy(update={"audio": audio})
        commands.append(command)
    return Scene(
        file.name, path.parent, file.panorama, file.sun, file.turret.to_limits(), file.craft,
        tuple(commands), (), file.description, file.walls,
    )  # fmt: skip
