# SPDX-License-Identifier: Apache-2.0
"""Worlds for Gazebo made from scene descriptions: panorama, daylight, craft, turret.

The world's x axis points north, as the turret's base frame does. The turret stands on a pedestal;
craft are placed round its camera.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from turret_ai.errors import InputError
from turret_ai.simulate import export, mesh
from turret_ai.simulate.gazebo import backdrop, daylight, flight, truth, turret
from turret_ai.simulate.gazebo.xml import Element, add, numbers, to_text
from turret_ai.simulate.render import Light
from turret_ai.simulate.scene import CraftEntry, Scene
from turret_ai.simulate.world import World

PEDESTAL = 2.0
"""m, height of what the turret stands on: the panoramas are seen from about there."""
PAD = 0.6
"""m, radius of the ground that is drawn; beyond it the panorama shows the ground. So small that the
camera, which looks down by at most 55 degrees, never sees it, as the embedded one doesn't."""
LANDMARK_DISTANCE = 40.0
LANDMARK_SIZE = (0.6, 0.6, 4.0)
"""m. Their tops rise 2.5 degrees over the horizon, below every craft."""
LANDMARKS = {
    "north": ((1.0, 0.0), (0.6, 0.02, 0.02)),
    "east": ((0.0, -1.0), (0.7, 0.5, 0.02)),
    "south": ((-1.0, 0.0), (0.02, 0.08, 0.5)),
    "west": ((0.0, 1.0), (0.02, 0.35, 0.05)),
}
"""Direction (x north, y west) and linear colour of the post at each compass point."""
PANORAMA_WIDTH = 4096
PHYSICS_STEP = 0.004
"""s. Nothing here bounces, and before 8.14 Gazebo publishes the joint states at every step."""

