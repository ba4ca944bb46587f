# SPDX-License-Identifier: Apache-2.0
"""The dual encoder on an ImageNet backbone to ONNX, with its heads."""

from __future__ import annotations

from pathlib import Path

import torch

from turret_ai.learn import loop
from turret_ai.learn.vision import export
from turret_ai.learn.vision.matcher_lite import ExportedImage, LiteMatcher, LiteShape
from turret_ai.see.cropping import CropShape
from turret_ai.see.description import Heads, MatcherDescription


def matcher(checkpoint: Path, out: Path, name: str = "") -> float:
    """Image and text apart; returns the worse parity.

    Raises:
        ModelError, InputError: the checkpoint can't be used, or the result can't be written.
    """
    content = loop.load(checkpoint, "matcher/lite")
    config = content["config"]
    shape: LiteShape = export.shape_of(content, LiteShape, checkpoint)
    model = LiteMatcher(shape, len(config["types"]), len(config["colours"]))
    loop.load_weights(model, export.weights(content), checkpoint)
    side = shape.image_size
    crops = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    names = list(ExportedImage.outputs)
    image_parity = export.to_onnx(
        ExportedImage(model).eval(),
        [crops],
        out / "image.onnx",
        ["image"],
        names,
        {key: {0: "batch"} for key in ("image", *names)},
    )
    text_parity = export.text_encoder(model.text, shape.tokens, checkpoint, out)
    about = MatcherDescription(
        name=name or out.name,
        licence="Apache-2.0",
        size=side,
        crop=CropShape.model_validate(config["crop"]),
        tokens=shape.tokens,
        scale=float(model.log_scale.detach().exp()),
        bias=float(model.bias.detach()),
        heads=Heads(types=config["types"], colours=config["colours"], craft=True),
    )
    export.describe(out, about)
    return max(image_parity, text_parity)
