# SPDX-License-Identifier: Apache-2.0
"""The runtime that is in use has the whole seam, under the same names."""

from __future__ import annotations

import inspect

import pytest

from turret_ai.errors import PeerError
from turret_ai.ros import Context, Node, seam
from turret_ai.ros.interfaces import Empty, String

METHODS = [name for name, kind in vars(seam.SeamNode).items() if inspect.isfunction(kind)]


@pytest.fixture
def node():
    context = Context(domain_id=94)
    yield Node("seam", context=context)
    context.close()


@pytest.mark.parametrize("name", [name for name in METHODS if not name.startswith("_")])
def test_a_node_takes_what_the_seam_says(name: str) -> None:
    """Positional words by number, and by name where both have names for them."""
    told = inspect.signature(getattr(seam.SeamNode, name))
    real = inspect.signature(getattr(Node, name))
    real.bind(*told.parameters)
    if name.startswith("create_"):
        real.bind(None, **dict.fromkeys(list(told.parameters)[1:]))


def test_what_a_node_makes_has_the_seam_too(node: Node) -> None:
    publisher = node.create_publisher(String, "words", 1)
    publisher.publish(String(data="seam"))
    assert publisher.get_subscription_count() == 0
    for timer in (node.create_timer(9.0, print), node.create_wall_timer(9.0, print)):
        timer.cancel()
    node.create_subscription(String, "words", print, 1)
    node.create_service(Empty, "~/nothing", lambda request, response: response)
    assert node.resolve_topic_name("words") == "/words"
    assert isinstance(node.now_ns(), int) and node.get_fully_qualified_name() == "/seam"


def test_a_node_that_has_left_says_nothing_and_hears_nothing(node: Node) -> None:
    """Threads of its own may still have a word when it is destroyed."""
    publisher = node.create_publisher(String, "words", 1)
    client = node.create_client(Empty, "nobody")
    timer = node.create_timer(9.0, print)
    node.destroy_node()
    publisher.publish(String(data="too late"))
    assert publisher.get_subscription_count() == 0
    assert not client.wait_for_service(timeout_sec=0.05)
    with pytest.raises(PeerError):
        client.call(Empty.Request(), timeout_sec=0.05)
    timer.cancel()
    node.get_logger().info("too late")
    assert node.now_ns() > 0
    node.destroy_node()
