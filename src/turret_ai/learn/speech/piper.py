# SPDX-License-Identifier: Apache-2.0
"""Piper's voices (VITS networks in ONNX), run here: one file of weights and one of settings each.

A voice draws noise of its own for rhythm and timbre: the same text never sounds quite the same.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from typing import Any

import numpy as np
import onnxruntime

from turret_ai.errors import InputError
from turret_ai.learn.speech import ipa, voice_files
from turret_ai.types import FloatArray

_PAD, _BEGIN, _END = "_", "^", "$"


@cache
def _voice(name: str) -> tuple[Any, dict[str, Any]]:
    path = voice_files.piper_voice(name)
    try:
        told = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise InputError(f"the voice {path} can't be loaded: {error}") from error
    return session, told


def speak(text: str, name: str, rate: float) -> tuple[FloatArray, int]:
    """Say a text.

    Args:
        name: of the ONNX file, without its suffix.
        rate: speed, of the voice's own.

    Returns:
        (mono float32, sample rate in Hz).

    Raises:
        InputError: no such voice, or it can't be loaded.
        MissingExtraError: espeakng-loader isn't installed.
    """
    session, told = _voice(name)
    table: dict[str, list[int]] = told["phoneme_id_map"]
    said = unicodedata.normalize("NFD", ipa.phonemes(text, told["espeak"]["voice"]))
    ids = [*table[_BEGIN], *table[_PAD]]
    for letter in said:
        if letter in table:
            ids += [*table[letter], *table[_PAD]]
    ids += table[_END]
    how = told["inference"]
    given = {
        "input": np.array([ids], dtype=np.int64),
        "input_lengths": np.array([len(ids)], dtype=np.int64),
        "scales": np.array(
            [how["noise_scale"], how["length_scale"] / rate, how["noise_w"]], dtype=np.float32
        ),
    }
    if int(told.get("num_speakers", 1)) > 1:
        given["sid"] = np.array([0], dtype=np.int64)
    samples = session.run(None, given)[0]
    return np.asarray(samples, dtype=np.float32).reshape(-1), int(told["audio"]["sample_rate"])
