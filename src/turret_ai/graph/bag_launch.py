# SPDX-License-Identifier: Apache-2.0
"""The actions of record.launch.py and replay.launch.py: ROS's own recorder and player."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from launch.actions import (
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown as ShutdownEvent
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from turret_ai import requirements
from turret_ai.graph import parameters, temporary
from turret_ai.graph.description import NodeEntry, Plan
from turret_ai.graph.finals import CONSOLE, FINALS
from turret_ai.graph.ros_launch import actions, needed

with requirements.of_the_virtual_environment():
    from turret_ai.prove.topics import SPECS, resolve

if TYPE_CHECKING:
    from turret_ai.ros.topics import Topic

_LAST_ANSWERS_S = 5.0
"""How long the stages may still answer when the player has ended."""


def _value(context: Any, name: str) -> str:
    return str(LaunchConfiguration(name).perform(context))


def record(context: Any) -> list[Any]:
    """`ros2 bag record` with the graph's topics and a deep queue for each."""
    namespace = "/" + _value(context, "namespace").strip("/")
    pictures = {"true": ["camera/image_raw"], "compressed": ["camera/image_raw/compressed"]}
    kept = pictures.get(_value(context, "images"), [])
    specs = [spec for spec in SPECS if "image_raw" not in spec.name or spec.name in kept]
    names = {_absolute(spec, namespace): spec for spec in specs}
    command = ["ros2", "bag", "record", "--storage", _value(context, "storage")]
    if _value(context, "output"):
        command += ["--output", _value(context, "output")]
    if _value(context, "use_sim_time") == "true":
        command.append("--use-sim-time")
    command += ["--qos-profile-overrides-path", str(_deep_queues(names))]
    command += ["--topics", *names]
    # SIGTERM would leave a bag without metadata; rosbag2 completes it on SIGINT.
    return [
        ExecuteProcess(
            cmd=command, output="screen", sigterm_timeout="60", on_exit=needed("the recorder")
        )
    ]


def _absolute(spec: Topic, namespace: str) -> str:
    if spec.name.startswith("/"):
        return spec.name
    return f"{namespace.rstrip('/')}/{spec.name}"


def _deep_queues(names: dict[str, Topic]) -> Path:
    """Reliable subscriptions with long queues, where the publishers are reliable."""
    overrides = {
        name: {
            "history": "keep_last",
            "depth": 30 if "image_raw" in name else 1000,
            "reliability": "reliable" if spec.reliable else "best_effort",
            "durability": "transient_local" if spec.latched else "volatile",
        }
        for name, spec in names.items()
    }
    file = temporary.folder("record") / "qos.yaml"
    file.write_text(yaml.safe_dump(overrides), encoding="utf-8")
    return file


def replay(context: Any) -> list[Any]:
    """The four stages on the recording's time, the evaluator, and the paused player."""
    with requirements.of_the_virtual_environment():
        from turret_ai.prove.bag import Bag

    bag = Path(_value(context, "bag"))
    with Bag(bag) as recording:
        names = resolve(recording.topics)
        played = [
            names[spec.name]
            for spec in SPECS
            if spec.name in names and spec.role in ("input", "truth")
        ]
        inputs = [name for name in ("audio", "camera/image_raw", "joint_states") if name in names]
    given = {"source": "recording", "use_sim_time": "true"}
    given |= {each.name: _value(context, each.name) for each in CONSOLE}
    if _value(context, "params_file"):
        given["params_file"] = _value(context, "params_file")
    plan = FINALS.plan(given)
    settings = {
        "use_sim_time": True,
        "name": bag.name,
        "output": _value(context, "output"),
        "truth": _value(context, "truth"),
        "baseline": _value(context, "baseline"),
        "resume": "/rosbag2_player/resume",
        "wait_for": inputs,
    }
    compressed = "camera/image_raw" not in names and "camera/image_raw/compressed" in names
    if compressed:
        settings["resume"] = ""
    evaluator = _once("evaluator", settings, ends_all=True)
    rate = _value(context, "rate")
    player: Any = ExecuteProcess(
        cmd=[
            *("ros2", "bag", "play", str(bag), "--clock", "--start-paused"),
            *("--rate", rate, "--disable-keyboard-controls"),
            *("--topics", *played),
        ],
        output="screen",
        on_exit=needed("the player"),
    )
    if compressed:  # ROS's player doesn't decode; ours does, and waits for the stages by itself
        player = _once("player", {"bag": str(bag), "rate": float(rate), "wait": 60.0})
    end = OnProcessExit(
        target_action=player,
        on_exit=[
            LogInfo(msg="the recording is over, the last answers are awaited"),
            TimerAction(
                period=_LAST_ANSWERS_S,
                actions=[EmitEvent(event=ShutdownEvent(reason="the recording is over"))],
            ),
        ],
    )
    return [*actions(plan), evaluator, player, RegisterEventHandler(end)]


def _once(executable: str, settings: dict[str, Any], *, ends_all: bool = False) -> Node:
    """A node that is not started again when it ends. ends_all: the launch ends with it.

    Its parameters go through a file of ours: launch_ros writes lists in a form that is no YAML for
    others than itself.
    """
    plan = Plan((NodeEntry(executable, settings),))
    return Node(
        package="turret_ai",
        executable=executable,
        ros_arguments=parameters.write(plan, temporary.folder("launch") / "parameters.yaml"),
        output="screen",
        sigterm_timeout="60",  # the report is written after SIGINT
        on_exit=needed(f"the {executable}", ends_all=ends_all, to_the_end=True),
    )
