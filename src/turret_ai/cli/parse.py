# SPDX-License-Identifier: Apache-2.0
"""`turret-ai parse`: transcripts in, one JSON object a line out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from turret_ai import documents
from turret_ai.errors import InputError
from turret_ai.types import Command, Hypothesis
from turret_ai.understand import Understander, UnderstandSettings

Given = tuple[Any, str | list[Hypothesis]]


def as_dict(command: Command) -> dict[str, Any]:
    """The object that is printed for a command."""
    fields = {"heading": command.heading, "tool": command.tool, "target": command.target}
    out: dict[str, Any] = {name: field.value for name, field in fields.items()}
    out["status"] = command.status.name
    out["confidence"] = {name: round(field.confidence, 4) for name, field in fields.items()}
    out["source"] = {name: field.source.value for name, field in fields.items()}
    if command.reason:
        out["reason"] = command.reason
    return out


def _lines(path: Path) -> Iterator[Given]:
    for number, line in documents.read_lines(path):
        row = documents.parse_json(line, f"{path}, line {number}")
        try:
            key = row.get("key", number - 1)
            alternatives = row.get("alternatives")
            if alternatives:
                yield key, [Hypothesis(str(a["text"]), float(a["score"])) for a in alternatives]
            else:
                yield key, str(row["transcript"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}, line {number}: expected an object with a transcript ({error!r})"
            ) from error


def parse(
    text: Annotated[
        list[str] | None, typer.Argument(help="Transcripts; - reads one a line from stdin.")
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(help="A file of objects with a transcript (and key, alternatives)."),
    ] = None,
    repair: Annotated[
        bool, typer.Option(help="Decode misheard text; --no-repair reads by exact rules only.")
    ] = True,
    vocabulary: Annotated[str, typer.Option(help="A vocabulary file of your own.")] = "",
    llm_backend: Annotated[str, typer.Option(help="exllamav2, llama_cpp or transformers.")] = "",
    llm_model: Annotated[str, typer.Option(help="The model's folder or GGUF file.")] = "",
) -> None:
    """Turn transcripts into commands: one JSON object a line, in order."""
    if not text and jsonl is None:
        raise InputError("nothing to parse: give transcripts, --jsonl FILE, or - for stdin")
    if llm_backend not in ("", "exllamav2", "llama_cpp", "transformers"):
        raise InputError(
            f"no language model backend {llm_backend!r}: exllamav2, llama_cpp or transformers"
        )
    understander = Understander(
        UnderstandSettings.model_validate(
            {
                "repair": repair,
                "vocabulary": vocabulary,
                "llm_backend": llm_backend,
                "llm_model": llm_model,
            }
        )
    )

    def put(given: str | list[Hypothesis], head: dict[str, Any]) -> None:
        print(json.dumps(head | as_dict(understander.parse(given))), flush=True)

    for item in text or []:
        if item == "-":
            for line in sys.stdin:
                put(line.rstrip("\r\n"), {})
        else:
            put(item, {})
    if jsonl is not None:
        for key, given in _lines(jsonl):
            put(given, {"key": key})
