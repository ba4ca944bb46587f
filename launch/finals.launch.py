# SPDX-License-Identifier: Apache-2.0
"""The whole chain: a spoken command aims the turret. `ros2 launch turret_ai finals.launch.py -s`
lists the arguments."""

from turret_ai.graph import GRAPHS
from turret_ai.graph.ros_launch import to_launch_description


def generate_launch_description():
    return to_launch_description(GRAPHS["finals"])
