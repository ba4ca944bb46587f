# SPDX-License-Identifier: Apache-2.0
"""The models inside the package."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from turret_ai import share
from turret_ai.see import locator
from turret_ai.see.settings import DetectionSettings, MatchingSettings, SeeSettings

DETECTORS = ("detector_lite", "detector_photos")
MATCHERS = ("matcher_lite", "matcher_lite_2", "matcher_small")
ALONE = MATCHERS[0]


def test_the_vision_models_are_small_and_have_cards():
    total = 0
    for name in (*DETECTORS, *MATCHERS):
        folder = share.path(f"models/{name}")
        assert (folder / "CARD.md").is_file() and (folder / "model.yaml").is_file()
        total += sum(f.stat().st_size for f in folder.iterdir())
    assert total < 40e6


def _airliners() -> np.ndarray:
    """A red one at 100 to 200 and a blue one at 380 to 480, (300, 600, 3) RGB."""
    picture = np.full((300, 600, 3), 235, np.uint8)
    for left, tone in ((100, (200, 30, 30)), (380, (40, 60, 200))):
        cv2.ellipse(picture, (left + 50, 150), (50, 7), 0, 0, 360, tone, -1)
        wing, tail = [[40, 150], [62, 150], [86, 180], [78, 180]], [[2, 148], [14, 148], [4, 124]]
        for part in (wing, tail):
            cv2.fillPoly(picture, [np.add(part, (left, 0)).astype(np.int32)], tone)
    return picture


@pytest.mark.parametrize("name", DETECTORS)
def test_each_detector_finds_craft_alone(name: str):
    see = locator.load(SeeSettings(detection=DetectionSettings(models=[name])))
    found = see.detect(_airliners())
    boxes = found.xyxy[np.argsort(found.xyxy[:, 0])]
    assert boxes == pytest.approx(
        np.array([[100, 124, 201, 181], [380, 124, 481, 181]], np.float32), abs=16
    )


def test_the_matcher_for_slow_machines_tells_craft_alone():
    see = locator.load(SeeSettings(matching=MatchingSettings(models=[ALONE])))
    for word, left in (("red", 100), ("blue", 380)):
        found = see.locate(_airliners(), f"{word} commercial aircraft")
        assert found.box is not None and abs(found.box.left - left) < 40


def test_they_are_what_the_settings_name_and_run_on_the_cpu():
    see = locator.load()
    told = see.describe()
    assert told["detector"] == ", ".join(DETECTORS)
    assert told["matcher"] == ", ".join(MATCHERS)
    assert told["upscaler"] == "off"
    assert see.matcher.weights.sum() == pytest.approx(1) and (see.matcher.weights > 0.1).all()
    assert 0 <= see.matcher.ambiguous_margin < 5
    see.warm_up()
    assert see.seconds["detect"] > 0


@pytest.mark.slow
def test_most_captions_of_pictures_never_seen_find_their_craft():
    images = pytest.importorskip("turret_ai.learn.images")
    from turret_ai.prove import vlm_score

    pictures = []
    for index in range(24):
        rgb, labels = images.generate(index, seed=77, split="test")
        captions, _, _, boxes = zip(*labels, strict=True)
        pictures.append(vlm_score.Picture(str(index), lambda rgb=rgb: rgb, captions, boxes))
    result = vlm_score.score(locator.load(), pictures)
    assert result.hit_rate > 0.65 and result.recall > 0.7 and result.top1 > 0.88
