# SPDX-License-Identifier: Apache-2.0
"""The tests' own Gazebo transport: with itself, and with the real ign-transport where it is."""

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from gz_bridge import Bridge
from gz_wire import Transport, decode, encode, inner, text
from probe import Probe, free_domain

from turret_ai.ros import images, qos
from turret_ai.ros.interfaces import (
    CameraInfo,
    Clock,
    Detection2DArray,
    Float64,
    Image,
    JointState,
)
from turret_ai.ros.time import to_ns
from turret_ai.simulate.gazebo import topics

TOOL = Path("/usr/libexec/ignition/transport11/ign-transport-topic")
needs_tool = pytest.mark.skipif(
    not TOOL.exists(), reason="no ign-transport: apt install ignition-transport-cli"
)


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.05)
    return condition()


@pytest.fixture
def partition(monkeypatch):
    name = f"turret_ai_test_{os.getpid()}"
    for prefix in ("IGN", "GZ"):
        monkeypatch.setenv(f"{prefix}_PARTITION", name)
        monkeypatch.setenv(f"{prefix}_IP", "127.0.0.1")
    return name


def test_messages_come_back_as_they_were():
    data = encode({1: {1: -3, 2: 7}, 2: 0.25, 3: "gimbal_joint", 4: [1.0, 2.0], 5: b"\x00\xff"})
    read = decode(data)
    assert inner(read, 1) == {1: [(1 << 64) - 3], 2: [7]}
    assert (read[2], text(read, 3), read[4], bytes(read[5][0])) == (
        [0.25], "gimbal_joint", [1.0, 2.0], b"\x00\xff")  # fmt: skip


def test_two_processes_find_and_hear_each_other(partition):
    heard = []
    with Transport() as one, Transport() as other:
        publisher = one.advertise("/turret_ai/test", "ignition.msgs.Double")
        other.subscribe("/turret_ai/test", lambda m: heard.append(m[2][0]))
        assert until(lambda: publisher.subscribers)

        def told():
            publisher.publish({2: 0.5})
            return heard

        assert until(told)
    assert heard[0] == 0.5


@needs_tool
def test_the_real_transport_hears_us(partition):
    with Transport() as ours:
        publisher = ours.advertise("/turret_ai/test", "ignition.msgs.Double")
        words = [TOOL, "-e", "-t", "/turret_ai/test", "-n", "1"]
        echo = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        try:
            assert until(lambda: publisher.subscribers)

            def told():
                publisher.publish({2: 0.75})
                return echo.poll() is not None

            assert until(told)
        finally:
            echo.kill()
            output = echo.communicate()[0]
    assert "data: 0.75" in output


@needs_tool
def test_we_hear_the_real_transport(partition):
    heard = []
    with Transport() as ours:
        ours.subscribe("/turret_ai/test", lambda m: heard.append(m[2][0]))

        def told():
            words = [
                TOOL,
                "-t",
                "/turret_ai/test",
                "-m",
                "ignition.msgs.Double",
                "-p",
                "data: 0.25",
            ]
            subprocess.run(words, timeout=20, check=True)
            return heard

        assert until(told, 30.0)
    assert heard[0] == 0.25


@pytest.mark.parametrize(("major", "command"), [(6, "ignition.msgs.Double"), (8, "gz.msgs.Double")])
def test_the_tests_bridge_carries_every_topic(partition, major, command):
    """What a Gazebo says arrives on our topics, and our angles at its controllers."""
    rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    told = {1: {1: 3, 2: 500}, 2: {1: "frame_id", 2: "camera_optical_frame"}}
    k = [2.0, 0.0, 3.0, 0.0, 2.0, 2.0, 0.0, 0.0, 1.0]
    joints = [{2: "gimbal_joint", 10: {10: 1.5, 11: -0.5}}, {2: "blaster_joint"}]
    box = {2: {2: {2: 1.0, 3: 2.0}, 3: {2: 5.0, 3: 4.0}}, 3: 7}
    said = {
        topics.CLOCK: {4: {1: 3, 2: 500}},
        topics.IMAGE: {1: told, 2: 6, 3: 4, 4: 18, 5: rgb.tobytes(), 6: 3},
        topics.CAMERA_INFO: {1: told, 2: 6, 3: 4, 5: {1: k}, 6: {1: [0.0] * 12}},
        topics.JOINT_STATES: {1: told, 6: joints},
        topics.TRUTH_BOXES: {1: told, 2: [box]},
    }
    probe = Probe(free_domain())
    kinds = {
        "/clock": Clock, "camera/image_raw": Image, "camera/camera_info": CameraInfo,
        "joint_states": JointState, "truth_boxes": Detection2DArray,
    }  # fmt: skip
    heard = {name: probe.collect(kind, name) for name, kind in kinds.items()}
    angles = probe.create_publisher(Float64, "gimbal_joint/command", qos.STAGE)
    turned = []
    try:
        with Transport() as theirs, Transport() as ours:
            senders = {name: theirs.advertise(name, "ignition.msgs.Any") for name in said}
            commands = topics.COMMANDS["gimbal_joint"]
            theirs.subscribe(commands, lambda m: turned.append(m[2][0]), command)
            Bridge(probe, ours, major=major)
            assert until(lambda: all(each.subscribers for each in senders.values()))

            def talked():
                for name, message in said.items():
                    senders[name].publish(message)
                angles.publish(Float64(data=0.625))
                probe.until(lambda: False, 0.1)
                return turned and all(heard.values())

            assert until(talked)
    finally:
        probe.close()
    assert turned[0] == 0.625
    assert to_ns(heard["/clock"][0].clock) == 3_000_000_500
    picture = heard["camera/image_raw"][0]
    assert np.array_equal(images.from_message(picture), rgb)
    assert picture.header.frame_id == "camera_optical_frame"
    assert to_ns(picture.header.stamp) == 3_000_000_500
    assert list(heard["camera/camera_info"][0].k) == k
    state = heard["joint_states"][0]
    assert list(state.name) == ["gimbal_joint", "blaster_joint"]
    assert (list(state.position), list(state.velocity)) == ([1.5, 0.0], [-0.5, 0.0])
    found = heard["truth_boxes"][0].detections[0]
    assert found.results[0].hypothesis.class_id == "7"
    assert (found.bbox.center.position.x, found.bbox.size_y) == (3.0, 2.0)
