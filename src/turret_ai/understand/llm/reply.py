# SPDX-License-Identifier: Apache-2.0
"""Strict reading of a language model's reply: a function call or a JSON object, never run."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from turret_ai.normalise import plain, read_digits
from turret_ai.phonetics.lexicon import phrase
from turret_ai.understand.llm.prompt import FUNCTION
from turret_ai.vocabulary import Vocabulary

LONGEST = 2000
"""Characters of a reply beyond which it is no answer."""
ALIKE = 0.5
"""Likeness in sound of a name to some part of the text, below which the model made it up."""


class Nonsense(ValueError):
    """A reply that can't be used; the text says why."""


def read(reply: str, fields: Sequence[str]) -> dict[str, str]:
    """The values of the asked fields, as the model gave them.

    Accepts `control_turret(tool="...", heading="...")`, with or without `<<function>>` before it,
    and a JSON object with the fields.

    Raises:
        Nonsense: anything else, or a field that is missing, unknown, doubled or no string.
    """
    text = reply.strip()
    if len(text) > LONGEST:
        raise Nonsense("the reply is too long")
    text = text.removeprefix("<<function>>").strip()
    if not text:
        raise Nonsense("the reply is empty")
    given = _from_json(text) if text[0] == "{" else _from_call(text)
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise Nonsense(f"the reply has the unknown field {unknown[0]!r}")
    missing = [name for name in fields if not str(given.get(name, "")).strip()]
    if missing:
        raise Nonsense(f"the reply lacks {', '.join(missing)}")
    return {name: given[name].strip() for name in fields}


def _from_json(text: str) -> dict[str, str]:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise Nonsense("the reply gives a field twice")
        return dict(pairs)

    try:
        tree = json.loads(text, object_pairs_hook=once)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Nonsense("the reply is no JSON object") from error
    return _strings(tree if isinstance(tree, dict) else {})


def _from_call(text: str) -> dict[str, str]:
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Nonsense("the reply is no function call") from error
    if isinstance(node, ast.List) and len(node.elts) == 1:
        node = node.elts[0]
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise Nonsense("the reply is no function call")
    if node.func.id != FUNCTION:
        raise Nonsense(f"the reply calls {node.func.id!r}, not {FUNCTION}")
    if node.args:
        raise Nonsense("the reply's arguments have no names")
    given: dict[str, object] = {}
    for word in node.keywords:
        if word.arg is None or not isinstance(word.value, ast.Constant):
            raise Nonsense("the reply's arguments are no plain values")
        if word.arg in given:
            raise Nonsense("the reply gives a field twice")
        given[word.arg] = word.value.value
    return _strings(given)


def _strings(tree: dict[str, object]) -> dict[str, str]:
    for name, value in tree.items():
        if not isinstance(value, str):
            raise Nonsense(f"the reply's {name} is no string")
    return {name: str(value) for name, value in tree.items()}


def validate(field: str, value: str, text: str, words: Vocabulary) -> str:
    """The value in the command's form, if the transcript bears it out.

    Raises:
        Nonsense: a heading off the grid or without a digit of it in the text; a name of which the
            text has nothing that sounds alike.
    """
    if field == "heading":
        digits = read_digits(value)
        if digits not in words.headings:
            raise Nonsense(f"the reply's heading {value!r} is no heading")
        heard = read_digits(text)
        if not set(digits) & set(heard):
            raise Nonsense(f"nothing in the transcript sounds like heading {digits}")
        return digits
    names = {plain(s): t.name for t in words.tools for s in t.spoken} if field == "tool" else {}
    name = names.get(plain(value), " ".join(value.lower().split()))
    if not _sounds_in(plain(name), text):
        raise Nonsense(f"nothing in the transcript sounds like {field} {value!r}")
    return name


def _sounds_in(name: str, text: str) -> bool:
    """Whether some run of the text's words sounds like the name."""
    said = phrase(name)
    heard = text.split()
    if not said:
        return False
    size = len(name.split())
    for length in range(max(1, size - 1), size + 2):
        for i in range(len(heard) - length + 1):
            way = phrase(" ".join(heard[i : i + length]))
            if way and Levenshtein.normalized_similarity(said[0], way[0]) >= ALIKE:
                return True
    return False
