# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import numpy as np
import pytest

from turret_ai.learn.vision import calibrate
from turret_ai.learn.vision.calibrate import LOST, ambiguous_margin, not_found_threshold
from turret_ai.see.boxes import Boxes
from turret_ai.see.description import MatcherDescription, read


def test_the_threshold_lies_between_present_and_absent():
    rng = np.random.default_rng(0)
    present, absent = rng.normal(0.8, 0.05, 400), rng.normal(0.2, 0.05, 400)
    threshold = not_found_threshold(present, absent)
    assert (absent >= threshold).mean() < 0.01
    assert (present < threshold).mean() <= LOST + 1e-9


def test_when_both_look_alike_few_present_ones_are_lost():
    rng = np.random.default_rng(1)
    present, absent = rng.normal(0.5, 0.2, 500), rng.normal(0.5, 0.2, 500)
    assert (present < not_found_threshold(present, absent)).mean() <= LOST + 1e-9


def test_answers_are_ambiguous_while_they_are_guesses():
    margins = np.linspace(0, 1, 200)
    right = margins > 0.3
    found = ambiguous_margin(margins, right)
    assert found == pytest.approx(0.3, abs=0.03)
    assert ambiguous_margin(margins[:0], right[:0]) == 0.0
    assert ambiguous_margin(margins, np.ones(200, bool)) == 0.0


@pytest.fixture(scope="module")
def fitted_on():
    """Four pictures of two craft at places that differ, and what finds them."""
    kinds = (
        (("red missile", "blue drone"), ((200, 20, 20), (20, 20, 200))),
        (("green missile", "black drone"), ((20, 160, 20), (10, 10, 10))),
    )
    marked = []
    for number in range(4):
        captions, colours = kinds[number % 2]
        image = np.full((120, 200, 3), 225, np.uint8)
        boxes = np.array([[20, 20, 60, 40], [110, 60, 160, 85]], np.float32) + 5 * number
        for colour, (x0, y0, x1, y1) in zip(colours, boxes.astype(int), strict=True):
            image[y0:y1, x0:x1] = colour
        marked.append(calibrate.Marked(image, boxes, captions))
    found = iter([Boxes.of(m.boxes) for m in marked] * 2)
    return marked, lambda _: next(found)


def test_a_matcher_is_fitted_for_crops_of_another_context(fitted_on, tmp_path):
    before = read("matcher_small", MatcherDescription)
    folder = shutil.copytree(before[0], tmp_path / "matcher")
    marked, detection = fitted_on
    calibrate.matcher(folder, marked, detection)
    as_they_were = read(str(folder), MatcherDescription)[1]
    assert as_they_were.crop == before[1].crop
    calibrate.matcher(folder, marked, detection, context=0.02)
    tighter = read(str(folder), MatcherDescription)[1]
    assert tighter.crop == before[1].crop.model_copy(update={"context": 0.02})
    assert tighter.score != as_they_were.score != before[1].score
