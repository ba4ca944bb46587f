# SPDX-License-Identifier: Apache-2.0
"""Record the graph with `ros2 bag record`: the right topics, and a quality of service under which
nothing is lost. `turret-ai record` does the same without ROS."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction

from turret_ai.graph.bag_launch import record


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument("output", default_value="", description="folder of the bag"),
            DeclareLaunchArgument("namespace", default_value="", description="of the graph"),
            DeclareLaunchArgument(
                "storage", default_value="mcap", choices=["mcap", "sqlite3"], description="format"
            ),
            DeclareLaunchArgument(
                "images",
                default_value="true",
                choices=["true", "compressed", "false"],
                description="also images: raw, or as JPEG from camera/image_raw/compressed",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=["true", "false"],
                description="log times from /clock",
            ),
            OpaqueFunction(function=record),
        ]
    )
