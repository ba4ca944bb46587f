# SPDX-License-Identifier: Apache-2.0
"""The see stage's score on labelled pictures: what counts, and where captions are lost."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from turret_ai.errors import InputError
from turret_ai.prove import vlm_score
from turret_ai.see.boxes import Boxes
from turret_ai.see.locator import Candidates
from turret_ai.types import Location, LocationStatus

CRAFT = [[10, 10, 40, 20], [100, 10, 40, 20], [10, 100, 40, 20], [100, 100, 40, 20]]
CAPTIONS = ["red drone", "grey missile", None, "blue helicopter"]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (200, 200, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    marks = [
        {"caption": c, "bbox": b, "type": t}
        for c, b, t in zip(CAPTIONS, CRAFT, ("drone", "missile", "drone", None), strict=True)
    ]
    (tmp_path / "views.jsonl").write_text(json.dumps({"image": "a.png", "annotations": marks}))
    return tmp_path


class Answers:
    """A locator that finds the first three craft and one place of no craft, and answers as told."""

    seconds = {"detect": 0.0, "match": 0.0}  # noqa: RUF012
    boxes = Boxes.of([[10, 10, 50, 30], [100, 10, 140, 30], [10, 100, 50, 120], [60, 60, 90, 80]])

    def __init__(self, best, found):
        self.best, self.found = best, found

    def look(self, rgb):
        return Candidates(self.boxes, ())

    class matcher:
        encode_boxes = staticmethod(lambda rgb, boxes: [len(boxes)])
        types = staticmethod(lambda found: ["drone"] * found[0])

        @staticmethod
        def score(found, boxes, captions):
            assert found == [len(boxes)]
            return np.eye(len(boxes), dtype=np.float32)[:, [0, 1, 3]]

    def choose(self, candidates, captions):
        assert captions == ["red drone", "grey missile", "blue helicopter"]
        return [
            Location(
                LocationStatus.FOUND if found else LocationStatus.NOT_FOUND,
                candidates.boxes.as_box(i) if found else None,
                candidates=((candidates.boxes.as_box(i), 0.5, 0.5),),
            )
            for i, found in zip(self.best, self.found, strict=True)
        ]


def test_boxes_without_a_caption_count_for_detection_only(folder):
    result = vlm_score.score(Answers([0, 1, 3], [1, 1, 1]), vlm_score.pictures(str(folder)))
    figures = result.figures()
    assert figures["captions"] == 3
    assert figures["vlm"] == pytest.approx(2 / 3) and figures["matcher_top1"] == 1.0
    assert figures["detector_recall"] == pytest.approx(3 / 4)
    assert (figures["matcher_type"], figures["typed_boxes"]) == (pytest.approx(2 / 3), 3)
    assert figures["false_positives_a_picture"] == 1.0
    assert figures["vlm_standard_error"] == pytest.approx((2 / 9 / 3) ** 0.5)


@pytest.mark.parametrize(
    ("best", "found", "hit_rate", "forced", "lost"),
    [
        ([0, 1, 0], [1, 0, 1], 1 / 3, 2 / 3, ["", "refused", "not detected"]),
        ([2, 3, 0], [1, 1, 0], 0, 0, ["another craft", "no craft", "not detected"]),
    ],
)
def test_a_miss_is_told_by_its_reason(folder, best, found, hit_rate, forced, lost):
    result = vlm_score.score(Answers(best, found), vlm_score.pictures(str(folder)))
    assert [a.lost for a in result.answers] == lost
    assert (result.hit_rate, result.forced) == pytest.approx((hit_rate, forced))


def test_pictures_are_spoilt_always_in_the_same_way(folder):
    data = vlm_score.pictures(str(folder))
    clean, *spoilt = (
        p[0].load()
        for p in (
            data,
            vlm_score.degraded(data, "strong", 3),
            vlm_score.degraded(data, "strong", 3),
            vlm_score.degraded(data, "strong", 4),
        )
    )
    assert spoilt[0].shape == clean.shape and (spoilt[0] != clean).any()
    np.testing.assert_array_equal(spoilt[0], spoilt[1])
    assert (spoilt[0] != spoilt[2]).any()


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="views"):
        vlm_score.pictures(str(tmp_path / "views"))
