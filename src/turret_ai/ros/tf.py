# SPDX-License-Identifier: Apache-2.0
"""Coordinate frames on /tf and /tf_static (REP-105), without tf2's library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from turret_ai.ros import qos
from turret_ai.ros.interfaces import (
    Header,
    Quaternion,
    TFMessage,
    Transform,
    TransformStamped,
    Vector3,
)
from turret_ai.ros.time import to_msg

if TYPE_CHECKING:
    from turret_ai.ros import Node


def quaternion(roll: float, pitch: float, yaw: float) -> Quaternion:
    """Roll, pitch, yaw about fixed axes (radians, REP-103): first about x, then y, then z."""
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    return Quaternion(
        x=sr * cp * cy - cr * sp * sy,
        y=cr * sp * cy + sr * cp * sy,
        z=cr * cp * sy - sr * sp * cy,
        w=cr * cp * cy + sr * sp * sy,
    )


def transform(
    parent: str,
    child: str,
    stamp_ns: int,
    translation: Sequence[float] = (0.0, 0.0, 0.0),
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> TransformStamped:
    """The pose of frame `child` in frame `parent`.

    Args:
        translation: metres.
        rotation: roll, pitch, yaw, radians.
    """
    x, y, z = (float(value) for value in translation)
    return TransformStamped(
        header=Header(stamp=to_msg(stamp_ns), frame_id=parent),
        child_frame_id=child,
        transform=Transform(translation=Vector3(x=x, y=y, z=z), rotation=quaternion(*rotation)),
    )


class Broadcaster:
    """Publishes moving frames on /tf."""

    def __init__(self, node: Node) -> None:
        self._publisher: Any = node.create_publisher(TFMessage, "/tf", qos.TF)

    def send(self, transforms: Sequence[TransformStamped]) -> None:
        """Publish frames of one moment."""
        self._publisher.publish(TFMessage(transforms=list(transforms)))


class StaticBroadcaster:
    """Publishes frames that never move on /tf_static, also for late joiners."""

    def __init__(self, node: Node) -> None:
        self._publisher: Any = node.create_publisher(TFMessage, "/tf_static", qos.TF_STATIC)
        self._known: dict[str, TransformStamped] = {}

    def send(self, transforms: Sequence[TransformStamped]) -> None:
        """Add frames; late joiners get the last message only, so each holds all of them."""
        self._known.update({each.child_frame_id: each for each in transforms})
        self._publisher.publish(TFMessage(transforms=list(self._known.values())))
