# SPDX-License-Identifier: Apache-2.0
"""A transcript as phones, numerals spelled out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.phonetics.lexicon import Pronunciation, ways
from turret_ai.phonetics.phones import INDEX
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
