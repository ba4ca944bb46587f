# SPDX-License-Identifier: Apache-2.0
"""The generator of misheard transcripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from turret_ai.errors import InputError
from turret_ai.learn import sentences, transcripts
from turret_ai.normalise import plain


def test_nothing_happens_at_rate_zero_and_much_at_rate_one() -> None:
    made = sentences.draw(8, seed=5)
    untouched = transcripts.Corrupter(0.0)
    assert all(untouched.corrupt(s.transcript) == s.transcript for s in made)
    share = []
    for rate in (0.3, 1.0):
        corrupter = transcripts.Corrupter(rate, seed=1)
        heard = [corrupter.corrupt(s.transcript) for s in made]
        hurt = sum(plain(h) != plain(s.transcript) for h, s in zip(heard, made, strict=True))
        share.append(hurt / len(made))
    assert share[0] < share[1]
    assert share[1] > 0.8


def test_the_same_seed_mishears_alike() -> None:
    once = list(transcripts.make(1, 0.7, seed=3))
    assert once == list(transcripts.make(1, 0.7, seed=3))
    assert once != list(transcripts.make(1, 0.7, seed=4))


def test_digits_come_out_in_the_ways_of_recognisers() -> None:
    corrupter = transcripts.Corrupter(1.0, seed=2)
    heard = " ".join(corrupter.corrupt("Heading three two five.") for _ in range(30))
    for way in ("325", "3 2 5", "3-2-5", "3.2.5"):
        assert way in heard


def test_the_truth_goes_with_the_text(tmp_path: Path) -> None:
    out = tmp_path / "misheard.jsonl"
    transcripts.write(out, 3, 0.5, 1, "novice", alternatives=2)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["key"] for row in rows] == list(range(3))
    assert all(len(row["alternatives"]) == 2 for row in rows)
    assert all(row["clean"].count("is") >= 3 for row in rows)


def test_bad_requests_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0\.\.1"):
        transcripts.Corrupter(1.5)
    with pytest.raises(InputError, match="nowhere"):
        transcripts.write(tmp_path / "nowhere" / "x.jsonl", 1, 0.5, 0, "novice")
