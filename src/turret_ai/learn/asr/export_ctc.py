# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of the acoustic model to ONNX, with a check that both tell the same phones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import yaml

from turret_ai.errors import InputError, ModelError
from turret_ai.execution import ExecutionSettings, Session
from turret_ai.hear.model_card import ModelCard
from turret_ai.hear.phone_graph import CLASSES
from turret_ai.learn import loop
from turret_ai.learn.asr.config import AsrConfig, PhoneSize
from turret_ai.learn.asr.ctc_model import PhoneModel, build
from turret_ai.learn.asr.ctc_task import KIND
from turret_ai.phonetics.phones import PHONES

TOLERANCE = {"float32": 1e-3, "int8": 0.05}
"""Largest mean difference of the classes' probabilities in a frame (total variation)."""
_OPSET = 17
_PARITY_FRAMES = 400


def load(checkpoint: Path) -> tuple[PhoneModel, AsrConfig]:
    """The trained network, without the head that only training needs.

    Raises:
        InputError: there is no checkpoint.
        ModelError: it is broken, or of another kind or size.
    """
    content = loop.load(checkpoint, KIND)
    config = AsrConfig.model_validate(content["config"])
    if not isinstance(config.architecture, PhoneSize):
        raise ModelError(f"{checkpoint} is of the architecture {config.architecture.kind!r}")
    weights = {
        name.removeprefix("net."): value
        for name, value in content["model"].items()
        if not name.startswith("net.sounds.")
    }
    model = build(config.architecture, config.frontend, CLASSES)
    loop.load_weights(model, weights, checkpoint)
    return model.eval(), config


def run(checkpoint: Path, out: Path, quantization: str) -> float:
    """Write model.onnx and model.yaml; returns the parity (see `parity`).

    Raises:
        InputError: an unknown quantization, no checkpoint, or `out` can't be written.
        ModelError: the checkpoint is of another kind, or the model differs after the export.
    """
    if quantization not in TOLERANCE:
        raise InputError(f"quantization {quantization!r} of this kind: {', '.join(TOLERANCE)}")
    model, config = load(checkpoint)
    path = out / "model.onnx"
    card = ModelCard(
        kind="ctc", own=True, any_length=True, frontend=config.frontend, phones=PHONES
    ).model_copy(update={"level_dbfs": config.data.level_dbfs})
    features = torch.zeros(1, config.frontend.feature_size, _PARITY_FRAMES)
    try:
        out.mkdir(parents=True, exist_ok=True)
        torch.onnx.export(
            model,
            (features,),
            str(path),
            input_names=["features"],
            output_names=["log_probabilities"],
            dynamic_axes={"features": {2: "frames"}, "log_probabilities": {1: "steps"}},
            opset_version=_OPSET,
            dynamo=False,
        )
        if quantization == "int8":
            _quantise(path)
        told = card.model_dump(mode="json", exclude_none=True)
        (out / "model.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} can't be written: {error}") from error
    difference = parity(model, path, config.frontend.feature_size)
    if not difference <= TOLERANCE[quantization]:
        raise ModelError(
            f"{path} differs from {checkpoint} by {difference:.3g} of the probability "
            f"({TOLERANCE[quantization]} is allowed)"
        )
    return difference


def _quantise(path: Path) -> None:
    """Weights of the matrix products to 7 bits, their inputs as they come (dynamic).

    With 8 bits the sums of products overflow on CPUs without VNNI (the range is reduced for these,
    https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_suffix(".float.onnx")
    path.replace(whole)
    quantize_dynamic(
        whole,
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
    whole.unlink()


def parity(model: PhoneModel, path: Path, bands: int, seed: int = 0) -> float:
    """Mean total variation between both models' classes, frame by frame, on random features."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((1, bands, _PARITY_FRAMES)).astype(np.float32) * 0.5
    (theirs,) = Session(path, ExecutionSettings(provider="cpu"))(features)
    with torch.no_grad():
        ours = model(torch.from_numpy(features)).numpy()
    return float(0.5 * np.abs(np.exp(ours) - np.exp(np.asarray(theirs))).sum(-1).mean())
