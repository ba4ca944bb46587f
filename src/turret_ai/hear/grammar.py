# SPDX-License-Identifier: Apache-2.0
"""Sentences of command drawn from the vocabulary, for the language models of the engines.

A finite grammar would do as well for pocketsphinx, but it searches one word by word, fifty times
slower than the lexical tree that it uses with n-grams.

What surrounds the fields comes from `config/speech_templates.txt`, which
`turret-ai export grammar` draws from the grammar of synthetic sentences; the fields themselves
come from the vocabulary, so that a new tool or colour is heard without a rebuild.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache

from turret_ai import share
from turret_ai.hear.ngrams import NGrams, estimate
from turret_ai.normalise import plain
from turret_ai.phonetics.lexicon import Pronunciation, phrase, ways
from turret_ai.vocabulary import Term, Vocabulary

TEMPLATES = "config/speech_templates.txt"
_COUNT = 8000
_DRAWS = 2000
_ORDER = 4
_FIELD_ORDERS = {"H": 3, "W": 3}
"""Of the n-grams of a field's words: three digits are a heading, not two or four. Else 2."""
_RARE = 0.1
"""How often a rare term is drawn, beside one that is not."""
_CAREFUL = 0.75
"""How often "an" is said where it belongs."""
_SLOT = re.compile(r"\{([HWTAC])\}")


def templates() -> list[str]:
    """The shipped sentences with {H}, {W}, {T}, {A} (target after an article), {C} (call sign)."""
    lines = share.path(TEMPLATES).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _said(rng: random.Random, terms: Sequence[Term | object]) -> str:
    weights = [_RARE if getattr(term, "rare", False) else 1.0 for term in terms]
    (term,) = rng.choices(list(terms), weights)
    spoken = _by_sound(getattr(term, "spoken", ()))
    return spoken[0] if rng.random() < 0.75 else rng.choice(spoken)


@lru_cache(maxsize=256)
def _by_sound(spoken: tuple[str, ...]) -> tuple[str, ...]:
    """The ways to say a term, of those that sound alike ("machinegun") the first."""
    found: dict[tuple[Pronunciation, ...], str] = {}
    for text in spoken:
        found.setdefault(phrase(plain(text)), text)
    return tuple(found.values())


def _heading(vocabulary: Vocabulary, rng: random.Random) -> str:
    said = []
    for digit in rng.choice(vocabulary.headings):
        words = vocabulary.digits[digit]
        common = rng.random() < 0.9
        said.append(words[0] if common else rng.choice(words))
    return " ".join(_PLAIN_DIGITS.get(word, word) for word in said)


_PLAIN_DIGITS = {"tree": "three", "fower": "four", "fife": "five"}
"""Ways to pronounce digits (ICAO Annex 10), not other words: see `radio_ways`."""


def radio_ways(word: str) -> tuple[Pronunciation, ...]:
    """How radio operators are taught to say a digit, where that differs from plain speech."""
    return tuple(
        way for said, plainly in _PLAIN_DIGITS.items() if plainly == word for way in ways(said)
    )


def ways_to_say(word: str) -> tuple[Pronunciation, ...]:
    """The ways to say a word of the grammar, those of radio operators included."""
    return (*ways(word), *radio_ways(word))


def _target(vocabulary: Vocabulary, rng: random.Random) -> str:
    count = min(rng.choice((1, 1, 2, 2, 3)), len(vocabulary.colours))
    colours = tuple(_said(rng, [c]) for c in rng.sample(vocabulary.colours, count))
    pattern = rng.choice(vocabulary.patterns) if vocabulary.patterns and rng.random() < 0.1 else ""
    return vocabulary.target(colours, _said(rng, vocabulary.types), pattern)


def _with_article(target: str, rng: random.Random) -> str:
    """With "an" before a vowel, as most say, else "a"."""
    careful = rng.random() < _CAREFUL
    return f"an {target}" if careful and target[0] in "aeiou" else f"a {target}"


def _fillings(vocabulary: Vocabulary, rng: random.Random) -> dict[str, Callable[[], str]]:
    """What draws the content of each field."""
    return {
        "H": lambda: _heading(vocabulary, rng),
        "W": lambda: _said(rng, vocabulary.tools),
        "T": lambda: _target(vocabulary, rng),
        "A": lambda: _with_article(_target(vocabulary, rng), rng),
        "C": lambda: rng.choice(vocabulary.call_signs) if vocabulary.call_signs else "",
    }


def sentences(vocabulary: Vocabulary, count: int = _COUNT, seed: int = 0) -> list[list[str]]:
    """That many sentences with their fields filled in, as plain words, always the same ones."""
    rng = random.Random(seed)
    known, fill = templates(), _fillings(vocabulary, rng)
    return [
        plain(_SLOT.sub(lambda found: fill[found.group(1)](), rng.choice(known))).split()
        for _ in range(count)
    ]


def language_model(vocabulary: Vocabulary) -> tuple[NGrams, dict[str, NGrams]]:
    """A class-based model of commands: n-grams of the templates' words and fields, and of the words
    of each field."""
    classes = {}
    for name, draw in _fillings(vocabulary, random.Random(0)).items():
        phrases = [words for words in (plain(draw()).split() for _ in range(_DRAWS)) if words]
        if phrases:
            classes[f"{{{name}}}"] = estimate(phrases, _FIELD_ORDERS.get(name, 2))
    return estimate(_phrasings(classes), _ORDER), classes


def _phrasings(fields: Collection[str]) -> Iterator[list[str]]:
    """The templates as plain words and fields, of the latter those named."""
    for template in templates():
        parts = _SLOT.split(template)
        parts[::2] = [plain(text) for text in parts[::2]]
        named = (f"{{{name}}}" for name in parts[1::2])
        parts[1::2] = [field if field in fields else "" for field in named]
        yield " ".join(parts).split()
