# SPDX-License-Identifier: Apache-2.0
"""Public detector layouts, decoded into pixels of the original picture."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models

from turret_ai.errors import ModelError
from turret_ai.execution import ExecutionSettings
from turret_ai.see.detector import Detector

CPU = ExecutionSettings(provider="cpu", threads=1)
COCO = 80
AEROPLANE = 4


def _yolo_rows(classes: int, objectness: bool) -> np.ndarray:
    """One aeroplane centred in the input (64 x 32), one weak other thing."""
    rows = np.zeros((1, 30, 4 + objectness + classes), np.float32)
    rows[0, 0, :4], rows[0, 1, :4] = (32, 16, 16, 8), (10, 10, 4, 4)
    if objectness:
        rows[0, :2, 4] = 1.0
    rows[0, 0, 4 + objectness + AEROPLANE] = 0.9
    rows[0, 1, 4 + objectness] = 0.3
    return rows


@pytest.mark.parametrize("layout", ["yolov6", "yolov8"])
def test_a_yolo_with_coco_classes_is_decoded(tmp_path, layout):
    rows = _yolo_rows(COCO, layout == "yolov6")
    output = rows if layout == "yolov6" else np.concatenate([rows] * 4, 1).transpose(0, 2, 1)
    labels = [f"class {i}" for i in range(COCO)]
    folder = tiny_models.fixed_head(tmp_path / "yolo", layout, [output], labels=labels)
    detector = Detector(str(folder), CPU)
    found = detector([np.zeros((64, 128, 3), np.uint8)], 0.25, 100)[0]
    assert found.xyxy[0] == pytest.approx([48, 24, 80, 40])
    assert found.labels[0] == AEROPLANE and detector.label(4) == "class 4"


def test_only_the_classes_that_are_kept_come_out(tmp_path):
    folder = tiny_models.fixed_head(
        tmp_path / "yolo", "yolov6", [_yolo_rows(COCO, True)], keep=[AEROPLANE]
    )
    found = Detector(str(folder), CPU)([np.zeros((32, 64, 3), np.uint8)], 0.1, 100)[0]
    assert found.labels.tolist() == [AEROPLANE]


def test_a_detr_is_decoded_whatever_the_order_of_its_outputs(tmp_path):
    logits = np.full((1, 5, 2), -8.0, np.float32)
    logits[0, 3, 0] = 3.0
    boxes = np.tile(np.array([0.5, 0.5, 0.25, 0.5], np.float32), (1, 5, 1))
    for name, outputs in (("a", [logits, boxes]), ("b", [boxes, logits])):
        folder = tiny_models.fixed_head(tmp_path / name, "detr", outputs)
        found = Detector(str(folder), CPU)([np.zeros((32, 64, 3), np.uint8)], 0.5, 10)[0]
        assert found.xyxy.tolist() == [[24, 8, 40, 24]]
        assert found.scores[0] == pytest.approx(0.9526, abs=1e-3)


def test_a_detr_with_its_own_post_processing_is_decoded(tmp_path):
    outputs = [
        np.array([[2.0, 0.0]]),
        np.array([[[0, 0, 32, 16], [1, 1, 2, 2]]]),
        np.array([[0.9, 0.1]]),
    ]
    folder = tiny_models.fixed_head(tmp_path / "d", "detr_boxes", outputs)
    found = Detector(str(folder), CPU)([np.zeros((64, 128, 3), np.uint8)], 0.5, 10)[0]
    assert found.xyxy.tolist() == [[0, 0, 64, 32]] and found.labels.tolist() == [2]


def test_a_head_of_another_layout_is_refused(tmp_path):
    folder = tiny_models.fixed_head(tmp_path / "x", "detr", [np.zeros((1, 5, 2))])
    with pytest.raises(ModelError, match="DETR"):
        Detector(str(folder), CPU)([np.zeros((32, 64, 3), np.uint8)], 0.5, 10)


def test_a_description_of_another_input_size_is_refused(tmp_path):
    folder = tiny_models.fixed_head(tmp_path / "x", "yolov6", [_yolo_rows(COCO, True)])
    about = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(about.replace("height: 32", "height: 64"))
    with pytest.raises(ModelError, match="64 x 64"):
        Detector(str(folder), CPU)


def test_an_unknown_key_in_a_description_is_named(tmp_path):
    folder = tiny_models.fixed_head(
        tmp_path / "x", "yolov6", [_yolo_rows(COCO, True)], treshold=0.5
    )
    with pytest.raises(ModelError, match="treshold"):
        Detector(str(folder), CPU)


@pytest.mark.parametrize("size", [(64, 96), (100, 333), (870, 1520)])
def test_the_blob_finder_finds_blobs_in_pictures_of_any_size(tiny, size):
    height, width = size
    place = (width // 2, height // 2)
    picture = tiny_models.scene(width, height, {"red": place})
    found = Detector(tiny["detector"], CPU)([picture], 0.5, 10)[0]
    assert len(found) >= 1
    assert found.as_box(0).centre == pytest.approx(place, abs=4)


def test_several_pictures_go_through_at_once(tiny):
    pictures = [tiny_models.scene(96, 64, {"red": (20 + 20 * i, 30)}) for i in range(3)]
    found = Detector(tiny["detector"], CPU)(pictures, 0.5, 10)
    assert [round(f.as_box(0).centre[0] / 10) for f in found] == [2, 4, 6]
