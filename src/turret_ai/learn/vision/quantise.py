# SPDX-License-Identifier: Apache-2.0
"""int8 for CPUs: convolutions of a detector quantised on pictures, the rest left as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from turret_ai.errors import InputError
from turret_ai.extras import require
from turret_ai.see import manifests
from turret_ai.see.description import DetectorDescription, read
from turret_ai.see.letterbox import Letterbox

FIRST_AND_LAST = (
    "/detector/stem/", "/detector/backbone/_conv_stem/", "/detector/heat/", "/detector/sides/",
)  # fmt: skip
"""Layers whose rounding costs most: pixels come in and answers go out there."""


def detector(folder: Path, manifest: Path, pictures: int = 12) -> Path:
    """Quantise the model of a detector's folder in place of its ONNX file; returns the file.

    Activations and weights become int8, weights by channel (static, QDQ format), calibrated by the
    largest values on pictures of a manifest.

    Raises:
        ModelError, InputError: no such model, or no pictures.
    """
    tool = require("onnxruntime.quantization", extra="train")
    shape_inference = require("onnxruntime.quantization.shape_inference", extra="train")
    root, about = read(str(folder), DetectorDescription)
    source = root / about.file
    scenes = manifests.read(manifest)[:pictures]
    if not scenes:
        raise InputError(f"{manifest} has no pictures to calibrate on")

    class Reader(tool.CalibrationDataReader):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.rest = iter(scenes)

        def get_next(self) -> dict[str, Any] | None:
            scene = next(self.rest, None)
            if scene is None:
                return None
            image = scene.load()
            fitted = Letterbox.fit((image.shape[1], image.shape[0]), about.input)
            pixels = fitted.apply(image, about.input.pad_value)
            tensor = pixels.transpose(2, 0, 1)[None].astype(np.float32) / about.input.scale
            return {"image": tensor}

    prepared, partial = source.with_suffix(".prepared.onnx"), source.with_suffix(".int8.onnx")
    try:
        shape_inference.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        onnx = require("onnx", extra="train")
        graph = onnx.load(str(prepared)).graph
        kept = [n.name for n in graph.node if n.name.startswith(FIRST_AND_LAST)]
        tool.quantize_static(
            str(prepared),
            str(partial),
            Reader(),
            quant_format=tool.QuantFormat.QDQ,
            per_channel=True,
            activation_type=tool.QuantType.QUInt8,
            weight_type=tool.QuantType.QInt8,
            op_types_to_quantize=["Conv", "Add", "Relu", "MaxPool"],
            nodes_to_exclude=kept,
        )
        partial.replace(source)
    finally:
        prepared.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
    return source
