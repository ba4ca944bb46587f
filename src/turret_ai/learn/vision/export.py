# SPDX-License-Identifier: Apache-2.0
"""Trained checkpoints and public ones to ONNX, with a parity check, in a folder of their own."""

from __future__ import annotations

import copy
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from pydantic import ValidationError
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor, nn

from turret_ai.errors import InputError, ModelError
from turret_ai.execution import ExecutionSettings, Session
from turret_ai.learn import loop
from turret_ai.learn.vision.detector_model import STRIDE, Detector, DetectorShape, Exported
from turret_ai.learn.vision.matcher_lite import ExportedImage, LiteMatcher, LiteShape
from turret_ai.learn.vision.matcher_model import Matcher, MatcherShape
from turret_ai.see.cropping import CropShape
from turret_ai.see.description import (
    DetectorDescription,
    Heads,
    InputDescription,
    MatcherDescription,
    UpscalerDescription,
)

OPSET = 17
TOLERANCE = 2e-3
"""Largest difference of an output, as a share of its largest value."""


def to_onnx(
    model: nn.Module,
    example: Sequence[Tensor],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    free: Mapping[str, Mapping[int, str]],
    as_set: bool = False,
) -> float:
    """Write an ONNX file; returns the largest relative difference to the trained model.

    Args:
        free: names of the dimensions that may vary, by input or output name.
        as_set: the rows of the outputs may come in another order, as equally good queries of a
            DETR do.

    Raises:
        ModelError: the exported model computes something else.
        InputError: the file can't be written.
    """
    model.eval()
    partial = path.with_suffix(".partial.onnx")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                tuple(example),
                str(partial),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={k: dict(v) for k, v in free.items()},
                opset_version=OPSET,
                dynamo=False,
            )
    except OSError as error:
        raise InputError(f"{path} can't be written: {error}") from error
    difference = parity(model, example, partial, as_set)
    if difference > TOLERANCE:
        partial.unlink()
        raise ModelError(f"the exported model differs from the trained one by {difference:.3g}")
    partial.replace(path)
    return difference


def parity(model: nn.Module, example: Sequence[Tensor], path: Path, as_set: bool = False) -> float:
    """The largest difference of any output over its largest value, for the given inputs."""
    with torch.no_grad():
        made = model(*example)
    wanted = [made] if isinstance(made, Tensor) else list(made)
    settings = ExecutionSettings(provider="cpu", threads=torch.get_num_threads())
    found = Session(path, settings)(*(e.numpy() for e in example))
    if as_set:
        wide = np.concatenate([w.detach().numpy() for w in wanted], axis=2)[0]
        other = np.concatenate(found, axis=2)[0]
        rows, columns = linear_sum_assignment(cdist(wide, other, "cityblock"))
        scale = np.maximum(np.abs(wide).max(axis=0), 1e-6)
        return float((np.abs(wide[rows] - other[columns]) / scale).max())
    worst = 0.0
    for want, got in zip(wanted, found, strict=True):
        reference = want.detach().numpy()
        if reference.shape != got.shape:
            raise ModelError(f"the exported model gives {got.shape}, not {reference.shape}")
        scale = max(1e-6, float(np.abs(reference).max()))
        worst = max(worst, float(np.abs(reference - got).max()) / scale)
    return worst


def describe(folder: Path, about: Any) -> None:
    """Write model.yaml."""
    text = yaml.safe_dump(about.model_dump(mode="json"), sort_keys=False)
    (folder / "model.yaml").write_text(text, encoding="utf-8")


def shape_of(content: Mapping[str, Any], model: Any, path: Path) -> Any:
    try:
        return model.model_validate(content["config"]["model"])
    except (KeyError, TypeError, ValidationError) as error:
        raise ModelError(f"{path} doesn't say what model it is of: {error}") from error


def weights(content: Mapping[str, Any]) -> Mapping[str, Tensor]:
    """The averaged weights of a last.pt, whose own are still noisy; the only ones of a best.pt."""
    weights: Mapping[str, Tensor] = content.get("average") or content["model"]
    return weights


