# SPDX-License-Identifier: Apache-2.0
"""Heads for a dual encoder that is trained already: linear probes on its own features.

The features before the projection of an exported image encoder know more than its vectors tell:
whether there is a craft at all, its type and its colours. Logistic regressions on them become
further outputs of the same ONNX file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from turret_ai.errors import ModelError
from turret_ai.extras import require
from turret_ai.learn.vision import tapped
from turret_ai.types import FloatArray, ImageArray

UNKNOWN = -100
_STEPS, _RATE, _DECAY = 400, 0.02, 1e-3


@dataclass(frozen=True, slots=True)
class Labels:
    """Of n crops. types: (n,) int, UNKNOWN where there is none; colours: (n, c) 0, 1 or -1 where
    unknown; craft: (n,) 0 or 1."""

    types: np.ndarray
    colours: FloatArray
    craft: FloatArray


@dataclass(frozen=True, slots=True)
class Probe:
    """weight: (features, outputs); bias: (outputs,). Types first, then colours, then craft."""

    weight: FloatArray
    bias: FloatArray
    types: int
    colours: int


def hidden(graph: Any) -> tuple[str, int]:
    """Name and width of the features that the projection of an exported encoder reads.

    Raises:
        ModelError: the graph has no such layer.
    """
    sizes = {i.name: list(i.dims) for i in graph.initializer}
    for node in reversed(graph.node):
        weights = [sizes[n] for n in node.input[1:] if n in sizes and len(sizes[n]) == 2]
        if node.op_type == "Gemm" and weights:
            return str(node.input[0]), int(weights[0][1])
    raise ModelError("the image encoder doesn't end in a linear layer")


def features(file: Path, batches: Sequence[ImageArray]) -> FloatArray:
    """(n, f) of crops, batches of (b, S, S, 3) uint8, as the encoder sees them."""
    session, name = tapped.session(file, lambda graph: hidden(graph)[0])
    given = session.get_inputs()[0].name
    found = []
    for batch in batches:
        tensor = np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
        found.append(session.run([name], {given: tensor})[0])
    return np.concatenate(found).astype(np.float32)


def fit(found: FloatArray, labels: Labels, types: int) -> Probe:
    """Logistic regressions on features (n, f), of equal weight for each type."""
    mean, spread = found.mean(axis=0), found.std(axis=0) + 1e-3
    x = torch.from_numpy((found - mean) / spread)
    kinds, colours = torch.from_numpy(labels.types), torch.from_numpy(labels.colours)
    craft = torch.from_numpy(labels.craft)
    known = colours[:, 0] >= 0
    counts = torch.bincount(kinds[kinds >= 0], minlength=types).clamp(min=1)
    balance = counts.sum() / (types * counts.float())
    width = types + colours.shape[1] + 1
    weight = torch.zeros(x.shape[1], width, requires_grad=True)
    bias = torch.zeros(width, requires_grad=True)
    optimizer = torch.optim.AdamW([weight, bias], lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for _ in range(_STEPS):
        loss = _loss(x @ weight + bias, kinds, colours, craft, known, balance)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    plain = (weight.detach() / torch.from_numpy(spread)[:, None]).numpy()
    shift = bias.detach().numpy() - mean @ plain
    return Probe(plain.astype(np.float32), shift.astype(np.float32), types, colours.shape[1])


def _loss(
    out: Tensor, kinds: Tensor, colours: Tensor, craft: Tensor, known: Tensor, balance: Tensor
) -> Tensor:
    types = len(balance)
    kind = F.cross_entropy(out[:, :types], kinds, balance, ignore_index=UNKNOWN)
    colour = F.binary_cross_entropy_with_logits(out[known, types:-1], colours[known])
    there = F.binary_cross_entropy_with_logits(out[:, -1], craft)
    return kind + 3 * colour + there


def attach(file: Path, probe: Probe, out: Path) -> None:
    """Write the encoder with the outputs `types`, `colours` and `craft`.

    Raises:
        ModelError: it has heads already, or doesn't end in a linear layer.
    """
    onnx = require("onnx", extra="train")
    helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array
    model = onnx.load(str(file))
    graph = model.graph
    if len(graph.output) > 1:
        raise ModelError(f"{file} has heads already")
    name, _ = hidden(graph)
    parts = {
        "types": slice(0, probe.types),
        "colours": slice(probe.types, probe.types + probe.colours),
        "craft": slice(probe.types + probe.colours, None),
    }
    for part, columns in parts.items():
        weight = np.ascontiguousarray(probe.weight[:, columns])
        graph.initializer.extend(
            [to_tensor(weight, f"{part}_weight"), to_tensor(probe.bias[columns], f"{part}_bias")]
        )
        given = f"{part}_logits" if part == "types" else part
        graph.node.append(
            helper.make_node("Gemm", [name, f"{part}_weight", f"{part}_bias"], [given])
        )
        if part == "types":
            graph.node.append(helper.make_node("LogSoftmax", [given], [part], axis=-1))
        shape = ["batch", weight.shape[1]]
        graph.output.append(helper.make_tensor_value_info(part, onnx.TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    partial = out.with_suffix(".partial.onnx")
    onnx.save(model, str(partial))
    partial.replace(out)
