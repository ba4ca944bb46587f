# SPDX-License-Identifier: Apache-2.0
"""What nodes may ask of a runtime: the seam as protocols, against which both are checked.

mypy checks the plain runtime, `test/ros/test_seam.py` the one that is in use, rclpy where ROS 2 is
sourced. What is not here is no part of the seam, though one of the two may have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from turret_ai.ros.dds.node import Node


class Publisher(Protocol):
    """Of one topic."""

    def publish(self, msg: Any) -> None:
        """Send a message to everybody who listens."""

    def get_subscription_count(self) -> int:
        """How many do."""


class Timer(Protocol):
    """Calls back again and again."""

    def cancel(self) -> None:
        """No more calls."""


class SeamNode(Protocol):
    """A node. Its callbacks run in one thread and never block."""

    parameters: Any
    """The instance of the node's model of parameters."""

    def get_name(self) -> str:
        """Without its namespace."""

    def get_namespace(self) -> str:
        """Such as "/turret", or "/"."""

    def get_fully_qualified_name(self) -> str:
        """Namespace and name."""

    def get_logger(self) -> Any:
        """debug, info, warning, error."""

    def get_clock(self) -> Any:
        """The node's clock: /clock under simulated time."""

    def now_ns(self) -> int:
        """Nanoseconds of that clock."""

    def resolve_topic_name(self, topic: str) -> str:
        """The full name, remapped."""

    def create_publisher(self, msg_type: Any, topic: str, qos_profile: Any) -> Publisher:
        """Advertise a topic."""

    def create_subscription(
        self, msg_type: Any, topic: str, callback: Callable[[Any], object], qos_profile: Any
    ) -> Any:
        """Have every message of a topic."""

    def create_timer(self, timer_period_sec: float, callback: Callable[[], object]) -> Timer:
        """By the node's clock."""

    def create_wall_timer(self, timer_period_sec: float, callback: Callable[[], object]) -> Timer:
        """By real time, also under simulated time."""

    def create_service(
        self, srv_type: Any, srv_name: str, callback: Callable[[Any, Any], Any]
    ) -> Any:
        """Answer requests at once."""

    def create_slow_service(
        self, srv_type: Any, srv_name: str, callback: Callable[[Any, Any], Any]
    ) -> Any:
        """Answer requests when the returned future is done."""

    def create_client(self, srv_type: Any, srv_name: str) -> Any:
        """Ask a service."""

    def destroy_node(self) -> None:
        """Leave the graph."""


if TYPE_CHECKING:

    def _plain_runtime(node: Node) -> SeamNode:
        return node
