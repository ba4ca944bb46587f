# SPDX-License-Identifier: Apache-2.0
"""Lines of JSON in the competition's formats: reading, matching by key, and writing results."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turret_ai import documents
from turret_ai.errors import InputError

Record = dict[str, Any]
DIGITS = 6
"""Decimals that result files keep: far below any tolerance, far above what differs in rounding."""


def read_jsonl(path: str | Path) -> list[Record]:
    """Read one JSON object a line; blank lines are skipped. A file that holds one JSON array works.

    Raises:
        InputError: no such file, not UTF-8, or a line that isn't an object; names file and line.
    """
    source = Path(path)
    text = documents.read_text(source)
    if text.lstrip().startswith("["):
        return _objects(documents.parse_json(text, str(source)), source)
    found = []
    for number, line in documents.read_lines(source):
        value = documents.parse_json(line, f"{source}:{number}")
        if not isinstance(value, dict):
            raise InputError(f"{source}:{number}: expected a JSON object, got {line.strip()[:60]}")
        found.append(value)
    if not found:
        raise InputError(f"{source} holds no records")
    return found


def _objects(value: Any, source: Path) -> list[Record]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError(f"{source}: expected a list of JSON objects")
    if not value:
        raise InputError(f"{source} holds no records")
    return value


@dataclass(frozen=True, slots=True)
class Pair:
    """A truth record and its prediction; None where there is none."""

    key: Any
    truth: Record
    prediction: Record | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every truth record with its prediction, in the truth's order.

    missing: keys without a prediction (they score as wrong).
    unknown: keys of predictions that no truth has (they don't count).
    """

    pairs: tuple[Pair, ...]
    missing: tuple[Any, ...]
    unknown: tuple[Any, ...]

    @property
    def remarks(self) -> list[str]:
        """What a person should know about the matching."""
        said = []
        if self.missing:
            said.append(f"{len(self.missing)} without a prediction: {_shorten(self.missing)}")
        if self.unknown:
            said.append(f"{len(self.unknown)} predictions without truth: {_shorten(self.unknown)}")
        return said


def match(
    predictions: Sequence[Mapping[str, Any]],
    truth: Sequence[Mapping[str, Any]],
    key: str = "key",
) -> Pairs:
    """Pair predictions with truth by a field.

    Raises:
        InputError: a record without the field, or two records of one side with the same value.
    """
    wanted = _by_key(truth, key, "truth")
    given = _by_key(predictions, key, "predictions")
    pairs = tuple(Pair(name, record, given.get(name)) for name, record in wanted.items())
    return Pairs(
        pairs,
        tuple(name for name in wanted if name not in given),
        tuple(name for name in given if name not in wanted),
    )


def _by_key(records: Iterable[Mapping[str, Any]], key: str, side: str) -> dict[Any, Record]:
    found: dict[Any, Record] = {}
    for number, record in enumerate(records, 1):
        name = record.get(key)
        if not isinstance(name, (str, int)) or isinstance(name, bool):
            raise InputError(f"{side}, record {number}: {key!r} must be a number or a text")
        if name in found:
            raise InputError(f"{side}, record {number}: {key} {name!r} appears twice")
        found[name] = dict(record)
    return found


def text_of(record: Mapping[str, Any], field: str, where: str) -> str:
    """A text field of a record.

    Raises:
        InputError: it is missing or not a text.
    """
    value = record.get(field)
    if not isinstance(value, str):
        raise InputError(f"{where}: {field!r} must be a text, got {value!r}")
    return value


def canonical(value: Any) -> Any:
    """The same with rounded floats, NaN and infinity as None: equal runs give equal bytes."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        rounded = round(value, DIGITS)
        return 0.0 if rounded == 0.0 else rounded  # -0.0 and 0.0 are the same result
    if isinstance(value, Mapping):
        return {str(name): canonical(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        return canonical(value.item())  # a numpy scalar
    return value


def write_text(path: str | Path, text: str) -> Path:
    """Write a file as a whole or not at all.

    Raises:
        InputError: it can't be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, "utf-8")
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"can't write {target}: {error.strerror or error}") from error
    return target


def write_json(path: str | Path, value: Any) -> Path:
    """Write canonical JSON: indented, sorted keys, rounded floats, a newline at the end."""
    text = json.dumps(canonical(value), indent=1, sort_keys=True, ensure_ascii=False)
    return write_text(path, text + "\n")


def write_jsonl(path: str | Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write one canonical JSON object a line, fields in the order given."""
    lines = [json.dumps(canonical(record), ensure_ascii=False) + "\n" for record in records]
    return write_text(path, "".join(lines))


def _shorten(names: Sequence[Any], limit: int = 5) -> str:
    shown = ", ".join(str(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown}, ..."
