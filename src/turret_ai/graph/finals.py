# SPDX-License-Identifier: Apache-2.0
"""The finals chain: ears, understanding, eyes and turret, for each source of sound and sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turret_ai.errors import ConfigError
from turret_ai.graph.description import Argument, Graph, NodeEntry, Plan

_SOURCES = {
    "simulator": "speech from files, camera and turret from the embedded simulator",
    "microphone": "speech from the microphone, camera and turret from the embedded simulator",
    "console": "speech from the console's page, camera and turret from the embedded simulator",
    "competition": "speech, camera and turret from the finals server",
    "robomaster": "speech, camera and turret from a DJI RoboMaster EP",
    "robomaster_ros": "camera and turret from robomaster_ros, speech from the microphone",
    "recording": "only the four stages: a bag is played, whose turret can't follow",
    "none": "only the four stages: audio, camera and turret come from elsewhere",
}

CONSOLE = (
    Argument(
        "console",
        "auto",
        "serve the operator's page (extra console); auto: with source:=console",
        ("auto", "true", "false"),
    ),
    Argument("console_host", "127.0.0.1", "address of the page; beyond loopback a token is needed"),
    Argument("console_port", "8765", "port of the page; 0: any"),
)
"""Arguments of every graph for the console's node."""

ARGUMENTS = (
    Argument(
        "source",
        "simulator",
        "; ".join(f"{name}: {what}" for name, what in _SOURCES.items()),
        tuple(_SOURCES),
    ),
    Argument(
        "scene", "airfield", "scene of the simulator: a shipped name, a YAML file or a folder"
    ),
    Argument("audio", "", "WAV file or folder for source:=simulator; empty: the scene's commands"),
    Argument(
        "speech_engine",
        "auto",
        "auto: a Whisper and the fast engine; ctc: the fast one alone; whisper; sphinx",
        ("auto", "ctc", "whisper", "sphinx"),
    ),
    Argument("speech_model", "", "speech model: a shipped name or a path; empty: the default"),
    Argument("detector_model", "", "detector: a shipped name or a path; empty: the default"),
    Argument("matcher_model", "", "matcher: a shipped name or a path; empty: the default"),
    Argument("device", "auto", "where the models run", ("auto", "cpu", "cuda", "tensorrt")),
    Argument(
        "tracking",
        "off",
        "lock: after the aim the turret follows the target while it flies",
        ("off", "lock"),
    ),
    Argument("early", "true", "turn and look while the operator still speaks", ("true", "false")),
    Argument("server", "ws://127.0.0.1:8000", "finals server for source:=competition"),
    Argument("team", "turret_ai", "team name for source:=competition"),
    Argument(
        "deadline",
        "20",
        "s from the audio until an answer is sent anyway, for source:=competition",
    ),
    Argument("robot", "192.168.2.1", "address of the robot for source:=robomaster"),
    *CONSOLE,
    Argument(
        "without", "", "nodes that run elsewhere, comma-separated, such as locator on another host"
    ),
    Argument("params_file", "", "YAML file with parameters of the nodes (ros__parameters)"),
    Argument("namespace", "", "namespace of all nodes and topics"),
    Argument("use_sim_time", "false", "take the time from /clock", ("true", "false")),
    Argument("one_process", "false", "all nodes in one process", ("true", "false")),
    Argument("respawn", "true", "start nodes again that crashed", ("true", "false")),
    Argument("log_level", "info", "least level that is logged", ("debug", "info", "warn", "error")),
)

_VIRTUAL_TURRET = {
    "fixed_camera_pitch": -0.2617993877991494,  # 15 degrees up
    "settle.hold": 0.0,  # it has no mass that could swing
    "limits.yaw_min": -100.0,  # it may turn round and round: the shortest way is always free
    "limits.yaw_max": 100.0,
    "limits.pitch_min": -1.5707963,
    "limits.pitch_max": 1.5707963,
}
"""What the controller is told about the competition's turret."""

_TRACKED_CAMERA = 10.0
"""Images per second of the simulated camera where craft are followed."""

_PICTURES = {"robomaster_ros": {"camera/image_raw": "camera/image_color"}}
"""Where a source's pictures come under another name."""


def _given(**values: str) -> dict[str, Any]:
    """Only what the user set: the nodes' own defaults stay in their one home."""
    return {name.replace("__", "."): value for name, value in values.items() if value}


def _deadline(values: Mapping[str, str]) -> float:
    try:
        return float(values["deadline"])
    except ValueError as error:
        raise ConfigError(f"deadline:= must be a number of seconds: {error}") from error


def _patience(deadline: float) -> dict[str, float]:
    """No step of the controller ends a turn that the competition still waits for."""
    return {
        "deadlines.command": deadline,
        "deadlines.slew": deadline,
        "deadlines.see": deadline,
        "deadlines.stale": deadline + 10.0,
    }


