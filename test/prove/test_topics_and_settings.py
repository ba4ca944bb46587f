# SPDX-License-Identifier: Apache-2.0
"""Namespaces of recordings are found, and settings are those of the nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from turret_ai.errors import ConfigError, InputError
from turret_ai.prove.chain import chain_settings
from turret_ai.prove.topics import resolve, spec_of

NAMES = ("audio", "joint_states", "camera/image_raw", "turret/state", "command")


def test_the_namespace_of_a_recording_is_found() -> None:
    recorded = dict.fromkeys([*(f"/alpha/{name}" for name in NAMES), "/tf", "/rosout"])
    found = resolve(recorded)
    assert found["turret/state"] == "/alpha/turret/state"
    assert found["command"] == "/alpha/command"
    assert found["/tf"] == "/tf"


def test_a_gimbal_command_alone_is_not_taken_for_a_spoken_one() -> None:
    found = resolve(dict.fromkeys(["/turret/command", "/audio", "/joint_states"]))
    assert found["turret/command"] == "/turret/command"
    assert "command" not in found


def test_two_systems_in_one_recording_need_a_namespace() -> None:
    recorded = dict.fromkeys([f"/{space}/{name}" for space in "ab" for name in NAMES])
    with pytest.raises(InputError, match="--namespace"):
        resolve(recorded)
    assert resolve(recorded, "b")["audio"] == "/b/audio"


def test_a_specification_is_found_in_any_namespace() -> None:
    latched = spec_of("/alpha/audio_info")
    assert latched is not None and latched.latched
    spec = spec_of("/turret/command")
    assert spec is not None and spec.type == "turret_ai/msg/GimbalCommand"
    assert spec_of("/rosout") is None


def test_evaluations_take_the_parameters_of_the_nodes(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(
        "locator: {ros__parameters: {detection: {nms_iou: 0.3}}}\n"
        "controller: {ros__parameters: {search_pitch: -0.1}}\n"
    )
    settings = chain_settings([file], ["locator:detection.flip:=true"])
    assert settings.locator.detection.nms_iou == 0.3
    assert settings.locator.detection.flip
    assert settings.aim.search_pitch == -0.1


def test_a_parameter_that_no_stage_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="flop"):
        chain_settings(parameters=["locator:detection.flop:=true"])
    with pytest.raises(ConfigError, match="nms_iou"):
        chain_settings(parameters=["locator:detection.nms_iou:=7.0"])
