# SPDX-License-Identifier: Apache-2.0
"""Working models of a few nodes: a finder of bright blobs, a matcher of colours, public heads.

They compute what they say from the pixels, so that whole chains can be tested without weights.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

STRIDE = 4
HALF = 8.0
"""Half the side of every box that the blob finder makes, pixels of its input."""
COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


def _const(name: str, array: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(array, name)


def _save(folder: Path, file: str, graph: onnx.GraphProto) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / file))


def _describe(folder: Path, **about: object) -> Path:
    (folder / "model.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
    return folder


def blob_detector(folder: Path, **about: object) -> Path:
    """Layout `centres`: a peak where a colour channel is brightest, boxes of one size round it."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["b", 3, "h", "w"])
    outputs = [
        helper.make_tensor_value_info("peaks", TensorProto.FLOAT, ["b", 1, "h4", "w4"]),
        helper.make_tensor_value_info("sides", TensorProto.FLOAT, ["b", 4, "h4", "w4"]),
    ]
    nodes = [
        helper.make_node("ReduceMax", ["image"], ["bright"], axes=[1], keepdims=1),
        helper.make_node(
            "AveragePool", ["bright"], ["cells"], kernel_shape=[STRIDE] * 2, strides=[STRIDE] * 2
        ),
        helper.make_node(
            "AveragePool", ["cells"], ["soft"], kernel_shape=[3, 3], pads=[1] * 4,
            count_include_pad=1,
        ),
        helper.make_node(  # a second time, so that a flat blob has one peak
            "AveragePool", ["soft"], ["smooth"], kernel_shape=[3, 3], pads=[1] * 4,
            count_include_pad=1,
        ),
        helper.make_node(
            "MaxPool", ["smooth"], ["top"], kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1]
        ),
        helper.make_node("Equal", ["smooth", "top"], ["is_peak"]),
        helper.make_node("Cast", ["is_peak"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["smooth", "mask"], ["peaks"]),
        helper.make_node("Mul", ["smooth", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "half"], ["sides"]),
    ]  # fmt: skip
    constants = [
        _const("zero", np.zeros((), np.float32)),
        _const("half", np.full((1, 4, 1, 1), HALF, np.float32)),
    ]
    _save(folder, "model.onnx", helper.make_graph(nodes, "blobs", [image], outputs, constants))
    default = {
        "kind": "detector",
        "layout": "centres",
        "stride": STRIDE,
        "outputs": ["peaks", "sides"],
        "confidence": 0.5,
        "input": {"resize": "corner", "pad_value": 0},
    }
    return _describe(folder, **{**default, **about})


def fixed_head(folder: Path, layout: str, outputs: list[np.ndarray], **about: object) -> Path:
    """A model of a fixed input that always answers the same, in a public layout."""
    entry = about.setdefault("input", {"width": 64, "height": 32})
    assert isinstance(entry, dict)
    image = helper.make_tensor_value_info(
        "images", TensorProto.FLOAT, [1, 3, entry["height"], entry["width"]]
    )
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["none"]),
    ]
    constants = [_const("zero", np.zeros((), np.float32))]
    infos = []
    for i, output in enumerate(outputs):
        constants.append(_const(f"c{i}", output.astype(np.float32)))
        nodes.append(helper.make_node("Add", ["none", f"c{i}"], [f"out{i}"]))
        infos.append(helper.make_tensor_value_info(f"out{i}", TensorProto.FLOAT, output.shape))
    _save(folder, "model.onnx", helper.make_graph(nodes, layout, [image], infos, constants))
    return _describe(folder, kind="detector", layout=layout, **about)


def colour_matcher(folder: Path, size: int = 16, **about: object) -> Path:
    """A dual encoder of mean colours: a picture's vector is its mean RGB, a text's its words'."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, size, size])
    vector = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3])
    nodes = [helper.make_node("ReduceMean", ["image"], ["embedding"], axes=[2, 3], keepdims=0)]
    _save(folder, "image.onnx", helper.make_graph(nodes, "image", [image], [vector]))
    table = np.array([(0, 0, 0), (0.01, 0.01, 0.01), *COLOURS.values()], np.float32)
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", 8])
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"]),
        helper.make_node("ReduceMean", ["words"], ["embedding"], axes=[1], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "text", [ids], [vector], [_const("table", table)])
    _save(folder, "text.onnx", graph)
    words = {"[PAD]": 0, "[UNK]": 1, **{name: i for i, name in enumerate(COLOURS, 2)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    default = {
        "kind": "matcher", "size": size, "tokens": 8, "crop": {"fit": "square"},
        "scale": 30.0, "bias": -31.0,
    }  # fmt: skip
    return _describe(folder, **{**default, **about})


def doubling_upscaler(folder: Path) -> Path:
    """Every pixel becomes four."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["b", 3, "h", "w"])
    large = helper.make_tensor_value_info("large", TensorProto.FLOAT, ["b", 3, "h2", "w2"])
    nodes = [
        helper.make_node(
            "Resize", ["image", "", "scales"], ["large"], mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )
    ]  # fmt: skip
    scales = [_const("scales", np.array([1, 1, 2, 2], np.float32))]
    _save(folder, "model.onnx", helper.make_graph(nodes, "double", [image], [large], scales))
    return _describe(folder, kind="upscaler", factor=2)


def scene(width: int, height: int, spots: dict[str, tuple[int, int]], side: int = 14) -> np.ndarray:
    """A dark picture with squares of named colours centred at (x, y)."""
    image = np.full((height, width, 3), 20, np.uint8)
    half = side // 2
    for name, (x, y) in spots.items():
        image[y - half : y + half, x - half : x + half] = np.array(COLOURS[name]) * 240 + 10
    return image