def console(values: Mapping[str, str], fixed_camera_pitch: float | None = None) -> list[NodeEntry]:
    """The console's node, where it is wanted.

    Raises:
        ConfigError: the port is no number.
    """
    wanted = values["console"]
    if wanted == "false" or (wanted == "auto" and values["source"] != "console"):
        return []
    try:
        port = int(values["console_port"])
    except ValueError as error:
        raise ConfigError(f"console_port:= must be a number: {error}") from error
    parameters: dict[str, Any] = {"host": values["console_host"], "port": port}
    if fixed_camera_pitch is not None:
        parameters["fixed_camera_pitch"] = fixed_camera_pitch
    return [NodeEntry("console", parameters, _PICTURES.get(values["source"], {}))]


def _elsewhere(values: Mapping[str, str]) -> set[str]:
    """Nodes that this graph would have and somebody else starts."""
    return {name.strip() for name in values["without"].split(",") if name.strip()}


def _world(values: Mapping[str, str]) -> list[NodeEntry]:
    """The nodes that make sound and pictures and move the turret."""
    scene = {"scene": values["scene"]}
    simulator: dict[str, Any] = dict(scene)
    if values["tracking"] == "lock":
        simulator["camera.rate"] = _TRACKED_CAMERA
    if values["use_sim_time"] == "true":
        # The simulator is the clock that the others follow.
        simulator |= {"clock.mode": "sim", "use_sim_time": False}
    match values["source"]:
        case "simulator":
            audio = values["audio"]
            files: dict[str, Any] = {"source": "scene", **scene}
            if audio:
                files = {"source": "files", "path": audio}
            if "simulator" not in _elsewhere(values):  # else a turn may find no turret yet
                files["turret"] = "simulator"
            return [NodeEntry("simulator", simulator), NodeEntry("audio_source", files)]
        case "microphone":
            return [
                NodeEntry("simulator", simulator),
                NodeEntry("audio_source", {"source": "microphone"}),
            ]
        case "console":
            return [NodeEntry("simulator", simulator)]
        case "competition":
            server = {
                "server": values["server"],
                "team": values["team"],
                "turns.deadline": _deadline(values),
            }
            return [NodeEntry("competition", server)]
        case "robomaster":
            return [NodeEntry("robomaster", {"address": values["robot"], "audio": True})]
        case "robomaster_ros":
            return [
                NodeEntry("robomaster_ros"),
                NodeEntry("audio_source", {"source": "microphone"}),
            ]
    return []


def _tracker(values: Mapping[str, str], device: str) -> NodeEntry:
    parameters = _given(execution__provider=device)
    if values["detector_model"]:
        parameters["detection.models"] = [values["detector_model"]]
    if values["matcher_model"]:
        parameters["matching.models"] = [values["matcher_model"]]
    if values["source"] == "competition":
        parameters["fixed_camera_pitch"] = _VIRTUAL_TURRET["fixed_camera_pitch"]
    return NodeEntry("tracker", parameters, _PICTURES.get(values["source"], {}))


def _build(values: Mapping[str, str]) -> Plan:
    device = "" if values["device"] == "auto" else values["device"]
    speech_device = "cuda" if device == "tensorrt" else device
    locator = _given(execution__provider=device)
    for parameter, argument in (("detection", "detector_model"), ("matching", "matcher_model")):
        if values[argument]:
            locator[f"{parameter}.models"] = [values[argument]]
    controller: dict[str, Any] = {}
    if values["early"] == "false":
        controller["use_partial_heading"] = False
        locator["ahead_max_age"] = 0.0
    if values["source"] == "competition":
        controller.update(_VIRTUAL_TURRET)
        controller.update(_patience(_deadline(values)))
    if values["source"] == "recording":
        controller["recorded_joints"] = True
    tracker: list[NodeEntry] = []
    if values["tracking"] == "lock":
        controller["tracking"] = "lock"
        tracker.append(_tracker(values, device))
    stages = [
        NodeEntry(
            "transcriber",
            _given(
                recogniser__engine=values["speech_engine"].replace("auto", ""),
                recogniser__model=values["speech_model"],
                recogniser__device=speech_device,
            ),
        ),
        NodeEntry("commander"),
        NodeEntry("locator", locator, _PICTURES.get(values["source"], {})),
        *tracker,
        NodeEntry("controller", controller),
        NodeEntry("diagnostics"),
        *console(values, controller.get("fixed_camera_pitch")),
    ]
    elsewhere = _elsewhere(values)
    known = {entry.executable for entry in [*stages, *_world(values)]}
    if elsewhere - known:
        raise ConfigError(f"without:= names {', '.join(elsewhere - known)}, not among {known}")
    shared = {"use_sim_time": True} if values["use_sim_time"] == "true" else {}
    nodes = tuple(
        NodeEntry(entry.executable, {**shared, **entry.parameters}, entry.remappings)
        for entry in [*stages, *_world(values)]
        if entry.executable not in elsewhere
    )
    return Plan(
        nodes,
        values["namespace"],
        values["log_level"],
        values["params_file"],
        values["one_process"] == "true",
        values["respawn"] == "true",
    )


FINALS = Graph("finals", "The whole chain: a spoken command aims the turret.", ARGUMENTS, _build)
