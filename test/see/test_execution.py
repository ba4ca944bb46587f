# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import tiny_models

from turret_ai import execution
from turret_ai.execution import (
    ExecutionSettings,
    Session,
    Shapes,
    cpu_threads,
    engine_folder,
    provider_options,
)


def test_a_session_runs_on_the_cpu_everywhere(tiny):
    from pathlib import Path

    session = Session(Path(tiny["detector"]) / "model.onnx", ExecutionSettings(provider="cpu"))
    assert session.provider == "cpu" and session.inputs == ["image"]
    assert session.outputs == ["peaks", "sides"] and session.shapes[0][1] == 3


def test_without_a_gpu_only_the_cpu_is_offered(monkeypatch):
    monkeypatch.setattr(execution, "gpu_name", lambda: "")
    assert execution.available() == ["cpu"]


def test_tensorrt_gets_profiles_and_a_cache(tmp_path):
    folder = tiny_models.blob_detector(tmp_path / "m")
    settings = ExecutionSettings(engine_cache=str(tmp_path / "cache"))
    profile = {"image": Shapes((1, 3, 384, 384), (10, 3, 384, 384), (20, 3, 384, 384))}
    options = provider_options("tensorrt", folder / "model.onnx", settings, profile)
    assert options["trt_fp16_enable"] is True
    assert options["trt_profile_min_shapes"] == "image:1x3x384x384"
    assert options["trt_profile_opt_shapes"] == "image:10x3x384x384"
    assert options["trt_profile_max_shapes"] == "image:20x3x384x384"
    assert options["trt_engine_cache_path"].startswith(str(tmp_path / "cache"))


def test_an_engine_is_kept_by_gpu_version_precision_and_content(tmp_path, monkeypatch):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"one")
    folders = [engine_folder(model, ExecutionSettings())]
    folders.append(engine_folder(model, ExecutionSettings(fp16=False)))
    model.write_bytes(b"two")
    folders.append(engine_folder(model, ExecutionSettings()))
    monkeypatch.setattr(execution, "gpu_name", lambda: "NVIDIA Some/GPU")
    folders.append(engine_folder(model, ExecutionSettings()))
    monkeypatch.setattr(execution, "tensorrt_version", lambda: "10.16.0")
    folders.append(engine_folder(model, ExecutionSettings()))
    assert len(set(folders)) == 5
    assert "/" not in folders[-1].name and "10.16.0" in folders[-1].name


@pytest.mark.parametrize("asked", [1, 3])
def test_threads_are_as_asked_or_by_the_machine(asked):
    assert cpu_threads(asked) == asked
    assert 1 <= cpu_threads(0) <= 8
