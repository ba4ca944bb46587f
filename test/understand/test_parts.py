# SPDX-License-Identifier: Apache-2.0
"""The parts below the understand stage: words, sounds, rules, the pool of readings."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai import normalise, vocabulary
from turret_ai.phonetics import phones
from turret_ai.phonetics.letters import sound
from turret_ai.phonetics.lexicon import lexicon, phrase
from turret_ai.understand import channel, discourse, pool
from turret_ai.understand.numbers import four_digits
from turret_ai.understand.pronounce import sounds
from turret_ai.understand.words import split

WORDS = vocabulary.load()


def texts(words: list) -> str:  # type: ignore[type-arg]
    return " ".join(word.text for word in words)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("heading 320", "heading three two zero"),
        ("3-2-0", "three two zero"),
        ("0.9.5", "zero niner five"),
        ("to 35", "to three five"),
        ("no digits", "no digits"),
    ],
)
def test_numerals_are_spelled_as_on_the_radio(written: str, spoken: str) -> None:
    assert normalise.spell_digits(written) == spoken


@pytest.mark.parametrize(
    ("looped", "cut"),
    [
        ("the next morning, the next morning, the next morning,", "the next morning"),
        ("noise, time, time, time, time, over", "noise time over"),
        ("heading 1-0-0-0-0-0 now", "heading 1 0 0 now"),
        ("deploy EMP, deploy EMP, now", "deploy emp deploy emp now"),
        ("one one one", "one one one"),
    ],
)
def test_loops_are_cut(looped: str, cut: str) -> None:
    assert texts(split(looped)) == cut


def test_a_loop_leaves_room_for_what_follows() -> None:
    assert texts(split("go " * 100 + "heading 320", most=70)) == "go heading 320"


def test_worse_chances_are_chances() -> None:
    for times in (1.0, 2.0, 50.0):
        chances = channel.worse(channel.articulatory(), times)
        assert np.allclose(chances.substitution.sum(axis=1), 1.0)
        assert chances.substitution.min() >= 0.0
        assert chances.deletion.max() <= channel.MOST_WRONG


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        ("three two zero", "320"),
        ("3-2-0", "320"),
        ("zero niner five", "095"),
        ("thirty five", None),
        ("three two one", None),
        ("zero zero zero", None),
        ("three six zero", "360"),
        ("three six five", None),
    ],
)
def test_a_heading_is_three_digits_on_the_grid(said: str, heading: str | None) -> None:
    assert normalise.heading(said) == heading


@given(st.text(max_size=80))
def test_normalising_takes_any_text_and_is_stable(text: str) -> None:
    once = normalise.plain(text)
    assert normalise.plain(once) == once
    normalise.spell_digits(text)
    normalise.read_digits(text)


@given(st.sampled_from(WORDS.headings))
def test_every_heading_survives_speech_and_back(heading: str) -> None:
    assert normalise.heading(normalise.spell_digits(heading)) == heading


def test_hyphens_open_and_repeat_cuts() -> None:
    talk = discourse.read(split("Deploy surface-to-air missiles now. I repeat, deploy EMP"))
    before, after = talk.parts
    assert texts(before.words) == "deploy surface to air missiles now"
    assert texts(after.words) == "deploy emp"
    assert after.relation is discourse.Relation.AGAIN


def test_every_word_of_the_vocabulary_has_sounds_of_known_phones() -> None:
    for term in (*WORDS.tools, *WORDS.colours, *WORDS.types):
        for said in term.spoken:
            for way in phrase(normalise.plain(said)):
                assert len(way) >= 3
                assert set(way) <= set(phones.PHONES)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=20))
def test_any_letters_have_sounds(word: str) -> None:
    assert set(sound(word)) <= set(phones.PHONES)


def test_letter_rules_agree_with_the_lexicon_on_most_phones() -> None:
    from rapidfuzz.distance import Levenshtein

    edits = size = 0
    for word, ways in lexicon().items():
        edits += min(Levenshtein.distance(sound(word), way) for way in ways)
        size += len(ways[0])
    assert edits / size < 0.3


def test_numerals_sound_digit_by_digit() -> None:
    joined = sounds(split("to35"), WORDS)
    spoken = sounds(split("to three five"), WORDS)
    assert joined.phones.tolist() == spoken.phones.tolist()
    assert spoken.first.sum() == 3


@pytest.mark.parametrize(
    ("heard", "meant"), [("1180", "180"), ("1005", "105"), ("2070", "270"), ("9999", None)]
)
def test_a_fourth_digit_is_taken_out(heard: str, meant: str) -> None:
    assert four_digits(heard, WORDS.headings) == meant


def test_confusions_are_probabilities_and_near_phones_are_likelier() -> None:
    table = phones.substitution(0.9, 1.6)
    assert np.allclose(table.sum(axis=1), 1.0)
    at = phones.INDEX
    assert table[at["d"], at["t"]] > table[at["d"], at["sh"]] > table[at["d"], at["aa"]]
    assert phones.distance("iy", "ih") < phones.distance("iy", "aa")


def test_readings_weigh_by_their_scores() -> None:
    even = pool.weights([0.0, 0.0], 1.0)
    assert even == [0.5, 0.5]
    first, second = pool.weights([-1.0, -3.0], 1.0)
    assert math.isclose(first / second, math.exp(2.0))


def test_readings_weigh_by_their_fit() -> None:
    first, second = pool.weights([0.0, 0.0], 1.0, [-1.0, -3.0])
    assert math.isclose(first / second, math.exp(2.0 * pool.FIT))
    assert math.isclose(sum(pool.weights([math.nan, -math.inf, 0.0], 0.5, [1.0, -6.0, 0.0])), 1.0)


def test_what_one_reading_lost_another_says() -> None:
    lost, said = {"": 1.0}, {"EMP": 0.9, "machine gun": 0.1}
    mixed = pool.mix([lost, said], [0.6, 0.4])
    assert mixed == pytest.approx(said, abs=0.02)
    faint = pool.mix([lost, said], [0.95, 0.05])
    assert faint[""] == pytest.approx(0.95)
    assert pool.mix([lost, lost], [0.5, 0.5]) == {"": 1.0}


def test_what_fits_all_readings_beats_what_one_is_surer_of() -> None:
    first = {"025": 0.6, "325": 0.4}
    second = {"225": 0.65, "325": 0.35}
    value, probability = pool.likeliest(pool.mix([first, second], [0.5, 0.5]))
    assert value == "325"
    assert probability > 0.4
    alike = pool.mix([first, first], [0.5, 0.5])
    assert alike == pytest.approx(first, abs=0.02), "an echo is no second witness"
    assert pool.mix([first], [1.0]) == first


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["", "a", "b", "c"]), st.floats(0.01, 1.0), min_size=1),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_mixed_shares_are_shares(raw: list[dict[str, float]], data: st.DataObject) -> None:
    masses = [{k: v / sum(m.values()) for k, v in m.items()} for m in raw]
    scores = data.draw(st.lists(st.floats(-40, 0), min_size=len(raw), max_size=len(raw)))
    mixed = pool.mix(masses, pool.weights(scores, 0.3))
    assert math.isclose(sum(mixed.values()), 1.0, rel_tol=1e-6)
    assert set(mixed) <= {value for mass in masses for value in mass}


def test_rouge_l_agrees_with_the_public_metric() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    public = RougeScorer(["rougeL"], use_stemmer=False)
    rng = Random(3)
    words = "red blue and green light aircraft drone".split()  # noqa: SIM905
    for _ in range(50):
        a = rng.choices(words, k=rng.randint(1, 5))
        b = rng.choices(words, k=rng.randint(1, 5))
        wanted = public.score(" ".join(a), " ".join(b))["rougeL"].fmeasure
        assert math.isclose(pool.rouge_l(a, b), wanted, abs_tol=1e-9)


def test_the_target_of_highest_expected_score_wins() -> None:
    shares = {"red drone": 0.3, "red and blue drone": 0.26, "red and blue missile": 0.44}
    assert pool.best_expected(shares)[0] == "red and blue drone"
