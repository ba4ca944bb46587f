# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.errors import InputError
from turret_ai.execution import ExecutionSettings
from turret_ai.see import assignment, scores
from turret_ai.see.boxes import Boxes
from turret_ai.see.classify import Classifier
from turret_ai.see.cropping import CropShape, crop_boxes, widened
from turret_ai.see.encoders import clean
from turret_ai.see.evidence import Evidence
from turret_ai.see.matcher import Matcher
from turret_ai.see.settings import MatchingSettings, UpscalerSettings
from turret_ai.see.upscaler import Upscaler

CPU = ExecutionSettings(provider="cpu", threads=1)


@given(
    st.floats(-50, 500), st.floats(-50, 500), st.floats(1, 300), st.floats(1, 300),
    st.floats(0, 1), st.floats(0, 30), st.sampled_from(["square", "stretch"]),
)  # fmt: skip
def test_context_keeps_the_centre_and_holds_the_box(x, y, width, height, context, margin, fit):
    box = np.array([[x, y, x + width, y + height]], np.float32)
    wide = widened(box, CropShape(context=context, margin=margin, fit=fit))[0]
    assert (wide[:2] + wide[2:]) / 2 == pytest.approx((box[0, :2] + box[0, 2:]) / 2, abs=0.01)
    assert (wide[:2] <= box[0, :2] + 0.01).all() and (wide[2:] >= box[0, 2:] - 0.01).all()
    if fit == "square":
        assert wide[2] - wide[0] == pytest.approx(wide[3] - wide[1], abs=0.01)


@pytest.mark.parametrize("size", [8, 16, 64, 200])
def test_a_crop_shows_the_box_and_nothing_else(size):
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[40:72, 64:96] = (10, 200, 30)
    crop = crop_boxes(picture, np.array([[64, 40, 96, 72]], np.float32), size, CropShape())[0]
    inner = crop[size // 8 : -size // 8, size // 8 : -size // 8].reshape(-1, 3)
    assert np.abs(inner.astype(int) - [10, 200, 30]).max() <= 2


def test_a_box_beyond_the_picture_repeats_its_edge():
    picture = np.full((30, 30, 3), 77, np.uint8)
    box = np.array([[-40, -40, 10, 10], [500, 500, 600, 600]], np.float32)
    assert (crop_boxes(picture, box, 16, CropShape()) == 77).all()


def test_sharpening_makes_edges_steeper():
    picture = np.full((32, 32, 3), 60, np.uint8)
    picture[:, 16:] = 180
    box = np.array([[0, 0, 32, 32]], np.float32)
    soft = crop_boxes(picture, box, 32, CropShape())[0].astype(int)
    sharp = crop_boxes(picture, box, 32, CropShape(), sharpen=2.0)[0].astype(int)
    assert sharp.max() > soft.max() and sharp.min() < soft.min()


@given(st.integers(0, 5), st.integers(1, 5), st.integers(0, 1000))
def test_an_optimal_assignment_never_uses_a_box_twice(boxes, captions, seed):
    table = np.random.default_rng(seed).normal(size=(boxes, captions)).astype(np.float32)
    chosen = assignment.optimal(table)
    used = [c for c in chosen if c >= 0]
    assert len(used) == len(set(used)) == min(boxes, captions)
    assert assignment.independent(table) == (table.argmax(0).tolist() if boxes else [-1] * captions)


def test_an_optimal_assignment_gives_way_for_the_better_sum():
    table = np.array([[0.9, 0.8], [0.7, 0.1]], np.float32)
    assert assignment.independent(table) == [0, 0]
    assert assignment.optimal(table) == [1, 0]


def test_a_mirrored_look_is_averaged_and_stays_a_unit_vector(tiny):
    picture = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    boxes = Boxes.of([[2, 2, 30, 30], [20, 8, 58, 38]])
    both = MatchingSettings(models=[tiny["matcher"]], flip=True, batch=1)
    one = MatchingSettings(models=[tiny["matcher"]], flip=False)
    found = Matcher(both, CPU).encode_boxes(picture, boxes)[0].vectors
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-5)
    mirrored = Matcher(both, CPU).encode_boxes(picture[:, ::-1].copy(), boxes.flipped(60))[0]
    assert found == pytest.approx(mirrored.vectors, abs=0.02)
    single = Matcher(one, CPU).encode_boxes(picture, boxes)[0]
    assert found == pytest.approx(single.vectors, abs=0.1)


def test_siglip_texts_are_cleaned():
    assert clean(" A photo, of:  Red-Drone!! ") == "a photo of reddrone"


