# SPDX-License-Identifier: Apache-2.0
"""The turret as one table of links and joints, written as SDF for Gazebo and as URDF for RViz.

Frames and joints are those of `turret_ai.aim.frames`. Sizes and masses are a RoboMaster EP's,
roughly: 3.5 kg, of which 0.9 kg turn.

`python -m turret_ai.simulate.gazebo.turret FOLDER` writes the files of description/ again.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from turret_ai.aim import frames
from turret_ai.aim.camera import Camera
from turret_ai.aim.limits import Limits
from turret_ai.simulate.gazebo import topics
from turret_ai.simulate.gazebo.inertia import Box, Cylinder, Part, combine
from turret_ai.simulate.gazebo.xml import Element, add, numbers, to_text

MODEL = "turret"
SDF_VERSION = "1.9"
"""Understood by Fortress and by Harmonic."""

SPEED = math.radians(540.0)
"""rad/s, greatest speed of both joints."""

SPEED_BACKSTOP = 12.0
"""rad/s, the joints' own limit. It lies above SPEED, which the position controllers keep: in DART a
joint that runs into its speed limit and its stop at once stays there
(https://github.com/gazebosim/gz-sim/issues/1684)."""

EFFORT = 1e6
"""N m, practically unlimited. Velocity commands overrun a joint's stops unless the effort has a
finite limit, and oscillate if that limit is too small to stop within a step
(https://github.com/dartsim/dart/issues/1583)."""

WIDTH, HEIGHT = 1520, 870
VERTICAL_FOV = math.radians(70.0)
CAMERA_RATE = 10.0
"""Hz, also of the truth boxes, so that both carry the same stamps."""
JOINT_STATE_RATE = 50.0
"""Hz. Gazebo before 8.14 ignores it and publishes at every step of the physics."""
TRUTH_SHRINK = 2
"""How many times smaller than the image that of the box camera is, each way. It draws the scene
twice; boxes come from the corners of the meshes: their coordinates are as fine in a small image."""
VISIBILITY_MASK = 0x0FFFFFFF
"""Everything but what Gazebo's window draws for itself. SDF's own default has bits that the
renderer reserves, and warns of."""
NEAR, FAR = 0.15, 6000.0
"""m. Near lies behind the turret's own parts in front of the camera."""

_DARK, _GREY = (0.08, 0.08, 0.09), (0.3, 0.31, 0.33)
_LIGHT, _BLUE = (0.75, 0.76, 0.78), (0.1, 0.3, 0.7)
_TIP = math.pi / 2


@dataclass(frozen=True, slots=True)
class Cameras:
    """What drawing costs most: the image's size in pixels, and how many of them a second.

    The boxes' camera follows: TRUTH_SHRINK times smaller, at the same rate.
    """

    width: int = WIDTH
    height: int = HEIGHT
    rate: float = CAMERA_RATE

    @classmethod
    def of_width(cls, width: int, rate: float) -> Cameras:
        """Of the usual shape, in whole pixels for the boxes' camera, too."""
        across, down = (
            TRUTH_SHRINK * round(width * side / WIDTH / TRUTH_SHRINK) for side in (WIDTH, HEIGHT)
        )
        return cls(across, down, rate)


STANDARD = Cameras()


@dataclass(frozen=True, slots=True)
class Link:
    """A rigid body and the joint that holds it.

    position: of the joint (and the link's frame) in the parent's frame, m. axis: of a turning
    joint; None: fixed. limits: rad.
    """

    name: str
    parts: tuple[Part, ...]
    parent: str = ""
    joint: str = ""
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: tuple[int, int, int] | None = None
    limits: tuple[float, float] = (0.0, 0.0)


def links() -> tuple[Link, ...]:
    """The turret from the ground up."""
    reach = Limits()
    wheels = tuple(
        Part(
            f"wheel_{name}",
            Cylinder(0.05, 0.04),
            0.15,
            (x, y, 0.05),
            (_TIP, 0.0, 0.0),
            _DARK,
            False,
        )
        for name, x, y in (
            ("front_left", 0.1, 0.12),
            ("front_right", 0.1, -0.12),
            ("rear_left", -0.1, 0.12),
            ("rear_right", -0.1, -0.12),
        )
    )
    return (
        Link(
            frames.BASE_LINK,
            (Part("chassis", Box(0.3, 0.2, 0.05), 1.8, (0.0, 0.0, 0.06), colour=_GREY), *wheels),
        ),
        Link(
            frames.GIMBAL_BASE_LINK,
            (Part("bearing", Cylinder(0.06, 0.02), 0.2, (0.0, 0.0, -0.01), colour=_DARK),),
            frames.BASE_LINK,
            "gimbal_base_joint",
            (0.0, 0.0, frames.GIMBAL_BASE_HEIGHT),
        ),
        Link(
            frames.GIMBAL_LINK,
            (
                Part("turntable", Cylinder(0.05, 0.03), 0.3, (0.0, 0.0, 0.015), colour=_LIGHT),
                Part("arm_left", Box(0.05, 0.014, 0.12), 0.06, (0.0, 0.055, 0.08), colour=_LIGHT),
                Part("arm_right", Box(0.05, 0.014, 0.12), 0.06, (0.0, -0.055, 0.08), colour=_LIGHT),
            ),
            frames.GIMBAL_BASE_LINK,
            frames.YAW_JOINT,
            axis=(0, 0, 1),
            limits=(reach.yaw_min, reach.yaw_max),
        ),
        Link(
            frames.BLASTER_LINK,
            (
                Part("body", Box(0.14, 0.08, 0.05), 0.35, (0.0, 0.0, -0.01), colour=_LIGHT),
                Part(
                    "emitter",
                    Cylinder(0.012, 0.07),
                    0.05,
                    (0.1, 0.0, -0.015),
                    (0.0, _TIP, 0.0),
                    _BLUE,
                ),
            ),
            frames.GIMBAL_LINK,
            frames.PITCH_JOINT,
            (0.0, 0.0, frames.BLASTER_HEIGHT),
            axis=(0, 1, 0),
            limits=(reach.pitch_min, reach.pitch_max),
        ),
        Link(
            frames.CAMERA_LINK,
            (Part("housing", Box(0.03, 0.04, 0.03), 0.05, (-0.015, 0.0, 0.0), colour=_DARK),),
            frames.BLASTER_LINK,
            "camera_joint",
            (frames.CAMERA_FORWARD, 0.0, frames.CAMERA_UP),
        ),
    )


def camera_height() -> float:
    """m, of the camera above the ground on which the turret stands, at level pitch."""
    return sum(link.position[2] for link in links())


def horizontal_fov(cameras: Cameras = STANDARD) -> float:
    """rad: SDF wants the horizontal angle, the turret's camera is given by its vertical one."""
    camera = Camera.from_fov(cameras.width, cameras.height, VERTICAL_FOV)
    return 2.0 * math.atan(cameras.width / (2.0 * camera.fx))


# -- SDF -----------------------------------------------------------------------------------------


def sdf(cameras: Cameras = STANDARD) -> str:
    """The model file for Gazebo."""
    root = ElementTree.Element("sdf", version=SDF_VERSION)
    model = add(root, "model", name=MODEL)
    stand = add(model, "joint", name="stand_joint", type="fixed")
    add(stand, "parent", "world")
    add(stand, "child", frames.BASE_LINK)
    for link in links():
        _sdf_link(model, link, cameras)
    optical = add(model, "frame", name=frames.CAMERA_OPTICAL_FRAME, attached_to=frames.CAMERA_LINK)
    add(optical, "pose", numbers((0.0, 0.0, 0.0, *frames.OPTICAL_ROTATION)))
    for link in links():
        if link.axis is not None:
            _position_controller(model, link.joint)
    publisher = _plugin(model, "joint-state-publisher", "JointStatePublisher")
    add(publisher, "topic", topics.JOINT_STATES)
    add(publisher, "update_rate", numbers((JOINT_STATE_RATE,)))
    for link in links():
        if link.axis is not None:
            add(publisher, "joint_name", link.joint)
    return to_text(root)


def _sdf_link(model: Element, link: Link, cameras: Cameras) -> None:
    element = add(model, "link", name=link.name)
    if link.joint:
        pose = add(element, "pose", numbers((*link.position, 0.0, 0.0, 0.0)))
        pose.set("relative_to", link.parent)
    body = combine(link.parts)
    inertial = add(element, "inertial")
    add(inertial, "pose", numbers((*body.centre, 0.0, 0.0, 0.0)))
    add(inertial, "mass", numbers((body.mass,)))
    tensor = add(inertial, "inertia")
    for name, (i, j) in _TENSOR.items():
        add(tensor, name, numbers((body.tensor[i, j],)))
    for part in link.parts:
        for kind in ("collision", "visual") if part.collides else ("visual",):
            solid = add(element, kind, name=f"{part.name}_{kind}")
            add(solid, "pose", numbers((*part.position, *part.rpy)))
            _shape(add(solid, "geometry"), part, urdf=False)
            if kind == "visual":
                material = add(solid, "material")
                for light in ("ambient", "diffuse"):
                    add(material, light, numbers((*part.colour, 1.0)))
                add(material, "specular", "0.2 0.2 0.2 1")
    if link.name == frames.CAMERA_LINK:
        _cameras(element, cameras)
    if not link.joint:
        return
    joint = add(model, "joint", name=link.joint, type="revolute" if link.axis else "fixed")
    add(joint, "parent", link.parent)
    add(joint, "child", link.name)
    if link.axis is not None:
        axis = add(joint, "axis")
        add(axis, "xyz", numbers(link.axis))
        limit = add(axis, "limit")
        add(limit, "lower", numbers((link.limits[0],)))
        add(limit, "upper", numbers((link.limits[1],)))
        add(limit, "effort", numbers((EFFORT,)))
        add(limit, "velocity", numbers((SPEED_BACKSTOP,)))
        add(add(axis, "dynamics"), "damping", "0.01")


def _cameras(link: Element, cameras: Cameras) -> None:
    """The colour camera, and beside it the one that knows the labelled craft's boxes."""
    for name, kind, topic, shrink in (
        ("camera", "camera", topics.IMAGE, 1),
        ("truth", "boundingbox_camera", topics.TRUTH_BOXES, TRUTH_SHRINK),
    ):
        sensor = add(link, "sensor", name=name, type=kind)
        add(sensor, "topic", topic)
        add(sensor, "update_rate", numbers((cameras.rate,)))
        add(sensor, "always_on", "true")
        camera = add(sensor, "camera")
        if kind == "boundingbox_camera":
            add(camera, "box_type", "full_2d")
        add(camera, "optical_frame_id", frames.CAMERA_OPTICAL_FRAME)
        add(camera, "horizontal_fov", numbers((horizontal_fov(cameras),)))
        image = add(camera, "image")
        add(image, "width", str(cameras.width // shrink))
        add(image, "height", str(cameras.height // shrink))
        add(image, "format", "R8G8B8")
        clip = add(camera, "clip")
        add(clip, "near", numbers((NEAR,)))
        add(clip, "far", numbers((FAR,)))
        add(camera, "visibility_mask", str(VISIBILITY_MASK))


def _position_controller(model: Element, joint: str) -> None:
    """Runs at SPEED towards the commanded angle and stops there within one step."""
    plugin = _plugin(model, "joint-position-controller", "JointPositionController")
    add(plugin, "joint_name", joint)
    add(plugin, "topic", topics.COMMANDS[joint])
    add(plugin, "use_velocity_commands", "true")
    add(plugin, "cmd_max", numbers((SPEED,)))
    add(plugin, "cmd_min", numbers((-SPEED,)))
    add(plugin, "initial_position", "0")


def _plugin(parent: Element, library: str, name: str) -> Element:
    """A system plugin by Harmonic's names, which late versions of Fortress take too."""
    return add(
        parent, "plugin", filename=f"gz-sim-{library}-system", name=f"gz::sim::systems::{name}"
    )


# -- URDF ----------------------------------------------------------------------------------------


def urdf() -> str:
    """The robot description for robot_state_publisher and RViz."""
    root = ElementTree.Element("robot", name=MODEL)
    for link in links():
        _urdf_link(root, link)
    add(root, "link", name=frames.CAMERA_OPTICAL_FRAME)
    joint = add(root, "joint", name="camera_optical_joint", type="fixed")
    add(joint, "parent", link=frames.CAMERA_LINK)
    add(joint, "child", link=frames.CAMERA_OPTICAL_FRAME)
    add(joint, "origin", xyz="0 0 0", rpy=numbers(frames.OPTICAL_ROTATION))
    return to_text(root)


def _urdf_link(robot: Element, link: Link) -> None:
    element = add(robot, "link", name=link.name)
    # A root link with inertia makes KDL, and so robot_state_publisher, complain.
    if link.joint:
        body = combine(link.parts)
        inertial = add(element, "inertial")
        add(inertial, "origin", xyz=numbers(body.centre), rpy="0 0 0")
        add(inertial, "mass", value=numbers((body.mass,)))
        tensor = {name: numbers((body.tensor[i, j],)) for name, (i, j) in _TENSOR.items()}
        add(inertial, "inertia", **tensor)
    for part in link.parts:
        for kind in ("visual", "collision") if part.collides else ("visual",):
            solid = add(element, kind, name=f"{part.name}_{kind}")
            add(solid, "origin", xyz=numbers(part.position), rpy=numbers(part.rpy))
            _shape(add(solid, "geometry"), part, urdf=True)
            if kind == "visual":
                material = add(solid, "material", name=f"{link.name}_{part.name}")
                add(material, "color", rgba=numbers((*part.colour, 1.0)))
    if not link.joint:
        return
    joint = add(robot, "joint", name=link.joint, type="revolute" if link.axis else "fixed")
    add(joint, "parent", link=link.parent)
    add(joint, "child", link=link.name)
    add(joint, "origin", xyz=numbers(link.position), rpy="0 0 0")
    if link.axis is not None:
        add(joint, "axis", xyz=numbers(link.axis))
        low, high = link.limits
        add(
            joint,
            "limit",
            lower=numbers((low,)),
            upper=numbers((high,)),
            effort=numbers((EFFORT,)),
            velocity=numbers((SPEED,)),
        )


_TENSOR = {"ixx": (0, 0), "ixy": (0, 1), "ixz": (0, 2), "iyy": (1, 1), "iyz": (1, 2), "izz": (2, 2)}


def _shape(geometry: Element, part: Part, *, urdf: bool) -> None:
    shape = part.shape
    if isinstance(shape, Box):
        size = numbers((shape.x, shape.y, shape.z))
        if urdf:
            add(geometry, "box", size=size)
        else:
            add(add(geometry, "box"), "size", size)
        return
    radius, length = numbers((shape.radius,)), numbers((shape.length,))
    if urdf:
        add(geometry, "cylinder", radius=radius, length=length)
    else:
        cylinder = add(geometry, "cylinder")
        add(cylinder, "radius", radius)
        add(cylinder, "length", length)


def model_config() -> str:
    """The model's card, without which Gazebo doesn't find it by `model://turret`."""
    root = ElementTree.Element("model")
    add(root, "name", MODEL)
    add(root, "version", "1.0")
    add(root, "sdf", "model.sdf", version=SDF_VERSION)
    add(add(root, "author"), "name", "The turret_ai developers")
    add(root, "description", "A turret with a camera: yaw +-250 deg, pitch -20 to 30 deg up.")
    return to_text(root)


def files() -> dict[str, str]:
    """What stands in description/, by path."""
    return {
        f"{MODEL}/model.sdf": sdf(),
        f"{MODEL}/model.config": model_config(),
        f"{MODEL}.urdf": urdf(),
    }


def write(folder: Path) -> None:
    """Write the files of description/."""
    for name, text in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
