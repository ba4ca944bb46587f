# SPDX-License-Identifier: Apache-2.0
"""The Gazebo graph: the four stages and what connects them to a turret in Gazebo.

These are the nodes of this package; Gazebo, the bridge and RViz are added by
`graph/gazebo_launch.py`. `turret-ai launch gazebo` starts the nodes alone, for a Gazebo and a
bridge that run elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from turret_ai.errors import ConfigError
from turret_ai.graph.description import Argument, Graph, NodeEntry, Plan
from turret_ai.graph.finals import FINALS

_CHAIN = ("speech_engine", "speech_model", "detector_model", "matcher_model", "device", "tracking",
          "early", "without", "params_file", "namespace", "one_process", "respawn", "log_level",
          "console", "console_host", "console_port")  # fmt: skip
"""Arguments that mean the same as in the finals graph."""

ARGUMENTS = (
    Argument("world", "airfield", "a shipped world, an SDF file, or a scene to make a world of"),
    Argument("headless", "false", "no window: render by EGL", ("true", "false")),
    Argument("rviz", "false", "start RViz with this package's layout", ("true", "false")),
    Argument(
        "speech",
        "scene",
        "scene: the commands of the scene that the world was made of; files: `audio`; microphone; "
        "none: `audio` or `transcript` comes from elsewhere",
        ("scene", "files", "microphone", "none"),
    ),
    Argument("audio", "", "WAV file or folder for speech:=files"),
    Argument("scene", "", "scene whose commands are spoken; empty: the world's name"),
    Argument("truth", "true", "publish ground_truth; costs rendering", ("true", "false")),
    Argument("markers", "true", "draw the aim for RViz and Foxglove", ("true", "false")),
    Argument("gz_version", "auto", "major version of Gazebo: 8 Harmonic, 6 Fortress"),
    Argument("gz_verbose", "2", "Gazebo's own log level", ("0", "1", "2", "3", "4")),
    *(argument for argument in FINALS.arguments if argument.name in _CHAIN),
)


def _speech(values: Mapping[str, str]) -> list[NodeEntry]:
    match values["speech"]:
        case "files":
            return [NodeEntry("audio_source", {"source": "files", "path": values["audio"]})]
        case "microphone":
            return [NodeEntry("audio_source", {"source": "microphone"})]
        case "scene":
            scene = values["scene"] or values["world"]
            return [NodeEntry("audio_source", {"source": "scene", "scene": scene})]
    return []


def _build(values: Mapping[str, str]) -> Plan:
    chain = {name: values[name] for name in _CHAIN if name != "without"}
    plan = FINALS.plan({"source": "none", "use_sim_time": "true", **chain})
    added = [*_speech(values), NodeEntry("gazebo_gimbal")]
    if values["truth"] == "true":
        added.append(NodeEntry("gazebo_truth", {"world": values["world"]}))
    if values["markers"] == "true":
        added.append(NodeEntry("markers"))
    shared: dict[str, Any] = {"use_sim_time": True}
    nodes = (
        *plan.nodes,
        *(NodeEntry(each.executable, {**shared, **each.parameters}) for each in added),
    )
    elsewhere = {name.strip() for name in values["without"].split(",") if name.strip()}
    unknown = elsewhere - {entry.executable for entry in nodes}
    if unknown:
        raise ConfigError(f"without:= names {', '.join(sorted(unknown))}, which this has not")
    kept = tuple(entry for entry in nodes if entry.executable not in elsewhere)
    return replace(plan, nodes=kept)


GAZEBO = Graph("gazebo", "The whole chain on a turret in Gazebo.", ARGUMENTS, _build)
