# SPDX-License-Identifier: Apache-2.0
"""Weights of models as 16-bit floats."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from turret_ai.errors import InputError, ModelError
from turret_ai.execution import ExecutionSettings, Session
from turret_ai.learn import warm_start
from turret_ai.learn.vision import export, halve
from turret_ai.learn.vision.matcher_model import ImageEncoder, MatcherShape

SHAPE = MatcherShape(image_size=32, channels=(16, 16, 32, 32), width=16, layers=1, embedding=32)


def _exported(model, path):
    export.to_onnx(model.eval(), [torch.rand(1, 3, 32, 32)], path, ["image"], ["y"], {})
    return path


def test_a_halved_model_is_half_as_large_and_computes_the_same(tmp_path):
    torch.manual_seed(5)
    model = ImageEncoder(SHAPE)
    path = _exported(model, tmp_path / "image.onnx")
    size, image = path.stat().st_size, np.random.default_rng(0).random((1, 3, 32, 32), np.float32)
    before = Session(path, ExecutionSettings())(image)[0]
    assert 0 < halve.folder(tmp_path) < 2**-10
    assert path.stat().st_size < 0.65 * size
    assert np.abs(Session(path, ExecutionSettings())(image)[0] - before).max() < 2e-3
    again = ImageEncoder(SHAPE).eval()
    warm_start.restore(again, path)
    with torch.no_grad():
        assert np.abs(again(torch.from_numpy(image)).numpy() - before).max() < 2e-3


def test_halving_twice_is_halving_once(tmp_path):
    path = _exported(ImageEncoder(SHAPE), tmp_path / "image.onnx")
    halve.file(path)
    once = path.read_bytes()
    assert halve.file(path) == 0.0
    assert path.read_bytes() == once


def test_what_cannot_be_halved_is_named_and_stays_as_it_is(tmp_path):
    with pytest.raises(InputError, match="no ONNX models"):
        halve.folder(tmp_path)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"broken\.onnx is not an ONNX model"):
        halve.file(broken)
    large = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    nn.init.constant_(large[1].weight, 1e5)
    path = _exported(large, tmp_path / "large.onnx")
    whole = path.read_bytes()
    with pytest.raises(ModelError, match="can't hold"):
        halve.file(path)
    assert path.read_bytes() == whole
