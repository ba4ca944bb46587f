"""Training configurations: a YAML file and dotted overrides, checked against a pydantic model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from turret_ai import share
from turret_ai.errors import ConfigError

T = TypeVar("T", bound=BaseModel)


class Section(BaseModel):
    """Base of every part of a configuration: immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _set(tree: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            f"an override is written key=value, with dots for depth: got {override!r}"
        )
    *parents, last = key.strip().split(".")
    for parent in parents:
        below = tree.setdefault(parent, {})
        if not isinstance(below, dict):
            raise ConfigError(f"{override!r}: {parent!r} is a value, not a section")
        tree = below
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{override!r}: the value is not YAML ({error})") from error
    tree[last] = value


def _explain(error: ValidationError, source: str) -> ConfigError:
    lines = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        what = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
        lines.append(f"{where}: {what}")
    return ConfigError(f"{source}: " + "; ".join(lines))


def load(name: str, overrides: Iterable[str], model: type[T]) -> T:
    """Read a configuration.

    Args:
        name: a path, or the bare name of a shipped one in config/train.
        overrides: such as "optimizer.lr=1e-4"; the value is YAML.
        model: what the configuration must look like.

    Raises:
        ConfigError: not YAML, an unknown key, a wrong type or a value out of range.
        InputError: there is no such file.
    """
    path = share.resolve(name, "config/train", ".yaml")
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold a mapping of keys to values")
    for override in overrides:
        _set(tree, override)
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise _explain(error, str(path)) from error
