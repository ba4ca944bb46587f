# SPDX-License-Identifier: Apache-2.0
"""The whole chain on a turret in Gazebo. `ros2 launch turret_ai gazebo.launch.py -s` lists the
arguments; `headless:=true` needs no display."""

from turret_ai.graph.gazebo_launch import to_launch_description


def generate_launch_description():
    return to_launch_description()
