"""From a graph to a `launch.LaunchDescription`, for the files in launch/."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from turret_ai.graph import parameters
from turret_ai.graph.description import Graph, NodeEntry, Plan

RESPAWN_DELAY = 2.0
"""Seconds until a node that crashed is started again."""


def to_launch_description(graph: Graph) -> LaunchDescription:
    """Declares the graph's arguments and starts its nodes once they are known."""

    def start(context: Any) -> list[Any]:
        given = {a.name: LaunchConfiguration(a.name).perform(context) for a in graph.arguments}
        return actions(graph.plan(given))

    return LaunchDescription([*declared(graph), OpaqueFunction(function=start)])


def declared(graph: Graph) -> list[DeclareLaunchArgument]:
    """The graph's arguments, as `ros2 launch -s` lists them."""
    return [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default,
            description=argument.description,
            choices=list(argument.choices) or None,
        )
        for argument in graph.arguments
    ]


def actions(plan: Plan) -> list[Any]:
    """One launch action for each process."""
    folder = Path(tempfile.mkdtemp(prefix="turret_ai_launch_"))
    words = parameters.write(plan, folder / "parameters.yaml")
    if plan.one_process:
        names = [entry.executable for entry in plan.nodes]
        return [_process(plan, NodeEntry("chain"), names, words)]
    return [_process(plan, entry, [], words) for entry in plan.nodes]


def _process(plan: Plan, entry: NodeEntry, arguments: list[str], words: list[str]) -> Node:
    rules = [word for rule in plan.remappings(entry) for word in ("-r", rule)]
    return Node(
        package="turret_ai",
        executable=entry.executable,
        namespace=plan.namespace,
        arguments=arguments,
        ros_arguments=["--log-level", plan.log_level, *words, *rules],
        output="screen",
        respawn=True,
        respawn_delay=RESPAWN_DELAY,
        on_exit=_on_exit,
    )


def _on_exit(event: Any, _context: Any) -> Any:
    """A node that refused its settings (exit code 2) would refuse them again: end the launch."""
    if event.returncode == 2:
        return Shutdown(reason=f"{event.process_name} could not start: see its message above")
    return None
