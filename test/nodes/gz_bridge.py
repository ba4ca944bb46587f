# SPDX-License-Identifier: Apache-2.0
"""Plays ros_gz_bridge where there is none: Gazebo's topics to and from ours, by the bridge file."""

from __future__ import annotations

from typing import Any

import numpy as np
from gz_wire import Fields, Transport, decode, doubles, inner, text

from turret_ai.graph import gazebo_bridge
from turret_ai.nodes import convert
from turret_ai.ros import Node, images, qos
from turret_ai.ros.interfaces import (
    CameraInfo,
    Clock,
    Detection2D,
    Detection2DArray,
    Float64,
    Image,
    JointState,
    ObjectHypothesisWithPose,
)
from turret_ai.ros.time import to_msg

RGB_INT8 = 3
PACKAGES = {6: "ignition.msgs", 8: "gz.msgs"}
"""What a Gazebo calls its messages, by its major version: it drops those of another name."""


def stamp_ns(time: Fields) -> int:
    """Nanoseconds of a gz.msgs.Time."""
    return int(time.get(1, [0])[-1]) * 10**9 + int(time.get(2, [0])[-1])


def header(fields: Fields) -> tuple[int, str]:
    """Nanoseconds, and the frame that the header names."""
    told = inner(fields, 1)
    names = {text(pair, 1): text(pair, 2) for pair in map(decode, told.get(2, []))}
    return stamp_ns(inner(told, 1)), names.get("frame_id", "")


def clock(fields: Fields) -> Clock:
    """gz.msgs.Clock: the simulated time."""
    return Clock(clock=to_msg(stamp_ns(inner(fields, 4))))


def image(fields: Fields) -> Image:
    """gz.msgs.Image, RGB."""
    assert fields[6][-1] == RGB_INT8, "the camera is told R8G8B8"
    width, height = int(fields[2][-1]), int(fields[3][-1])
    rgb = np.frombuffer(fields[5][-1], np.uint8).reshape(height, width, 3)
    return images.to_message(rgb, *header(fields))


def camera_info(fields: Fields) -> CameraInfo:
    """gz.msgs.CameraInfo."""
    told, frame = header(fields)
    return CameraInfo(
        header=convert.header(told, frame),
        width=int(fields[2][-1]),
        height=int(fields[3][-1]),
        distortion_model="plumb_bob",
        d=doubles(inner(fields, 4).get(2, [])),
        k=doubles(inner(fields, 5).get(1, [])),
        r=doubles(fields.get(7, [])) or [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=doubles(inner(fields, 6).get(1, [])),
    )


def joint_state(fields: Fields) -> JointState:
    """gz.msgs.Model: its joints' first axes. What is 0 is left out on the wire."""
    told, frame = header(fields)
    joints = [(text(joint, 2), inner(joint, 10)) for joint in map(decode, fields.get(6, []))]
    return JointState(
        header=convert.header(told, frame),
        name=[name for name, _ in joints],
        position=[axis.get(10, [0.0])[-1] for _, axis in joints],
        velocity=[axis.get(11, [0.0])[-1] for _, axis in joints],
    )


def boxes(fields: Fields) -> Detection2DArray:
    """gz.msgs.AnnotatedAxisAligned2DBox_V."""
    told, frame = header(fields)
    found = []
    for each in map(decode, fields.get(2, [])):
        low, high = inner(each, 2, 2), inner(each, 2, 3)
        (left, right), (top, bottom) = (
            (low.get(axis, [0.0])[-1], high.get(axis, [0.0])[-1]) for axis in (2, 3)
        )
        label = ObjectHypothesisWithPose()
        label.hypothesis.class_id = str(each.get(3, [0])[-1])
        label.hypothesis.score = 1.0
        box = Detection2D(results=[label])
        box.bbox.center.position.x = (left + right) / 2.0
        box.bbox.center.position.y = (top + bottom) / 2.0
        box.bbox.size_x, box.bbox.size_y = right - left, bottom - top
        found.append(box)
    return Detection2DArray(header=convert.header(told, frame), detections=found)


FROM_GAZEBO: dict[str, tuple[Any, Any]] = {
    "rosgraph_msgs/msg/Clock": (Clock, clock),
    "sensor_msgs/msg/Image": (Image, image),
    "sensor_msgs/msg/CameraInfo": (CameraInfo, camera_info),
    "sensor_msgs/msg/JointState": (JointState, joint_state),
    "vision_msgs/msg/Detection2DArray": (Detection2DArray, boxes),
}


class Bridge:
    """Carries what the entries of the bridge file name, as long as it lives.

    major: of the Gazebo. truth: whether the truth boxes are carried, and so rendered.
    """

    def __init__(self, node: Node, transport: Transport, *, major: int, truth: bool = True) -> None:
        self.count: dict[str, int] = {}
        """Messages by their name in ROS."""
        for entry in gazebo_bridge.entries(truth=truth):
            ours, theirs = entry["ros_topic_name"], entry["gz_topic_name"]
            if entry["direction"] == "GZ_TO_ROS":
                kind, translate = FROM_GAZEBO[entry["ros_type_name"]]
                profile = qos.IMAGE_PUB if kind in (Image, CameraInfo) else qos.STAGE
                publisher = node.create_publisher(kind, ours, profile)
                transport.subscribe(theirs, self._carry(ours, publisher, translate))
            else:
                assert entry["ros_type_name"] == "std_msgs/msg/Float64"
                kind = entry["gz_type_name"].replace("gz.msgs", PACKAGES[major])
                command = transport.advertise(theirs, kind)
                node.create_subscription(
                    Float64, ours, lambda m, to=command: to.publish({2: float(m.data)}), qos.STAGE
                )

    def _carry(self, name: str, publisher: Any, translate: Any) -> Any:
        def take(fields: Fields) -> None:
            self.count[name] = self.count.get(name, 0) + 1
            publisher.publish(translate(fields))

        return take
