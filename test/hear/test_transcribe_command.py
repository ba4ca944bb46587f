# SPDX-License-Identifier: Apache-2.0
"""`turret-ai transcribe` and `turret-ai evaluate asr`, from files to a score."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from turret_ai import share
from turret_ai.cli.app import main
from turret_ai.prove.asr_score import Heard, score, word_error_rate


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_files_become_lines_and_a_broken_one_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = share.path("scenes/audio/woods_0.ogg")
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    scores = tmp_path / "scores.jsonl"
    words = ["transcribe", str(broken), str(clip), "--engine", "sphinx"]
    assert main([*words, "--save-scores", str(scores)]) == 1
    first, second = lines(capsys.readouterr().out)
    assert "not an audio" in first["error"]
    assert second["audio"] == str(clip)
    assert second["status"] == "FINAL"
    assert second["transcript"]
    assert 0 <= second["confidence"] <= 1
    assert second["seconds"] > 0
    (saved,) = lines(scores.read_text())
    assert saved["alternatives"][0]["text"] == second["transcript"]


def test_a_name_that_is_no_utf_8_is_told_and_the_others_are_heard(tmp_path: Path) -> None:
    clip = share.path("scenes/audio/woods_0.ogg")
    named = os.fsencode(tmp_path) + b"/caf\xe9.ogg"
    Path(os.fsdecode(named)).write_bytes(clip.read_bytes())
    missing = os.fsencode(tmp_path) + b"/na\xefve.wav"
    words = [sys.executable, "-m", "turret_ai.cli.app", "transcribe", missing, named, str(clip)]
    done = subprocess.run([*words, "--engine", "sphinx"], capture_output=True, timeout=100)
    assert done.returncode == 1, done.stderr
    first, second, third = lines(done.stdout.decode())
    assert "no audio file" in first["error"]
    assert os.fsencode(second["audio"]) == named
    assert second["transcript"] == third["transcript"] != ""


def test_a_manifest_is_transcribed_and_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = share.path("scenes/audio/woods_1.ogg")
    text = share.path("scenes/woods.yaml").read_text(encoding="utf-8")
    import yaml

    said = yaml.safe_load(text)["commands"][1]["text"]
    manifest = tmp_path / "manifest.jsonl"
    truth = {"key": 0, "audio": str(audio), "transcript": said, "engine": "flite", "snr_db": 21.0}
    manifest.write_text(json.dumps(truth) + "\n")
    assert main(["transcribe", str(manifest), "--engine", "sphinx"]) == 0
    heard = tmp_path / "heard.jsonl"
    heard.write_text(capsys.readouterr().out)
    assert main(["evaluate", "asr", str(heard), str(manifest), "--details"]) == 0
    (figures,) = lines(capsys.readouterr().out)
    assert figures["score"] > 0.7
    assert figures["by"]["engine"]["flite"]["clips"] == 1
    assert "20..30 dB" in figures["by"]["snr"]


@pytest.mark.parametrize(
    "words",
    [
        ["transcribe", "nosuch.jsonl"],
        ["transcribe", "x.wav", "--model", "nosuch"],
        ["transcribe", "x.wav", "--set", "colour=3"],
        ["transcribe", "x.wav", "--engine", "ears"],
    ],
)
def test_what_cannot_be_done_is_one_line_on_stderr(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err


def test_the_score_ignores_case_hyphens_and_punctuation() -> None:
    assert word_error_rate([("Anti-air artillery, over.", "anti air artillery over")]) == 0.0
    assert word_error_rate([("one two three four", "one two four")]) == 0.25
    assert word_error_rate([("one", "a b c")]) == 3.0


def test_numerals_are_alike_only_in_the_normalised_figure() -> None:
    figures = score([Heard("heading three two zero", "heading 320", {})])
    assert figures["wer"] > 0
    assert figures["wer_normalised"] == 0.0
    assert figures["sentences_right"] == 1.0
    assert figures["empty"] == 0.0
