# SPDX-License-Identifier: Apache-2.0
"""What is on the network: topics, services and nodes, as DDS discovery and ROS's graph tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cyclonedds.builtin import (
    BuiltinDataReader,
    BuiltinTopicDcpsPublication,
    BuiltinTopicDcpsSubscription,
)
from cyclonedds.core import InstanceState, Policy

from turret_ai.ros.dds import announcer, messages
from turret_ai.ros.dds.context import Context
from turret_ai.ros.dds.endpoint import Reader
from turret_ai.ros.dds.logger import Logger
from turret_ai.ros.dds.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

BARE = "(no ROS node)"
"""Stands for the node of an endpoint that no ROS process announced."""
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    """One publisher or subscription."""

    node: str
    reliable: bool
    latched: bool


@dataclass(slots=True)
class TopicInfo:
    """A topic, or a service (`service` set; its publishers are the servers)."""

    name: str
    type: str
    publishers: list[EndpointInfo] = field(default_factory=list)
    subscriptions: list[EndpointInfo] = field(default_factory=list)


@dataclass(slots=True)
class NodeInfo:
    """A node and the names of its topics and services."""

    name: str
    publishes: list[str] = field(default_factory=list)
    subscribes: list[str] = field(default_factory=list)
    serves: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Network:
    """A picture of the network at one moment."""

    topics: dict[str, TopicInfo] = field(default_factory=dict)
    services: dict[str, TopicInfo] = field(default_factory=dict)
    nodes: dict[str, NodeInfo] = field(default_factory=dict)


class Discovery:
    """Watches the network from a context of its own; it shows up as no node."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._participants: dict[bytes, Any] = {}
        self._endpoints = {
            "publishers": BuiltinDataReader(context.participant, BuiltinTopicDcpsPublication),
            "subscriptions": BuiltinDataReader(context.participant, BuiltinTopicDcpsSubscription),
        }
        self._reader = Reader(
            context,
            Logger("turret_ai.discovery"),
            announcer.TOPIC,
            announcer.TYPE,
            announcer.READING,
            self._on_participant,
        )

    def watch(self, seconds: float, enough: Callable[[Network], bool] | None = None) -> Network:
        """Look for some seconds, or until a picture is enough."""
        end = time.monotonic() + seconds
        with self.context.spinning():
            while True:
                self.context.spin_once(min(0.05, max(0.0, end - time.monotonic())))
                if time.monotonic() >= end:
                    return self.picture()
                if enough is not None and enough(found := self.picture()):
                    return found

    def picture(self) -> Network:
        """What is known now, without this process."""
        found = Network()
        owners: dict[tuple[str, bytes], str] = {}
        alive: set[bytes] = set()
        own = self.context.participant.get_guid()
        listed: list[tuple[str, Any]] = []
        for side, reader in self._endpoints.items():
            for each in reader.read(_MOST):
                if each.sample_info.instance_state != InstanceState.Alive:
                    continue
                alive.add(each.participant_key.bytes)
                if each.participant_key != own:
                    listed.append((side, each))
        for participant, message in self._participants.items():
            if participant in alive and participant != own.bytes:
                self._add_nodes(found, owners, message)
        for side, each in listed:
            self._add_endpoint(found, owners, side, each)
        return found

    def close(self) -> None:
        """Stop watching."""
        self._reader.close()
        for reader in self._endpoints.values():
            reader.__del__()

    def _on_participant(self, message: Any, _sample: Any) -> None:
        self._participants[bytes(message.gid.data)] = message

    @staticmethod
    def _add_nodes(found: Network, owners: dict[tuple[str, bytes], str], message: Any) -> None:
        for each in message.node_entities_info_seq:
            name = f"{each.node_namespace.rstrip('/')}/{each.node_name}"
            found.nodes.setdefault(name, NodeInfo(name))
            for gid in each.writer_gid_seq:
                owners["publishers", bytes(gid.data)] = name
            for gid in each.reader_gid_seq:
                owners["subscriptions", bytes(gid.data)] = name

    @staticmethod
    def _add_endpoint(
        found: Network, owners: dict[tuple[str, bytes], str], side: str, each: Any
    ) -> None:
        prefix, _, rest = each.topic_name.partition("/")
        name = f"/{rest}"
        table = found.topics
        kind = _ros_type(each.type_name)
        if prefix in ("rq", "rr"):
            table = found.services
            name = name.removesuffix("Request" if prefix == "rq" else "Reply")
            kind = kind.removesuffix("_Request").removesuffix("_Response")
        elif prefix != "rt":
            return
        node = owners.get((side, each.key.bytes), BARE)
        info = table.setdefault(name, TopicInfo(name, kind))
        if prefix in ("rq", "rr"):
            calls = (prefix == "rr") == (side == "subscriptions")
            endpoints = info.subscriptions if calls else info.publishers
            verb = "calls" if calls else "serves"
        else:
            endpoints = info.publishers if side == "publishers" else info.subscriptions
            verb = "publishes" if side == "publishers" else "subscribes"
        entry = EndpointInfo(node, *_reliability(each.qos))
        if prefix == "rt" or entry not in endpoints:  # a service has two endpoints a node
            endpoints.append(entry)
        if node in found.nodes:
            names = getattr(found.nodes[node], verb)
            if name not in names:
                names.append(name)


def _ros_type(dds_type: str) -> str:
    """ "std_msgs::msg::dds_::String_" to "std_msgs/msg/String"."""
    return dds_type.replace("::dds_::", "::").replace("::", "/").removesuffix("_")


def _reliability(policies: Any) -> tuple[bool, bool]:
    listed = list(policies or ())
    reliable = any(isinstance(policy, Policy.Reliability.Reliable) for policy in listed)
    latched = any(isinstance(policy, type(Policy.Durability.TransientLocal)) for policy in listed)
    return reliable, latched


def reading_profile(info: TopicInfo, depth: int = 10) -> QoSProfile:
    """A profile that matches every publisher of a topic."""
    publishers = info.publishers
    every_reliable = bool(publishers) and all(each.reliable for each in publishers)
    every_latched = bool(publishers) and all(each.latched for each in publishers)
    return QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if every_reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if every_latched else DurabilityPolicy.VOLATILE,
    )


def known(info: TopicInfo) -> bool:
    """Whether messages of the topic can be read here."""
    return messages.known(info.type)
