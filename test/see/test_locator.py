# SPDX-License-Identifier: Apache-2.0
"""The whole chain on models of a few nodes that really look at the pixels."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models

from turret_ai.errors import ConfigError, InputError, ModelError
from turret_ai.execution import ExecutionSettings
from turret_ai.see import draw
from turret_ai.see.boxes import Boxes
from turret_ai.see.locator import load
from turret_ai.see.settings import DetectionSettings, MatchingSettings, UpscalerSettings
from turret_ai.types import LocationStatus

SPOTS = {"red": (40, 30), "green": (120, 64), "blue": (180, 100)}


def _picture(width: int = 224, height: int = 128) -> np.ndarray:
    return tiny_models.scene(width, height, SPOTS)


def _centre(location) -> tuple[float, float]:
    assert location.box is not None
    return location.box.centre


@pytest.mark.parametrize("colour", SPOTS)
def test_each_caption_finds_its_own_spot(locator, colour):
    location = locator.locate(_picture(), f"{colour} drone")
    assert location.status is LocationStatus.FOUND
    assert _centre(location) == pytest.approx(SPOTS[colour], abs=3)
    assert len(location.candidates) == 3
    assert location.candidates[0][0] == location.box


def test_a_picture_that_was_looked_at_once_answers_every_caption_as_if_it_were_looked_at(locator):
    candidates = locator.look(_picture())
    captions = [f"{colour} drone" for colour in SPOTS]
    assert locator.choose(candidates, captions) == [
        locator.locate(_picture(), caption) for caption in captions
    ]
    nothing = locator.look(np.full((64, 96, 3), 30, np.uint8))
    assert locator.choose(nothing, ["red drone"])[0].status is LocationStatus.NOT_FOUND


@pytest.mark.parametrize(
    "change",
    [
        {"slice_columns": 2, "slice_rows": 2},
        {"slice_columns": 3, "slice_rows": 2, "slice_zoom": 1.0, "slice_keeps_full": False},
        {"flip": True},
        {"flip": True, "slice_columns": 2},
    ],
)
def test_slices_and_mirror_views_find_the_same_spots(settings, change):
    detection = settings.detection.model_copy(update=change)
    locator = load(settings.model_copy(update={"detection": detection}))
    for colour, place in SPOTS.items():
        assert _centre(locator.locate(_picture(), colour)) == pytest.approx(place, abs=5)


def test_two_detectors_are_fused_into_one_list(settings, tiny):
    detection = DetectionSettings(models=[tiny["detector"]] * 2, weights=[2.0, 1.0], nms_iou=0.3)
    locator = load(settings.model_copy(update={"detection": detection}))
    assert len(locator.detect(_picture())) == 3


def test_an_upscaler_leaves_the_answer_as_it_is(settings, tiny):
    upscaler = UpscalerSettings(model=tiny["upscaler"])
    locator = load(settings.model_copy(update={"upscaler": upscaler}))
    for colour, place in SPOTS.items():
        assert _centre(locator.locate(_picture(), colour)) == pytest.approx(place, abs=3)


def test_a_colour_that_is_not_there_is_not_found(locator):
    picture = tiny_models.scene(224, 128, {"red": (40, 30), "green": (120, 64)})
    location = locator.locate(picture, "blue missile")
    assert location.status is LocationStatus.NOT_FOUND
    assert location.box is None and location.reason and len(location.candidates) == 2


def test_two_alike_are_ambiguous_with_the_better_one_named(locator):
    picture = _picture()
    picture[90:104, 40:54] = (250, 10, 10)
    location = locator.locate(picture, "red drone")
    assert location.status is LocationStatus.AMBIGUOUS
    assert location.box is not None and location.margin < 1.5


def test_an_empty_sky_says_so(locator):
    location = locator.locate(np.full((64, 96, 3), 30, np.uint8), "red drone")
    assert location.status is LocationStatus.NOT_FOUND
    assert "no flying object" in location.reason


@pytest.mark.parametrize("caption", ["", "   ", "\n\t"])
def test_an_empty_caption_is_a_status(locator, caption):
    location = locator.locate(_picture(), caption)
    assert location.status is LocationStatus.NOT_FOUND and "caption" in location.reason


@pytest.mark.parametrize(
    "caption", ["röd drönare", "красный дрон", "红色无人机", "🚁" * 50, "red " * 5000, "{caption}"]
)
def test_captions_of_any_script_and_length_are_answered(locator, caption):
    assert locator.locate(_picture(), caption).status in LocationStatus


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (31, 33)])
def test_pictures_of_odd_sizes_are_answered(locator, size):
    picture = np.full((*size, 3), 90, np.uint8)
    assert locator.locate(picture, "red drone").status is LocationStatus.NOT_FOUND


def test_grey_and_alpha_and_broken_pictures(locator):
    assert locator.locate(np.zeros((40, 40), np.uint8), "red").status is LocationStatus.NOT_FOUND
    rgba = np.dstack([_picture(), np.full((128, 224), 255, np.uint8)])
    assert locator.locate(rgba, "red").status is LocationStatus.FOUND
    with pytest.raises(InputError):
        locator.locate(np.full((4, 4, 3), np.nan), "red")


def test_five_hundred_candidates_are_matched(locator, monkeypatch):
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 100, (500, 4)).astype(np.float32)
    corners[:, 2:] = corners[:, :2] + 12
    monkeypatch.setattr(locator, "detect", lambda _: Boxes.of(corners, np.full(500, 0.5)))
    found = locator.locate_all(_picture(), ["red drone"])
    assert len(found[0].candidates) == 500


def test_without_assignment_two_captions_may_share_a_box(locator):
    picture = tiny_models.scene(224, 128, {"red": (40, 30), "green": (120, 64)})
    first, second = locator.locate_all(picture, ["red drone", "red missile"])
    assert first.box == second.box


def test_with_assignment_no_box_is_used_twice(settings):
    matching = settings.matching.model_copy(
        update={"assignment": "optimal", "not_found_below": 0.0, "ambiguous_margin": 0.0}
    )
    locator = load(settings.model_copy(update={"matching": matching}))
    picture = tiny_models.scene(224, 128, {"red": (40, 30), "green": (120, 64)})
    found = locator.locate_all(picture, ["red drone", "red missile", "green jet"])
    boxes = [f.box for f in found if f.box is not None]
    assert len(boxes) == 2 and boxes[0] != boxes[1]
    assert sum(f.status is LocationStatus.NOT_FOUND for f in found) == 1


def test_a_caption_prepared_ahead_is_not_encoded_again(locator, monkeypatch):
    locator.prepare("green  drone")
    encoder = locator.matcher.encoders[0]
    monkeypatch.setattr(encoder, "encode_texts", lambda _: pytest.fail("encoded twice"))
    assert locator.locate(_picture(), "green drone").status is LocationStatus.FOUND


def test_crops_of_a_picture_seen_before_are_not_encoded_again(locator, monkeypatch):
    locator.locate(_picture(), "red")
    encoder = locator.matcher.encoders[0]
    monkeypatch.setattr(encoder, "encode_images", lambda _: pytest.fail("encoded twice"))
    assert _centre(locator.locate(_picture(), "blue")) == pytest.approx(SPOTS["blue"], abs=3)


def test_templates_are_averaged_and_must_hold_the_caption(settings):
    matching = settings.matching.model_copy(
        update={"templates": ["a {caption}", "photo of {caption}"], "not_found_below": 0.5}
    )
    locator = load(settings.model_copy(update={"matching": matching}))
    assert locator.locate(_picture(), "red drone").status is LocationStatus.FOUND
    broken = settings.matching.model_copy(update={"templates": ["a photo"]})
    with pytest.raises(ConfigError, match="caption"):
        load(settings.model_copy(update={"matching": broken}))


def test_two_encoders_are_weighted_and_weights_must_fit(settings, tiny):
    two = settings.matching.model_copy(update={"models": [tiny["matcher"]] * 2, "weights": [3, 1]})
    locator = load(settings.model_copy(update={"matching": two}))
    assert _centre(locator.locate(_picture(), "blue")) == pytest.approx(SPOTS["blue"], abs=3)
    wrong = two.model_copy(update={"weights": [1.0]})
    with pytest.raises(ConfigError, match="weights"):
        load(settings.model_copy(update={"matching": wrong}))


def test_a_class_named_by_the_caption_gets_the_bonus(settings, tmp_path):
    corners = np.zeros((1, 20, 6), np.float32)
    corners[0, :2] = [[10, 10, 8, 8, 0.9, 0.1], [50, 20, 8, 8, 0.1, 0.9]]
    folder = tiny_models.fixed_head(
        tmp_path / "m", "yolov8", [corners.transpose(0, 2, 1)], labels=["drone", "missile"]
    )
    matching = settings.matching.model_copy(update={"class_bonus": 1.0, "not_found_below": 0.0})
    locator = load(
        settings.model_copy(
            update={"detection": DetectionSettings(models=[str(folder)]), "matching": matching}
        )
    )
    picture = np.full((32, 64, 3), 128, np.uint8)
    assert _centre(locator.locate(picture, "red missile")) == pytest.approx((50, 20), abs=1)
    assert _centre(locator.locate(picture, "red drone")) == pytest.approx((10, 10), abs=1)


def test_a_model_of_another_kind_is_refused_by_name(settings, tiny):
    swapped = settings.model_copy(update={"detection": DetectionSettings(models=[tiny["matcher"]])})
    with pytest.raises(ModelError, match="matcher"):
        load(swapped)


def test_missing_and_broken_model_files_are_named(settings, tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        load(settings.model_copy(update={"detection": DetectionSettings(models=["nowhere"])}))
    folder = tiny_models.blob_detector(tmp_path / "broken")
    (folder / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        load(settings.model_copy(update={"detection": DetectionSettings(models=[str(folder)])}))


def test_a_provider_that_is_not_there_is_refused(settings):
    asked = ExecutionSettings(provider="tensorrt")
    from turret_ai.execution import available

    if "tensorrt" in available():
        pytest.skip("TensorRT is there")
    with pytest.raises(ConfigError, match="gpu"):
        load(settings.model_copy(update={"execution": asked}))


def test_the_drawing_marks_the_chosen_box_and_leaves_the_picture(locator):
    picture = _picture()
    before = picture.copy()
    location = locator.locate(picture, "green drone")
    drawn = draw.annotate(picture, location, "green drone ü")
    assert (picture == before).all() and drawn.shape == picture.shape
    box = location.box
    assert tuple(drawn[round(box.top + box.height), round(box.left + 2)]) == (40, 220, 60)


def test_settings_refuse_unknown_names_and_values_out_of_range():
    with pytest.raises(ValueError, match="extra"):
        MatchingSettings(contxt=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="confidence"):
        DetectionSettings(confidence=2.0)
