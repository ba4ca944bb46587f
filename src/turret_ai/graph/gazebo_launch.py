# SPDX-License-Identifier: Apache-2.0
"""Gazebo, the bridge, the robot's description and RViz, around the nodes of the Gazebo graph."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch import LaunchDescription
from launch.actions import (
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    Shutdown,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from turret_ai import requirements, share
from turret_ai.errors import InputError, PeerError, TurretError
from turret_ai.graph import gazebo_bridge, temporary
from turret_ai.graph.description import Plan
from turret_ai.graph.gazebo import GAZEBO
from turret_ai.graph.gazebo_preflight import Release, check
from turret_ai.graph.ros_launch import actions, declared, hints

GZ_STOP_SECONDS = "10"
"""How long Gazebo may take to end after SIGINT before it is terminated."""


def to_launch_description() -> LaunchDescription:
    """Declares the arguments; once they are known, checks the machine and starts everything."""
    return LaunchDescription([*declared(GAZEBO.arguments), OpaqueFunction(function=_start)])


def _start(context: Any) -> list[Any]:
    given = {a.name: LaunchConfiguration(a.name).perform(context) for a in GAZEBO.arguments}
    try:
        return launch_actions(given)
    except TurretError as error:
        # ros2 launch turns an exception into exit code 1; it must not look like a crash.
        raise RuntimeError(str(error)) from None


def launch_actions(given: Mapping[str, str]) -> list[Any]:
    """Everything to start for these arguments.

    Raises:
        ConfigError: an argument that doesn't fit.
        PeerError: something that the launch needs is missing.
        InputError: there is no such world.
    """
    GAZEBO.plan(given)
    headless, rviz = given["headless"] == "true", given["rviz"] == "true"
    report = check(headless=headless, rviz=rviz, gz_version=given["gz_version"])
    release = report.require()
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    world = find_world(given["world"])
    scene = given["scene"] or given["world"]
    plan = GAZEBO.plan({**given, "world": str(world), "scene": scene})
    return [
        *hints(),
        LogInfo(msg=f"Gazebo {report.version} ({release.name}) runs {world}"),
        # Before Gazebo: see config/gz_bridge.yaml.
        _bridge(plan, gazebo_bridge.config(truth=given["truth"] == "true")),
        _gazebo(release, world, headless, given["gz_verbose"]),
        _state_publisher(plan),
        *([_rviz(plan)] if rviz else []),
        *actions(plan),
    ]


def find_world(name: str) -> Path:
    """A shipped world, the user's own SDF file, or one made of a scene for this launch.

    Raises:
        InputError: neither a world nor a scene is called so.
    """
    try:
        world = share.resolve(name, "worlds", ".sdf")
    except InputError:
        world = share.resolve(name, "scenes", ".yaml")
    if world.suffix == ".sdf":
        return world
    with requirements.of_the_virtual_environment():
        from turret_ai.simulate.gazebo.world import write
        from turret_ai.simulate.scene import load

    return write(load(str(world)), temporary.folder("world") / f"{world.stem}.sdf").file


def _gazebo(release: Release, world: Path, headless: bool, verbose: str) -> ExecuteProcess:
    flags = ["-r", "-v", verbose]
    if headless:
        flags += ["-s", "--headless-rendering"]
    folders = os.pathsep.join(str(share.path(name)) for name in ("description", "worlds"))
    environment = {}
    for name in ("GZ_SIM_RESOURCE_PATH", "IGN_GAZEBO_RESOURCE_PATH"):
        before = os.environ.get(name, "")
        environment[name] = f"{before}{os.pathsep}{folders}" if before else folders
    return ExecuteProcess(
        cmd=[*release.command, *flags, "--force-version", str(release.major), str(world)],
        name="gazebo",
        output="screen",
        additional_env=environment,
        sigterm_timeout=GZ_STOP_SECONDS,
        on_exit=_on_gazebo_exit,
    )


def _on_gazebo_exit(event: Any, context: Any) -> Any:
    """Without Gazebo the rest would wait for ever: end the launch, as a failure if it is one."""
    if context.is_shutdown:
        return None
    if event.returncode == 0:
        return [LogInfo(msg="Gazebo was closed"), Shutdown()]
    raise PeerError(f"Gazebo ended with exit code {event.returncode}: see its messages above")


def _bridge(plan: Plan, config: Path) -> Node:
    return Node(
        package="ros_gz_bridge",
        executable="parameter_bridge",
        name="gz_bridge",
        namespace=plan.namespace,
        parameters=[{"config_file": str(config), "use_sim_time": True}],
        output="screen",
        respawn=plan.respawn,
        respawn_delay=2.0,
    )


def _state_publisher(plan: Plan) -> Node:
    description = share.path("description/turret.urdf").read_text(encoding="utf-8")
    return Node(
        package="robot_state_publisher",
        executable="robot_state_publisher",
        namespace=plan.namespace,
        parameters=[
            {
                "robot_description": ParameterValue(description, value_type=str),
                "use_sim_time": True,
            }
        ],
        output="screen",
        respawn=plan.respawn,
        respawn_delay=2.0,
    )


def _rviz(plan: Plan) -> Node:
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=plan.namespace,
        arguments=["-d", str(share.path("rviz/turret_ai.rviz"))],
        parameters=[{"use_sim_time": True}],
        output="screen",
    )
