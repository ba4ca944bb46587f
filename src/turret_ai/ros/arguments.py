# SPDX-License-Identifier: Apache-2.0
"""ROS's command-line arguments: -p, -r, --params-file, --log-level after --ros-args.

Used by both runtimes: the plain one takes everything from here, rclpy's only the parameters, so
that a refused parameter reads the same.

https://design.ros2.org/articles/ros_command_line_arguments.html
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turret_ai.errors import ConfigError
from turret_ai.ros import names
from turret_ai.ros.parameter_files import read_parameter_file, read_value

LEVELS = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter's value from outside.

    origin: where it was given, for messages.
    exact: whether the node was named; a setting for many nodes needn't concern each of them.
    """

    value: Any
    origin: str
    exact: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """A setting or a name rule; node "" means every node."""

    node: str
    left: str
    right: Any


@dataclass(slots=True)
class Arguments:
    """What stood on the command line."""

    rest: list[str] = field(default_factory=list)
    """The words that were not for ROS."""
    words: list[str] = field(default_factory=list)
    """Everything, as it was given."""
    log_level: str = "info"
    log_levels: dict[str, str] = field(default_factory=dict)
    """By logger name."""
    rosout: bool = True
    console: bool = True
    names: list[_Rule] = field(default_factory=list)
    """Remappings, also of __ns and __node, in their order."""
    files: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = field(default_factory=list)
    """(path, [(node pattern, flat parameters)])."""
    parameters: list[_Rule] = field(default_factory=list)
    """From -p."""
    known: set[str] = field(default_factory=set)
    """Names of the parameters that the nodes of this process have."""
    checks: list[Callable[[], None]] = field(default_factory=list)
    """What else is checked when all nodes are made."""

    @classmethod
    def parse(cls, words: Sequence[str]) -> Arguments:
        """Read the words of a command line (without the program's name).

        Raises:
            ConfigError: an option is unknown or lacks its value, or a file can't be read.
        """
        arguments = cls(words=list(words))
        left = list(words)
        ours = False
        while left:
            word = left.pop(0)
            if word == "--ros-args":
                ours = True
            elif not ours:
                arguments.rest.append(word)
            elif word == "--":
                ours = False
            else:
                arguments._option(word, left)
        return arguments

    # -- what a node asks

    def node_name(self, name: str) -> str:
        """A node's name after `-r __node:=`."""
        for rule in self.names:
            if rule.left in ("__node", "__name") and rule.node in ("", name):
                return names.check_node_name(str(rule.right))
        return name

    def namespace(self, name: str, default: str = "/") -> str:
        """The namespace of the node of this (original) name after `-r __ns:=`."""
        for rule in self.names:
            if rule.left == "__ns" and rule.node in ("", name):
                return names.check_namespace(str(rule.right))
        return names.check_namespace(default)

    def remap(self, full_name: str, namespace: str, node: str, service: bool = False) -> str:
        """The absolute name of a topic or service after the remappings; the first one wins."""
        for rule in self.names:
            if rule.left in ("__node", "__name", "__ns") or rule.node not in ("", node):
                continue
            scheme, _, left = rule.left.rpartition("://")
            if scheme and scheme != ("rosservice" if service else "rostopic"):
                continue
            if names.expand(left, namespace, node) == full_name:
                return names.expand(str(rule.right), namespace, node)
        return full_name

    def settings(self, name: str, full_name: str) -> dict[str, Setting]:
        """The parameters given to a node; what comes later wins, -p over files."""
        found: dict[str, Setting] = {}
        for path, entries in self.files:
            for pattern, flat in entries:
                if names.matches(pattern, full_name):
                    exact = not names.is_wildcard(pattern)
                    for key, value in flat.items():
                        found[key] = Setting(value, f"{path} ({pattern})", exact)
        for rule in self.parameters:
            if rule.node in ("", name) or (
                rule.node[0] in "/*" and names.matches(rule.node, full_name)
            ):
                exact = bool(rule.node) and not names.is_wildcard(rule.node)
                found[rule.left] = Setting(rule.right, f"-p {rule.left}", exact)
        return found

    def check_unused(self) -> None:
        """Call it when all nodes are made.

        Raises:
            ConfigError: none of them has a parameter of `-p`, or another check fails.
        """
        for check in self.checks:
            check()
        for rule in self.parameters:
            if rule.left not in self.known:
                close = difflib.get_close_matches(rule.left, self.known, 1)
                hint = f": did you mean {close[0]}?" if close else ""
                raise ConfigError(f"parameter {rule.left}: no node of this process has it{hint}")

    # -- reading

    def _option(self, word: str, left: list[str]) -> None:
        def value() -> str:
            if not left:
                raise ConfigError(f"{word} lacks its value")
            return left.pop(0)

        if word in ("-p", "--param"):
            node, name, right = _assignment(word, value())
            self.parameters.append(_Rule(node, name, read_value(right, f"{word} {name}")))
        elif word in ("-r", "--remap"):
            node, old, new = _assignment(word, value())
            self.names.append(_Rule(node, old, new))
        elif word == "--params-file":
            path = value()
            self.files.append((path, read_parameter_file(Path(path))))
        elif word == "--log-level":
            logger, sign, level = value().rpartition(":=")
            if level.lower() not in LEVELS:
                raise ConfigError(f"--log-level {level}: must be one of {', '.join(LEVELS)}")
            if sign:
                self.log_levels[logger] = level.lower()
            else:
                self.log_level = level.lower()
        elif word in ("--log-config-file", "-e", "--enclave", "--log-file-name"):
            value()
        elif word in ("--enable-rosout-logs", "--disable-rosout-logs"):
            self.rosout = word.startswith("--enable")
        elif word in ("--enable-stdout-logs", "--disable-stdout-logs"):
            self.console = word.startswith("--enable")
        elif word not in ("--enable-external-lib-logs", "--disable-external-lib-logs"):
            if ":=" in word:
                raise ConfigError(f"{word} after --ros-args needs -p or -r in front")
            raise ConfigError(f"{word} is not one of ROS's arguments")


def _assignment(option: str, text: str) -> tuple[str, str, str]:
    """ "node:name:=value" to (node, name, value)."""
    left, sign, right = text.partition(":=")
    if not sign or not left:
        raise ConfigError(f"{option} {text}: must read name:=value")
    scheme = ""
    for prefix in ("rostopic://", "rosservice://"):
        before, found, after = left.partition(prefix)
        if found:
            left, scheme = before + after, prefix
    node, _, name = left.rpartition(":")
    return node, scheme + name, right
