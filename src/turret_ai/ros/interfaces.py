# SPDX-License-Identifier: Apache-2.0
"""Message and service classes under one name in both runtimes.

Constructors take keyword arguments, other fields are at their zero; constants are class
attributes. `interfaces.pyi` holds their types; `scripts/write_interfaces` makes it.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from turret_ai.errors import InputError
from turret_ai.ros.choice import RUNTIME

MESSAGES: dict[str, tuple[str, ...]] = {
    "audio_common_msgs": ("AudioData", "AudioDataStamped", "AudioInfo"),
    "builtin_interfaces": ("Duration", "Time"),
    "diagnostic_msgs": ("DiagnosticArray", "DiagnosticStatus", "KeyValue"),
    "geometry_msgs": (
        "Point",
        "Pose",
        "PoseStamped",
        "PoseWithCovariance",
        "Quaternion",
        "Transform",
        "TransformStamped",
        "Twist",
        "TwistStamped",
        "Vector3",
        "Vector3Stamped",
    ),
    "rcl_interfaces": (
        "FloatingPointRange",
        "IntegerRange",
        "ListParametersResult",
        "Log",
        "Parameter",
        "ParameterDescriptor",
        "ParameterEvent",
        "ParameterValue",
        "SetParametersResult",
    ),
    "lifecycle_msgs": ("State", "Transition", "TransitionDescription", "TransitionEvent"),
    "rosgraph_msgs": ("Clock",),
    "sensor_msgs": (
        "CameraInfo",
        "CompressedImage",
        "Image",
        "Imu",
        "JointState",
        "RegionOfInterest",
    ),
    "std_msgs": ("Bool", "ColorRGBA", "Float64", "Float64MultiArray", "Header", "Int32", "String"),
    "tf2_msgs": ("TFMessage",),
    "turret_ai": (
        "Engagement",
        "GimbalCommand",
        "GroundTruth",
        "Hypothesis",
        "Lock",
        "StageState",
        "TargetBBox",
        "Transcript",
        "TruthBox",
        "TurretCommand",
        "TurretState",
        "UtteranceState",
    ),
    "vision_msgs": (
        "BoundingBox2D",
        "Detection2D",
        "Detection2DArray",
        "LabelInfo",
        "ObjectHypothesis",
        "ObjectHypothesisWithPose",
        "Point2D",
        "Pose2D",
        "VisionClass",
        "VisionInfo",
    ),
    "visualization_msgs": ("Marker", "MarkerArray"),
}
"""The messages that can be imported by name, by package."""

SERVICES: dict[str, tuple[str, ...]] = {
    "lifecycle_msgs": (
        "ChangeState",
        "GetAvailableStates",
        "GetAvailableTransitions",
        "GetState",
    ),
    "rcl_interfaces": (
        "DescribeParameters",
        "GetParameterTypes",
        "GetParameters",
        "ListParameters",
        "SetParameters",
        "SetParametersAtomically",
    ),
    "std_srvs": ("Empty", "SetBool", "Trigger"),
}
"""Likewise the services."""

_TYPES = {
    name: f"{package}/{kind}/{name}"
    for kind, table in (("msg", MESSAGES), ("srv", SERVICES))
    for package, short in table.items()
    for name in short
}


@cache
def message(ros_type: str) -> type[Any]:
    """The class of a message type such as "sensor_msgs/msg/Image" or "sensor_msgs/Image".

    Raises:
        InputError: it is not known here.
    """
    full = ros_type if ros_type.count("/") != 1 else ros_type.replace("/", "/msg/")
    if RUNTIME == "dds":
        from turret_ai.ros.dds.messages import message_class

        return message_class(full)
    return _from_ros(full)


@cache
def service(ros_type: str) -> type[Any]:
    """The class of a service type such as "std_srvs/srv/SetBool".

    Raises:
        InputError: it is not known here.
    """
    if RUNTIME == "dds":
        from turret_ai.ros.dds.messages import service_class

        return service_class(ros_type)
    return _from_ros(ros_type)


def _from_ros(ros_type: str) -> type[Any]:
    package, kind, name = ros_type.split("/") if ros_type.count("/") == 2 else ("", "", "")
    try:
        made: type[Any] = getattr(importlib.import_module(f"{package}.{kind}"), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"{ros_type} is not in this ROS installation ({error}): "
            f"build or install {package or 'its package'}"
        ) from error
    return made


def type_name(interface: type[Any]) -> str:
    """ "package/msg/Name" of a message or service class of either runtime."""
    found = getattr(interface, "__msgtype__", None) or getattr(interface, "ros_type", None)
    if found is None:
        package, kind = interface.__module__.split(".")[:2]
        found = f"{package}/{kind}/{interface.__name__}"
    return str(found)


def __getattr__(name: str) -> Any:
    ros_type = _TYPES.get(name)
    if ros_type is None:
        raise AttributeError(f"{__name__} has no {name}")
    return message(ros_type) if "/msg/" in ros_type else service(ros_type)
