# SPDX-License-Identifier: Apache-2.0
"""A detector whose boxes are too wide and too flat is found out, and put right."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import yaml

from turret_ai import share
from turret_ai.errors import InputError, ModelError
from turret_ai.execution import ExecutionSettings
from turret_ai.learn.vision import fit_boxes
from turret_ai.learn.vision.calibrate import Marked
from turret_ai.see.boxes import Boxes, iou
from turret_ai.see.detection import Detection
from turret_ai.see.settings import DetectionSettings

NOTHING = np.zeros((60, 80, 3), np.uint8)


def true_boxes(seed: int, count: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 500, (count, 2)), rng.uniform((30, 10), (120, 60), (count, 2))
    return np.hstack([corner, corner + size]).astype(np.float32)


def as_seen(true: np.ndarray) -> np.ndarray:
    """A tenth too wide, and flat things too flat: undone by a width of 0.9 and a rise of 0.1."""
    width, height = true[:, 2] - true[:, 0], true[:, 3] - true[:, 1]
    wide = width / 0.9
    flat = np.where(wide > height, (height - 0.1 * wide) / 0.9, height)
    middle = (true[:, :2] + true[:, 2:]) / 2
    half = np.stack([wide, np.maximum(flat, 2.0)], 1) / 2
    return np.hstack([middle - half, middle + half]).astype(np.float32)


def test_what_was_done_to_boxes_is_found() -> None:
    true = true_boxes(0, 300)
    found = fit_boxes.fit(as_seen(true), true)
    assert found.shape.width == pytest.approx(0.9, abs=0.021)
    assert found.shape.rise == pytest.approx(0.1, abs=0.021)
    assert found.after > 0.95 > found.before


def test_boxes_that_are_right_stay_as_they_are() -> None:
    true = true_boxes(1)
    found = fit_boxes.fit(true, true)
    assert (found.shape.width, found.shape.rise) == (1.0, 0.0)


def test_no_craft_found_is_said() -> None:
    with pytest.raises(InputError, match="no craft was found"):
        fit_boxes.fit(np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32))


def test_the_fitted_shape_is_written_and_obeyed(tmp_path) -> None:
    folder = tmp_path / "detector"
    shutil.copytree(share.path("models/detector_photos"), folder)
    true = true_boxes(2)
    pictures = [Marked(NOTHING, true[i : i + 3], ("", "", "")) for i in range(0, len(true), 3)]
    answers = iter([Boxes.of(as_seen(p.boxes)) for p in pictures])
    fitted = fit_boxes.detector(folder, pictures, lambda _: next(answers))
    about = yaml.safe_load((folder / "model.yaml").read_text())
    assert about["shape"] == fitted.shape.model_dump()

    see = Detection(DetectionSettings(models=[str(folder)]), ExecutionSettings())
    true = true_boxes(3)
    picture = np.zeros((870, 1520, 3), np.uint8)
    shaped = see.shaped(Boxes.of(as_seen(true)), picture).xyxy
    assert np.mean([iou(a[None], b[None])[0, 0] for a, b in zip(shaped, true, strict=True)]) > 0.95
    edge = see.shaped(Boxes.of([[1400, 800, 1520, 870], [0, 0, 90, 10]]), picture).xyxy
    assert edge.min() >= 0 and (edge[:, 2:] <= [1520, 870]).all()


def test_a_folder_that_is_none_is_said(tmp_path) -> None:
    with pytest.raises(ModelError):
        fit_boxes.detector(tmp_path / "nothing", [])
