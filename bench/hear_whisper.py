# SPDX-License-Identifier: Apache-2.0
"""A small Whisper in CTranslate2 beside the same weights in PyTorch"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.common import Row, Skip, race

SECONDS = 6.0
TOKENS = 30
TEXT = "heading is three two zero target is red drone tool to deploy is machine gun over"


def _both(folder: Path) -> tuple[Any, Any, Any]:
    """Untrained weights of the embedded model's size: time does not depend on their values."""
    import torch

    from turret_ai.learn import config as configs
    from turret_ai.learn import loop
    from turret_ai.learn.asr import export, tokens
    from turret_ai.learn.asr.config import AsrConfig
    from turret_ai.learn.asr.model import AsrModel, build_whisper

    config = configs.load("asr_whisper", ["loss.phones=0"], AsrConfig)
    made = tokens.train([TEXT], config.architecture.vocabulary, config.frontend.chunk_length)
    made.save(str(folder / "tokenizer.json"))
    labels = tokens.load(folder / "tokenizer.json")
    torch.manual_seed(0)
    model = AsrModel(build_whisper(config, labels), config.loss).eval()
    checkpoint = folder / "best.pt"
    loop.save(
        checkpoint,
        {"kind": "asr", "model": model.state_dict(), "config": config.model_dump(mode="json")},
    )
    export.run(str(checkpoint), folder / "model")
    return model, labels, config


def run(quick: bool) -> list[Row]:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise Skip(f"the baseline needs the extra `train`: {error}") from error
    import ctranslate2
    import numpy as np

    with tempfile.TemporaryDirectory() as name:
        model, labels, config = _both(Path(name))
        runtime = ctranslate2.models.Whisper(
            str(Path(name) / "model"), device="cpu", compute_type="int8", intra_threads=1
        )
        torch.set_num_threads(1)
        frames = int(SECONDS * 16000 / config.frontend.hop_length)
        features = np.random.default_rng(0).standard_normal((1, 80, frames)).astype(np.float32)

        def ours() -> object:
            return runtime.generate(
                ctranslate2.StorageView.from_array(features),
                [labels.prompt],
                beam_size=1,
                max_length=TOKENS,
                suppress_tokens=[labels.end],
            )

        def theirs() -> object:
            return model.greedy(torch.from_numpy(features), labels, TOKENS - len(labels.prompt))

        fast, slow = race(ours, theirs, runs=5 if quick else 30)
    return [
        Row(
            f"{SECONDS:.0f} s of speech to {TOKENS} tokens, one thread, greedy",
            fast.milliseconds,
            "ms",
            "transformers, float32, same weights",
            slow.milliseconds,
            note=f"int8; {fast.note}",
        )
    ]
