# SPDX-License-Identifier: Apache-2.0
"""The names on Gazebo's side of the bridge. config/gz_bridge.yaml maps them to ROS's."""

from __future__ import annotations

PREFIX = "/turret_ai"

IMAGE = f"{PREFIX}/camera/image_raw"
CAMERA_INFO = f"{PREFIX}/camera/camera_info"
"""Gazebo derives it: the image's topic with its last word replaced."""
TRUTH_BOXES = f"{PREFIX}/truth/boxes"
JOINT_STATES = f"{PREFIX}/joint_states"
COMMANDS = {
    "gimbal_joint": f"{PREFIX}/gimbal_joint/command",
    "blaster_joint": f"{PREFIX}/blaster_joint/command",
}
"""Position commands (gz.msgs.Double, rad) by joint."""
CLOCK = "/clock"
