# SPDX-License-Identifier: Apache-2.0
"""Dotted overrides such as "matching.sharpen=2" on settings, with errors that people read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from turret_ai import documents
from turret_ai.errors import ConfigError

T = TypeVar("T", bound=BaseModel)


def apply(tree: dict[str, Any], overrides: Iterable[str]) -> None:
    """Write each key=value into the tree, in place; the value is YAML.

    Raises:
        ConfigError: not of that form, or a key below a plain value.
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise ConfigError(
                f"an override is written key=value, with dots for depth: got {override!r}"
            )
        *parents, last = key.strip().split(".")
        branch = tree
        for parent in parents:
            below = branch.setdefault(parent, {})
            if not isinstance(below, dict):
                raise ConfigError(f"{override!r}: {parent!r} is a value, not a section")
            branch = below
        branch[last] = documents.parse_yaml(text, f"{documents.shown(override)}: the value")


def check(tree: dict[str, Any], model: type[T], source: str) -> T:
    """The tree as a model.

    Raises:
        ConfigError: an unknown key, a wrong type or a value out of range; names each.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        lines = []
        for item in error.errors():
            where = ".".join(str(part) for part in item["loc"])
            what = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
            lines.append(f"{where}: {what}")
        raise ConfigError(f"{source}: " + "; ".join(lines)) from error
