# SPDX-License-Identifier: Apache-2.0
"""Boxes survive letterbox, slicing, mirroring and fusion to within a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.see.boxes import Boxes, iou
from turret_ai.see.description import InputDescription
from turret_ai.see.fusion import fuse, suppress
from turret_ai.see.letterbox import Letterbox
from turret_ai.see.slicing import slices

sides = st.integers(1, 3000)
resizes = st.sampled_from(["letterbox", "corner", "stretch"])


@st.composite
def boxes_in(draw: st.DrawFn, width: int, height: int, most: int = 6) -> Boxes:
    rows = []
    for _ in range(draw(st.integers(1, most))):
        x = sorted(draw(st.tuples(*[st.floats(0, width)] * 2)))
        y = sorted(draw(st.tuples(*[st.floats(0, height)] * 2)))
        rows.append([x[0], y[0], x[1], y[1]])
    scores = draw(st.lists(st.floats(0.01, 1), min_size=len(rows), max_size=len(rows)))
    return Boxes.of(rows, scores)


@given(st.data(), sides, sides, sides, sides, resizes)
def test_boxes_come_back_from_a_letterbox_of_any_size(data, width, height, wide, tall, resize):
    boxes = data.draw(boxes_in(width, height))
    box = Letterbox.fit((width, height), InputDescription(width=wide, height=tall, resize=resize))
    back = box.undo(box.do(boxes))
    assert np.abs(back.xyxy - boxes.xyxy).max() < 1.0


@given(sides, sides, resizes, st.integers(32, 2000), st.floats(1, 4))
def test_a_free_input_is_a_multiple_and_holds_the_picture(width, height, resize, longest, zoom):
    about = InputDescription(longest=longest, resize=resize)
    box = Letterbox.fit((width, height), about, zoom)
    assert box.outer[0] % 32 == 0 and box.outer[1] % 32 == 0
    assert box.offset[0] + box.inner[0] <= box.outer[0]
    assert box.offset[1] + box.inner[1] <= box.outer[1]
    assert max(box.inner) <= max(longest, 32) + 31


@given(st.integers(8, 90), st.integers(8, 90), resizes)
def test_a_marked_pixel_is_drawn_where_its_box_says(width, height, resize):
    image = np.zeros((height, width, 3), np.uint8)
    x, y = width // 3, height // 2
    image[y, x] = 255
    about = InputDescription(width=4 * 97, height=4 * 83, resize=resize, pad_value=0)
    box = Letterbox.fit((width, height), about)
    drawn = box.apply(image, 0).sum(axis=2)
    ys, xs = np.nonzero(drawn > drawn.max() // 2)
    expected = box.do(Boxes.of([[x, y, x + 1, y + 1]])).xyxy[0]
    centre = np.array([xs.mean() + 0.5, ys.mean() + 0.5])
    middle = (expected[:2] + expected[2:]) / 2
    assert np.abs(centre - middle).max() <= max(box.scale) / 2 + 1


@given(
    st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 8), st.integers(1, 8),
    st.floats(0, 0.8),
)  # fmt: skip
def test_slices_cover_every_pixel_and_stay_inside(width, height, columns, rows, overlap):
    covered_x, covered_y = np.zeros(width, bool), np.zeros(height, bool)
    windows = slices(width, height, columns, rows, overlap)
    for window in windows:
        assert window.left >= 0 and window.left + window.width <= width
        assert window.top >= 0 and window.top + window.height <= height
        covered_x[window.left : window.left + window.width] = True
        covered_y[window.top : window.top + window.height] = True
    assert covered_x.all() and covered_y.all()
    assert len({(w.width, w.height) for w in windows}) == 1


@given(st.data(), st.floats(0.5, 1.5), st.floats(0, 1))
def test_a_box_that_is_reshaped_keeps_its_middle(data, width, rise):
    boxes = data.draw(boxes_in(1520, 870))
    shaped = boxes.reshaped(width, rise)
    for axis in (0, 1):
        before, after = (b.xyxy[:, axis] + b.xyxy[:, axis + 2] for b in (boxes, shaped))
        np.testing.assert_allclose(after, before, atol=1e-2)
    np.testing.assert_allclose(shaped.width, width * boxes.width, atol=1e-2)
    taller = rise * np.maximum(boxes.width - boxes.height, 0)
    np.testing.assert_allclose(shaped.height, boxes.height + taller, atol=1e-2)
    np.testing.assert_array_equal(boxes.reshaped(1.0, 0.0).xyxy, boxes.xyxy)


@given(st.data(), st.integers(2, 3000))
def test_mirroring_twice_changes_nothing(data, width):
    boxes = data.draw(boxes_in(width, 500))
    assert np.abs(boxes.flipped(width).flipped(width).xyxy - boxes.xyxy).max() < 0.01


@given(st.data(), st.integers(1, 5))
def test_fusing_the_same_boxes_gives_them_back(data, parts):
    x, y = data.draw(st.floats(0, 500)), data.draw(st.floats(0, 500))
    apart = Boxes.of([[x, y, x + 40, y + 20], [x + 100, y, x + 150, y + 20]], [0.9, 0.5])
    fused = fuse([apart] * parts, 0.5)
    assert len(fused) == 2
    assert np.abs(fused.xyxy - apart.xyxy).max() < 1.0
    assert fused.scores == pytest.approx(apart.scores, abs=1e-4)


@given(st.data())
def test_what_survives_suppression_does_not_overlap_and_holds_the_best(data):
    boxes = data.draw(boxes_in(300, 300, 12))
    kept = suppress(boxes, 0.4)
    overlap = iou(kept.xyxy, kept.xyxy) - np.eye(len(kept))
    assert overlap.max() <= 0.4 + 1e-6
    assert kept.scores.max() == boxes.scores.max()


def test_a_box_found_by_one_of_two_models_loses_half_its_score():
    both = Boxes.of([[0, 0, 10, 10], [50, 50, 80, 80]], [0.8, 0.6])
    one = Boxes.of([[1, 0, 11, 10]], [0.8])
    fused = fuse([both, one], 0.5)
    assert fused.scores == pytest.approx([0.8, 0.3])
    assert fused.xyxy[0] == pytest.approx([0.5, 0, 10.5, 10])


def test_a_heavier_model_pulls_the_box_towards_its_own():
    fused = fuse([Boxes.of([[0, 0, 10, 10]]), Boxes.of([[3, 0, 13, 10]])], 0.3, [3.0, 1.0])
    assert fused.xyxy[0, 0] == pytest.approx(0.75)


def test_a_part_that_a_slice_cut_off_goes_when_measured_by_the_smaller_box():
    whole, part = [0, 0, 100, 40], [60, 0, 100, 40]
    boxes = Boxes.of([whole, part], [0.9, 0.8])
    assert len(suppress(boxes, 0.5)) == 2
    assert len(suppress(boxes, 0.5, smaller=True)) == 1


def test_clipping_drops_what_is_outside_or_not_finite():
    boxes = Boxes.of([[-5, -5, 5, 5], [200, 0, 300, 10], [np.nan, 0, 1, 1], [3, 3, 3, 9]])
    clipped = boxes.clip(100, 100)
    assert clipped.xyxy.tolist() == [[0, 0, 5, 5]]


def test_overlap_of_every_pair():
    a = np.array([[0, 0, 2, 2]], np.float32)
    b = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [1, 1, 1, 1]], np.float32)
    assert iou(a, b)[0] == pytest.approx([1, 1 / 3, 0, 0])
