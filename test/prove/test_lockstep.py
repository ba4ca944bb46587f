# SPDX-License-Identifier: Apache-2.0
"""A recording is evaluated the same way every time, and as far as it goes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from recording import SPOKEN, Making, Plain, Spoken, make

from turret_ai.errors import InputError
from turret_ai.prove import evaluation, lockstep, outputs, tolerance, truth
from turret_ai.prove.bag import Bag
from turret_ai.prove.evaluation import Evaluation
from turret_ai.prove.results import Truth
from turret_ai.types import CommandField


def evaluate(
    path: Path, truths: list[Truth] | None = None, stages: Plain | None = None
) -> tuple[Evaluation, lockstep.Run]:
    with Bag(path) as bag:
        run = lockstep.run(bag, stages or Plain())
        return evaluation.of_run(bag, run, truths, {"stages": "plain"}), run


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("bags") / "sample")


def test_the_chain_over_a_recording_gives_sentence_command_box_and_aim(bag: Path) -> None:
    found, _ = evaluate(bag)
    assert found.problems == []
    assert [s.answer.transcript for s in found.scored if s.answer] == [s.sentence for s in SPOKEN]
    for scored, spoken in zip(found.scored, SPOKEN, strict=True):
        assert scored.answer is not None and scored.answer.outcome == "AIMED"
        assert scored.iou is not None and scored.iou > 0.9
        assert scored.aim_error is not None and math.degrees(scored.aim_error) < 0.3
        assert scored.answer.value("target") == spoken.target
    assert found.metrics["asr"] == 1.0
    assert found.metrics["map50"] == 1.0
    # The picture is exposed 1.4 s after the end of speech: 0.9 + 0.1 (1 - 1.4/30).
    assert found.metrics["turn_score"] == pytest.approx(0.9 + 0.1 * (1 - 1.4 / 30), abs=0.002)


def test_two_evaluations_write_the_same_bytes(bag: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        found, run = evaluate(bag)
        outputs.write(found, tmp_path / name, run.pictures)
    for file in (outputs.RESULTS, outputs.PREDICTIONS, outputs.JUNIT):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_result_holds_no_wall_clock_time(bag: Path) -> None:
    found, _ = evaluate(bag)
    fast = json.dumps(found.as_result(), default=str)
    found.wall_seconds, found.stage_seconds = 99.0, {}
    assert json.dumps(found.as_result(), default=str) == fast


def test_an_sqlite_recording_gives_the_same_answers(bag: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "sample", Making(storage="sqlite3"))
    ours, theirs = evaluate(bag)[0], evaluate(other)[0]
    assert ours.as_result() == theirs.as_result()


def test_without_turret_state_the_joints_tell_when_the_camera_stands(
    bag: Path, tmp_path: Path
) -> None:
    other = make(tmp_path / "bag", Making(without=frozenset({"turret/state"})))
    found = evaluate(other)[0]
    assert found.problems == []
    assert found.metrics["vlm"] == 1.0
    assert found.metrics["aim_error_deg_median"] < 0.3


def test_a_heading_that_the_camera_never_took_is_said(tmp_path: Path) -> None:
    class Deaf(Plain):
        def understand(self, transcription):  # type: ignore[no-untyped-def]
            return replace(super().understand(transcription), heading=CommandField("180", 1.0))

    path = make(tmp_path / "bag", Making(without=frozenset({"turret/state"})))
    found = evaluate(path, stages=Deaf())[0]
    assert all("never stood at heading 180" in s.answer.reason for s in found.scored if s.answer)
    assert found.metrics["heading"] == 0.0


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("audio", "no audio topic"),
        ("camera/image_raw", "no camera images"),
        ("camera/camera_info", "no usable camera_info"),
        ("joint_states", "no usable joint_states"),
    ],
)
def test_a_missing_topic_is_named_and_the_rest_is_used(
    tmp_path: Path, missing: str, words: str
) -> None:
    found = evaluate(make(tmp_path / "bag", Making(without=frozenset({missing}))))[0]
    assert found.status == "failed"
    assert any(words in problem for problem in found.problems)
    if missing != "audio":
        assert found.metrics["nlp"] == 1.0
        assert all(s.answer is not None and s.answer.aim is None for s in found.scored)


def test_zero_stamps_are_reported_and_log_times_used(tmp_path: Path) -> None:
    found = evaluate(make(tmp_path / "bag", Making(zero_stamps=True)))[0]
    assert any("zero stamp" in problem for problem in found.problems)
    assert any("log times are used" in problem for problem in found.problems)
    assert [s.answer.outcome for s in found.scored if s.answer] == ["AIMED", "AIMED"]


def test_a_clock_that_jumps_back_is_reported_and_survived(tmp_path: Path) -> None:
    found = evaluate(make(tmp_path / "bag", Making(jump_back=True)))[0]
    assert any("jumps back" in problem for problem in found.problems)
    assert [s.answer.outcome for s in found.scored if s.answer] == ["AIMED", "AIMED"]


def test_a_recording_that_was_cut_off_is_evaluated_up_to_the_cut(tmp_path: Path) -> None:
    path = make(tmp_path / "bag")
    file = path / "bag.mcap"
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * 0.7)])
    found = evaluate(path)[0]
    assert found.status == "failed"
    assert any("cut off" in problem for problem in found.problems)
    first = found.scored[0].answer
    assert first is not None and first.outcome == "AIMED"


def test_a_recording_that_begins_in_mid_sentence_passes_and_one_with_a_sentence_too_many_fails(
    tmp_path: Path,
) -> None:
    begun = evaluate(make(tmp_path / "begun", Making(untold=frozenset({0}))))[0]
    assert begun.status == "passed" and [s.truth is None for s in begun.scored] == [True, False]
    made_up = evaluate(make(tmp_path / "made_up", Making(untold=frozenset({1}))))[0]
    assert made_up.problems == ["2 utterances were heard, the truth has 1"]


def test_the_truth_may_come_from_a_file(bag: Path, tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    lines = [
        {
            "key": i,
            "transcript": s.sentence,
            "heading": s.heading,
            "tool": s.tool,
            "target": "blue glider",
        }
        for i, s in enumerate(SPOKEN)
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    found = evaluate(bag, truth.from_file(file))[0]
    assert found.metrics["target"] == 0.0
    assert found.metrics["heading"] == 1.0


def test_a_target_that_was_never_searched_counts_as_missed(bag: Path) -> None:
    class Vague(Plain):
        def understand(self, transcription):  # type: ignore[no-untyped-def]
            return replace(super().understand(transcription), target=CommandField())

    found = evaluate(bag, stages=Vague())[0]
    assert found.metrics["vlm"] == 0.0
    assert all(s.answer and s.answer.outcome == "INCOMPLETE" for s in found.scored)


def test_a_missed_utterance_scores_nothing_and_the_others_keep_their_truth(tmp_path: Path) -> None:
    truths = [Truth(i, "", s.sentence, s.heading, s.tool, s.target) for i, s in enumerate(SPOKEN)]
    path = make(tmp_path / "bag", Making(unspoken=frozenset({0})))
    found = evaluate(path, truths)[0]
    assert [s.answer is None for s in found.scored] == [True, False]
    assert found.metrics["vlm"] == 0.5
    assert found.metrics["nlp"] == 0.5
    assert any("1 utterances were heard, the truth has 2" in p for p in found.problems)


def test_the_report_shows_every_utterance_and_its_picture(bag: Path, tmp_path: Path) -> None:
    found, run = evaluate(bag)
    outputs.write(found, tmp_path, run.pictures, [outputs.Column("before", {"asr": 0.5})])
    page = (tmp_path / "report.html").read_text()
    assert page.count("<figure>") == 2
    assert "red helicopter" in page and "before" in page
    assert "http://" not in page and "https://" not in page  # it needs nothing beside itself


def test_a_transcript_cannot_smuggle_markup_into_the_report(tmp_path: Path) -> None:
    spoken = (Spoken("065", "EMP", "<script>alert(1)</script>"),)
    path = make(tmp_path / "bag", Making(spoken))
    with Bag(path) as recording:
        run = lockstep.run(recording, Plain(spoken))
        found = evaluation.of_run(recording, run, None, {})
    outputs.write(found, tmp_path / "out", run.pictures)
    assert "<script" not in (tmp_path / "out" / "report.html").read_text()


def test_figures_below_the_baseline_fail(bag: Path, tmp_path: Path) -> None:
    found, _ = evaluate(bag)
    limits = tmp_path / "limits.yaml"
    limits.write_text("asr: 1.0\nturn_score: {value: 0.999, tolerance: 0.001}\n")
    written = outputs.write(found, tmp_path / "out", limits=tolerance.read_limits(limits))
    assert [check.passed for check in written.checks] == [True, False]
    assert not written.passed
    cases = ElementTree.parse(tmp_path / "out" / "junit.xml").findall(".//testcase")
    assert sum(case.find("failure") is not None for case in cases) == 1


def test_an_earlier_result_is_a_baseline(bag: Path, tmp_path: Path) -> None:
    found, _ = evaluate(bag)
    outputs.write(found, tmp_path / "out")
    written = outputs.write(
        found, tmp_path / "again", limits=tolerance.read_limits(tmp_path / "out", 0.0)
    )
    assert written.passed and len(written.checks) == len(found.metrics)
    assert outputs.read_column(tmp_path / "out").metrics["asr"] == 1.0


@pytest.mark.parametrize(
    "text",
    ["speed: 3", "asr: high", "asr: {worst: 1}", "- asr", "asr: {value: 1, tolerance: -1}", ""],
)
def test_a_baseline_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(text)
    with pytest.raises(InputError):
        tolerance.read_limits(file)


def test_less_is_better_for_errors() -> None:
    limit = tolerance.Limit("aim_error_deg_median", 0.5, 0.1)
    assert tolerance.Check(limit.name, 0.59, limit).passed
    assert not tolerance.Check(limit.name, 0.61, limit).passed
    assert not tolerance.Check(limit.name, None, limit).passed
