# SPDX-License-Identifier: Apache-2.0
"""The contract of topics: name, type and quality of service of each, once for everybody.

Nodes advertise and subscribe through it, recordings are made and read by it, and the table in
docs/interfaces.md is checked against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turret_ai.ros import qos
from turret_ai.ros.interfaces import message


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the graph. Names are relative: a namespace moves the whole system.

    type: such as "turret_ai/msg/Transcript". qos, readers: names of profiles in
    `turret_ai.ros.qos`, of who publishes and of who subscribes ("": the same).
    role: "input": from the world; "output": of a stage; "truth": of the simulator; "other":
    recorded with them; "local": between two nodes only, not recorded.
    """

    name: str
    type: str
    qos: str
    role: str
    source: str
    """Who publishes it, in words."""
    readers: str = ""

    @property
    def reliable(self) -> bool:
        """Whether its publisher sends again what was lost."""
        return self.qos not in ("SENSOR", "CLOCK")

    @property
    def latched(self) -> bool:
        """Whether late joiners get the last message."""
        return self.qos in ("LATCHED", "STATE", "TF_STATIC")

    def advertise(self, node: Any, name: str = "") -> Any:
        """A publisher; `name` where it is not the topic's own."""
        profile = getattr(qos, self.qos)
        return node.create_publisher(message(self.type), name or self.name, profile)

    def subscribe(self, node: Any, callback: Callable[[Any], object]) -> Any:
        """A subscription."""
        profile = getattr(qos, self.readers or self.qos)
        return node.create_subscription(message(self.type), self.name, callback, profile)


_SOURCES = "audio source, competition, robot"
_CAMERAS = "simulator, competition, robot"

AUDIO = Topic("audio", "audio_common_msgs/msg/AudioDataStamped", "AUDIO", "input", _SOURCES)
AUDIO_INFO = Topic("audio_info", "audio_common_msgs/msg/AudioInfo", "LATCHED", "input", _SOURCES)
IMAGE = Topic(
    "camera/image_raw", "sensor_msgs/msg/Image", "IMAGE_PUB", "input", _CAMERAS, "IMAGE_SUB"
)
COMPRESSED_IMAGE = Topic(
    "camera/image_raw/compressed",
    "sensor_msgs/msg/CompressedImage",
    "IMAGE_PUB",
    "input",
    f"{_CAMERAS}: JPEG, only while someone subscribes",
    "IMAGE_SUB",
)
CAMERA_INFO = Topic(
    "camera/camera_info",
    "sensor_msgs/msg/CameraInfo",
    "IMAGE_PUB",
    "input",
    f"{_CAMERAS}; same stamp as the image",
    "SENSOR",
)
JOINT_STATES = Topic(
    "joint_states",
    "sensor_msgs/msg/JointState",
    "STAGE",
    "input",
    f"{_CAMERAS}: `gimbal_joint`, `blaster_joint`",
    "SENSOR",
)
TRANSCRIPT = Topic("transcript", "turret_ai/msg/Transcript", "STAGE", "output", "transcriber")
COMMAND = Topic("command", "turret_ai/msg/TurretCommand", "STAGE", "output", "commander")
DETECTIONS = Topic(
    "detections",
    "vision_msgs/msg/Detection2DArray",
    "STAGE",
    "output",
    "locator, also when empty",
)
TARGET_BBOX = Topic("target_bbox", "turret_ai/msg/TargetBBox", "STAGE", "output", "locator")
PICK = Topic(
    "pick",
    "turret_ai/msg/TargetBBox",
    "STAGE",
    "other",
    "console: a candidate that the operator chose; a turn of its own",
)
TURRET_COMMAND = Topic(
    "turret/command", "turret_ai/msg/GimbalCommand", "COMMAND", "output", "controller"
)
TURRET_POSE = Topic(
    "turret/pose",
    "geometry_msgs/msg/PoseStamped",
    "STAGE",
    "output",
    "controller: the aim, in `gimbal_base_link`",
)
TURRET_STATE = Topic("turret/state", "turret_ai/msg/TurretState", "STATE", "output", "controller")
ENGAGEMENT = Topic(
    "engagement",
    "turret_ai/msg/Engagement",
    "STAGE",
    "output",
    "controller: one for each utterance",
)
LOCK = Topic(
    "lock",
    "turret_ai/msg/Lock",
    "STATE",
    "output",
    "tracker: how the target is followed, at every search and ten times a second",
)
TRACKS = Topic(
    "tracks",
    "vision_msgs/msg/Detection2DArray",
    "STAGE",
    "output",
    "tracker: every craft in the last searched image, the target first",
)
STAGES = Topic(
    "stages",
    "turret_ai/msg/StageState",
    "STATE",
    "local",
    "every stage and source: its state, at every change and once a second",
    "STATES",
)
DIAGNOSTICS = Topic(
    "diagnostics", "diagnostic_msgs/msg/DiagnosticArray", "STAGE", "other", "every node, 1 Hz"
)
GROUND_TRUTH = Topic(
    "ground_truth",
    "turret_ai/msg/GroundTruth",
    "STAGE",
    "truth",
    "simulator: every craft's true box, same stamp as the image",
)
SPOKEN = Topic(
    "ground_truth/command",
    "turret_ai/msg/TurretCommand",
    "STAGE",
    "truth",
    "audio source: what the scene's operator says, at the first sample",
)
TF = Topic("/tf", "tf2_msgs/msg/TFMessage", "TF", "other", "simulator, robot")
TF_STATIC = Topic("/tf_static", "tf2_msgs/msg/TFMessage", "TF_STATIC", "other", "simulator, robot")
CLOCK = Topic(
    "/clock", "rosgraph_msgs/msg/Clock", "CLOCK", "other", "simulator, player, Gazebo's bridge"
)
ANNOTATED_IMAGE = Topic(
    "debug/annotated_image",
    "sensor_msgs/msg/Image",
    "IMAGE_PUB",
    "local",
    "locator, only while someone subscribes",
    "IMAGE_SUB",
)
AIM_MARKER = Topic(
    "debug/aim_marker",
    "visualization_msgs/msg/MarkerArray",
    "STAGE",
    "local",
    "markers, only while someone subscribes",
)
YAW_COMMAND = Topic(
    "gimbal_joint/command",
    "std_msgs/msg/Float64",
    "COMMAND",
    "local",
    "gazebo_gimbal, for Gazebo's joint controllers; rad",
)
PITCH_COMMAND = Topic(
    "blaster_joint/command", "std_msgs/msg/Float64", "COMMAND", "local", "likewise"
)
TRUTH_BOXES = Topic(
    "truth_boxes",
    "vision_msgs/msg/Detection2DArray",
    "STAGE",
    "local",
    "Gazebo's bounding-box camera; gazebo_truth makes `ground_truth` of it",
)

TOPICS: tuple[Topic, ...] = tuple(each for each in globals().values() if isinstance(each, Topic))
"""All of them, in the order of this page."""
BY_NAME = {topic.name: topic for topic in TOPICS}
