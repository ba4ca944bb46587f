# SPDX-License-Identifier: Apache-2.0
"""Weights of ONNX models as 16-bit floats: half the file, the same 32-bit arithmetic.

Each large constant is kept in half precision and cast back in front of the nodes that read it; ONNX
Runtime does that once, when it loads the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from turret_ai.errors import InputError, ModelError
from turret_ai.extras import require

LEAST = 1024
"""Fewest numbers of a constant that is halved: biases and scales stay as exact as they are."""


def file(path: Path) -> float:
    """Halve the model in place; returns the largest relative rounding of a weight, of the largest
    weight of its constant. A model that is halved already stays as it is (0.0).

    Raises:
        ModelError: not an ONNX file, or weights that 16 bits can't hold.
        InputError: it can't be written.
    """
    onnx = require("onnx", extra="train")
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's and onnx's own errors have no common base
        raise ModelError(f"{path} is not an ONNX model: {error}") from error
    helper, graph = onnx.helper, model.graph
    casts: list[Any] = []
    worst = 0.0
    for constant in graph.initializer:
        name, value = constant.name, onnx.numpy_helper.to_array(constant)
        if value.dtype != np.float32 or value.size < LEAST:
            continue
        with np.errstate(over="ignore"):
            half = value.astype(np.float16)
        if not np.isfinite(half).all():
            raise ModelError(f"{path}: 16 bits can't hold the weights {name}")
        rounding = np.abs(half.astype(np.float32) - value).max()
        worst = max(worst, float(rounding / max(float(np.abs(value).max()), 1e-12)))
        constant.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}_half"))
        casts.append(
            helper.make_node(
                "Cast", [f"{name}_half"], [name], f"/{name}/Cast", to=onnx.TensorProto.FLOAT
            )
        )
    if casts:
        nodes = [*casts, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
        partial = path.with_suffix(".partial.onnx")
        try:
            onnx.save(model, str(partial))
            partial.replace(path)
        except OSError as error:
            raise InputError(f"{path} can't be written: {error}") from error
    return worst


def folder(root: Path) -> float:
    """Halve every ONNX model of an exported folder; returns the worst of `file`.

    Raises:
        ModelError, InputError: as `file`; or there is none.
    """
    found = sorted(root.glob("*.onnx"))
    if not found:
        raise InputError(f"{root} holds no ONNX models")
    return max(file(path) for path in found)
