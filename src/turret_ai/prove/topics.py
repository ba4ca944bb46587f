"""The graph's topics, as recording, replaying and evaluating need them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from turret_ai.errors import InputError


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic of the graph. qos: name of the publisher's profile in `turret_ai.ros.qos`."""

    name: str
    type: str
    qos: str
    role: str
    """"input": from the world; "output": of a stage; "truth": of the simulator; "other"."""

    @property
    def reliable(self) -> bool:
        """Whether its publisher sends again what was lost."""
        return self.qos not in ("SENSOR", "CLOCK")

    @property
    def latched(self) -> bool:
        """Whether late joiners get the last message."""
        return self.qos in ("LATCHED", "STATE", "TF_STATIC")


SPECS: tuple[TopicSpec, ...] = (
    TopicSpec("audio", "audio_common_msgs/msg/AudioDataStamped", "AUDIO", "input"),
    TopicSpec("audio_info", "audio_common_msgs/msg/AudioInfo", "LATCHED", "input"),
    TopicSpec("camera/image_raw", "sensor_msgs/msg/Image", "IMAGE_PUB", "input"),
    TopicSpec(
        "camera/image_raw/compressed", "sensor_msgs/msg/CompressedImage", "IMAGE_PUB", "input"
    ),
    TopicSpec("camera/camera_info", "sensor_msgs/msg/CameraInfo", "IMAGE_PUB", "input"),
    TopicSpec("joint_states", "sensor_msgs/msg/JointState", "STAGE", "input"),
    TopicSpec("transcript", "turret_ai/msg/Transcript", "STAGE", "output"),
    TopicSpec("command", "turret_ai/msg/TurretCommand", "STAGE", "output"),
    TopicSpec("detections", "vision_msgs/msg/Detection2DArray", "STAGE", "output"),
    TopicSpec("target_bbox", "turret_ai/msg/TargetBBox", "STAGE", "output"),
    TopicSpec("turret/command", "turret_ai/msg/GimbalCommand", "COMMAND", "output"),
    TopicSpec("turret/pose", "geometry_msgs/msg/PoseStamped", "STAGE", "output"),
    TopicSpec("turret/state", "turret_ai/msg/TurretState", "STATE", "output"),
    TopicSpec("engagement", "turret_ai/msg/Engagement", "STAGE", "output"),
    TopicSpec("diagnostics", "diagnostic_msgs/msg/DiagnosticArray", "STAGE", "other"),
    TopicSpec("ground_truth", "turret_ai/msg/GroundTruth", "STAGE", "truth"),
    TopicSpec("ground_truth/command", "turret_ai/msg/TurretCommand", "STAGE", "truth"),
    TopicSpec("/tf", "tf2_msgs/msg/TFMessage", "TF", "other"),
    TopicSpec("/tf_static", "tf2_msgs/msg/TFMessage", "TF_STATIC", "other"),
    TopicSpec("/clock", "rosgraph_msgs/msg/Clock", "CLOCK", "other"),
)
BY_NAME = {spec.name: spec for spec in SPECS}


def spec_of(topic: str) -> TopicSpec | None:
    """The specification of an absolute topic name in whatever namespace, None for a foreign one."""
    matching = [s for s in SPECS if topic == s.name or topic.endswith("/" + s.name.lstrip("/"))]
    return max(matching, key=lambda s: len(s.name), default=None)


def resolve(recorded: Mapping[str, Any], namespace: str | None = None) -> dict[str, str]:
    """The graph's relative names to the topics of a bag, those that it holds.

    Args:
        recorded: the bag's topics by absolute name.
        namespace: of the recorded system; None: found from the topics themselves.

    Raises:
        InputError: two recorded systems, and no namespace that tells which is meant.
    """
    chosen = _namespace(recorded) if namespace is None else "/" + namespace.strip("/")
    prefix = chosen.rstrip("/")
    found = {}
    for spec in SPECS:
        name = spec.name if spec.name.startswith("/") else f"{prefix}/{spec.name}"
        if name in recorded:
            found[spec.name] = name
    return found


def _namespace(recorded: Collection[str]) -> str:
    counts: dict[str, int] = {}
    for spec in SPECS:
        for name in recorded:
            if not spec.name.startswith("/") and name.endswith(f"/{spec.name}"):
                space = name[: -len(spec.name) - 1]
                counts[space] = counts.get(space, 0) + 1
    # "/a/turret/command" is also "command" in "/a/turret": the system has more topics than that.
    best = sorted(counts.items(), key=lambda item: -item[1])
    if len(best) > 1 and best[1][1] * 2 > best[0][1] and best[0][1] > 2:
        spaces = ", ".join(space or "/" for space, _ in best[:2])
        raise InputError(f"the bag holds several systems ({spaces}): say which by --namespace")
    return best[0][0] if best else ""
