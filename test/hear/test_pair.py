# SPDX-License-Identifier: Apache-2.0
"""Two engines, one answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from turret_ai.hear import command_words
from turret_ai.hear.pair import PairRecogniser, merged
from turret_ai.hear.recogniser import Reading, Recogniser
from turret_ai.hear.settings import RecogniserSettings
from turret_ai.types import FloatArray, Hypothesis, TranscriptStatus

SPEECHLESS = RecogniserSettings(speech_gate=False)


class Fixed(Recogniser):
    """Always reads the same."""

    def __init__(self, name: str, *texts: str, confidence: float = 0.5) -> None:
        super().__init__(SPEECHLESS)
        self.name, self.calls = name, 0
        found = [Hypothesis(text, -float(k)) for k, text in enumerate(texts)]
        self.reading = Reading(tuple(found), confidence if texts else 0.0, "" if texts else "deaf")

    def read(self, samples: FloatArray) -> Reading:
        self.calls += 1
        return self.reading

    def phone_times(self, samples: FloatArray) -> FloatArray:
        words = self.reading.alternatives[0].text.split() if self.reading.alternatives else []
        return np.arange(3 * len(words), dtype=np.float32) * 0.1

    def describe(self) -> dict[str, str]:
        return {"engine": self.name, "model": self.name, "device": "cpu"}


def noise() -> FloatArray:
    return np.random.default_rng(0).standard_normal(8000).astype(np.float32) * 0.1


def test_the_better_engine_answers_and_the_fast_one_tells_what_is_being_said() -> None:
    best, fast = Fixed("best", "heading one"), Fixed("fast", "heading two")
    pair = PairRecogniser(SPEECHLESS, best, fast)
    partial = pair.glance(noise())
    assert (partial.status, partial.text) == (TranscriptStatus.PARTIAL, "heading two")
    assert best.calls == 0
    final = pair.transcribe(noise())
    assert (final.status, final.text) == (TranscriptStatus.FINAL, "heading one")
    assert [a.text for a in final.alternatives] == ["heading one", "heading two"]
    assert pair.describe()["engine"] == "best + fast"


@pytest.mark.parametrize("sure", [0.3, 0.7])
def test_where_the_better_engine_hears_nothing_a_sure_fast_one_answers(sure: float) -> None:
    pair = PairRecogniser(SPEECHLESS, Fixed("best"), Fixed("fast", "stand down", confidence=sure))
    found = pair.transcribe(noise())
    if sure > 0.5:
        assert (found.status, found.text) == (TranscriptStatus.FINAL, "stand down")
    else:
        assert (found.status, found.reason) == (TranscriptStatus.EMPTY, "deaf")


def test_what_the_detector_misses_is_heard_if_the_fast_engine_hears_phones() -> None:
    strict = RecogniserSettings(gate_speech=1.0)
    for words, status in ((("heading two",), TranscriptStatus.FINAL), ((), TranscriptStatus.EMPTY)):
        pair = PairRecogniser(strict, Fixed("best", "heading one"), Fixed("fast", *words))
        assert pair.transcribe(noise()).status is status


@pytest.mark.parametrize("sure", [0.05, 0.5, 0.9])
def test_scores_are_logarithms_of_probabilities_and_the_answer_is_first(sure: float) -> None:
    first = Fixed("a", "one", "two", "three", confidence=sure).reading
    second = Fixed("b", "four", "Two.", confidence=0.9).reading
    readings = merged(first, second)
    assert readings[0].text == "one"
    assert {r.text for r in readings} == {"one", "two", "three", "four"}
    scores = [r.score for r in readings]
    assert scores == sorted(scores, reverse=True)
    assert sum(math.exp(s) for s in scores) <= 1.0 + 1e-6


def test_a_reading_of_both_engines_gains() -> None:
    first = Fixed("a", "one", "two", "three", confidence=0.4).reading
    alone = {r.text: r.score for r in merged(first, Reading((), 0.0))}
    backed = {r.text: r.score for r in merged(first, Fixed("b", "three").reading)}
    assert backed["three"] > alone["three"]
    assert backed["three"] > backed["two"]


def test_a_sure_answer_asks_for_no_second_opinion() -> None:
    first = Fixed("a", "one", confidence=0.99).reading
    assert len(merged(first, Fixed("b", "two", confidence=0.9).reading)) == 1


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("Heading is three two zero, target is silver drone, tool to deploy is EMP.", 0.0, 0.0),
        ("The weather over the northern ridge is getting worse every hour.", 0.3, 0.9),
        ("Bonjour mademoiselle", 1.0, 1.0),
        ("", 1.0, 1.0),
    ],
)
def test_the_share_of_words_that_no_command_has(text: str, low: float, high: float) -> None:
    assert low <= command_words.foreign_share(text) <= high