SYSTEMS = (
    ("gz-sim-physics-system", "gz::sim::systems::Physics"),
    ("gz-sim-user-commands-system", "gz::sim::systems::UserCommands"),
    ("gz-sim-scene-broadcaster-system", "gz::sim::systems::SceneBroadcaster"),
    ("gz-sim-sensors-system", "gz::sim::systems::Sensors"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a world consists of. triangles: of all craft; size: of all files, bytes."""

    file: Path
    craft: int
    triangles: int
    size: int


def write(
    scene: Scene,
    file: Path,
    *,
    still: bool = False,
    shadows: bool = True,
    cameras: turret.Cameras = turret.STANDARD,
    panorama_width: int = PANORAMA_WIDTH,
) -> Written:
    """Write a world as FILE.sdf with its meshes and image in a folder FILE_files beside it.

    still: let no craft move. shadows: let craft cast them, where the scene does; without them, and
    with cameras that see less, Gazebo runs faster.

    Raises:
        InputError: FILE doesn't end in .sdf, or the scene has more craft than labels.
    """
    if file.suffix != ".sdf":
        raise InputError(f"a world's file ends in .sdf: {file}")
    if len(scene.craft) > truth.HIGHEST_LABEL:
        raise InputError(f"Gazebo can label {truth.HIGHEST_LABEL} craft, not {len(scene.craft)}")
    folder = files_of(file)
    folder.mkdir(parents=True, exist_ok=True)
    seen = World(scene)
    shell, image = backdrop.write(seen.panorama, folder, panorama_width)
    root = ElementTree.Element("sdf", version=turret.SDF_VERSION)
    world = add(root, "world", name=slug(scene.name))
    _physics(world)
    _daylight(world, seen.light, shadows=shadows and seen.light.shadows)
    _ground(world)
    _landmarks(world)
    _panorama(world, f"{folder.name}/{shell}", f"{folder.name}/{image}")
    _turret(world, cameras)
    triangles = 0
    for label, entry in enumerate(scene.craft, start=1):
        name = slug(entry.caption)
        model = mesh.load(entry.type, entry.variant, entry.spinning)
        painted = daylight.seen(export.surfaces(model, entry.livery), seen.light, _distance(entry))
        triangles += export.write_obj(painted, folder / f"{name}.obj")
        uri = f"{folder.name}/{name}.obj"
        if flight.moves(entry) and not still:
            craft = _flying(world, name, uri, entry)
        else:
            craft = _standing(world, name, uri, entry)
        plugin = add(craft, "plugin", filename="gz-sim-label-system", name=truth.LABEL_SYSTEM)
        add(plugin, "label", str(label))
        add(plugin, truth.CAPTION, entry.caption)
    file.write_text(to_text(root), encoding="utf-8")
    size = sum(each.stat().st_size for each in (file, *folder.iterdir()))
    return Written(file, len(scene.craft), triangles, size)


def files_of(world: Path) -> Path:
    """The folder with a world's meshes and image. Its name differs from the world's own, so that
    the bare name means the world."""
    return world.with_name(f"{world.stem}_files")


def camera_height() -> float:
    """m, of the turret's camera over the ground of every world."""
    return PEDESTAL + turret.camera_height()


def slug(text: str) -> str:
    """A caption as a name: "grey and red fighter jet" -> "grey_and_red_fighter_jet"."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "unnamed"


def _physics(world: Element) -> None:
    physics = add(world, "physics", name="steps", type="ignored")
    add(physics, "max_step_size", numbers((PHYSICS_STEP,)))
    add(physics, "real_time_factor", "1")
    for filename, name in SYSTEMS:
        plugin = add(world, "plugin", filename=filename, name=name)
        if name.endswith("Sensors"):
            add(plugin, "render_engine", "ogre2")


def _turret(world: Element, cameras: turret.Cameras) -> None:
    """Included by its name; with cameras of its own, written out."""
    if cameras == turret.STANDARD:
        model = add(world, "include")
        add(model, "uri", f"model://{turret.MODEL}")
    else:
        found = ElementTree.fromstring(turret.sdf(cameras)).find("model")
        assert found is not None
        model = found
        world.append(model)
    add(model, "pose", numbers((0.0, 0.0, PEDESTAL, 0.0, 0.0, 0.0)))


def _daylight(world: Element, light: Light, *, shadows: bool) -> None:
    """Sun and sky as in the embedded renderer.

    A light of intensity 1 gives a white face square to it the light's own colour.
    """
    scene = add(world, "scene")
    add(scene, "ambient", numbers((*daylight.ambient(light), 1.0)))
    add(scene, "background", numbers((*light.horizon_rgb, 1.0)))
    add(scene, "shadows", "true" if shadows else "false")
    add(scene, "grid", "false")
    sun = add(world, "light", name="sun", type="directional")
    add(sun, "pose", "0 0 100 0 0 0")
    add(sun, "cast_shadows", "true" if shadows else "false")
    add(sun, "intensity", "1")
    add(sun, "direction", numbers(-v for v in light.sun))
    add(sun, "diffuse", numbers((*(min(1.0, v) for v in light.sun_rgb), 1.0)))
    add(sun, "specular", "0.3 0.3 0.3 1")


def _static(world: Element, name: str, pose: str = "") -> tuple[Element, Element]:
    """A model that never moves, and its link."""
    model = add(world, "model", name=name)
    add(model, "static", "true")
    if pose:
        add(model, "pose", pose)
    return model, add(model, "link", name="link")


def _cylinder(geometry: Element, radius: float, length: float) -> None:
    cylinder = add(geometry, "cylinder")
    add(cylinder, "radius", numbers((radius,)))
    add(cylinder, "length", numbers((length,)))


def _painted(visual: Element, colour: tuple[float, float, float]) -> None:
    material = add(visual, "material")
    add(material, "ambient", numbers((*colour, 1.0)))
    add(material, "diffuse", numbers((*colour, 1.0)))
    add(material, "specular", "0.05 0.05 0.05 1")


def _ground(world: Element) -> None:
    _, link = _static(world, "ground")
    collision = add(link, "collision", name="plane")
    plane = add(add(collision, "geometry"), "plane")
    add(plane, "normal", "0 0 1")
    add(plane, "size", "100 100")
    pad = add(link, "visual", name="pad")
    add(pad, "pose", "0 0 -0.05 0 0 0")
    _cylinder(add(pad, "geometry"), PAD, 0.1)
    _painted(pad, (0.12, 0.12, 0.12))
    pedestal = add(link, "visual", name="pedestal")
    add(pedestal, "pose", numbers((0.0, 0.0, PEDESTAL / 2.0, 0.0, 0.0, 0.0)))
    _cylinder(add(pedestal, "geometry"), 0.22, PEDESTAL)
    _painted(pedestal, (0.2, 0.2, 0.22))


def _landmarks(world: Element) -> None:
    for name, ((x, y), colour) in LANDMARKS.items():
        height = LANDMARK_SIZE[2]
        place = (LANDMARK_DISTANCE * x, LANDMARK_DISTANCE * y, height / 2.0, 0.0, 0.0, 0.0)
        _, link = _static(world, f"landmark_{name}", numbers(place))
        for kind in ("collision", "visual"):
            post = add(link, kind, name=kind)
            add(add(add(post, "geometry"), "box"), "size", numbers(LANDMARK_SIZE))
            if kind == "visual":
                _painted(post, colour)


def _panorama(world: Element, shell: str, image: str) -> None:
    """Unlit: black to every light, and shining by the image itself."""
    _, link = _static(world, "panorama", numbers((0.0, 0.0, camera_height(), 0.0, 0.0, 0.0)))
    visual = add(link, "visual", name="sphere")
    add(visual, "cast_shadows", "false")
    add(add(add(visual, "geometry"), "mesh"), "uri", shell)
    material = add(visual, "material")
    for light in ("ambient", "diffuse", "specular"):
        add(material, light, "0 0 0 1")
    add(material, "emissive", "1 1 1 1")
    metal = add(add(material, "pbr"), "metal")
    add(metal, "emissive_map", image)
    add(metal, "metalness", "0")
    add(metal, "roughness", "1")


def _distance(entry: CraftEntry) -> float:
    """m, from the camera to the craft, the mean over its way."""
    ways = [waypoint.position for waypoint in flight.waypoints(entry)]
    return float(np.linalg.norm(ways, axis=1).mean())


def _pose(waypoint: flight.Waypoint) -> str:
    x, y, z = (float(v) for v in waypoint.position)
    return " ".join(f"{v + 0.0:.4f}" for v in (x, y, z + camera_height(), *waypoint.rpy))


def _standing(world: Element, name: str, uri: str, entry: CraftEntry) -> Element:
    model, link = _static(world, name, _pose(flight.waypoints(entry)[0]))
    visual = add(link, "visual", name="visual")
    add(add(add(visual, "geometry"), "mesh"), "uri", uri)
    return model


def _flying(world: Element, name: str, uri: str, entry: CraftEntry) -> Element:
    actor = add(world, "actor", name=name)
    add(add(actor, "skin"), "filename", uri)
    script = add(actor, "script")
    add(script, "loop", "true")
    add(script, "auto_start", "true")
    trajectory = add(
        script, "trajectory", id="0", type="flight", tension=numbers((flight.TENSION,))
    )
    for waypoint in flight.waypoints(entry):
        point = add(trajectory, "waypoint")
        add(point, "time", f"{waypoint.time_ms / 1000.0:.3f}")
        add(point, "pose", _pose(waypoint))
    return actor
