# SPDX-License-Identifier: Apache-2.0
"""The embedded acoustic model in ONNX Runtime beside the same network in PyTorch"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.common import Row, Skip, race

SECONDS = 6.0


def run(quick: bool) -> list[Row]:
    try:
        import torch
    except ImportError as error:
        raise Skip(f"the baseline needs the extra `train`: {error}") from error
    import numpy as np
    import onnxruntime as ort

    from turret_ai.hear.phone_graph import CLASSES
    from turret_ai.learn import config as configs
    from turret_ai.learn import loop
    from turret_ai.learn.asr import export_ctc
    from turret_ai.learn.asr.config import AsrConfig, CtcSize
    from turret_ai.learn.asr.ctc_model import CtcModel
    from turret_ai.learn.asr.ctc_task import KIND

    config = configs.load("asr_small", [], AsrConfig)
    assert isinstance(config.architecture, CtcSize)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = CtcModel(config.architecture, config.frontend, CLASSES).eval()
    weights = {f"net.{name}": value for name, value in model.state_dict().items()}
    frames = round(SECONDS * 16000 / config.frontend.hop_length) // 2 * 2
    features = np.random.default_rng(0).standard_normal((1, 80, frames)).astype(np.float32)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as name:
        checkpoint = Path(name) / "best.pt"
        stored = {"kind": KIND, "model": weights, "config": config.model_dump(mode="json")}
        loop.save(checkpoint, stored)
        export_ctc.run(checkpoint, Path(name), "int8")
        session = ort.InferenceSession(
            str(Path(name) / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

        def ours() -> object:
            return session.run(None, {"features": features})

        def theirs() -> object:
            with torch.no_grad():
                return model(torch.from_numpy(features))

        fast, slow = race(ours, theirs, runs=5 if quick else 30)
    return [
        Row(
            f"phones of {SECONDS:.0f} s of speech, one thread",
            fast.milliseconds,
            "ms",
            "PyTorch, float32, same weights",
            slow.milliseconds,
            note=f"int8, untrained weights; {fast.note}",
        )
    ]
