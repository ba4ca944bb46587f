"""The turret's frames and joints: names, and the transforms between them.

base_link -> gimbal_base_link -> gimbal_link -> blaster_link -> camera_link -> camera_optical_frame.
`gimbal_joint` turns about z (yaw, + counter-clockwise), `blaster_joint` about y (+ nose down).
The lengths are a RoboMaster EP's, roughly; aiming takes the target as far away and needs none.
"""

from __future__ import annotations

import math

from turret_ai.ros.interfaces import TransformStamped
from turret_ai.ros.tf import transform

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


OPTICAL_ROTATION = (-math.pi / 2, 0.0, -math.pi / 2)
"""Roll, pitch, yaw of the optical frame in the camera's: z forward, x right, y down (REP-103)."""


def fixed(stamp_ns: int) -> list[TransformStamped]:
    """The transforms that never change, for /tf_static."""
    gimbal_base = (0.0, 0.0, GIMBAL_BASE_HEIGHT)
    camera = (CAMERA_FORWARD, 0.0, CAMERA_UP)
    return [
        transform(BASE_LINK, GIMBAL_BASE_LINK, stamp_ns, gimbal_base),
        transform(BLASTER_LINK, CAMERA_LINK, stamp_ns, camera),
        transform(CAMERA_LINK, CAMERA_OPTICAL_FRAME, stamp_ns, rotation=OPTICAL_ROTATION),
    ]


def moving(stamp_ns: int, yaw: float, pitch: float) -> list[TransformStamped]:
    """The transforms of the two joints, for /tf."""
    return [
        transform(GIMBAL_BASE_LINK, GIMBAL_LINK, stamp_ns, rotation=(0.0, 0.0, yaw)),
        transform(
            GIMBAL_LINK, BLASTER_LINK, stamp_ns, (0.0, 0.0, BLASTER_HEIGHT), (0.0, pitch, 0.0)
        ),
    ]
