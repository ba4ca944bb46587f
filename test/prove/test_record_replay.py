# SPDX-License-Identifier: Apache-2.0
"""Live topics go into a bag and come back out of it, without ROS."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from recording import make

from turret_ai.nodes.player import Player
from turret_ai.nodes.recorder import BagRecorder
from turret_ai.prove.bag import Bag
from turret_ai.ros import RUNTIME, Context, Node, qos, spin_until, spinning
from turret_ai.ros.interfaces import AudioDataStamped, Image, JointState, Transcript
from turret_ai.ros.time import to_msg

DOMAIN = os.getpid() % 90 + 101 if RUNTIME == "dds" else os.getpid() % 90 + 1


@pytest.fixture
def contexts() -> Iterator[list[Context]]:
    made = [Context(domain_id=DOMAIN % 230) for _ in range(2)]
    yield made
    for context in made:
        context.close()


def test_everything_that_is_published_is_recorded(tmp_path: Path, contexts: list[Context]) -> None:
    sender = Node("sender", context=contexts[0])
    transcripts = sender.create_publisher(Transcript, "transcript", qos.STAGE)
    joints = sender.create_publisher(JointState, "joint_states", qos.SENSOR)
    images = sender.create_publisher(Image, "camera/image_raw", qos.IMAGE_PUB)
    recorder = BagRecorder({"output": str(tmp_path / "bag")}, context=contexts[1])
    with spinning(recorder):
        publishers = (transcripts, joints, images)
        ready = lambda: all(p.get_subscription_count() for p in publishers)  # noqa: E731
        assert spin_until(ready, sender, timeout=10.0)
        time.sleep(0.5)  # a subscription of another quality of service may follow
        pixels = bytes(300)
        for i in range(300):
            transcripts.publish(Transcript(utterance_id=f"u{i}"))
            joints.publish(JointState(name=["gimbal_joint"], position=[float(i)]))
            if i % 10 == 0:
                image = Image(height=10, width=10, encoding="rgb8", step=30, data=pixels)
                image.header.stamp = to_msg(i)
                images.publish(image)
            time.sleep(0.002)
        wanted = {"/transcript": 300, "/joint_states": 300, "/camera/image_raw": 30}
        done = lambda: all(recorder.counts.get(k) == v for k, v in wanted.items())  # noqa: E731
        assert spin_until(done, sender, timeout=5.0), recorder.counts
    recorder.destroy_node()
    with Bag(tmp_path / "bag") as bag:
        assert bag.problems == []
        assert bag.topics["/target_bbox"].count == 0  # listed although nobody spoke
        told = [bag.decode(r).utterance_id for r in bag.records({"/transcript"})]
        assert told == [f"u{i}" for i in range(300)]
        assert [bag.decode(r).position[0] for r in bag.records({"/joint_states"})] == list(
            range(300)
        )


def test_images_may_be_kept_as_jpeg(tmp_path: Path, contexts: list[Context]) -> None:
    sender = Node("sender", context=contexts[0])
    images = sender.create_publisher(Image, "camera/image_raw", qos.IMAGE_PUB)
    recorder = BagRecorder(
        {"output": str(tmp_path / "bag"), "jpeg_quality": 80}, context=contexts[1]
    )
    with spinning(recorder):
        assert spin_until(lambda: images.get_subscription_count() > 0, sender, timeout=10.0)
        image = Image(height=64, width=64, encoding="rgb8", step=192, data=bytes(64 * 192))
        images.publish(image)
        topic = "/camera/image_raw/compressed"
        assert spin_until(lambda: recorder.counts.get(topic) == 1, sender, timeout=5.0)
    recorder.destroy_node()
    with Bag(tmp_path / "bag") as bag:
        message = bag.decode(next(bag.records({topic})))
        assert message.format == "jpeg" and bytes(message.data[:2]) == b"\xff\xd8"


def test_a_recording_is_played_back_unchanged_and_in_order(
    tmp_path: Path, contexts: list[Context]
) -> None:
    path = make(tmp_path / "bag")
    received: list[int] = []
    listener = Node("listener", context=contexts[0])
    listener.create_subscription(
        AudioDataStamped, "audio", lambda m: received.append(m.header.stamp.nanosec), qos.AUDIO
    )
    states: list[float] = []
    listener.create_subscription(
        JointState, "joint_states", lambda m: states.append(m.position[0]), qos.STAGE
    )
    ended = threading.Event()
    player = Player(
        {"bag": str(path), "rate": 20.0, "wait": 2.0, "end_delay": 0.3},
        on_finished=ended.set,
        context=contexts[1],
    )
    assert spin_until(ended.is_set, listener, timeout=20.0)
    spin_until(lambda: False, listener, timeout=0.3)
    player.destroy_node()
    with Bag(path) as bag:
        expected = [bag.decode(r).header.stamp.nanosec for r in bag.records({"/audio"})]
        angles = [bag.decode(r).position[0] for r in bag.records({"/joint_states"})]
    assert received == expected
    assert states == angles


def test_the_recorded_stages_outputs_are_not_played_to_live_stages(
    tmp_path: Path, contexts: list[Context]
) -> None:
    player = Player(
        {"bag": str(make(tmp_path / "bag"))}, on_finished=lambda: None, context=contexts[0]
    )
    topics = set(player.topics)
    player.destroy_node()
    assert "/audio" in topics and "/ground_truth" in topics
    assert "/turret/state" not in topics
