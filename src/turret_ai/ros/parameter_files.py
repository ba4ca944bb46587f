# SPDX-License-Identifier: Apache-2.0
"""Parameter files, and single values in their notation: YAML as ROS reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from turret_ai import documents
from turret_ai.errors import ConfigError


class _Loader(documents.SAFE_LOADER):  # type: ignore[misc]
    """1e3 is a number; dates, 12:30 and 065 are text."""


_BOOL = r"y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"
_FLOAT = (
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_RESOLVERS = (
    # tag, whole text, its possible first characters
    ("bool", _BOOL, list("yYnNtTfFoO")),
    ("int", r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", _FLOAT, list("-+0123456789.")),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", ["<"]),
)
_Loader.yaml_implicit_resolvers = {}
for _tag, _text, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_text})\\Z"), _first
    )


def _make_bool(loader: yaml.SafeLoader, node: Any) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


def _make_float(loader: yaml.SafeLoader, node: Any) -> float:
    return float(
        str(loader.construct_scalar(node)).lower().replace(".inf", "inf").replace(".nan", "nan")
    )


_Loader.add_constructor("tag:yaml.org,2002:bool", _make_bool)
_Loader.add_constructor("tag:yaml.org,2002:float", _make_float)


def read_value(text: str, where: str) -> Any:
    """The value of `-p name:=value`.

    Raises:
        ConfigError: it is not a YAML value, or a map.
    """
    value = documents.parse_yaml(text, f"{where}: {documents.shown(text)}", _Loader)
    if isinstance(value, dict):
        raise ConfigError(f"{where}: {documents.shown(text)} must be a single value or a list")
    return "" if value is None else value


def read_parameter_file(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """(node pattern, parameters with dotted names) of each entry, in the file's order.

    Raises:
        ConfigError: the file is missing, not YAML, or not of ROS's layout.
    """
    where = f"parameter file {path}"
    content = documents.parse_yaml(documents.read_text(path, ConfigError), where, _Loader)
    if content is None:
        return []
    entries: list[tuple[str, dict[str, Any]]] = []
    _collect(path, content, "", entries)
    return entries


def _collect(
    path: Path, content: Any, prefix: str, entries: list[tuple[str, dict[str, Any]]]
) -> None:
    if not isinstance(content, dict):
        raise ConfigError(f"parameter file {path}: {prefix or 'the top'} must hold ros__parameters")
    for key, value in content.items():
        if key == "ros__parameters":
            if not prefix:
                raise ConfigError(f"parameter file {path}: ros__parameters belongs under a node")
            if value is not None and not isinstance(value, dict):
                raise ConfigError(f"parameter file {path}: {prefix}: ros__parameters must be a map")
            entries.append((prefix, flatten(value or {})))
        else:
            _collect(path, value, f"{prefix.rstrip('/')}/{str(key).strip('/')}", entries)


def flatten(nested: dict[Any, Any], prefix: str = "") -> dict[str, Any]:
    """{"vad": {"threshold": 1}} to {"vad.threshold": 1}."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(flatten(value, f"{name}."))
        else:
            flat[name] = value
    return flat
