# SPDX-License-Identifier: Apache-2.0
"""The transforms between the turret's frames as messages; `turret_ai.aim.frames` names them."""

from __future__ import annotations

from turret_ai.aim.frames import (
    BASE_LINK,
    BLASTER_HEIGHT,
    BLASTER_LINK,
    CAMERA_FORWARD,
    CAMERA_LINK,
    CAMERA_OPTICAL_FRAME,
    CAMERA_UP,
    GIMBAL_BASE_HEIGHT,
    GIMBAL_BASE_LINK,
    GIMBAL_LINK,
    OPTICAL_ROTATION,
)
from turret_ai.ros.interfaces import TransformStamped
from turret_ai.ros.tf import transform


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
