# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON that people or machines wrote: what is wrong is told in one line.

Every document of the package comes through here, so that a byte order mark, an anchor that
contains itself or a file of another coding means the same everywhere.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from turret_ai.errors import ConfigError, InputError, TurretError

SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Plain values only. libyaml reads it where PyYAML was built with it, eight times as fast."""
TEXT_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Likewise, and every value stays text."""
MAX_NODES = 2_000_000
"""Values in a document with every alias written out; more would fill the memory of its reader."""
_LINE_END = re.compile(r"\r\n|\n|\r")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(data: bytes, where: str, error: type[TurretError] = InputError) -> str:
    """Text in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Raises:
        error: it is neither; the text begins with `where`.
    """
    coding = "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"
    try:
        return data.decode(coding)
    except UnicodeDecodeError as problem:
        raise error(f"{where} is not UTF-8 text: {problem.reason}") from problem


def read_text(path: Path | str, error: type[TurretError] = InputError) -> str:
    """The text of a file, see `decode`.

    Raises:
        error: it can't be read, or is not text.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise error(f"{path} can't be read: {problem.strerror or problem}") from problem
    return decode(data, str(path), error)


def read_lines(path: Path | str) -> list[tuple[int, str]]:
    """(number from 1, line) of every line that isn't blank.

    Only line ends count: JSON strings may hold the other characters that Python splits at.

    Raises:
        InputError: see `read_text`.
    """
    lines = _LINE_END.split(read_text(path))
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def parse_yaml(
    text: str, where: str, loader: Any = SAFE_LOADER, error: type[TurretError] = ConfigError
) -> Any:
    """The value that a YAML text stands for; None for an empty one.

    Raises:
        error: not YAML, an anchor that contains itself, nested too deeply, or more than MAX_NODES
            values. One line that begins with `where`.
    """
    try:
        value = yaml.load(text, loader)
        nodes = _count(value, {}, set())
    except yaml.YAMLError as problem:
        raise error(f"{where} is not YAML: {_line(problem)}") from problem
    except RecursionError as problem:
        raise error(f"{where} is nested too deeply") from problem
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as problem:
        # PyYAML's constructors of tagged, very long or impossible values
        reason = _first_line(problem)
        raise error(f"{where} holds a value that can't be read: {reason}") from problem
    if nodes is None:
        raise error(f"{where} holds an anchor that contains itself")
    if nodes > MAX_NODES:
        raise error(f"{where} holds more than {MAX_NODES:,} values")
    return value


def read_yaml(
    path: Path | str, loader: Any = SAFE_LOADER, error: type[TurretError] = ConfigError
) -> Any:
    """The value of a YAML file.

    Raises:
        error: see `read_text` and `parse_yaml`.
    """
    return parse_yaml(read_text(path, error), str(path), loader, error)


def parse_json(text: str, where: str, error: type[TurretError] = InputError) -> Any:
    """The value that a JSON text stands for.

    Raises:
        error: not JSON, or nested too deeply. One line that begins with `where`.
    """
    try:
        return json.loads(text)
    except RecursionError as problem:
        raise error(f"{where}: not valid JSON: nested too deeply") from problem
    except ValueError as problem:  # also numbers with thousands of digits
        raise error(f"{where}: not valid JSON: {_first_line(problem)}") from problem


def read_json(path: Path | str) -> Any:
    """The value of a JSON file.

    Raises:
        InputError: see `read_text` and `parse_json`.
    """
    return parse_json(read_text(path), str(path))


def finite(value: Any) -> Any:
    """For JSON, which has no NaN and no infinity: None stands for them."""
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shown(text: str, most: int = 80) -> str:
    """The text in quotes as an error may show it, cut after `most` characters."""
    return repr(text if len(text) <= most else text[:most] + "...")


def _count(value: Any, known: dict[int, int], within: set[int]) -> int | None:
    """How many values it is with every alias written out; None if it contains itself."""
    if not isinstance(value, (dict, list, set, tuple)):
        return 1
    key = id(value)
    if key in known:
        return known[key]
    if key in within:
        return None
    within.add(key)
    parts = value.values() if isinstance(value, dict) else value
    total = 1
    for part in parts:
        nodes = _count(part, known, within)
        if nodes is None:
            return None
        total += nodes
    within.discard(key)
    known[key] = total
    return total


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or _first_line(error)
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
