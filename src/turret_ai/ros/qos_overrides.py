# SPDX-License-Identifier: Apache-2.0
"""Quality of service from outside: the parameters `qos_overrides.TOPIC.ENTITY.POLICY` of ROS 2.

    -p 'qos_overrides./camera/image_raw.subscription.reliability:=reliable'

TOPIC is the resolved name, ENTITY `publisher` or `subscription`, POLICY one of `POLICIES`. Alike in
both runtimes, for every topic of a node. What concerns no topic of the node, or can't be used, is
refused with the node's start.

https://design.ros2.org/articles/qos_configurability.html
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from turret_ai.errors import ConfigError
from turret_ai.ros import qos
from turret_ai.ros.arguments import Setting

PREFIX = "qos_overrides."
ENTITIES = ("publisher", "subscription")
_CHOICES: dict[str, dict[str, Any]] = {
    "history": {
        "keep_last": qos.HistoryPolicy.KEEP_LAST,
        "keep_all": qos.HistoryPolicy.KEEP_ALL,
    },
    "reliability": {
        "reliable": qos.ReliabilityPolicy.RELIABLE,
        "best_effort": qos.ReliabilityPolicy.BEST_EFFORT,
    },
    "durability": {
        "transient_local": qos.DurabilityPolicy.TRANSIENT_LOCAL,
        "volatile": qos.DurabilityPolicy.VOLATILE,
    },
}
_DURATIONS = ("deadline", "lifespan")
POLICIES = (*_CHOICES, "depth", *_DURATIONS)
"""deadline and lifespan are nanoseconds."""


class QosOverrides:
    """What the user asked for the topics of one node."""

    def __init__(self, settings: Mapping[str, Setting], node: str, used: set[str]) -> None:
        """
        Args:
            settings: all of the node's; those of other kinds are passed over.
            node: its full name, for messages.
            used: gets the names of the parameters that took effect.

        Raises:
            ConfigError: a name or a value can't be meant.
        """
        self._node = node
        self._used = used
        self._wanted: dict[tuple[str, str], dict[str, Any]] = {}
        self._exact: set[tuple[str, str]] = set()
        self._topics: set[str] = set()
        for name, setting in settings.items():
            if name.startswith(PREFIX):
                topic, entity, policy = self._parts(name)
                value = self._value(name, policy, setting.value)
                self._wanted.setdefault((topic, entity), {})[policy] = value
                if setting.exact:
                    self._exact.add((topic, entity))

    def apply(self, topic: str, entity: str, profile: Any) -> Any:
        """The profile with what was asked for this topic.

        Args:
            topic: its resolved name.
            entity: one of `ENTITIES`.
            profile: the runtime's QoSProfile, left as it is, or a depth.
        """
        self._topics.add(topic)
        wanted = self._wanted.get((topic, entity))
        if not wanted:
            return profile
        self._exact.discard((topic, entity))
        self._used |= {f"{PREFIX}{topic}.{entity}.{policy}" for policy in wanted}
        if isinstance(profile, int):
            profile = qos.QoSProfile(depth=profile)
        if dataclasses.is_dataclass(profile) and not isinstance(profile, type):
            return dataclasses.replace(profile, **wanted)
        changed = copy.copy(profile)
        for policy, value in wanted.items():
            setattr(changed, policy, value)
        return changed

    def check_unused(self) -> None:
        """Call it when the node has made what it makes.

        Raises:
            ConfigError: something was asked of this node by name, for a topic that it doesn't have.
        """
        for topic, entity in sorted(self._exact):
            close = difflib.get_close_matches(topic, self._topics, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ConfigError(f"{PREFIX}{topic}: {self._node} has no {entity} of that name{hint}")

    def _parts(self, name: str) -> tuple[str, str, str]:
        topic, _, rest = name.removeprefix(PREFIX).partition(".")
        entity, _, policy = rest.partition(".")
        if not topic.startswith("/") or entity not in ENTITIES or policy not in POLICIES:
            raise ConfigError(
                f"parameter {name} of {self._node} must read {PREFIX}/TOPIC.ENTITY.POLICY, with "
                f"{' or '.join(ENTITIES)} and one of {', '.join(POLICIES)}"
            )
        return topic, entity, policy

    def _value(self, name: str, policy: str, value: Any) -> Any:
        choices = _CHOICES.get(policy)
        if choices is not None:
            if value not in choices:
                raise ConfigError(
                    f"parameter {name} of {self._node}: must be one of {', '.join(choices)}, "
                    f"got {value!r}"
                )
            return choices[value]
        least = 0 if policy in _DURATIONS else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigError(
                f"parameter {name} of {self._node}: must be an integer >= {least}, got {value!r}"
            )
        return qos.seconds(value * 1e-9) if policy in _DURATIONS else value
