"""Text to phones: our lexicon, letter names for abbreviations, letter rules for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import yaml
from numpy.typing import NDArray

from turret_ai import documents, share
from turret_ai.errors import ConfigError
from turret_ai.understand import letters
from turret_ai.understand.phones import INDEX
from turret_ai.understand.words import Word
from turret_ai.vocabulary import Vocabulary

Pronunciation = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sounds:
    """A text as phones.

    phones: their numbers in `phones.PHONES`, int16, shape (n,).
    first: whether a phone begins a word, bool, shape (n,).
    word: the place of each phone's word in the text, int16, shape (n,).
    """

    phones: NDArray[np.int16]
    first: NDArray[np.bool_]
    word: NDArray[np.int16]


@lru_cache(maxsize=1)
def lexicon() -> dict[str, tuple[Pronunciation, ...]]:
    """`config/pronunciations.yaml`: word -> the ways to say it.

    Raises:
        ConfigError: an entry uses a phone that does not exist.
    """
    path = share.path("config/pronunciations.yaml")
    found = {}
    # every value is text, so that "on", "no" and "yes" stay words
    for word, says in documents.read_yaml(path, yaml.BaseLoader).items():
        ways = tuple(tuple(way.split()) for way in says.split("/"))
        for phone in (phone for way in ways for phone in way):
            if phone not in INDEX:
                raise ConfigError(f"{path}: {word}: {phone!r} is not a phone")
        found[word] = ways
    return found


@lru_cache(maxsize=20_000)
def ways(word: str) -> tuple[Pronunciation, ...]:
    """The ways to say one plain word; () for signs that have no sound."""
    known = lexicon().get(word)
    if known:
        return known
    if word.endswith("'s") and word[:-2] in lexicon():
        return tuple((*way, "z") for way in lexicon()[word[:-2]])
    if word.endswith("s") and word[:-1] in lexicon() and not word.endswith("ss"):
        return tuple((*way, "z") for way in lexicon()[word[:-1]])
    says = letters.sound(word)
    return (says,) if says else ()


def phrase(text: str) -> tuple[Pronunciation, ...]:
    """The ways to say several plain words one after another."""
    out: list[Pronunciation] = [()]
    for word in text.split():
        out = [(*head, *tail) for head in out for tail in ways(word) or ((),)]
    return tuple(way for way in out if way)


def sounds(words: Sequence[Word], vocabulary: Vocabulary) -> Sounds:
    """The phones of a text; numerals are spelled out digit by digit."""
    phones: list[int] = []
    first: list[bool] = []
    place: list[int] = []

    def say(way: Pronunciation, i: int) -> None:
        for k, phone in enumerate(way):
            phones.append(INDEX[phone])
            first.append(k == 0)
            place.append(i)

    for i, word in enumerate(words):
        if not word.numeral:
            for way in ways(word.text)[:1]:
                say(way, i)
            continue
        for piece in _pieces(four_digits(word.text, vocabulary.headings)):
            if piece.isdigit():
                for way in ways(vocabulary.digits[piece][0])[:1]:
                    say(way, i)
            else:
                for way in ways(piece)[:1]:
                    say(way, i)
    return Sounds(np.array(phones, np.int16), np.array(first, bool), np.array(place, np.int16))


def four_digits(text: str, headings: Sequence[str]) -> str:
    """A numeral of four digits without the one that a recogniser put in.

    It repeats a neighbour ("1180": 180) or is the zero of a spoken hundred or ten ("1005": 105,
    "2070": 270); where no such heading comes out, the numeral stays.
    """
    if len(text) != 4 or not text.isdigit():
        return text
    doubled = [text[:i] + text[i + 1 :] for i in range(3) if text[i] == text[i + 1]]
    zeros = [text[:i] + text[i + 1 :] for i in (1, 2) if text[i] == "0"]
    return next((cut for cut in (*doubled, *zeros) if cut in headings), text)


def _pieces(text: str) -> list[str]:
    """ "to35" -> ["to", "3", "5"]"""
    out: list[str] = []
    for sign in text:
        if sign.isdigit() or not out or out[-1].isdigit():
            out.append(sign)
        else:
            out[-1] += sign
    return out
