# SPDX-License-Identifier: Apache-2.0
"""The shipped Whisper beside the same weights in transformers (and openai-whisper, if installed)"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from bench.common import Row, Skip, race

CLIP = "scenes/audio/woods_3.ogg"
MODEL = "models/asr_whisper_tiny"


def _theirs(folder: Any, features: Any) -> Any:
    """The same weights in transformers, greedy, on the same frames."""
    import torch

    from turret_ai.learn.asr import from_ctranslate2, tokens
    from turret_ai.learn.asr.config import Loss
    from turret_ai.learn.asr.model import AsrModel

    torch.set_num_threads(1)
    model = AsrModel(from_ctranslate2.load(folder), Loss(ctc=0.0)).eval()
    labels = tokens.load(folder / "tokenizer.json")
    given = torch.from_numpy(features)
    return lambda: model.greedy(given, labels)


def _openai(samples: Any) -> Any:
    """openai-whisper's tiny.en, where it and its weights are on this machine; else None."""
    weights = Path("~/.cache/whisper/tiny.en.pt").expanduser()
    if importlib.util.find_spec("whisper") is None or not weights.is_file():
        return None
    model = importlib.import_module("whisper").load_model(str(weights))
    return lambda: model.transcribe(samples, language="en", fp16=False, beam_size=None)


def run(quick: bool) -> list[Row]:
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise Skip(f"the baseline needs the extra `train`: {error}") from error
    import numpy as np
    from faster_whisper.feature_extractor import FeatureExtractor

    from turret_ai import share
    from turret_ai.hear import files, recogniser
    from turret_ai.hear.settings import RecogniserSettings

    folder = share.path(MODEL)
    samples = files.read(share.path(CLIP))
    ears = recogniser.load(RecogniserSettings(engine="whisper", threads=1, beam_size=1))
    features = np.asarray(FeatureExtractor()(samples), dtype=np.float32)[None]
    features = features[:, :, : features.shape[2] // 2 * 2]
    runs = 3 if quick else 15
    seconds = len(samples) / 16000
    ours, theirs = race(lambda: ears.read(samples), _theirs(folder, features), runs=runs)
    what = f"a command of {seconds:.1f} s to text, one thread, greedy"
    rows = [
        Row(
            what,
            ours.milliseconds,
            "ms",
            "transformers, float32, same weights",
            theirs.milliseconds,
            note=f"int8; {ours.note}",
        )
    ]
    other = _openai(samples)
    if other is not None:
        ours, theirs = race(lambda: ears.read(samples), other, runs=runs)
        rows.append(
            Row(what, ours.milliseconds, "ms", "openai-whisper tiny.en", theirs.milliseconds)
        )
    return rows
