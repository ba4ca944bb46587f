# SPDX-License-Identifier: Apache-2.0
"""The simulated world: what the turret's camera sees, and the truth about it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai import kept
from turret_ai.aim.camera import Camera, aim_at, rotation
from turret_ai.simulate import landscape, mesh, path, photo, render, wall
from turret_ai.simulate.panorama import FACES, Cubemap, Equirectangular, Panorama
from turret_ai.simulate.render import Placed
from turret_ai.simulate.scene import CraftEntry, PanoramaSource, Scene
from turret_ai.types import Box, ImageArray
from turret_ai.units import heading_to_yaw

Float64Array = NDArray[np.float64]

_SHELF = kept.Shelf("panoramas", most=8)


@dataclass(frozen=True, slots=True)
class Truth:
    """One true box.

    box: pixels, clipped to the frame. yaw, pitch: where the middle of the whole box lies, rad,
    base frame (REP-103). visible: the share of the whole box that is inside the frame and not
    behind the box of a nearer craft or a nearer wall.
    """

    caption: str
    box: Box
    yaw: float
    pitch: float
    visible: float


class World:
    """A scene that can be looked at from the turret, at any time."""

    def __init__(self, scene: Scene) -> None:
        """Load or paint the panorama (a second or two) and the craft.

        Raises:
            InputError: a file of the panorama is missing, or the landscape's kind is unknown.
        """
        self.scene = scene
        self.panorama, self.light = _surroundings(scene)
        self._craft = [
            (entry, mesh.load(entry.type, entry.variant, entry.spinning), entry.livery)
            for entry in scene.craft
        ]

    def render(self, camera: Camera, yaw: float, pitch: float, time_s: float = 0.0) -> ImageArray:
        """The image at a camera pose (radians, REP-103) and time, RGB (height, width, 3)."""
        view = rotation(yaw, pitch)
        image = self.panorama.view(camera, view)
        if not image.flags.writeable:
            image = image.copy()
        walls = sorted(self.scene.walls, key=lambda w: -w.distance)
        for placed, _ in self._placed(time_s):
            while walls and walls[0].distance > float(np.linalg.norm(placed.position)):
                wall.draw(image, walls.pop(0), camera, yaw, pitch)
            render.draw(image, placed, camera, view, self.light, rays=24_000)
        for each in walls:
            wall.draw(image, each, camera, yaw, pitch)
        return image

    def truth(self, camera: Camera, yaw: float, pitch: float, time_s: float = 0.0) -> list[Truth]:
        """Every craft that is at least partly in the frame, nearest first."""
        view = rotation(yaw, pitch)
        found: list[Truth] = []
        nearer: list[Box] = []
        for placed, entry in reversed(self._placed(time_s)):
            whole = render.true_box(placed, camera, view)
            if whole is None:
                continue
            seen = clip(whole, camera.width, camera.height)
            if seen is None:
                continue
            distance = float(np.linalg.norm(placed.position))
            hidden = self._behind_walls(seen, distance, camera, yaw, pitch)
            hidden = max([hidden, *(_shared(seen, other) for other in nearer)])
            found.append(_truth(entry.caption, whole, seen, hidden, camera, yaw, pitch))
            nearer.append(seen)
        for outline in self.scene.outlines:
            pixels = render.project(outline.directions * 10.0, camera, view)
            if pixels is None:
                continue
            (left, top), (right, bottom) = pixels.min(0), pixels.max(0)
            whole = Box(float(left), float(top), float(right - left), float(bottom - top))
            seen = clip(whole, camera.width, camera.height)
            if seen is not None:
                hidden = self._behind_walls(seen, math.inf, camera, yaw, pitch)
                found.append(_truth(outline.caption, whole, seen, hidden, camera, yaw, pitch))
        return found

    def _behind_walls(
        self, seen: Box, distance: float, camera: Camera, yaw: float, pitch: float
    ) -> float:
        """Area of a box that the walls nearer than `distance` metres hide, pixels squared."""
        nearer = [each for each in self.scene.walls if each.distance < distance]
        return sum(wall.covered(seen, each, camera, yaw, pitch) for each in nearer)

    def _placed(self, time_s: float) -> list[tuple[Placed, CraftEntry]]:
        """The craft at a time, farthest first."""
        placed = []
        for entry, model, paint in self._craft:
            where, turn = path.pose(entry.place, entry.attitude, entry.path, time_s)
            placed.append((Placed(model, paint, where, turn), entry))
        return sorted(placed, key=lambda p: -float(np.linalg.norm(p[0].position)))


def _truth(
    caption: str, whole: Box, seen: Box, hidden: float, camera: Camera, yaw: float, pitch: float
) -> Truth:
    visible = max(0.0, seen.width * seen.height - hidden) / max(1e-9, whole.width * whole.height)
    towards = aim_at(whole, camera, yaw, pitch)
    return Truth(caption, seen, *towards, min(1.0, visible))


def clip(box: Box, width: int, height: int) -> Box | None:
    """The part of a box inside the frame; None if there is none."""
    x0, y0 = max(0.0, box.left), max(0.0, box.top)
    x1, y1 = min(float(width), box.left + box.width), min(float(height), box.top + box.height)
    if x1 <= x0 or y1 <= y0:
        return None
    return Box(x0, y0, x1 - x0, y1 - y0)


def _shared(a: Box, b: Box) -> float:
    """Area that two boxes share, pixels squared."""
    w = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    h = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    return max(0.0, w) * max(0.0, h)


def _painted(source: PanoramaSource) -> tuple[Panorama, render.Light]:
    """A landscape and its daylight, painted or as they were painted before."""
    settings = (source.kind, source.seed, source.mood, source.width)
    versions = (np.__version__, cv2.__version__, version("scipy"))
    name = kept.key(map(repr, (settings, versions)), Path(__file__).parent.glob("*.py"))
    found = _SHELF.find(name)
    if found is not None:
        file, note = found
        pixels = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if pixels is not None:
            light: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value
                for key, value in note.items()
            }
            image = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
            return Equirectangular(image), render.Light(**light)
    world = landscape.paint(source.kind, source.seed, mood=source.mood, width=source.width)
    bgr = cv2.cvtColor(world.panorama.image, cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    _SHELF.keep(name, lambda file: file.write_bytes(encoded.tobytes()), asdict(world.light))
    return world.panorama, world.light


def _surroundings(scene: Scene) -> tuple[Panorama, render.Light]:
    source = scene.panorama
    light = render.Light()
    panorama: Panorama
    if source.kind:
        panorama, light = _painted(source)
    elif source.cubemap:
        names = list(source.faces) or [f"{face}.jpg" for face in FACES]
        panorama = Cubemap.load(scene.folder / source.cubemap, names)
    else:
        panorama = Equirectangular(photo.read(scene.folder / source.image))
    if scene.sun is not None:
        yaw, up = heading_to_yaw(scene.sun.heading), math.radians(scene.sun.elevation)
        strength = scene.sun.strength
        r, g, b = (strength * c for c in light.sun_rgb)
        light = replace(
            light,
            sun=(math.cos(up) * math.cos(yaw), math.cos(up) * math.sin(yaw), math.sin(up)),
            sun_rgb=(r, g, b),
        )
    return panorama, light
