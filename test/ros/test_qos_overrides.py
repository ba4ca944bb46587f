# SPDX-License-Identifier: Apache-2.0
"""`qos_overrides.*` reach publishers and subscriptions, or are refused with the start."""

from __future__ import annotations

import pytest

from turret_ai.errors import ConfigError
from turret_ai.ros import Context, Node, qos
from turret_ai.ros.arguments import Arguments
from turret_ai.ros.interfaces import String

TOPIC = "qos_overrides./ns/chat"


@pytest.fixture
def made():
    contexts = []

    def make(*words: str) -> tuple[Node, Arguments]:
        arguments = Arguments.parse(["--ros-args", "-r", "__ns:=/ns", *words])
        contexts.append(Context(arguments))
        return Node("talker", context=contexts[-1]), arguments

    yield make
    for context in contexts:
        context.close()


def parameter(name: str, value: object, node: str = "") -> list[str]:
    return ["-p", f"{node}{name}:={value}"]


def test_a_publisher_offers_what_was_asked_for(made, monkeypatch):
    seen = {}
    node, arguments = made(
        *parameter(f"{TOPIC}.publisher.reliability", "best_effort"),
        *parameter(f"{TOPIC}.publisher.depth", 3),
        *parameter(f"{TOPIC}.publisher.lifespan", 2_000_000_000),
    )
    original = node._qos_overrides.apply

    def spy(topic, entity, profile):
        seen[topic, entity] = original(topic, entity, profile)
        return seen[topic, entity]

    monkeypatch.setattr(node._qos_overrides, "apply", spy)
    node.create_publisher(String, "chat", qos.STAGE)
    node.create_subscription(String, "chat", print, 5)
    profile = seen["/ns/chat", "publisher"]
    assert profile.reliability == qos.ReliabilityPolicy.BEST_EFFORT
    assert profile.depth == 3
    assert profile.lifespan == qos.seconds(2.0)
    assert profile.durability == qos.STAGE.durability
    assert seen["/ns/chat", "subscription"] in (5, qos.QoSProfile(depth=5))
    assert qos.STAGE.reliability == qos.ReliabilityPolicy.RELIABLE
    arguments.check_unused()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (f"{TOPIC}.publisher.reliability", "perhaps", "reliable, best_effort, got 'perhaps'"),
        (f"{TOPIC}.publisher.depth", 0, "integer >= 1"),
        (f"{TOPIC}.publisher.liveliness", "automatic", "TOPIC.ENTITY.POLICY"),
        ("qos_overrides.chat.publisher.depth", 3, "TOPIC.ENTITY.POLICY"),
    ],
)
def test_what_cannot_be_meant_ends_the_start(made, name, value, text):
    with pytest.raises(ConfigError, match=text):
        made(*parameter(name, value))


@pytest.mark.parametrize("node_name", ["", "talker:"])
def test_a_topic_that_no_node_has_is_named(made, node_name):
    node, arguments = made(*parameter("qos_overrides./ns/chatt.publisher.depth", 3, node_name))
    node.create_publisher(String, "chat", qos.STAGE)
    with pytest.raises(ConfigError, match="chatt"):
        arguments.check_unused()
