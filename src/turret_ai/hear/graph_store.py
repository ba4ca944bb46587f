# SPDX-License-Identifier: Apache-2.0
"""The decoding graph of the vocabulary: made in seconds, or read in a tenth of one."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import kaldifst

from turret_ai import kept, share, vocabulary
from turret_ai.hear import grammar, phone_graph
from turret_ai.hear.phone_graph import PhoneGraph

SHELF = kept.Shelf("graphs")


def load() -> PhoneGraph:
    """The graph of the present vocabulary.

    Raises:
        ModelError: no word of it can be pronounced.
    """
    words = vocabulary.load()
    name = kept.key([repr(words), version("kaldifst")], _sources())
    found = SHELF.find(name)
    if found is not None:
        fst = kaldifst.StdVectorFst.read(str(found[0]))
        if fst is not None:
            return PhoneGraph(fst, tuple(found[1].get("words", ())))
    model, classes = grammar.language_model(words)
    made = phone_graph.build(model, grammar.ways_to_say, classes)
    SHELF.keep(name, lambda file: made.fst.write(str(file)), {"words": list(made.words)})
    return made


def _sources() -> list[Path]:
    """All that the graph is made from, and more: no change must be missed."""
    code = Path(__file__).resolve().parents[1]
    parts = [*(code / "hear").glob("*.py"), *(code / "understand").glob("*.py")]
    parts += [code / "vocabulary.py", code / "normalise.py"]
    return parts + [file for file in share.path("config").rglob("*") if file.is_file()]
