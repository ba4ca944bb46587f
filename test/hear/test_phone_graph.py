# SPDX-License-Identifier: Apache-2.0
"""What is said in clear phones is read back word by word, whatever the timing; nonsense is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai import vocabulary
from turret_ai.errors import ModelError
from turret_ai.hear import grammar, ngrams, phone_graph
from turret_ai.hear.lattice_search import search
from turret_ai.hear.phone_graph import BLANK, CLASSES, PhoneGraph
from turret_ai.phonetics import lexicon

CORPUS = grammar.sentences(vocabulary.load(), 400)


@pytest.fixture(scope="module")
def graph() -> PhoneGraph:
    model, fields = grammar.language_model(vocabulary.load())
    return phone_graph.build(model, grammar.ways_to_say, fields)


def way(word: str) -> tuple[str, ...]:
    return lexicon.ways(word)[0]


def told(classes: list[int], sure: float = 0.9) -> np.ndarray:
    """Log-probabilities, shape (n, CLASSES), of a model that is that sure of each frame."""
    scores = np.full((len(classes), CLASSES), (1 - sure) / (CLASSES - 1), dtype=np.float32)
    scores[np.arange(len(classes)), classes] = sure
    return np.log(scores)


def timed(phones: list[int], rng: np.random.Generator) -> list[int]:
    """Phones with random repeats and blanks; one blank at least between equal ones."""
    frames: list[int] = [BLANK] * int(rng.integers(0, 4))
    for place, phone in enumerate(phones):
        frames += [phone] * int(rng.integers(1, 4))
        repeated = place + 1 < len(phones) and phones[place + 1] == phone
        frames += [BLANK] * int(rng.integers(1 if repeated else 0, 3))
    return frames


def sounds_like(text: str, said: list[int]) -> bool:
    """Whether some pronunciation of each word, one after the other, is what was said."""
    ends = {0}
    for word in text.split():
        ways = [[phone_graph.INDEX[p] + 1 for p in way] for way in phone_graph.ways(word)]
        ends = {e + len(w) for e in ends for w in ways if said[e : e + len(w)] == w}
    return len(said) in ends


@settings(deadline=None, max_examples=60)
@given(line=st.sampled_from(CORPUS), seed=st.integers(0, 2**32 - 1))
def test_a_sentence_in_clear_phones_is_read_back(
    graph: PhoneGraph, line: list[str], seed: int
) -> None:
    phones = phone_graph.spell(" ".join(line))
    # Surer than a model ever is: at .9, an "oh" of one frame can lose to the language model.
    found = search(told(timed(phones, np.random.default_rng(seed)), sure=0.9999), graph)
    # Words that sound alike ("two", "to"), in any of their ways, can't always be told apart.
    assert sounds_like(found.texts[0].text, phones)
    assert found.mean_log_prob == pytest.approx(0.0, abs=1e-3)
    assert [t.score for t in found.texts] == sorted((t.score for t in found.texts), reverse=True)
    assert len({t.text for t in found.texts}) == len(found.texts) <= 3


def test_other_sounds_fit_badly(graph: PhoneGraph) -> None:
    rng = np.random.default_rng(1)
    frames = timed([int(c) for c in rng.integers(1, CLASSES, 60)], rng)
    assert search(told(frames), graph).mean_log_prob < -8


def test_blanks_alone_are_no_words(graph: PhoneGraph) -> None:
    assert search(told([BLANK] * 100, sure=0.999), graph).texts == ()


def test_the_digits_of_radio_operators_are_heard(graph: PhoneGraph) -> None:
    said = [
        phone_graph.INDEX[p] + 1
        for p in ["hh", "eh", "d", "ih", "ng", "t", "r", "iy", "f", "ay", "f", "z", "ih", "r", "ow"]
    ]
    assert search(told(timed(said, np.random.default_rng(0))), graph).texts[0].text == (
        "heading three five zero"
    )


def heard(graph: PhoneGraph, said: str) -> str:
    frames = timed(phone_graph.spell(said), np.random.default_rng(len(said)))
    return search(told(frames), graph).texts[0].text


@pytest.mark.parametrize(
    "said",
    [
        "heading is three six one target is red drone",  # no heading that can be ordered
        "blue blue and blue light aircraft heading three five zero",  # a colour thrice
        "missile heading one two five use the drone catcher",  # no colour
        "helicopter helicopter three zero zero alpha emp emp fire",  # no template at all
    ],
)
def test_what_no_template_foresees_is_heard_all_the_same(graph: PhoneGraph, said: str) -> None:
    assert heard(graph, said) == said


def test_a_term_has_one_spelling_of_those_that_sound_alike(graph: PhoneGraph) -> None:
    assert heard(graph, "deploy the machinegun heading one two five") == (
        "deploy the machine gun heading one two five"
    )
    assert "machinegun" not in graph.words


def test_fields_stand_in_templates_as_phrases() -> None:
    fields = {"{X}": ngrams.estimate([["red", "drone"], ["blue", "drone"]], 2)}
    model = ngrams.estimate([["target", "{X}", "over"], ["{X}", "fire"]], 3)
    graph = phone_graph.build(model, grammar.ways_to_say, fields)
    assert set(graph.words) == {"target", "over", "fire", "red", "blue", "drone"}
    for said in ("target red drone over", "blue drone fire", "target blue drone fire"):
        assert heard(graph, said) == said


def test_a_word_that_cannot_be_said_is_never_heard() -> None:
    model = ngrams.estimate([["red", "drone"], ["blue", "drone"]])
    silent = phone_graph.build(model, lambda w: () if w == "red" else grammar.ways_to_say(w))
    found = search(told(timed(phone_graph.spell("red drone"), np.random.default_rng(0))), silent)
    assert all("red" not in reading.text for reading in found.texts)
    with pytest.raises(ModelError, match="pronounced"):
        phone_graph.build(model, lambda _: ())


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.lists(st.sampled_from(["red", "drone", "five", "fire", "a"]), min_size=1, max_size=5),
        min_size=1,
        max_size=6,
    )
)
def test_any_little_language_can_be_searched(corpus: list[list[str]]) -> None:
    graph = phone_graph.build(ngrams.estimate(corpus), grammar.ways_to_say)
    line = " ".join(corpus[0])
    frames = timed(phone_graph.spell(line), np.random.default_rng(len(line)))
    found = search(told(frames, sure=0.999), graph)
    assert phone_graph.spell(found.texts[0].text) == phone_graph.spell(line)
