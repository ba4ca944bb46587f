# SPDX-License-Identifier: Apache-2.0
"""A transcript as phones, numerals spelled out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.phonetics.lexicon import Pronunciation, ways
from turret_ai.phonetics.phones import INDEX
from turret_ai.understand.numbers import NINER_ENDS, four_digits
from turret_ai.understand.words import Word
from turret_ai.vocabulary import Vocabulary


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
            if not (word.text in NINER_ENDS and _between_digits(words, i)):
                for way in ways(word.text)[:1]:
                    say(way, i)
            continue
        if word.joined and word.text.isdecimal() and words[i - 1].text.isdecimal():
            continue  # spelled with the numeral that it is joined to
        for piece in _pieces(_numeral(words, i, vocabulary.headings)):
            if piece.isdigit():
                for way in ways(vocabulary.digits[piece][0])[:1]:
                    say(way, i)
            else:
                for way in ways(_LETTERS.get(piece, piece))[:1]:
                    say(way, i)
    return Sounds(np.array(phones, np.int16), np.array(first, bool), np.array(place, np.int16))


def _between_digits(words: Sequence[Word], i: int) -> bool:
    """Whether a word stands between a nine and another digit: "9 or 0" is "niner zero"."""
    if not 0 < i < len(words) - 1:
        return False
    before, after = words[i - 1].text, words[i + 1].text
    return (before.endswith("9") or before == "nine") and (after.isdecimal() or after in _DIGITS)


_DIGITS = frozenset(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "niner", "oh")
)


_LETTERS = {"a": "eight"}
"""Letters that recognisers write for digits amid a numeral: "0a5", "1A zero"."""


def _numeral(words: Sequence[Word], i: int, headings: Sequence[str]) -> str:
    """A numeral with those that are joined to it: "0.085" -> "085"."""
    text, end = words[i].text, i + 1
    if text.isdecimal():
        while end < len(words) and words[end].joined and words[end].text.isdecimal():
            text += words[end].text
            end += 1
    return four_digits(text, headings) or text


def _pieces(text: str) -> list[str]:
    """ "to35" -> ["to", "3", "5"]"""
    out: list[str] = []
    for sign in text:
        if sign.isdigit() or not out or out[-1].isdigit():
            out.append(sign)
        else:
            out[-1] += sign
    return out
