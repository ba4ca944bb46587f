# SPDX-License-Identifier: Apache-2.0
"""The decoding graph of the vocabulary, kept on disk: making it takes seconds, reading it a tenth.

So a transcriber that was started again hears soon. What is kept is found by a hash of all that goes
into it, code included; a file that doesn't fit its own hash is made anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from functools import cache
from pathlib import Path

import kaldifst

from turret_ai import share, vocabulary
from turret_ai.hear import grammar, phone_graph
from turret_ai.hear.phone_graph import DecodingGraph

_KEPT = 4
"""Graphs in the cache: of this vocabulary and a few earlier ones."""
_log = logging.getLogger(__name__)


def load() -> DecodingGraph:
    """The graph of the present vocabulary.

    Raises:
        ModelError: no word of it can be pronounced.
    """
    name = _key()
    kept = _read(name)
    if kept is not None:
        return kept
    model, classes = grammar.language_model(vocabulary.load())
    made = phone_graph.build(model, grammar.ways_to_say, classes)
    _write(name, made)
    return made


def folder() -> Path | None:
    """Where graphs are kept: turret_ai/graphs in the user's cache; None without a home."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError:
        return None
    return root / "turret_ai" / "graphs"


@cache
def _sources() -> tuple[Path, ...]:
    code = Path(__file__).resolve().parents[1]
    parts = [*(code / "hear").glob("*.py"), *(code / "understand").glob("*.py")]
    parts += [code / "vocabulary.py", code / "normalise.py"]
    parts += [file for file in share.path("config").rglob("*") if file.is_file()]
    return tuple(sorted(parts))


def _key() -> str:
    """A hash of what the graph is made from."""
    digest = hashlib.sha256(repr(vocabulary.load()).encode())
    digest.update(str(getattr(kaldifst, "__version__", "")).encode())
    for file in _sources():
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def _read(name: str) -> DecodingGraph | None:
    where = folder()
    if where is None:
        return None
    file = where / f"{name}.fst"
    try:
        told = json.loads((where / f"{name}.json").read_text("utf-8"))
        if hashlib.sha256(file.read_bytes()).hexdigest() != told["sha256"]:
            return None
        words = tuple(str(word) for word in told["words"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fst = kaldifst.StdVectorFst.read(str(file))
    return None if fst is None else DecodingGraph(fst, words)


def _write(name: str, graph: DecodingGraph) -> None:
    """Keep a graph; where that can't be done, it is made again next time."""
    where = folder()
    if where is None:
        return
    try:
        where.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=where) as made:
            file = Path(made) / "graph"
            if not graph.fst.write(str(file)):
                return
            told = {
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "words": list(graph.words),
            }
            note = Path(made) / "note"
            note.write_text(json.dumps(told), "utf-8")
            file.replace(where / f"{name}.fst")
            note.replace(where / f"{name}.json")
        kept = sorted(where.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for old in kept[:-_KEPT]:
            old.with_suffix(".fst").unlink(missing_ok=True)
            old.unlink(missing_ok=True)
    except OSError as error:
        _log.debug("the decoding graph is not kept: %s", error)
