# SPDX-License-Identifier: Apache-2.0
"""Speech that commands nothing, from the rules of `config/train/talk.yaml`."""

from __future__ import annotations

import random
import re
from functools import cache

import yaml

from turret_ai import share

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_RULE = re.compile(r"<(\w+)>")


@cache
def _rules() -> dict[str, tuple[str, ...]]:
    tree = yaml.safe_load(share.path("config/train/talk.yaml").read_text(encoding="utf-8"))
    return {str(name): tuple(str(line) for line in lines) for name, lines in tree.items()}


def draw(rng: random.Random) -> str:
    """One sentence or two, written as one writes."""
    rules = _rules()
    text = "<talk>"
    while _RULE.search(text):
        text = _RULE.sub(lambda m: rng.choice(rules[m.group(1)]), text)
    text = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)
