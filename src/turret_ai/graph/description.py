# SPDX-License-Identifier: Apache-2.0
"""A node graph as data: what `ros2 launch` and `turret-ai launch` both build from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from turret_ai.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Argument:
    """A launch argument, given as `name:=value`."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()

    def check(self, value: str) -> str:
        """The value, if it may be used.

        Raises:
            ConfigError: it is not among the choices.
        """
        if self.choices and value not in self.choices:
            raise ConfigError(f"{self.name}:={value} is not one of {', '.join(self.choices)}")
        return value


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One node to start.

    executable: the name for `ros2 run turret_ai NAME` and `turret-ai run NAME`.
    parameters: dotted names to values, on top of the node's own defaults.
    """

    executable: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    remappings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started, with everything that the nodes share."""

    nodes: tuple[NodeEntry, ...]
    namespace: str = ""
    log_level: str = "info"
    params_file: str = ""
    one_process: bool = False
    respawn: bool = True
    """Start nodes again that crashed; not those that ended on purpose or refused their settings."""

    def remappings(self, entry: NodeEntry) -> list[str]:
        """The rules of one node's process, or of all nodes in the one process, as `old:=new`."""
        if not self.one_process:
            return [f"{old}:={new}" for old, new in entry.remappings.items()]
        return [
            f"{each.executable}:{old}:={new}"
            for each in self.nodes
            for old, new in each.remappings.items()
        ]


@dataclass(frozen=True, slots=True)
class Graph:
    """A launchable graph: its arguments, and how they become a plan."""

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    build: Callable[[Mapping[str, str]], Plan]

    def defaults(self) -> dict[str, str]:
        """Every argument's default."""
        return {argument.name: argument.default for argument in self.arguments}

    def plan(self, given: Mapping[str, str]) -> Plan:
        """The nodes for these arguments.

        Raises:
            ConfigError: an unknown argument, or a value that an argument doesn't take.
        """
        known = {argument.name: argument for argument in self.arguments}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ConfigError(
                f"{self.name} has no argument {', '.join(unknown)}; it has {', '.join(known)}"
            )
        values = {**self.defaults(), **given}
        for name, value in values.items():
            known[name].check(value)
        return self.build(values)


def parse_arguments(words: list[str]) -> dict[str, str]:
    """`["scene:=harbour"]` to `{"scene": "harbour"}`.

    Raises:
        ConfigError: a word without `:=`.
    """
    found = {}
    for word in words:
        name, separator, value = word.partition(":=")
        if not separator or not name:
            raise ConfigError(f"launch arguments look like name:=value, not {word!r}")
        found[name] = value
    return found
