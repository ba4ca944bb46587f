# SPDX-License-Identifier: Apache-2.0
"""The parts of a transcript read one by one, and their fields put together.

For each field over the whole transcript: the first mention counts, what is said again fills what is
open, a correction replaces what it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from turret_ai.understand.discourse import Part, Relation
from turret_ai.understand.rules import Found, Reading, Rules
from turret_ai.understand.words import Word


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A part of a transcript, its numbers tidied, and what the rules read in it."""

    relation: Relation
    words: list[Word]
    reading: Reading
    withdraws: str = ""


def read(parts: Sequence[Part], rules: Rules) -> list[ReadPart]:
    """Read every part; a correction of half a field is completed from the part before."""
    out: list[ReadPart] = []
    for part in parts:
        words = part.words
        if part.relation in (Relation.CORRECTION, Relation.INSTEAD) and out:
            words = _completed(words, out, rules)
        tidied, numbers = rules.numbers.tidy(words)
        out.append(ReadPart(part.relation, tidied, rules.read(tidied, numbers), part.withdraws))
    return out


def withdrawn(parts: Sequence[ReadPart]) -> str:
    """The words that withdraw the whole order, nothing being said in its place; else ""."""
    told = ""
    for part in parts:
        if any(part.reading.fields):
            told = ""
        elif part.withdraws:
            told = part.withdraws
    return told


def merge(parts: Sequence[ReadPart]) -> list[tuple[Found, int] | None]:
    """heading, tool and target, each with the number of the part it comes from."""
    out: list[tuple[Found, int] | None] = [None, None, None]
    for place, part in enumerate(parts):
        found = part.reading.fields
        if part.relation is Relation.INSTEAD and sum(f is not None for f in found) >= 2:
            out = [None, None, None]
        for i, field in enumerate(found):
            if field is None:
                continue
            held = out[i]
            better = held is None or (held[0].weak and not field.weak)
            corrects = part.relation in (Relation.CORRECTION, Relation.INSTEAD)
            if better or (corrects and (not field.weak or held is None or held[0].weak)):
                out[i] = (field, place)
    return out


def _completed(words: list[Word], before: Sequence[ReadPart], rules: Rules) -> list[Word]:
    """ "... correction, two two five": a bare number is the heading; "... I mean grey": a bare
    colour is that of the target before, a bare type takes its colours."""
    if not words:
        return words
    if rules.numbers.is_number(words[0]):
        return [Word("heading", True, "."), replace(words[0], stop=False, mark=""), *words[1:]]
    held = merge(before)[2]
    if held is None or held[0].open:
        return words
    target, place = held
    said = before[place].words[target.start : target.end]
    first = 0
    while first < len(words) and words[first].text in ("the", "a", "an", "it's", "is", "it"):
        first += 1
    end = first
    while end < len(words) and (
        rules.is_colour(words[end]) or (words[end].text == "and" and end > first)
    ):
        end += 1
    noun = rules.type_at(words, end)
    if end > first and noun == end and (end == len(words) or words[end].stop):
        kind = [word for word in said if not rules.is_colour(word) and word.text != "and"]
        return [*words[:end], *(replace(w, stop=False, mark="") for w in kind), *words[end:]]
    if end == first and noun > end:
        colours = []
        for word in said:
            if not rules.is_colour(word) and word.text != "and":
                break
            colours.append(replace(word, stop=False, mark=""))
        return [*words[:first], *colours, *words[first:]]
    return words
