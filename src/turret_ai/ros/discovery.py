# SPDX-License-Identifier: Apache-2.0
"""Which topics are published, and a quality of service that hears every publisher of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from turret_ai.ros.choice import RUNTIME
from turret_ai.ros.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


@dataclass(frozen=True, slots=True)
class Published:
    """A topic with at least one publisher. reliable, latched: of all of them."""

    name: str
    type: str
    reliable: bool
    latched: bool

    def reading_profile(self, depth: int) -> QoSProfile:
        """A profile that matches every publisher."""
        return QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=depth,
            reliability=ReliabilityPolicy.RELIABLE
            if self.reliable
            else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL
            if self.latched
            else DurabilityPolicy.VOLATILE,
        )


class Topics:
    """Looks at the network from a node; call `close` before the node is destroyed."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._discovery: Any = None
        if RUNTIME == "dds":
            from turret_ai.ros.dds.discovery import Discovery

            self._discovery = Discovery(node.context)

    def published(self) -> dict[str, Published]:
        """Every topic that another process publishes at this moment, by name."""
        if self._discovery is None:
            return self._from_rclpy()
        return {
            name: Published(
                name,
                info.type,
                all(each.reliable for each in info.publishers),
                all(each.latched for each in info.publishers),
            )
            for name, info in self._discovery.picture().topics.items()
            if info.publishers
        }

    def _from_rclpy(self) -> dict[str, Published]:
        found = {}
        for name, kinds in self._node.get_topic_names_and_types():
            offers = [info.qos_profile for info in self._node.get_publishers_info_by_topic(name)]
            if offers and len(kinds) == 1:
                found[name] = Published(
                    name,
                    kinds[0],
                    all(o.reliability == ReliabilityPolicy.RELIABLE for o in offers),
                    all(o.durability == DurabilityPolicy.TRANSIENT_LOCAL for o in offers),
                )
        return found

    def subscribers(self, name: str) -> int:
        """How many subscriptions of other processes a topic (absolute name) has."""
        if self._discovery is None:
            return int(self._node.count_subscribers(name))
        info = self._discovery.picture().topics.get(name)
        return len(info.subscriptions) if info else 0

    def close(self) -> None:
        """Stop looking."""
        if self._discovery is not None:
            self._discovery.close()
