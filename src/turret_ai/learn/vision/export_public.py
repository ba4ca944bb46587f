# SPDX-License-Identifier: Apache-2.0
"""Public models of transformers to ONNX: SigLIP as two encoders, DETRs as one detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from turret_ai.errors import ModelError
from turret_ai.learn.vision import export, tune_detr, tune_siglip
from turret_ai.see.cropping import CropShape
from turret_ai.see.description import DetectorDescription, InputDescription, MatcherDescription


class _Images(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.vision_model

    def forward(self, image: Tensor) -> Tensor:
        vectors: Tensor = self.tower(pixel_values=image).pooler_output
        return vectors


class _Texts(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.text_model

    def forward(self, ids: Tensor) -> Tensor:
        vectors: Tensor = self.tower(input_ids=ids).pooler_output
        return vectors


class _Detr(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        result = self.model(pixel_values=image)
        return result.logits, result.pred_boxes


def _tuned(model: Any, checkpoint: Path, kind: str) -> None:
    """Put the weights of our own tuning into a model that was built from its folder's config."""
    from turret_ai.learn import loop

    loop.load_weights(model, loop.load(checkpoint, kind)["model"], checkpoint)


def siglip(name: str, out: Path, tuned: Path | None = None) -> float:
    """A SigLIP from a folder or the hub; returns the worse parity.

    Args:
        tuned: best.pt of `turret-ai train matcher` with kind: siglip.

    Raises:
        ModelError: it can't be loaded, its tokenizer has no fast form, or the parity fails.
    """
    model, tokenizer = tune_siglip.load_pretrained(name)
    if tuned is not None:
        _tuned(model, tuned, tune_siglip.SiglipTask.kind)
    model.eval()
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"the tokenizer of {name} has no tokenizer.json form")
    size = int(model.config.vision_config.image_size)
    length = min(tune_siglip.TOKENS, int(model.config.text_config.max_position_embeddings))
    random = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, size, size, generator=random) * 2 - 1
    ids = torch.randint(0, int(model.config.text_config.vocab_size), (2, length), generator=random)
    free = {0: "batch"}
    parities = [
        export.to_onnx(
            _Images(model), [image], out / "image.onnx", ["image"], ["embedding"],
            {"image": free, "embedding": free},
        ),
        export.to_onnx(
            _Texts(model), [ids], out / "text.onnx", ["ids"], ["embedding"],
            {"ids": free, "embedding": free},
        ),
    ]  # fmt: skip
    backend.save(str(out / "tokenizer.json"))
    pad = tokenizer.pad_token_id
    about = MatcherDescription(
        name=out.name,
        size=size,
        crop=CropShape(fit="stretch"),
        mean=[0.5, 0.5, 0.5],
        std=[0.5, 0.5, 0.5],
        tokens=length,
        pad_id=int(pad if pad is not None else 1),
        clean=True,
        templates=["This is a photo of {caption}."],
        scale=float(model.logit_scale.detach().exp()),
        bias=float(model.logit_bias.detach()),
    )
    export.describe(out, about)
    return max(parities)


def detr(
    name: str,
    out: Path,
    confidence: float = 0.25,
    width: int = 1536,
    height: int = 896,
    tuned: Path | None = None,
) -> float:
    """A D-FINE, RT-DETR, ... from a folder or the hub, for inputs of one size; returns the parity.

    Args:
        tuned: best.pt of `turret-ai train detector` with kind: detr.

    Raises:
        ModelError: it can't be loaded, or the parity fails.
    """
    model = tune_detr.load_pretrained(name, classes=1 if tuned is not None else None)
    if tuned is not None:
        _tuned(model, tuned, tune_detr.DetrTask.kind)
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    free = {0: "batch"}
    difference = export.to_onnx(
        _Detr(model).eval(), [image], out / "model.onnx", ["image"], ["logits", "boxes"],
        {"image": free, "logits": free, "boxes": free}, as_set=True,
    )  # fmt: skip
    labels = [str(v) for _, v in sorted(model.config.id2label.items())]
    about = DetectorDescription(
        name=out.name,
        layout="detr",
        input=InputDescription(width=width, height=height),
        outputs=["logits", "boxes"],
        labels=labels,
        confidence=confidence,
    )
    export.describe(out, about)
    return difference
