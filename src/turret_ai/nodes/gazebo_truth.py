# SPDX-License-Identifier: Apache-2.0
"""The Gazebo truth node: the boxes of Gazebo's bounding-box camera become `ground_truth`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from turret_ai import share
from turret_ai.aim.camera import Camera
from turret_ai.aim.frames import CAMERA_OPTICAL_FRAME
from turret_ai.aim.joints import JointHistory, pick
from turret_ai.errors import InputError
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import topics
from turret_ai.ros.interfaces import (
    CameraInfo,
    Detection2D,
    Detection2DArray,
    JointState,
)
from turret_ai.ros.time import to_ns
from turret_ai.settings import Settings
from turret_ai.simulate.gazebo import truth
from turret_ai.simulate.gazebo.turret import TRUTH_SHRINK
from turret_ai.types import Box

_EDGE = 1.5 * TRUTH_SHRINK
"""px of the image; Gazebo ends a box that is cut off one pixel of its own before the far edges."""


class GazeboTruthParameters(Settings):
    """The world that Gazebo runs."""

    world: str = Field("", description="the world's SDF file, which names the craft's captions")


class GazeboTruth(Stage):
    """Puts captions and directions to the boxes; the stamps stay those of the images."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("gazebo_truth", GazeboTruthParameters, overrides)
        if not self.parameters.world:
            raise InputError(
                "gazebo_truth needs the parameter world: the SDF file that Gazebo runs"
            )
        self._captions = truth.captions(share.resolve(self.parameters.world, "worlds", ".sdf"))
        self._camera: Camera | None = None
        self._joints = JointHistory()
        self._truth = topics.GROUND_TRUTH.advertise(self)
        topics.TRUTH_BOXES.subscribe(self, self._on_boxes)
        topics.CAMERA_INFO.subscribe(self, self._on_camera)
        topics.JOINT_STATES.subscribe(self, self._on_joints)

    def describe(self) -> Mapping[str, object]:
        return {"world": self.parameters.world, "craft": len(self._captions)}

    def _on_camera(self, message: CameraInfo) -> None:
        self._camera = self.read_camera(message) or self._camera

    def _on_joints(self, message: JointState) -> None:
        angles = pick(message.name, message.position)
        if angles is not None:
            self._joints.add(to_ns(message.header.stamp), *angles)

    def _on_boxes(self, message: Detection2DArray) -> None:
        if not self.receive():
            return
        stamp_ns = to_ns(message.header.stamp)
        angles = self._joints.at(stamp_ns)
        if self._camera is None or angles is None:
            self.health.count("skipped: no camera_info or joint states yet")
            return
        camera = self._camera
        found = [
            truth.locate(caption, box, camera, *angles, edge=_EDGE)
            for caption, box in map(self._read, message.detections)
            if caption and box.width > 0.0 and box.height > 0.0
        ]
        self._truth.publish(convert.truth_to_message(found, camera, stamp_ns, CAMERA_OPTICAL_FRAME))

    def _read(self, detection: Detection2D) -> tuple[str, Box]:
        """The caption ("" for something that isn't a craft of this world) and the box, in the
        image's pixels: the box camera's own image is smaller."""
        box = detection.bbox
        width, height = TRUTH_SHRINK * float(box.size_x), TRUTH_SHRINK * float(box.size_y)
        left = TRUTH_SHRINK * float(box.center.position.x) - width / 2.0
        top = TRUTH_SHRINK * float(box.center.position.y) - height / 2.0
        label = detection.results[0].hypothesis.class_id if detection.results else ""
        caption = self._captions.get(int(label), "") if label.isdigit() else ""
        if not caption:
            self.health.count("unknown label")
        return caption, Box(left, top, width, height)
