# SPDX-License-Identifier: Apache-2.0
"""Training configurations: a YAML file and dotted overrides, checked against a pydantic model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel

from turret_ai import documents, share
from turret_ai.errors import ConfigError
from turret_ai.overrides import apply, check
from turret_ai.settings import Settings

T = TypeVar("T", bound=BaseModel)


class Section(Settings):
    """Base of every part of a configuration: immutable, and unknown keys are refused."""


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
    tree = documents.read_yaml(path)
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold a mapping of keys to values")
    apply(tree, overrides)
    return check(tree, model, str(path))
