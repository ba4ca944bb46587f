# SPDX-License-Identifier: Apache-2.0
"""What is said about the order itself: called off, asked, corrected, repeated.

A transcript is first read as talk. What calls an engagement off, asks, or sets a condition is no
order, whatever heading, tool and target it names. Everything else is cut into parts: the first
mention, what corrects it, and what is said again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from turret_ai import documents, share
from turret_ai.errors import ConfigError
from turret_ai.understand.words import Word


class Relation(Enum):
    """What a part is to the parts before it."""

    FIRST = "first"
    AGAIN = "again"
    """Said again: it fills what is open."""
    CORRECTION = "correction"
    """It replaces what it names."""
    INSTEAD = "instead"
    """The whole order before it is withdrawn."""


class Verdict(Enum):
    """What a transcript is as a whole."""

    ORDER = "order"
    CANCELLED = "cancelled"
    QUESTION = "question"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Part:
    """Words and what they are to those before."""

    relation: Relation
    words: list[Word]
    withdraws: str = ""
    """The words that withdraw what was said before; where nothing takes its place, all is off."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A transcript as talk. because: the words that made it no order."""

    verdict: Verdict
    parts: tuple[Part, ...] = ()
    because: str = ""


_ENGAGES = frozenset(
    ("engage", "engaging", "fire", "firing", "shoot", "attack", "deploy", "deploying", "launch",
     "intercept", "strike", "use", "using", "activate", "target", "destroy", "take", "neutralize",
     "eliminate", "hit", "proceed", "ready", "execute", "respond", "arm", "activate", "employ",
     "track", "aim", "lock")
)  # fmt: skip
_KEPT = frozenset(
    ("the", "heading", "target", "tool", "bearing", "use", "deploy", "engage", "with", "at")
)
"""At the end of a correction: they belong to what follows."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """`config/talk.yaml`, compiled."""

    off: re.Pattern[str]
    off_undone: re.Pattern[str]
    off_alone: re.Pattern[str]
    asks: re.Pattern[str]
    condition: re.Pattern[str]
    condition_harmless: re.Pattern[str]
    surely: re.Pattern[str]
    again: re.Pattern[str]
    corrects: re.Pattern[str]
    triggers: frozenset[str]
    openers: frozenset[str]


@lru_cache(maxsize=1)
def phrases() -> Phrases:
    """How operators speak of the order itself.

    Raises:
        ConfigError: the file lacks a list, or holds what is no regular expression.
    """
    path = share.path("config/talk.yaml")
    try:
        tree = documents.read_yaml(path, documents.TEXT_LOADER)
        lists = {name: tree[name] for name in ("verb", "not", "adverb", "last", "pronoun")}
        parts = {name: "(?:" + "|".join(said) + ")" for name, said in lists.items()}

        def any_of(name: str) -> str:
            said = "|".join(tree[name])
            for part, expression in parts.items():
                said = said.replace("{" + part + "}", expression)
            return said

        called = r"turrets?(?: \w+)?|control(?: tower)?|tower|all|sir|so|and|well|okay|ok|no"
        call = rf"(?:(?:{called}) [,]? ?){{0,3}}"
        return Phrases(
            off=_words(any_of("off")),
            off_undone=re.compile(rf"(?<![^ ])(?:{any_of('off_undone')}) $"),
            off_alone=re.compile(
                rf"(?<![^ ])[.] {call}(?:(?:{any_of('off_alone')}) [,]? ?)+(?=[.]|$)"
            ),
            asks=re.compile(rf"(?<![^ ])[.] {call}(?:{any_of('asks')})(?![^ ])"),
            condition=_words(any_of("condition")),
            condition_harmless=_words(any_of("condition_harmless")),
            surely=_words(any_of("surely")),
            again=_words(any_of("again")),
            corrects=_words(rf"(?P<withdrawn>{any_of('withdraws')})|{any_of('corrects')}"),
            triggers=frozenset(tree["triggers"].split()),
            openers=frozenset(tree["openers"].split()),
        )
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise ConfigError(f"{path} is no list of phrases: {error!r}") from error


def _words(expression: str) -> re.Pattern[str]:
    """An expression that matches whole words only."""
    return re.compile(rf"(?<![^ ])(?:{expression})(?![^ ])")


_NAME = "~"
"""Stands for a word that is part of a name, whatever it says."""


def _flat(words: Sequence[Word], names: frozenset[int]) -> tuple[str, list[int]]:
    """The text with its signs as words of their own, and where each word begins in it."""
    pieces: list[str] = []
    starts: list[int] = []
    length = 0
    for i, word in enumerate(words):
        if word.stop and not word.joined:
            sign = "." if word.new_sentence or i == 0 else ","
            pieces.append(sign)
            length += len(sign) + 1
        starts.append(length)
        pieces.append(_NAME if i in names else word.text)
        length += len(pieces[-1]) + 1
    return " ".join(pieces), starts


def triggered(words: Sequence[Word]) -> bool:
    """Whether any word may speak of the order itself."""
    return not phrases().triggers.isdisjoint([word.text for word in words])


def read(words: list[Word], names: frozenset[int] = frozenset()) -> Talk:
    """What a transcript is, and its parts.

    Args:
        names: places of words that are part of a name, though they sound like talk.
    """
    said = phrases()
    opens = any(
        (word.new_sentence or not i) and word.text in said.openers for i, word in enumerate(words)
    )
    asked = any(word.asked for word in words)
    if not opens and not asked and not triggered(words):
        return Talk(Verdict.ORDER, (Part(Relation.FIRST, words),))
    text, starts = _flat(words, names)
    because = _called_off(text)
    if because:
        return Talk(Verdict.CANCELLED, (), because)
    parts = tuple(_parts(words, text, starts))
    question = _question(words, text, starts)
    if question:
        return Talk(Verdict.QUESTION, parts, question)
    condition = _condition(words, text, starts)
    if condition:
        return Talk(Verdict.CONDITION, parts, condition)
    return Talk(Verdict.ORDER, parts)


def _called_off(text: str) -> str:
    """The words that call the engagement off, "" where none do."""
    said = phrases()
    for found in said.off.finditer(text):
        if not said.off_undone.search(text[: found.start()]):
            return found.group()
    alone = said.off_alone.search(f"{text} .")
    return alone.group().strip(" .,") if alone else ""


def _sentence(words: Sequence[Word], at: int) -> tuple[int, int]:
    """The sentence around a word: [start, end)."""
    start = at
    while start > 0 and not words[start].new_sentence:
        start -= 1
    end = at + 1
    while end < len(words) and not words[end].new_sentence:
        end += 1
    return start, end


def orders(words: Sequence[Word]) -> bool:
    """Whether words speak of engaging, or name what a command is made of."""
    named = {"heading", "target", "tool", "bearing", "weapon", "direction", "coordinates"}
    return any(word.text in _ENGAGES or word.text in named for word in words)


def _question(words: Sequence[Word], text: str, starts: Sequence[int]) -> str:
    """The beginning of a question about the engagement; a mere "do you copy" is none."""
    for found in phrases().asks.finditer(text):
        at = bisect_right(starts, found.end() - 1) - 1
        start, end = _sentence(words, max(at, 0))
        if orders(words[start:end]) and not _only_radio(words[start:end]):
            return " ".join(word.text for word in words[start : start + 5])
    asked = [i for i, word in enumerate(words) if word.asked]
    if asked:
        start, end = _sentence(words, asked[0])
        if orders(words[start:end]) and end - start > 2:
            return " ".join(word.text for word in words[start : start + 5])
    return ""


def _only_radio(sentence: Sequence[Word]) -> bool:
    """ "do you copy", "are you ready to engage" says nothing of a target of its own"""
    said = {word.text for word in sentence}
    return bool(said & {"copy", "read", "hear", "understand", "acknowledge"}) and len(sentence) < 8


def _condition(words: Sequence[Word], text: str, starts: Sequence[int]) -> str:
    """The beginning of a condition on which the order hangs."""
    for found in phrases().condition.finditer(text):
        if phrases().condition_harmless.match(text, found.start()):
            continue
        at = max(0, bisect_right(starts, found.end() - 1) - 1)
        start, end = _sentence(words, at)
        if orders(words[start:end]):
            first = bisect_right(starts, found.start() - 1)
            return " ".join(word.text for word in words[first : at + 3])
    return ""


def _parts(words: list[Word], text: str, starts: Sequence[int]) -> list[Part]:
    """The transcript cut at what says "again" or "correction"."""
    cuts: list[tuple[int, int, Relation, str]] = []
    said = phrases()
    for pattern, relation in ((said.again, Relation.AGAIN), (said.corrects, Relation.CORRECTION)):
        for found in pattern.finditer(text):
            first = bisect_right(starts, found.start() - 1)
            last = bisect_right(starts, found.end() - 1)
            while last > first + 1 and words[last - 1].text in _KEPT:
                last -= 1
            kind, withdraws = relation, ""
            if relation is Relation.CORRECTION and found["withdrawn"]:
                withdraws = found["withdrawn"]
                if first < len(words) and words[first].new_sentence and first > 3:
                    kind = Relation.INSTEAD
            cuts.append((first, last, kind, withdraws))
    cuts.sort(key=lambda cut: cut[:2])
    parts: list[Part] = []
    relation, withdraws, at = Relation.FIRST, "", 0
    for first, last, kind, because in cuts:
        if first < at:
            at = max(at, last)
            continue
        if first > at:
            parts.append(Part(relation, words[at:first], withdraws))
        relation, withdraws, at = kind, because, last
    if at < len(words) or withdraws:
        parts.append(Part(relation, words[at:], withdraws))
    return parts
