# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of Whispers to CTranslate2, with a check that both hear the same."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import torch
import yaml

from turret_ai.errors import InputError, ModelError
from turret_ai.extras import require
from turret_ai.hear.model_card import Frontend
from turret_ai.learn import loop
from turret_ai.learn.asr import tokens
from turret_ai.learn.asr.config import AsrConfig
from turret_ai.learn.asr.model import AsrModel, build_whisper, tokenizer_of

TOLERANCE = {"float32": 1e-3, "float16": 1e-2, "int8_float16": 0.12, "int8": 0.12}
"""Difference of the encoders' outputs, root mean square, relative to that of the outputs. The
largest single one tells little: public Whispers have a few channels of enormous values."""


def _preprocessor(frontend: Frontend) -> dict[str, Any]:
    return {**frontend.model_dump(), "sampling_rate": 16000}


def _ours(checkpoint: Path, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Write a checkpoint of ours as transformers would; returns the model and model.yaml."""
    content = loop.load(checkpoint, "asr")
    config = AsrConfig.model_validate(content["config"])
    labels = tokens.load(checkpoint.parent / "tokenizer.json")
    weights = content["model"]
    heads = {"phones": weights.get("phones.weight")}
    count = int(heads["phones"].shape[0]) if heads["phones"] is not None else 0
    model = AsrModel(build_whisper(config, labels), config.loss, count)
    loop.load_weights(model, weights, checkpoint)
    whisper = model.whisper.eval()
    labels.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    transformers = require("transformers", extra="train")
    transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        unk_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
    ).save_pretrained(folder)
    labels.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)  # half as long as theirs
    (folder / "preprocessor_config.json").write_text(
        json.dumps(_preprocessor(config.frontend)), encoding="utf-8"
    )
    own = config.init is None
    card: dict[str, Any] = {"own": own, "any_length": not config.pad_to_window}
    if not own:
        card["primed"] = False  # no prompt was seen while tuning
    if config.data.level_dbfs is not None:
        card["level_dbfs"] = config.data.level_dbfs
    return whisper, card


def _public(name: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    transformers = require("transformers", extra="train")
    try:
        whisper = transformers.WhisperForConditionalGeneration.from_pretrained(name).eval()
        (folder / "tokenizer.json").write_bytes(tokenizer_of(name).read_bytes())
        transformers.AutoTokenizer.from_pretrained(name).save_pretrained(folder)
    except Exception as error:
        raise ModelError(f"{name!r} is not a Whisper of transformers: {error}") from error
    frontend = Frontend(feature_size=int(whisper.config.num_mel_bins))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(_preprocessor(frontend)), encoding="utf-8"
    )
    return whisper, {}


def parity(whisper: Any, converted: Path, frames: int, seed: int = 0) -> float:
    """Difference of the two encoders on noise: root mean square, relative to the outputs'."""
    bands = int(whisper.config.num_mel_bins)
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((1, bands, frames)).astype(np.float32) * 0.5
    runtime = ctranslate2.models.Whisper(str(converted), device="cpu", compute_type="default")
    theirs = np.array(runtime.encode(ctranslate2.StorageView.from_array(features), to_cpu=True))
    with torch.no_grad():
        from turret_ai.learn.asr.config import Loss

        ours = AsrModel(whisper, Loss(ctc=0.0)).encode(torch.from_numpy(features)).numpy()
    return float(np.sqrt(np.mean((ours - theirs) ** 2) / max(float(np.mean(ours**2)), 1e-18)))


def run(checkpoint: str, out: Path, quantization: str = "int8") -> float:
    """Convert; returns the parity (see `parity`).

    Raises:
        InputError: the checkpoint is missing, or `out` can't be written.
        ModelError: it is of another kind, can't be converted, or hears differently afterwards.
    """
    if quantization not in TOLERANCE:
        raise InputError(f"quantization {quantization!r}: one of {', '.join(TOLERANCE)}")
    converters = require("ctranslate2.converters", extra="train")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if checkpoint.endswith(".pt"):
            whisper, card = _ours(Path(checkpoint), folder)
        else:
            whisper, card = _public(checkpoint, folder)
        whisper.save_pretrained(folder)
        try:
            out.mkdir(parents=True, exist_ok=True)
            converters.TransformersConverter(
                str(folder), copy_files=["tokenizer.json", "preprocessor_config.json"]
            ).convert(str(out), quantization=quantization, force=True)
            (out / "model.yaml").write_text(yaml.safe_dump(card, sort_keys=False))
        except OSError as error:
            raise InputError(f"{out} can't be written: {error}") from error
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{checkpoint} can't be converted: {error}") from error
    frames = 2 * int(whisper.config.max_source_positions)
    difference = parity(whisper, out, frames)
    if not difference <= TOLERANCE[quantization]:
        raise ModelError(
            f"{out} differs from {checkpoint} by {difference:.3g} of the signal "
            f"({TOLERANCE[quantization]} is allowed)"
        )
    return difference
