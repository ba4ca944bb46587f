# SPDX-License-Identifier: Apache-2.0
"""The models inside the package."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from turret_ai import share
from turret_ai.see import locator
from turret_ai.see.settings import DetectionSettings, MatchingSettings, SeeSettings

NAMES = ("detector_photos", "matcher_lite", "matcher_lite_2", "matcher_small")
ALONE = "matcher_lite_3"


def test_the_vision_models_are_small_and_have_cards():
    total = 0
    for name in (*NAMES, ALONE):
        folder = share.path(f"models/{name}")
        assert (folder / "CARD.md").is_file() and (folder / "model.yaml").is_file()
        total += sum(f.stat().st_size for f in folder.iterdir())
    assert total < 40e6


def test_the_detector_for_photographs_is_there_to_be_chosen():
    see = locator.load(SeeSettings(detection=DetectionSettings(models=["detector_photos"])))
    picture = np.full((400, 600, 3), 200, np.uint8)
    picture[180:200, 250:330] = picture[165:180, 250:262] = (40, 50, 60)
    found = see.detect(picture)
    assert len(found) and found.xyxy[0] == pytest.approx([250, 165, 330, 200], abs=12)
    assert (share.path("models/detector_photos") / "CARD.md").is_file()


def test_the_matcher_for_slow_machines_tells_craft_alone():
    see = locator.load(SeeSettings(matching=MatchingSettings(models=[ALONE])))
    picture = np.full((300, 600, 3), 235, np.uint8)
    for left, tone in ((100, (200, 30, 30)), (380, (40, 60, 200))):  # two airliners
        cv2.ellipse(picture, (left + 50, 150), (50, 7), 0, 0, 360, tone, -1)
        wing, tail = [[40, 150], [62, 150], [86, 180], [78, 180]], [[2, 148], [14, 148], [4, 124]]
        for part in (wing, tail):
            cv2.fillPoly(picture, [np.add(part, (left, 0)).astype(np.int32)], tone)
    for word, left in (("red", 100), ("blue", 380)):
        found = see.locate(picture, f"{word} commercial aircraft")
        assert found.box is not None and abs(found.box.left - left) < 40


def test_they_are_what_the_settings_name_and_run_on_the_cpu():
    see = locator.load()
    told = see.describe()
    assert told["detector"] == NAMES[0] and told["matcher"] == ", ".join(NAMES[1:])
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
