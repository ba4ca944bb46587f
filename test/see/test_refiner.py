"""The second look at candidates: places, scores, and where it is used."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.errors import ModelError
from turret_ai.see import refiner
from turret_ai.see.boxes import Boxes
from turret_ai.see.cropping import CropShape, widened
from turret_ai.see.detection import Detection
from turret_ai.see.refiner import Refiner
from turret_ai.see.settings import DetectionSettings, ExecutionSettings

CPU = ExecutionSettings(provider="cpu", threads=1)
MIDDLE = (0.25, 0.25, 0.75, 0.75)
"""Of a crop with a context of a half: the longer side of the candidate, squared."""
GREY = np.full((100, 200, 3), 90, np.uint8)


@given(
    st.lists(st.tuples(*[st.floats(-50, 500), st.floats(-50, 500)] * 2), min_size=1, max_size=5),
    st.floats(0, 1.5),
)
def test_shares_of_a_crop_are_places_in_the_picture(corners, context):
    boxes = np.float32([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners])
    frames = widened(boxes, CropShape(context=context, fit="square"))
    whole = np.tile(np.float32([0, 0, 1, 1]), (len(boxes), 1))
    np.testing.assert_allclose(refiner.placed(whole, frames), frames, atol=1e-3)
    middle = refiner.placed(np.full((len(boxes), 4), 0.5, np.float32), frames)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    np.testing.assert_allclose(middle, np.tile(centre, 2), atol=1e-2)


def test_boxes_and_scores_are_drawn_anew(tmp_path):
    look = Refiner(str(tiny_models.fixed_refiner(tmp_path / "r", MIDDLE, 0.25)), CPU)
    found = look(GREY, Boxes.of([[80, 40, 120, 50], [0, 0, 10, 30]], [0.64, 0.16]))
    np.testing.assert_allclose(found.xyxy, [[80, 25, 120, 65], [0, 0, 20, 30]], atol=1e-3)
    np.testing.assert_allclose(found.scores, [0.4, 0.2], atol=1e-6)
    assert len(look(GREY, Boxes.empty())) == 0


@pytest.mark.parametrize("sides", [(0.7, 0.2, 0.3, 0.8), (np.nan, 0.2, 0.8, 0.8), (0.5,) * 4])
def test_a_senseless_box_stays_where_the_detector_saw_it(tmp_path, sides):
    look = Refiner(str(tiny_models.fixed_refiner(tmp_path / "r", sides, 1.0)), CPU)
    found = look(GREY, Boxes.of([[80, 40, 120, 50]], [0.5]))
    assert found.xyxy.tolist() == [[80, 40, 120, 50]]


def test_a_senseless_quality_is_none(tmp_path):
    look = Refiner(str(tiny_models.fixed_refiner(tmp_path / "r", MIDDLE, float("nan"))), CPU)
    assert look(GREY, Boxes.of([[80, 40, 120, 50]], [0.5])).scores.tolist() == [0.0]


def test_a_model_that_tells_something_else_is_named(tmp_path):
    look = Refiner(str(tiny_models.fixed_refiner(tmp_path / "r", (0.1, 0.2, 0.3), 1.0)), CPU)
    with pytest.raises(ModelError, match="should tell boxes and qualities"):
        look(GREY, Boxes.of([[80, 40, 120, 50]]))
    with pytest.raises(ModelError, match="refiner is needed"):
        Refiner(str(tiny_models.blob_detector(tmp_path / "d")), CPU)
    with pytest.raises(ModelError, match="nowhere"):
        Refiner("nowhere", CPU)


def test_the_detector_names_its_refiner_and_the_setting_overrules(tmp_path):
    sure = tiny_models.fixed_refiner(tmp_path / "sure", MIDDLE, 0.81, confidence=0.6)
    doubts = tiny_models.fixed_refiner(tmp_path / "doubts", MIDDLE, 0.0, candidates=0.2)
    folder = tiny_models.blob_detector(tmp_path / "detector", refiner=str(sure))
    image = tiny_models.scene(96, 64, {"red": (24, 24), "blue": (70, 40)})

    def detect(**settings: object) -> Boxes:
        return Detection(DetectionSettings(models=[str(folder)], **settings), CPU)(image)

    plain, refined = detect(refiner="off"), detect()
    assert len(plain) == len(refined) == 2
    np.testing.assert_allclose(refined.scores, np.sqrt(plain.scores * 0.81), rtol=1e-5)
    assert len(detect(refiner=str(doubts))) == 0
    assert len(detect(confidence=0.99)) == 0


def test_candidates_that_become_one_box_are_one(tmp_path):
    folder = tiny_models.blob_detector(tmp_path / "detector")
    whole = tiny_models.fixed_refiner(
        tmp_path / "r", (-3, -3, 4, 4), 1.0, candidates=0.2, confidence=0.1
    )
    image = tiny_models.scene(96, 64, {"red": (24, 24), "blue": (70, 40)})
    settings = DetectionSettings(models=[str(folder)], refiner=str(whole))
    found = Detection(settings, CPU)(image)
    assert found.xyxy.tolist() == [[0, 0, 96, 64]]
