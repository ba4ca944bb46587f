"""The turret's frames and joints: names, and the transforms between them.

base_link -> gimbal_base_link -> gimbal_link -> blaster_link -> camera_link -> camera_optical_frame.
`gimbal_joint` turns about z (yaw, + counter-clockwise), `blaster_joint` about y (+ nose down).
The lengths are a RoboMaster EP's, roughly; aiming takes the target as far away and needs none.
"""

from __future__ import annotations

import math
from typing import Any

from turret_ai.ros.interfaces import Header, TransformStamped
from turret_ai.ros.time import to_msg

YAW_JOINT = "gimbal_joint"
PITCH_JOINT = "blaster_joint"

BASE_LINK = "base_link"
GIMBAL_BASE_LINK = "gimbal_base_link"
GIMBAL_LINK = "gimbal_link"
BLASTER_LINK = "blaster_link"
CAMERA_LINK = "camera_link"
CAMERA_OPTICAL_FRAME = "camera_optical_frame"

GIMBAL_BASE_HEIGHT = 0.10
"""m, base_link to gimbal_base_link."""
BLASTER_HEIGHT = 0.12
"""m, yaw axis' foot to pitch axis."""
CAMERA_FORWARD, CAMERA_UP = 0.09, 0.02
"""m, from the pitch axis."""


def fixed(stamp_ns: int) -> list[Any]:
    """The transforms that never change, for /tf_static."""
    half = 0.5  # quaternion of the optical frame: z forward, x right, y down (REP-103)
    return [
        _transform(stamp_ns, BASE_LINK, GIMBAL_BASE_LINK, (0.0, 0.0, GIMBAL_BASE_HEIGHT)),
        _transform(stamp_ns, BLASTER_LINK, CAMERA_LINK, (CAMERA_FORWARD, 0.0, CAMERA_UP)),
        _transform(
            stamp_ns,
            CAMERA_LINK,
            CAMERA_OPTICAL_FRAME,
            (0.0, 0.0, 0.0),
            (-half, half, -half, half),
        ),
    ]


def moving(stamp_ns: int, yaw: float, pitch: float) -> list[Any]:
    """The transforms of the two joints, for /tf."""
    about_z = (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))
    about_y = (0.0, math.sin(pitch / 2), 0.0, math.cos(pitch / 2))
    return [
        _transform(stamp_ns, GIMBAL_BASE_LINK, GIMBAL_LINK, (0.0, 0.0, 0.0), about_z),
        _transform(stamp_ns, GIMBAL_LINK, BLASTER_LINK, (0.0, 0.0, BLASTER_HEIGHT), about_y),
    ]


def _transform(
    stamp_ns: int,
    parent: str,
    child: str,
    translation: tuple[float, float, float],
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
) -> Any:
    message = TransformStamped(
        header=Header(stamp=to_msg(stamp_ns), frame_id=parent), child_frame_id=child
    )
    offset, turn = message.transform.translation, message.transform.rotation
    offset.x, offset.y, offset.z = translation
    turn.x, turn.y, turn.z, turn.w = rotation
    return message
