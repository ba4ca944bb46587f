# SPDX-License-Identifier: Apache-2.0
"""`turret-ai export asr`: a checkpoint of either kind, or a public Whisper."""

from __future__ import annotations

from pathlib import Path

from turret_ai.learn import loop
from turret_ai.learn.asr import ctc_task, export_ctc, export_whisper


def run(checkpoint: str, out: Path, quantization: str = "int8") -> float:
    """Convert; returns how far the converted model is from the trained one.

    Args:
        checkpoint: best.pt of `turret-ai train asr`, or a public Whisper (folder or hub name).

    Raises:
        InputError: the checkpoint is missing, or `out` can't be written.
        ModelError: it is of another kind, can't be converted, or hears differently afterwards.
    """
    path = Path(checkpoint)
    if path.suffix == ".pt" and loop.kind_of(path) == ctc_task.KIND:
        return export_ctc.run(path, out, quantization)
    return export_whisper.run(checkpoint, out, quantization)
