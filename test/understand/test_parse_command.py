# SPDX-License-Identifier: Apache-2.0
"""`turret-ai parse`: one JSON object a line, in order."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from turret_ai.cli.app import main


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_texts_are_answered_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", "Heading 320, target red drone, deploy EMP.", "", "hello"]) == 0
    first, second, third = lines(capsys)
    assert (first["heading"], first["tool"], first["target"]) == ("320", "EMP", "red drone")
    assert set(first) >= {"status", "confidence", "source"}
    assert second["status"] == third["status"] == "REJECTED"
    assert second["heading"] == ""


def test_a_dash_reads_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("heading 320\n\nheading 325\n"))
    assert main(["parse", "-"]) == 0
    assert [row["heading"] for row in lines(capsys)] == ["320", "", "325"]


def test_a_file_keeps_its_keys_and_alternatives(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "in.jsonl"
    rows = [
        {"key": 7, "transcript": "Heading zero six five, target red drone, deploy EMP."},
        {"key": 9, "alternatives": [{"text": "Heading 25", "score": -1.0},
                                    {"text": "Heading 225", "score": -1.1}]},
    ]  # fmt: skip
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert main(["parse", "--jsonl", str(file)]) == 0
    found = lines(capsys)
    assert [(row["key"], row["heading"]) for row in found] == [(7, "065"), (9, "225")]


def test_a_bad_line_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"transcript": "x"}\n{"no": 1}\n', encoding="utf-8")
    assert main(["parse", "--jsonl", str(file)]) == 2
    assert "line 2" in capsys.readouterr().err
    assert main(["parse"]) == 2