def detector(
    checkpoint: Path,
    out: Path,
    confidence: float = 0.25,
    blend: str = "",
    share: float = 0.5,
) -> float:
    """Our small detector; returns the parity.

    Args:
        blend: an exported one that this one was tuned from, to take the mean with. share: of this
            one's weights in it.

    Raises:
        ModelError, InputError: the checkpoint can't be used, or the result can't be written.
    """
    content = loop.load(checkpoint, "detector/centernet")
    shape: DetectorShape = shape_of(content, DetectorShape, checkpoint)
    model = Detector(shape)
    loop.load_weights(model, weights(content), checkpoint)
    if blend:
        from turret_ai.learn.vision.blend import with_exported

        model = with_exported(model, shape, blend, share)
    image = torch.rand(1, 3, 128, 192, generator=torch.Generator().manual_seed(0))
    free = {0: "batch", 2: "height", 3: "width"}
    difference = to_onnx(
        Exported(model).eval(),
        [image],
        out / "model.onnx",
        ["image"],
        ["peaks", "sides"],
        {"image": free, "peaks": free, "sides": free},
    )
    about = DetectorDescription(
        name=out.name,
        licence="Apache-2.0",
        layout="centres",
        input=InputDescription(resize="corner"),
        outputs=["peaks", "sides"],
        stride=STRIDE,
        confidence=confidence,
    )
    describe(out, about)
    return difference


def matcher(checkpoint: Path, out: Path, blend: Path | None = None, share: float = 0.5) -> float:
    """A dual encoder of ours, image and text apart; returns the worse parity.

    Args:
        blend: the checkpoint that this one went on from, to take the mean with. share: of this
            one's weights in it.

    Raises:
        ModelError, InputError: the checkpoint can't be used, or the result can't be written.
    """
    kind = "matcher/lite" if loop.kind_of(checkpoint) == "matcher/lite" else "matcher/small"
    content = loop.load(checkpoint, kind)
    config = content["config"]
    model: Any
    if kind == "matcher/lite":
        shape = shape_of(content, LiteShape, checkpoint)
        model = LiteMatcher(shape, len(config["types"]), len(config["colours"]))
        image: nn.Module = ExportedImage(model)
        names = list(ExportedImage.outputs)
        heads = Heads(types=config["types"], colours=config["colours"], craft=True)
    else:
        shape = shape_of(content, MatcherShape, checkpoint)
        model = Matcher(shape, len(config["types"]), len(config["colours"]))
        image, names, heads = model.image, ["embedding"], Heads()
    loop.load_weights(model, weights(content), checkpoint)
    if blend is not None:
        from turret_ai.learn.vision.blend import mean

        start = copy.deepcopy(model)
        loop.load_weights(start, weights(loop.load(blend, kind)), blend)
        model.load_state_dict(mean(start.state_dict(), model.state_dict(), share))
    side = shape.image_size
    crops = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    free = {key: {0: "batch"} for key in ("image", *names)}
    image_parity = to_onnx(image.eval(), [crops], out / "image.onnx", ["image"], names, free)
    text_parity = text_encoder(model.text, shape.tokens, checkpoint, out)
    about = MatcherDescription(
        name=out.name,
        licence="Apache-2.0",
        size=side,
        crop=CropShape.model_validate(config["crop"]),
        tokens=shape.tokens,
        scale=float(model.log_scale.detach().exp()),
        bias=float(model.bias.detach()),
        heads=heads,
    )
    describe(out, about)
    return max(image_parity, text_parity)


def text_encoder(model: nn.Module, tokens: int, checkpoint: Path, out: Path) -> float:
    """The text side of a dual encoder with the run's tokenizer; returns the parity.

    Raises:
        ModelError, InputError: as `to_onnx`, or the run's tokenizer is missing.
    """
    ids = torch.zeros(2, tokens, dtype=torch.int64)
    random = torch.Generator().manual_seed(0)
    ids[:, :5] = torch.randint(1, 300, (2, 5), generator=random)
    difference = to_onnx(
        model.eval(),
        [ids],
        out / "text.onnx",
        ["ids"],
        ["embedding"],
        {"ids": {0: "batch"}, "embedding": {0: "batch"}},
    )
    tokenizer = checkpoint.parent / "tokenizer.json"
    if not tokenizer.is_file():
        raise InputError(f"the run's tokenizer.json is missing beside {checkpoint}")
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    return difference


def upscaler(checkpoint: Path, out: Path) -> float:
    """Our own upscaler, or a public Real-ESRGAN SRVGGNetCompact state dict (.pth, .safetensors).

    Raises:
        ModelError, InputError: the checkpoint can't be used, or the result can't be written.
    """
    from turret_ai.learn.vision.upscaler_model import from_state

    if not checkpoint.is_file():
        raise InputError(f"there is no checkpoint {checkpoint}")
    if checkpoint.suffix == ".safetensors":
        from safetensors.torch import load_file

        state: Any = load_file(str(checkpoint))
    else:
        try:
            state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ModelError(f"{checkpoint} can't be read safely: {error}") from error
    for key in ("params_ema", "params", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    model = from_state(state, str(checkpoint))
    image = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    free = {0: "batch", 2: "height", 3: "width"}
    difference = to_onnx(
        model, [image], out / "model.onnx", ["image"], ["large"], {"image": free, "large": free}
    )
    describe(out, UpscalerDescription(name=out.name, factor=model.factor))
    return difference
