# SPDX-License-Identifier: Apache-2.0
"""The turret's frames and joints: their names, and the lengths between them.

base_link -> gimbal_base_link -> gimbal_link -> blaster_link -> camera_link -> camera_optical_frame.
`gimbal_joint` turns about z (yaw, + counter-clockwise), `blaster_joint` about y (+ nose down).
The lengths are a RoboMaster EP's, roughly; aiming takes the target as far away and needs none.
"""

import math

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
