# SPDX-License-Identifier: Apache-2.0
"""From a graph to a `launch.LaunchDescription`, for the files in launch/."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown, TimerAction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from turret_ai import network
from turret_ai.errors import ConfigError, PeerError, TurretError
from turret_ai.graph import parameters, temporary
from turret_ai.graph.description import Argument, Graph, NodeEntry, Plan
from turret_ai.graph.respawn import Delays


def to_launch_description(graph: Graph) -> LaunchDescription:
    """Declares the graph's arguments and starts its nodes once they are known."""

    def start(context: Any) -> list[Any]:
        given = {a.name: LaunchConfiguration(a.name).perform(context) for a in graph.arguments}
        try:
            return [*hints(), *actions(graph.plan(given))]
        except TurretError as error:
            # ros2 launch turns an exception into exit code 1; it must not look like a crash.
            raise RuntimeError(str(error)) from None

    return LaunchDescription([*declared(graph.arguments), OpaqueFunction(function=start)])


def hints() -> list[Any]:
    """What the user should know of this host."""
    hint = network.buffer_hint()
    return [LogInfo(msg=hint)] if hint else []


def declared(arguments: Iterable[Argument]) -> list[DeclareLaunchArgument]:
    """A graph's arguments, as `ros2 launch -s` lists them."""
    return [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default,
            description=argument.description,
            choices=list(argument.choices) or None,
        )
        for argument in arguments
    ]


def actions(plan: Plan) -> list[Any]:
    """One launch action for each process."""
    words = parameters.write(plan, temporary.folder("launch") / "parameters.yaml")
    delays = Delays()
    if plan.one_process:
        names = [entry.executable for entry in plan.nodes]
        return [_process(plan, NodeEntry("chain"), names, words, delays)]
    return [_process(plan, entry, [], words, delays) for entry in plan.nodes]


def needed(
    what: str, *, ends_all: bool = False, to_the_end: bool = False
) -> Callable[[Any, Any], list[Any] | None]:
    """For `on_exit`: where this process fails, the launch ends with exit code 1.

    what: for the message, such as "the player".
    ends_all: the launch ends with it also where all went well.
    to_the_end: its exit code counts also when the launch was asked to end.
    """

    def on_exit(event: Any, context: Any) -> list[Any] | None:
        if event.returncode != 0 and (to_the_end or not context.is_shutdown):
            raise PeerError(f"{what} ended with exit code {event.returncode}: see its messages")
        if ends_all and not context.is_shutdown:
            return [Shutdown(reason=f"{what} has ended")]
        return None

    return on_exit


def _process(
    plan: Plan,
    entry: NodeEntry,
    arguments: list[str],
    words: list[str],
    delays: Delays,
    delay: float = 0.0,
) -> Node:
    """delay: seconds until launch starts it."""
    rules = [word for rule in plan.remappings(entry) for word in ("-r", rule)]
    starts = time.monotonic() + delay

    def on_exit(event: Any, context: Any) -> list[Any] | None:
        """launch's own `respawn` would also bring back a node that ended on purpose."""
        if context.is_shutdown:
            return None
        if event.returncode == 2:
            raise ConfigError(f"{entry.executable} could not start: see its message above")
        if event.returncode == 0 or not plan.respawn:
            return None
        wait = delays.after(entry.executable, time.monotonic() - starts)
        again = _process(plan, entry, arguments, words, delays, wait)
        return [TimerAction(period=wait, actions=[again])]

    return Node(
        package="turret_ai",
        executable=entry.executable,
        namespace=plan.namespace,
        arguments=arguments,
        ros_arguments=["--log-level", plan.log_level, *words, *rules],
        output="screen",
        on_exit=on_exit,
    )
