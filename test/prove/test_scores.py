# SPDX-License-Identifier: Apache-2.0
"""The official formulas, pinned on cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.errors import InputError
from turret_ai.prove import turns
from turret_ai.prove.results import Answer, FieldAnswer, Truth
from turret_ai.prove.score import angle_between, box_iou, confusion, metrics, score_utterance
from turret_ai.prove.words import align
from turret_ai.see.boxes import Boxes
from turret_ai.see.detection_score import average_precision
from turret_ai.types import Box

TRUTH = {"key": 0, "heading": "065", "tool": "EMP", "target": "red drone", "bbox": [10, 10, 20, 20]}


def test_a_perfect_turn_in_six_seconds_scores_098() -> None:
    assert turns.turn_score(1.0, 1.0, 6.0) == pytest.approx(0.98)


def test_after_thirty_seconds_speed_earns_nothing() -> None:
    assert turns.turn_score(1.0, 1.0, 30.0) == pytest.approx(0.9)
    assert turns.turn_score(1.0, 1.0, 300.0) == pytest.approx(0.9)


def test_two_of_three_fields_and_no_box_at_once() -> None:
    assert turns.turn_score(2 / 3, 0.0, 0.0) == pytest.approx(0.3 + 0.1)


@pytest.mark.parametrize("bad", [(1.1, 0, 1), (0, -0.1, 1), (1, 1, -1), (1, 1, math.nan)])
def test_scores_that_can_not_be_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        turns.turn_score(*bad)


def test_an_answer_of_the_finals_server_is_scored() -> None:
    answer = {
        "asr": "...",
        "nlp": {"heading": "065", "tool": "EMP", "target": "red and blue drone"},
        "vlm": [10, 10, 20, 20],
        "seconds": 3.0,
    }
    result = turns.score_turn(0, answer, TRUTH, "turn 0")
    # ROUGE-L of "red drone" and "red and blue drone": precision 2/4, recall 2/2, F1 2/3.
    assert result.target == pytest.approx(2 / 3)
    assert result.nlp == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert result.score == pytest.approx(0.45 * result.nlp + 0.45 + 0.09)


def test_an_unanswered_turn_scores_nothing() -> None:
    result = turns.score_turn(0, None, TRUTH, "turn 0")
    assert result.score == 0.0 and result.seconds == 30.0


def test_an_overlap_of_exactly_one_half_is_no_hit() -> None:
    answer = {**TRUTH, "bbox": [10, 10, 20, 10]}
    result = turns.score_turn(0, answer, TRUTH, "turn 0")
    assert result.iou == pytest.approx(0.5) and result.vlm == 0.0


@pytest.mark.parametrize(
    "broken",
    [{"bbox": [1, 2, 3]}, {"bbox": "left"}, {"heading": 65}, {"nlp": "065"}, {"seconds": "3"}],
)
def test_a_broken_answer_is_named(broken: dict[str, object]) -> None:
    with pytest.raises(InputError, match="turn 0"):
        turns.score_turn(0, {**TRUTH, **broken}, TRUTH, "turn 0")


def test_a_truth_without_box_is_an_error() -> None:
    with pytest.raises(InputError, match="no box"):
        turns.score_turn(0, TRUTH, {**TRUTH, "bbox": []}, "turn 0")


def test_word_errors_are_counted_in_normalised_words() -> None:
    result = align("Heading is two-one-zero, over.", "heading is to one one zero")
    assert (result.substitutions, result.deletions, result.insertions) == (1, 1, 1)
    assert result.reference_words == 6
    assert result.steps[0].kind == "equal"


def test_an_empty_reference_counts_every_heard_word() -> None:
    assert align("", "three words heard").errors == 3
    assert align("", "").wer == 0.0
    assert align("three words said", "").wer == 1.0


sides = st.floats(1.0, 500.0)
boxes = st.builds(Box, st.floats(-500, 500), st.floats(-500, 500), sides, sides)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(a: Box, b: Box) -> None:
    assert box_iou(a, b) == pytest.approx(box_iou(b, a), abs=1e-6)
    assert 0.0 <= box_iou(a, b) <= 1.0 + 1e-6
    assert box_iou(a, a) == pytest.approx(1.0, abs=1e-3)


angles = st.tuples(st.floats(-3.0, 3.0), st.floats(-1.5, 1.5))


@given(angles, st.floats(-0.5, 0.5))
def test_the_angle_between_equals_a_pure_pitch(a: tuple[float, float], by: float) -> None:
    assert angle_between(a, (a[0], a[1] + by)) == pytest.approx(abs(by), abs=1e-9)


def test_a_degree_of_yaw_shrinks_with_elevation() -> None:
    error = angle_between((0.0, -math.pi / 3), (math.radians(1.0), -math.pi / 3))
    assert math.degrees(error) == pytest.approx(0.5, abs=1e-4)


def mean_precision(*frames: tuple[list[Box], list[float], list[Box]]) -> float:
    found = [Boxes.from_boxes(boxes, scores) for boxes, scores, _ in frames]
    true = [Boxes.from_boxes(boxes) for _, _, boxes in frames]
    return average_precision(found, true).interpolated_precision


def test_a_picture_without_candidates_counts_and_a_lower_ranked_false_box_does_not() -> None:
    true, other = Box(0, 0, 10, 10), Box(50, 50, 10, 10)
    assert mean_precision(([true, other], [0.9, 0.8], [true])) == pytest.approx(1.0)
    missed = mean_precision(([true], [0.9], [true]), ([], [], [other]))
    assert missed == pytest.approx(0.5, abs=0.01)
    assert mean_precision(([], [], [true])) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_precision_is_that_of_the_public_tool(seed: int) -> None:
    coco = pytest.importorskip("faster_coco_eval")
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(8):
        true = np.hstack([rng.uniform(0, 90, (4, 2)), rng.uniform(9, 30, (4, 2))])
        stray = np.hstack([rng.uniform(0, 90, (3, 2)), rng.uniform(5, 30, (3, 2))])
        found = np.vstack([true + rng.uniform(-4, 4, true.shape), stray])
        frames.append((found.tolist(), rng.random(len(found)).tolist(), true.tolist()))
    truth = coco.COCO({
        "images": [{"id": image} for image in range(8)],
        "categories": [{"id": 1}],
        "annotations": [
            {"id": 4 * image + k + 1, "image_id": image, "category_id": 1, "bbox": box,
             "area": box[2] * box[3], "iscrowd": 0}
            for image, (_, _, true) in enumerate(frames) for k, box in enumerate(true)
        ],
    })  # fmt: skip
    answers = [
        {"image_id": image, "category_id": 1, "bbox": box, "score": score}
        for image, (found, scores, _) in enumerate(frames)
        for box, score in zip(found, scores, strict=True)
    ]
    public = coco.COCOeval_faster(
        truth, truth.loadRes(answers), iouType="bbox", print_function=lambda *_: None
    )
    public.params.iouThrs = np.array([0.5])
    public.evaluate()
    public.accumulate()
    ours = [([Box(*f) for f in found], s, [Box(*b) for b in true]) for found, s, true in frames]
    wanted = public.eval["precision"][0, :, 0, 0, -1].mean()
    assert 0.1 < mean_precision(*ours) == pytest.approx(wanted, abs=1e-6)


def answer(key: int, **values: object) -> Answer:
    fields = {
        "heading": FieldAnswer("065", 1.0, "RULES"),
        "tool": FieldAnswer("EMP", 1.0, "RULES"),
        "target": FieldAnswer("red drone", 1.0, "RULES"),
    }
    return Answer(key, transcript="heading zero six five", fields=fields, **values)  # type: ignore[arg-type]


def truth(key: int, **values: object) -> Truth:
    base: dict[str, object] = {
        "transcript": "heading zero six five",
        "heading": "065",
        "tool": "EMP",
        "target": "red drone",
        "box": Box(10, 10, 20, 20),
        "aim": (0.1, -0.2),
    }
    return Truth(key, **{**base, **values})  # type: ignore[arg-type]


def test_a_run_is_the_mean_of_its_turns() -> None:
    good = score_utterance(
        answer(0, box=Box(10, 10, 20, 20), aim=(0.1, -0.2), seconds=3.0), truth(0)
    )
    lost = score_utterance(None, truth(1))
    figures = metrics([good, lost])
    assert figures["turn_score"] == pytest.approx(0.99 / 2)
    assert figures["vlm"] == 0.5
    assert figures["asr"] == 0.5
    assert figures["aim_error_deg_median"] == pytest.approx(0.0, abs=1e-6)


def test_what_the_truth_does_not_say_is_not_scored() -> None:
    scored = score_utterance(answer(0), Truth(0, transcript="heading zero six five"))
    assert scored.nlp is None and scored.hit is None and scored.turn is None
    assert set(metrics([scored])) == {"asr", "wer", "aimed"}


def test_confusions_are_counted_most_frequent_first() -> None:
    scored = [score_utterance(answer(i), truth(i, heading=h)) for i, h in enumerate("aab")]
    assert confusion(scored, "heading") == [("a", "065", 2), ("b", "065", 1)]
    assert confusion(scored, "tool") == []
