# SPDX-License-Identifier: Apache-2.0
"""The confidence of a recogniser, fitted on labelled clips that training never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from turret_ai import documents
from turret_ai.errors import InputError, ModelError
from turret_ai.hear import command_words, files, recogniser
from turret_ai.hear.model_card import Calibration
from turret_ai.hear.recogniser import WindowedRecogniser
from turret_ai.hear.settings import RecogniserSettings
from turret_ai.learn.asr.features import read_manifest
from turret_ai.normalise import plain

_CAP = 5.0
_SHRINK = 0.0005
"""Ridge penalty: keeps the weights finite where right and wrong can be told apart perfectly."""


def logistic(inputs: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (bias first) of a ridge-penalised logistic regression.

    Args:
        inputs: shape (n, k).
        right: shape (n,), 0 or 1.
    """
    design = np.column_stack([np.ones(len(inputs)), inputs])

    def loss(weights: NDArray[np.float64]) -> float:
        z = design @ weights
        penalty = _SHRINK * float(np.sum(weights[1:] ** 2))
        return float(np.mean(np.logaddexp(0.0, z) - right * z)) + penalty

    return np.asarray(minimize(loss, np.zeros(design.shape[1]), method="L-BFGS-B").x)


def fit(model: Path, clips: Path) -> Calibration:
    """Fit, write into the model's model.yaml and return the calibration.

    Clips of commands, and of talk that is none, which should come out as doubtful.

    Raises:
        InputError: no clip was heard, or model.yaml can't be written.
        ModelError: the model can't be loaded.
    """
    ears = recogniser.load(RecogniserSettings(model=str(model), second="", alternatives=2))
    if not isinstance(ears, WindowedRecogniser):
        raise ModelError(f"{model} is no model whose confidence can be fitted")
    inputs, right = [], []
    for clip in track(read_manifest(clips), description="calibrating"):
        decoded = ears.decode(files.read(clip.path))
        if not decoded.texts:
            continue
        texts = decoded.texts
        foreign = command_words.foreign_share(texts[0].text)
        inputs.append([decoded.mean_log_prob, min(max(decoded.margin, 0.0), _CAP), foreign])
        # Talk that was heard word for word is still no command.
        talk = clip.entry.get("kind") == "talk"
        right.append(float(not talk and plain(texts[0].text) == clip.text))
    if not inputs:
        raise InputError(f"nothing was heard in the clips of {clips}")
    bias, log_prob, margin_weight, foreign_weight = logistic(np.array(inputs), np.array(right))
    found = Calibration(
        bias=round(float(bias), 4),
        log_prob=round(float(log_prob), 4),
        margin=round(float(margin_weight), 4),
        margin_cap=_CAP,
        foreign=round(float(foreign_weight), 4),
    )
    path = model / "model.yaml"
    try:
        card = documents.read_yaml(path) or {}
        card["calibration"] = found.model_dump()
        path.write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} can't be written: {error}") from error
    return found
