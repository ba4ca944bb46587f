# SPDX-License-Identifier: Apache-2.0
"""Training that goes on from an exported model: its ONNX files back into the trainable network.

An export folds each normalisation into the convolution before it, and int8 rounds the weights. Both
are undone as far as they can be: weights are multiplied by their scales, and `settle` gives every
folded normalisation the statistics of its input on real batches, with the gain and shift that leave
the function as it was. What the network has and the file lacks keeps its initial weights; channels
that it has more of, where the caller allows for them, begin with random inputs that nothing listens
to yet, so that the function is the same at first (as in Chen et al., "Net2Net", 2015, but without
copies of channels).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from turret_ai.errors import ModelError
from turret_ai.extras import require

INIT = "our own: what to start from: an exported model (name or folder) or a checkpoint (.pt)"
"""Description of the setting `init`."""
Weights = NDArray[np.float32]


def restore(
    model: nn.Module,
    file: Path,
    root: str = "",
    widen: bool = False,
    norms: Mapping[str, str] | None = None,
) -> list[nn.BatchNorm2d]:
    """Put the weights of an exported network into a trainable one.

    Args:
        root: name of the network's module in the export, where it was wrapped.
        widen: the trainable one may have more channels. Only where no layer reads several others'
            channels one after the other: their places would shift.
        norms: by the name of a convolution that of its normalisation beside it; others follow their
            convolutions in a sequence.

    Returns:
        the normalisations that had been folded away: identities now, for `settle`.

    Raises:
        ModelError: not an ONNX file, or of a network of another size.
    """
    onnx = require("onnx", extra="train")
    try:
        graph = onnx.load(str(file)).graph
    except Exception as error:  # protobuf's and onnx's own errors have no common base
        raise ModelError(f"{file} is not an ONNX model: {error}") from error
    values = _values(graph, onnx.numpy_helper.to_array)
    modules, parameters = dict(model.named_modules()), dict(model.named_parameters())
    folded: list[nn.BatchNorm2d] = []
    used = 0
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm", "MatMul", "MatMulInteger"):
            continue
        path = _existing(module_path(node.name, root), modules)
        module = modules.get(path)
        found = [values[name] for name in node.input[1:] if name in values]
        if not isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)) or not found:
            continue
        weight = found[0].T if node.op_type.startswith("MatMul") else found[0]
        _put(module.weight, weight, f"{path}.weight", file, widen)
        used += 1
        if len(found) < 2 or node.op_type.startswith("MatMul"):
            continue  # the bias of a MatMul is a parameter with a name of its own
        if module.bias is not None:
            _put(module.bias, found[1], f"{path}.bias", file, widen)
            continue
        norm = modules.get(after(path, norms or {}))
        if not isinstance(norm, nn.BatchNorm2d):
            raise ModelError(f"{file}: {path} has a bias that the trainable network has no use for")
        with torch.no_grad():
            norm.weight.fill_(1.0)
            norm.running_mean.zero_()  # type: ignore[union-attr]
            norm.running_var.fill_(1.0 - norm.eps)  # type: ignore[union-attr]
        _put(norm.bias, found[1], f"{path}.bias", file, widen)
        folded.append(norm)
    for name, tensor in [*parameters.items(), *model.named_buffers()]:
        value = values.get(f"{root}.{name}" if root else name)
        if value is not None:
            _put(tensor, value, name, file, widen)
            used += 1
    if not used:
        raise ModelError(f"{file} is not an export of this network: no layer has a known name")
    return folded


def transplant(
    model: nn.Module, weights: Mapping[str, Tensor], file: Path, widen: bool = False
) -> None:
    """Put a checkpoint's weights into a network that may be deeper, or wider as `restore` has it.

    Raises:
        ModelError: they are of another network, or of a larger one.
    """
    own = model.state_dict()
    if unknown := [name for name in weights if name not in own]:
        raise ModelError(f"{file} is of a larger or another model: {unknown[0]} is not in this one")
    for name, value in weights.items():
        _put(own[name], value.cpu().numpy(), name, file, widen)


def settle(
    model: nn.Module, folded: Iterable[nn.BatchNorm2d], run: Callable[[], object]
) -> nn.Module:
    """Give folded normalisations the statistics of what they see while `run` calls the network."""
    sums: dict[nn.Module, list[Any]] = {}

    def see(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].detach().double()
        kept = sums.setdefault(norm, [0, 0.0, 0.0])
        kept[0] += x.numel() // x.shape[1]
        kept[1] = kept[1] + x.sum((0, 2, 3))
        kept[2] = kept[2] + x.square().sum((0, 2, 3))

    norms = list(folded)
    hooks = [norm.register_forward_pre_hook(see) for norm in norms]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            run()
            for norm in norms:
                count, total, squares = sums[norm]
                mean = total / count
                spread = (squares / count - mean.square()).clamp(min=0)
                norm.running_mean.copy_(mean)  # type: ignore[union-attr]
                norm.running_var.copy_(spread)  # type: ignore[union-attr]
                norm.weight.copy_((spread + norm.eps).sqrt())
                norm.bias.add_(mean)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    return model


def module_path(node: str, root: str = "") -> str:
    """The module that an exported node comes from.

    "/stages.0/stages.0.1/first/first.0/Conv" is stages.0.1.first.0: inside a sequence, names repeat
    that of the sequence.
    """
    parts: list[str] = []
    for name in node.strip("/").split("/")[:-1]:
        if parts and name.startswith(parts[-1] + "."):
            parts[-1] = name
        else:
            parts.append(name)
    if root and parts[:1] == [root]:
        parts = parts[1:]
    return ".".join(parts)


def _existing(path: str, modules: Mapping[str, nn.Module]) -> str:
    """The path, or that of the only module whose path ends so, or at least with its last name: a
    layer that another module calls is named after the caller."""
    if path in modules:
        return path
    for end in (path, path.rpartition(".")[2]):
        alike = [name for name in modules if name.endswith(f".{end}")]
        if len(alike) == 1:
            return alike[0]
    return path


def after(path: str, norms: Mapping[str, str] | None = None) -> str:
    """The module after one of a sequence, stem.0 to stem.1, or the one that `norms` names; "" if
    neither."""
    before, _, number = path.rpartition(".")
    if norms and number in norms:
        return f"{before}.{norms[number]}".lstrip(".")
    return f"{before}.{int(number) + 1}" if number.isdigit() else ""


def _values(graph: Any, to_array: Callable[[Any], np.ndarray]) -> dict[str, Weights]:
    """Every constant by name, and what int8 constants stand for: (q - zero) scale.

    In the QDQ format (ONNX's DequantizeLinear) many scales belong to the first axis; in matrices
    quantised for MatMulInteger (by ONNX Runtime's names of the constants), to the last one.
    """
    values = {i.name: to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in values:  # equal constants are kept once
            values[node.output[0]] = values[node.input[0]]
        halved = values.get(node.input[0]) if node.op_type == "Cast" else None
        if halved is not None and halved.dtype == np.float16:  # by vision.halve
            values[node.output[0]] = halved.astype(np.float32)
        if node.op_type == "DequantizeLinear" and all(n in values for n in node.input):
            whole, scale, *zero = (values[n].astype(np.float32) for n in node.input)
            shape = (-1, *[1] * (whole.ndim - 1)) if scale.ndim else ()
            shift = zero[0].reshape(shape) if zero else 0.0
            values[node.output[0]] = (whole - shift) * scale.reshape(shape)
    for name in [name for name in values if name.endswith("_quantized")]:
        root = name.removesuffix("_quantized")
        parts = (values.get(name), values.get(f"{root}_scale"), values.get(f"{root}_zero_point"))
        # Of more axes than a matrix: the weights of a convolution, which the loop above has read.
        if all(part is not None for part in parts) and values[name].ndim == 2:
            whole, scale, shift = (part.astype(np.float32) for part in parts if part is not None)
            values[name] = (whole - shift) * scale
    return values


def _put(tensor: Tensor, value: Weights, name: str, file: Path, widen: bool) -> None:
    new, old = tuple(tensor.shape), value.shape
    narrower = len(new) == len(old) and all(o <= n for o, n in zip(old, new, strict=True))
    # Channels are the first two axes: kernels of another size are another network.
    if new != old and not (widen and narrower and new[2:] == old[2:]):
        raise ModelError(f"{file} is of a model of another size: {name} is {old} there, {new} here")
    with torch.no_grad():
        if len(new) > 1:
            tensor[: old[0]] = 0.0
        tensor[tuple(slice(size) for size in old)] = torch.from_numpy(np.array(value))
