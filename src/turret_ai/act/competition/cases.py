# SPDX-License-Identifier: Apache-2.0
"""The turns that our server plays: a spoken command, a world to look at, and the truth."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from turret_ai.aim.camera import Camera
from turret_ai.errors import InputError, TurretError
from turret_ai.types import Box, ImageArray

if TYPE_CHECKING:
    from turret_ai.simulate.scene import Scene
    from turret_ai.simulate.world import World

WIDTH, HEIGHT = 1520, 870
VERTICAL_FOV = math.radians(70.0)
CAMERA_PITCH = math.radians(-15.0)
"""The competition's camera looks 15 degrees up."""
MIN_VISIBLE = 0.05
"""Share of the target inside the frame below which there is no truth."""
KEPT_WORLDS = 4
"""Worlds that stay loaded; one takes up to 80 MB."""


@dataclass(frozen=True, slots=True)
class Case:
    """One turn.

    audio: a WAV file's bytes. heading: three digits. view: the picture at a camera yaw (radians,
    REP-103), RGB. true_box: the target's bounding rectangle in that picture, None outside of it.
    """

    name: str
    audio: bytes
    heading: str
    tool: str
    target: str
    view: Callable[[float], ImageArray]
    true_box: Callable[[float], Box | None]
    transcript: str = ""


class _Worlds:
    """The worlds of scenes, loaded when they are first looked at, the newest few kept."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[int, World] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, scene: Scene) -> World:
        from turret_ai.simulate.world import World

        with self._lock:
            world = self._loaded.get(id(scene))
            if world is None:
                world = self._loaded[id(scene)] = World(scene)
                while len(self._loaded) > KEPT_WORLDS:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(id(scene))
            return world


def load(names: Sequence[str | Path]) -> tuple[list[Case], list[str]]:
    """The cases of scenes.

    Args:
        names: shipped scenes, YAML files, folders of the competition's kit, or folders that hold
            any of these.

    Returns:
        (cases in order, for each command that can't be played the reason).

    Raises:
        InputError: a scene is missing or not valid, or nothing can be played.
    """
    from turret_ai.simulate import scene as scenes

    worlds = _Worlds()
    cases: list[Case] = []
    left_out: list[str] = []
    for name in _expand(names):
        scene = scenes.load(name)
        for number, command in enumerate(scene.commands):
            title = f"{scene.name}/{number}"
            if command.audio is None:
                left_out.append(f"{title}: the command has no audio")
                continue
            try:
                cases.append(_case(title, scene, number, worlds))
            except TurretError as error:
                left_out.append(f"{title}: {error}")
    if not cases:
        reasons = "; ".join(left_out) or "no scenes"
        raise InputError(f"there is nothing to play: {reasons}")
    return cases, left_out


def camera() -> Camera:
    """The competition's camera."""
    return Camera.from_fov(WIDTH, HEIGHT, VERTICAL_FOV)


def _case(title: str, scene: Scene, number: int, worlds: _Worlds) -> Case:
    command = scene.commands[number]
    assert command.audio is not None
    audio = _as_wav(command.audio)
    lens = camera()

    def view(yaw: float) -> ImageArray:
        return worlds.get(scene).render(lens, yaw, CAMERA_PITCH)

    def true_box(yaw: float) -> Box | None:
        for each in worlds.get(scene).truth(lens, yaw, CAMERA_PITCH):
            if each.caption == command.target and each.visible >= MIN_VISIBLE:
                return each.box
        return None

    return Case(
        title, audio, command.heading, command.tool, command.target, view, true_box, command.text
    )


def _as_wav(path: Path) -> bytes:
    """The file as the server sends it: a WAV file as it is, another format as 16 bit PCM.

    Raises:
        InputError: it can't be read.
    """
    if path.suffix.lower() == ".wav":
        try:
            return path.read_bytes()
        except OSError as error:
            raise InputError(f"{path} can't be read: {error.strerror}") from error
    import io

    import soundfile

    from turret_ai.hear import files

    heard = files.load(path)
    file = io.BytesIO()
    soundfile.write(file, heard.as_pcm(), heard.sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def _expand(names: Sequence[str | Path]) -> list[str]:
    """Folders of scenes become the scenes in them."""
    found: list[str] = []
    for name in names:
        path = Path(name).expanduser()
        if not path.is_dir() or (path / "case.json").is_file():
            found.append(str(name))
            continue
        inside = [
            str(each)
            for each in sorted(path.iterdir())
            if each.suffix in (".yaml", ".yml") or (each / "case.json").is_file()
        ]
        if not inside:
            raise InputError(f"no scenes in {path}: neither YAML files nor folders with case.json")
        found += inside
    return found
