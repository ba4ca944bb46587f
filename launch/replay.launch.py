# SPDX-License-Identifier: Apache-2.0
"""Play a bag's inputs to the live stages and score them: `bag:=FOLDER truth:=FILE output:=FOLDER`.

The player starts paused and goes on when every stage has loaded its models and subscribed."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction

from turret_ai.graph.bag_launch import replay
from turret_ai.graph.finals import CONSOLE
from turret_ai.graph.ros_launch import declared


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="folder of the bag"),
            DeclareLaunchArgument("truth", default_value="", description="JSON lines, or none"),
            DeclareLaunchArgument("baseline", default_value="", description="figures to reach"),
            DeclareLaunchArgument(
                "output", default_value="turret-evaluation", description="folder of the results"
            ),
            DeclareLaunchArgument("rate", default_value="1.0", description="speed of playing"),
            DeclareLaunchArgument("params_file", default_value="", description="of the nodes"),
            *declared(CONSOLE),
            OpaqueFunction(function=replay),
        ]
    )
