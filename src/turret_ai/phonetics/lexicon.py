# SPDX-License-Identifier: Apache-2.0
"""Text to phones: our lexicon, letter names for abbreviations, letter rules for the rest."""

from __future__ import annotations

from functools import lru_cache

from turret_ai import documents, share
from turret_ai.errors import ConfigError
from turret_ai.phonetics import letters
from turret_ai.phonetics.phones import INDEX

Pronunciation = tuple[str, ...]


@lru_cache(maxsize=1)
def lexicon() -> dict[str, tuple[Pronunciation, ...]]:
    """`config/pronunciations.yaml`: word -> the ways to say it.

    Raises:
        ConfigError: an entry uses a phone that does not exist.
    """
    path = share.path("config/pronunciations.yaml")
    found = {}
    # every value is text, so that "on", "no" and "yes" stay words
    for word, says in documents.read_yaml(path, documents.TEXT_LOADER).items():
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
