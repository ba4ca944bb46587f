"""A transcript as a list of plain words that remember the punctuation around them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from turret_ai.normalise import plain

_PIECE = re.compile(r"[^\s\-\u2010-\u2015_/(),.;:!?\[\]\"]+|[(),.;:!?\[\]\"]")
_DOTTED = re.compile(r"\be\.\s?m\.\s?p\b\.?", re.IGNORECASE)
_REPEAT = frozenset({"repeat", "repeating", "repeated"})

MAX_CHARACTERS = 4000
"""Longer transcripts are cut: a looping recogniser's, never an operator's."""


@dataclass(frozen=True, slots=True)
class Word:
    """text: plain (lower case, no punctuation); stop: a stop or bracket came before it."""

    text: str
    stop: bool = False

    @property
    def numeral(self) -> bool:
        """Whether it holds a digit."""
        return any(c.isdigit() for c in self.text)


def split(text: str, most: int = 70) -> list[Word]:
    """At most `most` words; text of other alphabets yields none."""
    words: list[Word] = []
    stop = True
    for piece in _PIECE.findall(_DOTTED.sub("EMP", text[:MAX_CHARACTERS])):
        if len(piece) == 1 and not piece.isalnum():
            stop = True
            continue
        for word in plain(piece).split():
            words.append(Word(word, stop))
            stop = False
            if len(words) >= most:
                return words
    return words


def first_mention(words: list[Word]) -> tuple[list[Word], list[Word]]:
    """(what was said before "repeat", what after it); all of it is first where nothing precedes."""
    for i, word in enumerate(words):
        if word.text in _REPEAT or (
            word.text == "say" and i + 1 < len(words) and words[i + 1].text == "again"
        ):
            before = words[: i - 1] if i and words[i - 1].text == "i" else words[:i]
            if len(before) > 3:
                return before, words[i + 1 :]
    return words, []
