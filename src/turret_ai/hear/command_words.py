# SPDX-License-Identifier: Apache-2.0
"""How much of a text is in the language of commands."""

from __future__ import annotations

import re
from functools import cache

from turret_ai import vocabulary
from turret_ai.hear import grammar
from turret_ai.normalise import plain
from turret_ai.vocabulary import CraftType, Term


@cache
def known() -> frozenset[str]:
    """Every word of the phrasings, the vocabulary's terms and the call signs."""
    words = vocabulary.load()
    phrasings = re.sub(r"\{[HWTAC]\}", " ", "\n".join(grammar.templates()))
    terms: list[Term | CraftType] = [*words.tools, *words.colours, *words.types]
    said = [text for term in terms for text in (term.name, *term.spoken)]
    said += [kind.plural for kind in words.types]
    said += [*words.patterns, *words.call_signs, *(w for d in words.digits.values() for w in d)]
    return frozenset(plain(f"{phrasings} {' '.join(said)}").split())


def foreign_share(text: str) -> float:
    """Share of a text's words that no command has, 0..1; 1 for a text without words."""
    said = plain(text).split()
    if not said:
        return 1.0
    return sum(word not in known() for word in said) / len(said)
