# SPDX-License-Identifier: Apache-2.0
"""Language models are probability distributions, and longer contexts help."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.hear import ngrams
from turret_ai.hear.ngrams import END, START, NGrams

LINES = st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=40)


def probability(model: NGrams, context: tuple[str, ...], word: str) -> float:
    """Of a word after others, backing off as a decoder does."""
    context = context[max(0, len(context) - len(model.levels) + 1) :]
    gram = (*context, word)
    if gram in model.levels[len(context)]:
        return model.levels[len(context)][gram]
    if not context:
        return 0.0
    return model.back_off.get(context, 1.0) * probability(model, context[1:], word)


@given(LINES, st.integers(1, 4))
def test_what_may_follow_a_context_sums_to_one(corpus: list[list[str]], order: int) -> None:
    model = ngrams.estimate(corpus, order)
    contexts = {gram[:-1] for level in model.levels for gram in level}
    words = [word for (word,) in model.levels[0] if word != START]
    for context in contexts:
        total = math.fsum(probability(model, context, word) for word in words)
        assert total == pytest.approx(1.0, abs=1e-9)
    assert all(0 < p <= 1 for level in model.levels for p in level.values())


def test_contexts_tell_what_follows() -> None:
    corpus = [["x", "a", "y"], ["x", "b", "z"]] * 10 + [["x", "b", "y"]]
    model = ngrams.estimate(corpus, 3)
    assert probability(model, ("x", "a"), "y") > 0.8 > probability(model, ("x", "b"), "y")
    assert probability(model, ("x", "b"), "z") > probability(model, (), "z")
    assert probability(model, (START,), "x") > 0.9 > probability(model, ("y",), "x")
    assert probability(model, ("a", "y"), END) > 0.8


def test_words_seen_after_many_others_are_likelier_where_nothing_is_known() -> None:
    """Kneser and Ney's point: "francisco" is frequent, but only after "san"."""
    corpus = [["san", "francisco"]] * 20 + [[word, "town"] for word in "abcdefgh"]
    model = ngrams.estimate(corpus, 2)
    assert probability(model, ("francisco",), "town") > probability(model, ("town",), "francisco")


def test_an_arpa_file_holds_every_n_gram() -> None:
    model = ngrams.estimate([["a", "b"], ["a"]], 2)
    lines = ngrams.arpa(model).splitlines()
    assert lines[:3] == ["\\data\\", "ngram 1=4", "ngram 2=4"]
    assert lines[-1] == "\\end\\"
    entries = [line.split() for line in lines if line[:1] == "-"]
    assert len(entries) == sum(len(level) for level in model.levels)
    told = {tuple(parts[1:3]): float(parts[0]) for parts in entries if len(parts) == 3}
    assert told["a", "b"] == pytest.approx(math.log10(model.levels[1]["a", "b"]), abs=1e-3)
