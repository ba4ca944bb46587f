# SPDX-License-Identifier: Apache-2.0
"""A Whisper in CTranslate2's format back to transformers, to be tuned.

The format of `model.bin` is that of CTranslate2's `model_spec.py` (binary version 6): a header,
then name, shape, type and data of each variable, then aliases. Linear layers are stored with
queries, keys and values joined.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import ModelError
from turret_ai.extras import require
from turret_ai.learn.asr.tokens import load as labels_of

_TYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
Arrays = dict[str, NDArray[Any]]


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<H", file.read(2))
    return file.read(length).rstrip(b"\0").decode()


def read_variables(path: Path) -> Arrays:
    """The variables of a model.bin by name, quantised ones as the floats that they stand for.

    Raises:
        ModelError: it is missing, cut, or no Whisper.
    """
    found: Arrays = {}
    try:
        with path.open("rb") as file:
            (_version,) = struct.unpack("<I", file.read(4))
            kind = _text(file)
            if kind != "WhisperSpec":
                raise ModelError(f"{path} holds a {kind or 'broken model'}, not a Whisper")
            _revision, count = struct.unpack("<II", file.read(8))
            for _ in range(count):
                name = _text(file)
                (rank,) = struct.unpack("<B", file.read(1))
                shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
                number, size = struct.unpack("<BI", file.read(5))
                data = np.frombuffer(file.read(size), dtype=_TYPES[number])
                found[name] = data.reshape(shape)
            (aliases,) = struct.unpack("<I", file.read(4))
            for _ in range(aliases):
                alias, name = _text(file), _text(file)
                found[alias] = found[name]
    except (OSError, struct.error, KeyError, ValueError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is no model.bin that can be read: {error!r}") from error
    return _dequantised(found)


def _dequantised(found: Arrays) -> Arrays:
    """With the weights that are stored as 8-bit integers, a scale for each row, as floats."""
    out: Arrays = {}
    for name, values in found.items():
        scale = found.get(f"{name}_scale")
        if scale is not None:
            rows = scale.astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
            out[name] = values.astype(np.float32) / rows
        elif not name.endswith("_scale"):
            out[name] = values
    return out


def _linear(out: Arrays, name: str, source: Arrays, theirs: str) -> None:
    out[f"{name}.weight"] = source[f"{theirs}/weight"]
    if f"{theirs}/bias" in source:
        out[f"{name}.bias"] = source[f"{theirs}/bias"]


def _norm(out: Arrays, name: str, source: Arrays, theirs: str) -> None:
    out[f"{name}.weight"] = source[f"{theirs}/gamma"]
    out[f"{name}.bias"] = source[f"{theirs}/beta"]


def _split(out: Arrays, names: list[str], source: Arrays, theirs: str) -> None:
    weights = np.split(source[f"{theirs}/weight"], len(names))
    biases = np.split(source[f"{theirs}/bias"], len(names))
    for name, weight, bias in zip(names, weights, biases, strict=True):
        out[f"{name}.weight"] = weight
        if not name.endswith("k_proj"):  # Whisper's keys have no bias
            out[f"{name}.bias"] = bias


def _layer(out: Arrays, name: str, source: Arrays, theirs: str) -> None:
    own, ours = f"{theirs}/self_attention", f"{name}.self_attn"
    _norm(out, f"{name}.self_attn_layer_norm", source, f"{own}/layer_norm")
    _split(out, [f"{ours}.{p}_proj" for p in "qkv"], source, f"{own}/linear_0")
    _linear(out, f"{ours}.out_proj", source, f"{own}/linear_1")
    across, ours = f"{theirs}/attention", f"{name}.encoder_attn"
    if f"{across}/linear_0/weight" in source:
        _norm(out, f"{name}.encoder_attn_layer_norm", source, f"{across}/layer_norm")
        _linear(out, f"{ours}.q_proj", source, f"{across}/linear_0")
        _split(out, [f"{ours}.{p}_proj" for p in "kv"], source, f"{across}/linear_1")
        _linear(out, f"{ours}.out_proj", source, f"{across}/linear_2")
    _norm(out, f"{name}.final_layer_norm", source, f"{theirs}/ffn/layer_norm")
    _linear(out, f"{name}.fc1", source, f"{theirs}/ffn/linear_0")
    _linear(out, f"{name}.fc2", source, f"{theirs}/ffn/linear_1")


def state_dict(source: Arrays) -> Arrays:
    """The names that transformers gives the variables, without its `proj_out`, which is tied."""
    out: Arrays = {}
    for part in ("encoder", "decoder"):
        prefix = f"model.{part}"
        out[f"{prefix}.embed_positions.weight"] = source[f"{part}/position_encodings/encodings"]
        _norm(out, f"{prefix}.layer_norm", source, f"{part}/layer_norm")
        number = 0
        while f"{part}/layer_{number}/ffn/linear_0/weight" in source:
            _layer(out, f"{prefix}.layers.{number}", source, f"{part}/layer_{number}")
            number += 1
    for convolution in ("conv1", "conv2"):
        _linear(out, f"model.encoder.{convolution}", source, f"encoder/{convolution}")
    out["model.decoder.embed_tokens.weight"] = source["decoder/embeddings/weight"]
    return out


def load(folder: Path) -> Any:
    """A folder's Whisper as transformers' WhisperForConditionalGeneration, float32.

    Raises:
        MissingExtraError: the extra `train` isn't installed.
        ModelError: the folder holds no such model.
    """
    transformers = require("transformers", extra="train")
    torch = require("torch", extra="train")
    variables = read_variables(folder / "model.bin")
    try:
        weights = state_dict(variables)
        heads = {p: int(variables[f"{p}/num_heads"].item()) for p in ("encoder", "decoder")}
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"{folder / 'model.bin'} is no Whisper that can be read: {error}"
        ) from error
    try:
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} has no config.json that can be read: {error}") from error
    tokens, width = weights["model.decoder.embed_tokens.weight"].shape
    layers = {
        part: len({n.split(".")[3] for n in weights if n.startswith(f"model.{part}.layers.")})
        for part in ("encoder", "decoder")
    }
    labels = labels_of(folder / "tokenizer.json")
    end = labels.end
    config = transformers.WhisperConfig(
        vocab_size=tokens,
        num_mel_bins=weights["model.encoder.conv1.weight"].shape[1],
        d_model=width,
        encoder_layers=layers["encoder"],
        decoder_layers=layers["decoder"],
        encoder_attention_heads=heads["encoder"],
        decoder_attention_heads=heads["decoder"],
        encoder_ffn_dim=weights["model.encoder.layers.0.fc1.weight"].shape[0],
        decoder_ffn_dim=weights["model.decoder.layers.0.fc1.weight"].shape[0],
        max_source_positions=weights["model.encoder.embed_positions.weight"].shape[0],
        max_target_positions=weights["model.decoder.embed_positions.weight"].shape[0],
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=labels.start,
        suppress_tokens=told.get("suppress_ids", []),
        begin_suppress_tokens=told.get("suppress_ids_begin", []),
        dropout=0.0,
    )
    model = transformers.WhisperForConditionalGeneration(config)
    tensors = {name: torch.tensor(array.astype(np.float32)) for name, array in weights.items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if unexpected or any(name != "proj_out.weight" for name in missing):
        raise ModelError(
            f"{folder}: weights don't fit: {list(missing)[:3]}, {list(unexpected)[:3]}"
        )
    model.tie_weights()
    model.generation_config.alignment_heads = told.get("alignment_heads", [])
    return model.eval()
