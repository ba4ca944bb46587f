# SPDX-License-Identifier: Apache-2.0
"""A transcript as a list of plain words that remember the punctuation around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from turret_ai.normalise import plain

_PIECE = re.compile(r"[^\s\-\u2010-\u2015_/(),.;:!?\[\]\"]+|[(),.;:!?\[\]\"]")
_SPELLED = re.compile(r"\be\.[\s-]?m\.[\s-]?p\b\.?|\be[\s-]{1,2}m[\s-]{1,2}p\b", re.IGNORECASE)
"""Dotted letters bring their last dot along; after others a dot ends the sentence."""
_HEAVY = (".", "!", "?")

LOOP_TIMES = 3
"""Phrases that stand so often in a row are a loop; single words, once more."""
LONGEST_LOOP = 12
"""Words of the longest phrase that loops."""
MAX_CHARACTERS = 4000
"""Longer transcripts are cut: a looping recogniser's, never an operator's."""


@dataclass(frozen=True, slots=True)
class Word:
    """One plain word (lower case, no punctuation).

    stop: a stop or bracket came before it. mark: which, "" for none; the heaviest of several.
    joined: only that sign, and no space, parts it from the word before ("10:30", "3-2-0").
    asked: its sentence ends in a question mark.
    mended: it stands for what was written otherwise ("nine or" for "niner").
    """

    text: str
    stop: bool = False
    mark: str = ""
    joined: bool = False
    asked: bool = False
    mended: bool = False

    @property
    def numeral(self) -> bool:
        """Whether it holds a digit."""
        return not self.text.isalpha() and any(c.isdigit() for c in self.text)

    @property
    def new_sentence(self) -> bool:
        """Whether it begins a sentence."""
        return self.mark in _HEAVY and not self.joined


@lru_cache(maxsize=8192)
def _plain(piece: str) -> tuple[str, ...]:
    return tuple(plain(piece).split())


def split(text: str, most: int = 70) -> list[Word]:
    """At most `most` words, loops cut; text of other alphabets yields none."""
    return _without_loops(_split(text, 3 * most))[:most]


def _without_loops(words: list[Word]) -> list[Word]:
    """What a recogniser wrote over and over, once; of a digit, twice."""
    said = [word.text for word in words]
    i = 0
    while i < len(said):
        for period in range(1, min(LONGEST_LOOP, (len(said) - i) // LOOP_TIMES) + 1):
            end = i + period
            while end < len(said) and said[end] == said[end - period]:
                end += 1
            if end - i >= (LOOP_TIMES + (period == 1)) * period:
                kept = i + period * (1 + (period == 1 and words[i].numeral))
                said[kept:end] = []
                words = words[:kept] + words[end:]
                break
        i += 1
    return words


def _split(text: str, most: int) -> list[Word]:
    words: list[Word] = []
    mark, end, sentence = ".", -1, 0
    for found in _PIECE.finditer(_SPELLED.sub("EMP", text[:MAX_CHARACTERS])):
        piece = found.group()
        if len(piece) == 1 and not piece.isalnum():
            if piece == "?":
                words[sentence:] = [replace(word, asked=True) for word in words[sentence:]]
            if mark not in _HEAVY:
                mark = piece
            continue
        between = found.string[end : found.start()] if end >= 0 else " "
        joined = len(between) == 1 and not between.isspace()
        if mark in _HEAVY and not joined:
            sentence = len(words)
        for word in _plain(piece):
            words.append(Word(word, bool(mark), mark, joined and bool(words)))
            mark, joined = "", False
            if len(words) >= most:
                return words
        end = found.end()
    return words
