# SPDX-License-Identifier: Apache-2.0
"""`turret-ai evaluate` from files to figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from turret_ai.cli.app import main

TRUTH = [
    {
        "key": 0,
        "transcript": "Heading is zero six five.",
        "heading": "065",
        "tool": "EMP",
        "target": "red drone",
        "bbox": [10, 10, 20, 20],
    },
    {
        "key": 1,
        "transcript": "Heading is one one zero.",
        "heading": "110",
        "tool": "machine gun",
        "target": "blue helicopter",
        "bbox": [50, 60, 30, 20],
    },
]


def lines(path: Path, records: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def figures(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["evaluate", *words]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_predictions_are_scored_by_each_official_formula(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = lines(tmp_path / "truth.jsonl", TRUTH)
    told = [
        {**TRUTH[0], "seconds": 3.0},
        {**TRUTH[1], "heading": "115", "bbox": [50, 60, 30, 5], "seconds": 6.0},
    ]
    told[1]["transcript"] = "heading is one one five"
    predictions = lines(tmp_path / "predictions.jsonl", told)
    assert figures(capsys, "asr", predictions, truth)["score"] == pytest.approx(0.9)
    assert figures(capsys, "nlp", predictions, truth)["score"] == pytest.approx(5 / 6)
    assert figures(capsys, "vlm", predictions, truth)["score"] == pytest.approx(0.5)
    turns = figures(capsys, "turns", predictions, truth, "--details")
    assert turns["score"] == pytest.approx((0.99 + 0.45 * 2 / 3 + 0.08) / 2)
    assert len(turns["details"]) == 2


def test_a_missing_prediction_counts_as_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = lines(tmp_path / "truth.jsonl", TRUTH)
    predictions = lines(tmp_path / "predictions.jsonl", TRUTH[:1])
    for command in ("nlp", "vlm"):
        assert figures(capsys, command, predictions, truth)["score"] == pytest.approx(0.5)


def test_boxes_may_stand_as_annotations_of_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations = [
        {"caption": "red drone", "bbox": [0, 0, 10, 10]},
        {"caption": "grey missile", "bbox": [50, 50, 10, 10]},
    ]
    truth = lines(tmp_path / "t.jsonl", [{"image": "a.jpg", "annotations": annotations}])
    swapped = [{**annotations[0], "bbox": [50, 50, 10, 10]}, annotations[1]]
    told = lines(tmp_path / "p.jsonl", [{"image": "a.jpg", "annotations": swapped}])
    assert figures(capsys, "vlm", told, truth)["score"] == pytest.approx(0.5)


@pytest.mark.parametrize("command", ["asr", "nlp", "vlm", "turns"])
def test_a_broken_file_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    truth = lines(tmp_path / "truth.jsonl", TRUTH)
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"key": 0}\n{"key"')
    assert main(["evaluate", command, str(broken), truth]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and "broken.jsonl:2" in error


@pytest.mark.slow
def test_a_sample_recording_is_evaluated_to_the_same_bytes_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = str(tmp_path / "sample")
    assert main(["evaluate", "sample", bag, "--image-rate", "0.5"]) == 0
    for name in ("one", "two"):
        code = main(["evaluate", "bag", bag, "--output", str(tmp_path / name)])
        assert code == 0, capsys.readouterr().err
    for file in ("results.json", "predictions.jsonl", "junit.xml"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
