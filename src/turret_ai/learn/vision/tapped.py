# SPDX-License-Identifier: Apache-2.0
"""An exported network that also tells what one of its layers gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort

from turret_ai.extras import require


def session(file: Path, choose: Callable[[Any], str]) -> tuple[ort.InferenceSession, str]:
    """On one thread of the CPU, with one output more.

    Args:
        choose: names the value to give out, of the ONNX graph.

    Returns:
        the session, and that name.
    """
    onnx = require("onnx", extra="train")
    model = onnx.load(str(file))
    name = choose(model.graph)
    if name not in [o.name for o in model.graph.output]:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    made = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return made, name
