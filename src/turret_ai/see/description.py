# SPDX-License-Identifier: Apache-2.0
"""What a model's folder says about it: `model.yaml` beside the ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from turret_ai import documents, share
from turret_ai.errors import InputError, ModelError
from turret_ai.see.cropping import CropShape
from turret_ai.settings import Settings

DETECTION = 0.3
"""Weight of the detector's score against the cosine, for models whose score nobody fitted."""
Triple = Annotated[list[float], Field(min_length=3, max_length=3)]


class _Description(Settings):
    name: str = ""
    licence: str = ""


class InputDescription(Settings):
    """How a picture becomes a detector's input."""

    width: int = Field(0, ge=0, description="pixels; 0: free, a multiple of `multiple`")
    height: int = Field(0, ge=0)
    multiple: int = Field(32, ge=1)
    longest: int = Field(1536, ge=32, description="longest side where the size is free")
    resize: Literal["letterbox", "corner", "stretch"] = Field(
        "letterbox", description="corner: padding on the right and below only"
    )
    pad_value: int = Field(114, ge=0, le=255)
    bgr: bool = False
    scale: float = Field(255.0, gt=0, description="pixels are divided by it")
    mean: Triple = Field([0.0, 0.0, 0.0])
    std: Triple = Field([1.0, 1.0, 1.0])


class BoxShape(Settings):
    """What a detector's boxes lack to be as wide and as high as true ones; their middles stay."""

    width: float = Field(1.0, gt=0, le=2, description="factor")
    rise: float = Field(
        0.0, ge=0, le=1, description="of what a box is wider than high, this share more height"
    )


class DetectorDescription(_Description):
    """A detector. `labels` names its classes; with one class names don't matter."""

    kind: Literal["detector"] = "detector"
    file: str = "model.onnx"
    layout: Literal["yolov6", "yolov8", "detr", "detr_boxes", "centres"]
    input: InputDescription = InputDescription()
    outputs: list[str] = Field([], description="the outputs to decode, in order; empty: all")
    stride: int = Field(4, ge=1, description="of the maps of the layout `centres`")
    labels: list[str] = Field(["craft"])
    keep: list[int] = Field([], description="classes to keep; empty: all")
    confidence: float = Field(0.25, ge=0, le=1, description="least score unless set otherwise")
    shape: BoxShape = Field(BoxShape(), description="found on held-out pictures")


class Calibration(Settings):
    """When no box is what is described, or several might be; found on held-out pictures."""

    not_found_below: float = Field(0.0, ge=0, le=1, description="probability")
    ambiguous_margin: float = Field(0.0, ge=0, description="lead in log-odds")


class Heads(Settings):
    """What image.onnx gives beside `embedding`, by the names of its outputs."""

    types: list[str] = Field([], description="names; `types`: their log-probabilities (n, t)")
    colours: list[str] = Field([], description="names; `colours`: the log-odds of each (n, c)")
    craft: bool = Field(False, description="`craft`: log-odds that it is one at all (n, 1)")


class Terms(Settings):
    """Weights of the evidence in a score, which is the log-odds that a box is what is described."""

    cosine: float = 1.0
    detection: float = Field(0.0, description="of the detector's score of the box")
    craft: float = Field(0.0, description="of the log-probability that it is a craft")
    types: float = Field(0.0, description="of the log-probability of the caption's type")
    colours: float = Field(0.0, description="of that of the caption's colours")
    bias: float = 0.0


class MatcherDescription(_Description):
    """A dual encoder of pictures and texts with unit vectors as outputs, or raw ones."""

    kind: Literal["matcher"] = "matcher"
    image: str = "image.onnx"
    text: str = "text.onnx"
    tokenizer: str = "tokenizer.json"
    size: int = Field(ge=16, le=1024, description="side of the image encoder's input, pixels")
    crop: CropShape = CropShape()
    bgr: bool = False
    mean: Triple = Field([0.0, 0.0, 0.0])
    std: Triple = Field([1.0, 1.0, 1.0])
    tokens: int = Field(64, ge=4, le=512)
    pad_id: int = Field(0, ge=0)
    clean: bool = Field(False, description="lower case and no punctuation, as SigLIP's texts")
    templates: list[str] = Field(["{caption}"], min_length=1)
    scale: float = Field(1.0, description="of the logit: sigmoid(scale * cosine + bias)")
    bias: float = 0.0
    heads: Heads = Heads()
    weight: float = Field(1.0, ge=0, description="of its log-odds where several matchers are asked")
    score: Terms | None = Field(None, description="fitted; null: scale, bias and DETECTION's share")
    score_unnamed: Terms | None = Field(
        None, description="fitted for captions that name none of the types; null: as `score`"
    )
    calibration: Calibration = Calibration()

    def terms(self, named: bool) -> Terms:
        """The weights for captions that name a type of the heads, or for others."""
        fitted = self.score if named else self.score_unnamed or self.score
        plain = Terms(cosine=self.scale, detection=DETECTION * self.scale, bias=self.bias)
        return fitted or plain


class UpscalerDescription(_Description):
    """An enlarging model: RGB in [0, 1], (B, 3, H, W), to (B, 3, factor H, factor W)."""

    kind: Literal["upscaler"] = "upscaler"
    file: str = "model.onnx"
    factor: int = Field(4, ge=1, le=8)


D = TypeVar("D", DetectorDescription, MatcherDescription, UpscalerDescription)


def read(name: str, model: type[D]) -> tuple[Path, D]:
    """The folder of a model and what it says.

    Args:
        name: a folder with a model.yaml, such a file, or the name of a shipped model.

    Raises:
        ModelError: no such model, a broken description, one of another kind, or a missing file.
    """
    try:
        path = share.resolve(name, "models")
    except InputError as error:
        raise ModelError(str(error)) from error
    file = path / "model.yaml" if path.is_dir() else path
    if file.suffix not in (".yaml", ".yml") or not file.is_file():
        raise ModelError(f"{path} has no model.yaml that describes the model")
    tree = documents.read_yaml(file, error=ModelError)
    wanted = model.model_fields["kind"].default
    kind = tree.get("kind") if isinstance(tree, dict) else None
    if kind != wanted:
        raise ModelError(f"{file} describes a model of kind {kind!r}; a {wanted} is needed")
    try:
        found = model.model_validate(tree)
    except ValidationError as error:
        parts = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ModelError(f"{file}: {'; '.join(parts)}") from error
    for field in ("file", "image", "text", "tokenizer"):
        part = getattr(found, field, None)
        if part is not None and not (file.parent / part).is_file():
            raise ModelError(f"{file} names {part}, which is not beside it")
    return file.parent, found
