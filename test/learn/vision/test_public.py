# SPDX-License-Identifier: Apache-2.0
"""Public architectures of transformers, small and of random weights: tuned, exported, run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from test_training import SCHEDULE, shapes

from turret_ai.cli import app as cli
from turret_ai.errors import ConfigError, ModelError
from turret_ai.execution import ExecutionSettings
from turret_ai.learn.vision import export, export_public, tune_detr
from turret_ai.learn.vision.upscaler_model import Upscaler, UpscalerShape
from turret_ai.see.detector import Detector


@pytest.fixture(scope="module")
def rtdetr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import RTDetrResNetConfig, RTDetrV2Config, RTDetrV2ForObjectDetection

    backbone = RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = RTDetrV2Config(
        backbone_config=backbone, encoder_in_channels=[8, 16, 16], feat_strides=[8, 16, 32],
        encoder_hidden_dim=16, d_model=16, encoder_ffn_dim=32, decoder_ffn_dim=32,
        decoder_layers=2, encoder_layers=1, num_queries=126, encoder_attention_heads=2,
        decoder_attention_heads=2, num_denoising=4, num_labels=2, hidden_expansion=0.5,
        decoder_in_channels=[16, 16, 16],
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("rtdetr")
    torch.manual_seed(0)
    RTDetrV2ForObjectDetection(config).save_pretrained(folder)
    return folder


def test_a_detr_is_tuned_exported_and_detects(tmp_path, rtdetr):
    manifest = shapes(tmp_path / "data", 4, 0)
    words = [
        f"train=[{manifest}]", f"validation=[{manifest}]", f"out={tmp_path / 'run'}",
        f"pretrained={rtdetr}", "picture=[96,64]", "batch=2", "validation_pictures=2",
        "schedule.accumulate=1", "schedule.precision=fp32", "schedule.workers=0", *SCHEDULE,
    ]  # fmt: skip
    assert cli.main(["train", "detector", "detector_dfine_2024", *words]) == 0
    out = tmp_path / "onnx"
    tuned = tmp_path / "run" / "best.pt"
    assert export_public.detr(str(rtdetr), out, 0.01, 96, 64, tuned) < 1e-3
    detector = Detector(str(out), ExecutionSettings(provider="cpu"))
    found = detector([np.zeros((160, 224, 3), np.uint8)], 0.0, 10)[0]
    assert len(found) and found.xyxy[:, 2].max() <= 224


def test_a_public_name_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="pretrained"):
        tune_detr.load_pretrained("")
    with pytest.raises(ModelError, match="nowhere"):
        tune_detr.load_pretrained(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("wrapped", ["params_ema", "params", None])
def test_public_upscaler_weights_tell_their_own_size(tmp_path, wrapped):
    network = Upscaler(UpscalerShape(features=8, convolutions=2, factor=4))
    state = network.state_dict()
    torch.save({wrapped: state} if wrapped else state, tmp_path / "weights.pth")
    assert export.upscaler(tmp_path / "weights.pth", tmp_path / "out") < 1e-3


def test_weights_of_another_architecture_are_refused(tmp_path):
    torch.save({"conv_first.weight": torch.zeros(3)}, tmp_path / "rrdb.pth")
    with pytest.raises(ModelError, match="SRVGG"):
        export.upscaler(tmp_path / "rrdb.pth", tmp_path / "out")
