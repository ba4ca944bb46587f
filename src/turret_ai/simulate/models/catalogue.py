# SPDX-License-Identifier: Apache-2.0
"""Which textured models show which craft: `config/craft_models.yaml`, and what files there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from turret_ai import share
from turret_ai.errors import ConfigError, InputError, MissingExtraError
from turret_ai.simulate.craft import TYPES
from turret_ai.simulate.models import files, textured

TABLE = "craft_models.yaml"
"""The table's name: that of a folder of models goes before the shipped one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the table."""

    airframe: str
    type_name: str
    split: str
    files: tuple[str, ...]
    without: tuple[str, ...]
    up: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A model file of a kind, with its liveries: names, and their textures."""

    kind: Kind
    path: Path
    liveries: tuple[tuple[str, textured.Textures], ...]


@lru_cache(maxsize=4)
def kinds(path: Path | None = None) -> tuple[Kind, ...]:
    """The table.

    Raises:
        ConfigError: it can't be read, or a line names no type of ours.
    """
    path = path or share.path(f"config/{TABLE}")
    try:
        lines: list[dict[str, Any]] = yaml.safe_load(path.read_text())["craft"]
        found = tuple(
            Kind(
                line["airframe"],
                line["type"],
                line.get("split", "train"),
                tuple(line["files"]),
                tuple(line.get("liveries_without", ())),
                line.get("up", "y"),
            )
            for line in lines
        )
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is no table of craft models: {error}") from error
    for kind in found:
        if kind.type_name not in TYPES:
            raise ConfigError(f"{path}: {kind.airframe} is of the unknown type {kind.type_name!r}")
    return found


@lru_cache(maxsize=4)
def photographs(path: Path | None = None) -> dict[str, tuple[str, str]]:
    """Folder names of photographs by airframe: each one's type and split.

    Raises:
        ConfigError: the table can't be read, or names no type of ours.
    """
    path = path or share.path(f"config/{TABLE}")
    try:
        table = yaml.safe_load(path.read_text())
        held = set(table.get("photographs_val", ()))
        found = {
            name: (type_name, "val" if name in held else "train")
            for type_name, names in table["photographs"].items()
            for name in names
        }
    except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is no table of photographs: {error}") from error
    if wrong := {t for t, _ in found.values()} - set(TYPES):
        raise ConfigError(f"{path}: photographs of unknown types {sorted(wrong)}")
    return found


@lru_cache(maxsize=4)
def find(folder: Path) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The models below a folder that its own table, or ours, knows; and what was wrong with others.

    Raises:
        InputError: there is no such folder, or no model of the table in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of models")
    own = folder / TABLE
    known_kinds = kinds(own if own.is_file() else None)
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in files.SUFFIXES)
    entries: list[Entry] = []
    problems: list[str] = []
    for path in found:
        kind = _kind_of(path, known_kinds)
        if kind is None:
            continue
        try:
            known = textured.liveries(path)
        except (InputError, MissingExtraError) as error:
            missing = isinstance(error, MissingExtraError)
            problems.append(f"{path}: {error}" if missing else str(error))
            continue
        kept = tuple((n, p) for n, p in known.items() if not any(w in n for w in kind.without))
        if kept:
            entries.append(Entry(kind, path, kept))
    if not entries:
        raise InputError(f"{folder} holds no model that the table of craft models knows")
    return tuple(entries), tuple(problems)


def _kind_of(path: Path, known: Sequence[Kind]) -> Kind | None:
    for kind in known:
        if any(path.match(pattern) for pattern in kind.files):
            if any(word in path.name for word in kind.without):
                return None
            return kind
    return None
