# SPDX-License-Identifier: Apache-2.0
"""The nodes by name, each imported only when it is started."""

from __future__ import annotations

import importlib
from typing import Any

from turret_ai.errors import ConfigError

STAGES = ("transcriber", "commander", "locator", "controller")
"""Those that make a turn, whatever gives them sound, pictures and joints."""

NODES: dict[str, str] = {
    "audio_source": "turret_ai.nodes.audio_source:AudioSource",
    "transcriber": "turret_ai.nodes.transcriber:Transcriber",
    "commander": "turret_ai.nodes.commander:Commander",
    "locator": "turret_ai.nodes.locator:Locator",
    "tracker": "turret_ai.nodes.tracker:TrackerNode",
    "controller": "turret_ai.nodes.controller:Controller",
    "simulator": "turret_ai.nodes.simulator:Simulator",
    "diagnostics": "turret_ai.nodes.diagnostics:Diagnostics",
    "competition": "turret_ai.nodes.competition:Competition",
    "robomaster": "turret_ai.nodes.robomaster:RoboMaster",
    "robomaster_ros": "turret_ai.nodes.robomaster_ros:RoboMasterRos",
    "gazebo_gimbal": "turret_ai.nodes.gazebo_gimbal:GazeboGimbal",
    "gazebo_truth": "turret_ai.nodes.gazebo_truth:GazeboTruth",
    "markers": "turret_ai.nodes.markers:Markers",
    "console": "turret_ai.nodes.console:Console",
    "recorder": "turret_ai.nodes.recorder:BagRecorder",
    "player": "turret_ai.nodes.player:Player",
    "evaluator": "turret_ai.nodes.evaluator:Evaluator",
}


def node_class(name: str) -> Any:
    """The node's class.

    Raises:
        ConfigError: there is no such node; the text lists those that are.
    """
    if name not in NODES:
        raise ConfigError(f"no node called {name!r}; there are {', '.join(NODES)}")
    module, _, attribute = NODES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
