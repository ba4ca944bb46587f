# SPDX-License-Identifier: Apache-2.0
"""Messages as the bytes that they are on the wire, for recording and replaying: CDR in, CDR out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turret_ai.ros.choice import RUNTIME
from turret_ai.ros.interfaces import message
from turret_ai.ros.qos import QoSProfile


@dataclass(frozen=True, slots=True)
class RawSubscription:
    """A subscription whose callback gets bytes."""

    topic: str
    type: str
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class RawPublisher:
    """A publisher of bytes. publish: False where a message was given up."""

    topic: str
    type: str
    publish: Callable[[bytes], bool]
    count: Callable[[], int]
    """How many subscriptions are matched."""


def subscribe(
    node: Any, topic: str, ros_type: str, callback: Callable[[bytes], object], profile: QoSProfile
) -> RawSubscription:
    """Hand each message of a topic to a callback of the executor, undecoded.

    Raises:
        InputError: the type is not known here.
    """
    kind = message(ros_type)
    if RUNTIME == "rclpy":
        made = node.create_subscription(
            kind, topic, lambda data: callback(bytes(data)), profile, raw=True
        )
        return RawSubscription(topic, ros_type, lambda: node.destroy_subscription(made))
    full = node.resolve_topic_name(topic)
    reader = node.add_reader(
        f"rt{full}", ros_type, profile, lambda _message, sample: callback(bytes(sample.raw))
    )
    return RawSubscription(full, ros_type, lambda: node.drop(reader, None))


def advertise(node: Any, topic: str, ros_type: str, profile: QoSProfile) -> RawPublisher:
    """A publisher that takes messages as CDR with its 4-byte header.

    Raises:
        InputError: the type is not known here.
    """
    kind = message(ros_type)
    if RUNTIME == "rclpy":
        made = node.create_publisher(kind, topic, profile)

        def send(raw: bytes) -> bool:
            made.publish(raw)
            return True

        return RawPublisher(topic, ros_type, send, made.get_subscription_count)
    full = node.resolve_topic_name(topic)
    writer = node.add_writer(f"rt{full}", ros_type, profile)
    return RawPublisher(full, ros_type, writer.write_raw, writer.matched)