@pytest.mark.parametrize("shapes", [[(6, 9)], [(3, 3), (40, 17), (16, 16), (200, 40)]])
def test_enlarged_crops_keep_order_size_and_edges(tiny, shapes):
    upscaler = Upscaler(UpscalerSettings(model=tiny["upscaler"], batch=2), CPU)
    rng = np.random.default_rng(1)
    crops = [rng.integers(0, 255, (*s, 3)).astype(np.uint8) for s in shapes]
    for crop, large in zip(crops, upscaler(crops), strict=True):
        assert (large == crop.repeat(2, 0).repeat(2, 1)).all()


def _classifier(tiny: dict[str, str], classes: list[str], drop: float = 0.002) -> Classifier:
    return Classifier(classes, MatchingSettings(models=[tiny["matcher"]]), CPU, drop)


def test_classes_are_told_apart_and_small_chances_dropped(tiny):
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[..., 1] = 220
    chances = _classifier(tiny, ["red", "green", "blue"], 0.25)(picture)
    assert chances.tolist() == [0.0, 1.0, 0.0]
    assert _classifier(tiny, ["red", "green", "blue"])(picture).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("classes", [["red"], ["red", "red"], ["red", " "], []])
def test_classes_must_be_two_or_more_with_names(tiny, classes):
    with pytest.raises(InputError):
        _classifier(tiny, classes)


def _row(boxes: list[list[float]], match: list[float]) -> dict[str, object]:
    return {
        "image": "a.jpg", "caption": "red drone", "boxes": boxes,
        "detection": [0.5] * len(boxes), "match": match,
    }  # fmt: skip


def test_an_ensemble_prefers_what_both_predictions_like():
    near, far = [0, 0, 10, 10], [100, 100, 20, 20]
    first = [_row([near, far], [0.6, 0.5])]
    second = [_row([[1, 0, 10, 10], [100, 101, 20, 20]], [0.1, 0.7])]
    told = scores.ensemble([first, second], [1, 1])[0]
    assert told["bbox"] == pytest.approx([100, 100.5, 20, 20])
    assert told["match"] == pytest.approx([0.6, 0.35])
    alone = scores.ensemble([first, second], [1, 0])[0]
    assert alone["bbox"] == near or alone["bbox"] == pytest.approx([0.0, 0, 10, 10], abs=1)


def test_probabilities_and_hypotheses_are_averaged():
    a = [{"image": "x", "probabilities": {"jet": 0.6, "drone": 0.4}}]
    b = [{"image": "x", "probabilities": {"drone": 1.0}}]
    assert scores.ensemble([a, b], [0.5, 0.5])[0]["class"] == "drone"
    heard = [{"audio": "1.wav", "alternatives": [{"text": "one", "score": 0.0}]}]
    other = [{"audio": "1.wav", "alternatives": [{"text": "two", "score": -1.0}]}]
    assert scores.ensemble([heard, other], [1, 3])[0]["text"] == "two"


def test_predictions_of_other_things_or_wrong_weights_are_refused(tmp_path):
    a = [_row([[0, 0, 1, 1]], [0.5])]
    with pytest.raises(InputError, match="weights"):
        scores.ensemble([a, a], [1.0])
    with pytest.raises(InputError, match="zero"):
        scores.ensemble([a, a], [0.0, 0.0])
    with pytest.raises(InputError, match="file 2"):
        scores.ensemble([a, [{**a[0], "caption": "other"}]], [1, 1])
    (tmp_path / "bad.jsonl").write_text(json.dumps({"image": "x"}))
    with pytest.raises(InputError, match="line 1"):
        scores.read(tmp_path / "bad.jsonl")


def test_tiny_models_are_told_apart_by_colour(tiny):
    picture = tiny_models.scene(60, 60, {"blue": (30, 30)}, side=30)
    assert _classifier(tiny, ["red", "blue"])(picture).argmax() == 1


def test_types_are_named_by_all_heads_together(tiny):
    models = ["matcher_lite", "matcher_small"]
    matcher = Matcher(MatchingSettings(models=models, weights=[2, 1]), CPU)
    names = matcher.encoders[0].about.heads.types
    unit = np.ones((2, 1), np.float32)
    one, other = (np.log(np.full((2, len(names)), 1 / len(names), np.float32)) for _ in "ab")
    one[:, 1], other[0, 2], other[1, 2] = np.log(0.3), np.log(0.5), np.log(0.99)
    one[1, 2] = np.log(0.25)
    found = matcher.types([Evidence(unit, one), Evidence(unit, other)])
    assert found == [names[1], names[2]]
    alone = Matcher(MatchingSettings(models=[tiny["matcher"]]), CPU)
    assert alone.types([Evidence(unit)]) == []
