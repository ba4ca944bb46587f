# SPDX-License-Identifier: Apache-2.0
"""Words that would call the engagement off, but stand where they can only be a name misheard.

Between a colour and the type of craft that it describes stands nothing but more colours and a
pattern: "brown cancel us fighter jet" is "brown camouflage fighter jet". All else that calls off
is taken at its word: an order can be repeated, an engagement can't be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from turret_ai.phonetics.lexicon import Pronunciation, phrase
from turret_ai.understand.discourse import triggered
from turret_ai.understand.rules import Rules
from turret_ai.understand.words import Word

ALIKE = 0.36
"""Likeness in sound, 0..1, from which words are a pattern misheard: "cancel us" has 0.38."""
SAME_START = 2
"""Phones at their beginning that are the same, too."""
LONGEST = 3
"""Words that a recogniser makes of one pattern, at most."""
_DEEDS = frozenset(("engagement", "attack", "order", "strike", "mission", "deployment", "launch"))
"""After a type these make it what is called off: "cancel fighter jet engagement"."""


def patterns(names: Sequence[str]) -> tuple[Pronunciation, ...]:
    """How the patterns of a vocabulary sound."""
    return tuple(way for name in names for way in phrase(name))


def inside_targets(
    words: Sequence[Word], rules: Rules, sounds: Sequence[Pronunciation]
) -> frozenset[int]:
    """The places of words that are a pattern misheard amid the name of a target.

    Args:
        sounds: of `patterns`.
    """
    out: set[int] = set()
    for start in range(1, len(words) - 1):
        if not _after_colour(words, start, rules):
            continue
        for end in range(start + 1, min(start + LONGEST, len(words) - 1) + 1):
            if words[end - 1].stop or rules.is_colour(words[end - 1]):
                break
            span = words[start:end]
            if triggered(span) and _before_type(words, end, rules) and _alike(span, sounds):
                out.update(range(start, end))
    return frozenset(out)


def _after_colour(words: Sequence[Word], at: int, rules: Rules) -> bool:
    before = at - 1
    if words[before].text == "and" and not words[before].stop and before:
        before -= 1
    return rules.is_colour(words[before]) and not words[at].stop


def _before_type(words: Sequence[Word], at: int, rules: Rules) -> bool:
    end = rules.type_at(words, at)
    if end == at or words[at].stop or rules.tool_at(words, at) > end:
        return False
    return end == len(words) or words[end].stop or words[end].text not in _DEEDS


def _alike(words: Sequence[Word], sounds: Sequence[Pronunciation]) -> bool:
    said = phrase(" ".join(word.text for word in words))
    return any(
        way[:SAME_START] == pattern[:SAME_START]
        and Levenshtein.normalized_similarity(way, pattern) >= ALIKE
        for way in said
        for pattern in sounds
    )
