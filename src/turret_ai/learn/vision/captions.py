# SPDX-License-Identifier: Apache-2.0
"""Captions as attributes: what is the same, what nearly is, and other words for the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a caption says of a craft. The order of colours carries no meaning."""

    type_name: str
    colours: frozenset[str]


def parse(caption: str, types: Sequence[str], colours: Sequence[str]) -> Attributes:
    """The type is the longest known one that the caption ends with, or its last words that are no
    colours."""
    words = caption.lower().replace(",", " ").split()
    text = " ".join(words)
    found = frozenset(w for w in words if w in colours)
    for name in sorted(types, key=len, reverse=True):
        if text.endswith(name):
            return Attributes(name, found)
    rest = [w for w in words if w not in colours and w not in ("and", "camouflage")]
    return Attributes(" ".join(rest[-2:]), found)


def compose(colours: Sequence[str], type_name: str, camouflage: bool) -> str:
    """ "grey drone", "grey and red drone", "grey, red, and blue camouflage drone"."""
    listed = list(colours)
    if len(listed) > 2:
        text = ", ".join(listed[:-1]) + f", and {listed[-1]}"
    else:
        text = " and ".join(listed)
    return " ".join(word for word in (text, "camouflage" if camouflage else "", type_name) if word)


def paraphrase(attributes: Attributes, rng: Generator) -> str:
    """The same in another order, with or without the optional word camouflage."""
    colours = list(rng.permutation(sorted(attributes.colours)))
    return compose(colours, attributes.type_name, rng.random() < 0.3)


def near_miss(
    attributes: Attributes, types: Sequence[str], colours: Sequence[str], rng: Generator
) -> Attributes:
    """Differs in one colour (exchanged, added or left out) or in the type."""
    own = sorted(attributes.colours)
    others = [c for c in colours if c not in attributes.colours]
    draw = rng.random()
    if draw < 0.4 or not own:
        names = [t for t in types if t != attributes.type_name]
        return Attributes(str(rng.choice(names)), attributes.colours)
    if draw < 0.8 or (len(own) == 1 and draw < 0.9):
        gone = own[rng.integers(len(own))]
        changed = (attributes.colours - {gone}) | {others[rng.integers(len(others))]}
    elif len(own) > 1 and (draw < 0.9 or len(own) >= 3):
        changed = attributes.colours - {own[rng.integers(len(own))]}
    else:
        changed = attributes.colours | {others[rng.integers(len(others))]}
    return Attributes(attributes.type_name, frozenset(changed))
