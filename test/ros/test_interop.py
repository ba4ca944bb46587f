# SPDX-License-Identifier: Apache-2.0
"""A process without ROS and real ROS 2 processes talk to each other, both ways.

Run it in a sourced ROS 2 whose Python also has this package's dependencies (cyclonedds, rosbags),
with the package's messages built by colcon.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import samples
from processes import Peer


def missing() -> str:
    """What this Python lacks for these tests, "" if nothing."""
    for module, reason in (
        ("rclpy", "needs a sourced ROS 2"),
        ("turret_ai.msg", "needs this package's messages: colcon build, source install/setup.bash"),
        ("cyclonedds", "needs the plain runtime too: pip install cyclonedds rosbags"),
    ):
        if importlib.util.find_spec(module) is None:
            return reason
    if "cyclonedds" not in os.environ.get("RMW_IMPLEMENTATION", ""):
        return "needs RMW_IMPLEMENTATION=rmw_cyclonedds_cpp"
    return ""


# Not pytest.skip at module level: ROS's pytest plugins would take it for the whole folder.
pytestmark = [pytest.mark.ros, pytest.mark.skipif(bool(missing()), reason=missing() or "ready")]

ROS, PLAIN = {"TURRET_AI_RUNTIME": "rclpy"}, {"TURRET_AI_RUNTIME": "dds"}
BOTH_WAYS = pytest.mark.parametrize(
    ("sender", "receiver"),
    [(PLAIN, ROS), (ROS, PLAIN), (ROS, ROS)],
    ids=["to ROS", "from ROS", "ROS"],
)
SLOW = 60.0


def ros2(*words: str) -> str:
    """What a `ros2` command prints."""
    done = subprocess.run(
        ["ros2", *words], capture_output=True, text=True, timeout=SLOW, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def plain_peer(domain: int) -> Iterator[Peer]:
    """A process without ROS, looked at with ROS's own tools."""
    with Peer("everything", "--ros-args", "-r", "__ns:=/p", **PLAIN) as peer:
        peer.until("spinning", SLOW)
        yield peer


@BOTH_WAYS
def test_every_message_latched_history_and_services(
    sender: dict[str, str], receiver: dict[str, str]
) -> None:
    with (
        Peer("everything", **sender) as source,
        Peer("listener", **receiver) as sink,
    ):
        source.until("spinning", SLOW)
        assert sink.until("answers", SLOW)["answers"] == ["enabled=False", "enabled=True"]
        end = time.monotonic() + SLOW
        wanted = set(samples.names())
        while time.monotonic() < end:
            got = {line["type"]: line["message"] for line in sink.seen if "type" in line}
            if wanted <= set(got):
                break
            sink.until("type", SLOW)
        for name in sorted(wanted):
            assert got[name] == samples.plain(samples.fill(name)), name
        assert [line["latched"] for line in sink.seen if "latched" in line] == ["2", "3", "4"]


@BOTH_WAYS
def test_images_arrive_whole(sender: dict[str, str], receiver: dict[str, str]) -> None:
    with Peer("viewer", **receiver) as viewer:
        viewer.until("ready", SLOW)
        with Peer("patient_camera", **sender) as camera:
            camera.until("ready", SLOW)
            end = time.monotonic() + SLOW
            count = 0
            while count < 60 and time.monotonic() < end:
                count = viewer.until("images", SLOW)["images"]
    # Best effort: a busy machine loses some. With Cyclone's own buffers none would come.
    assert count >= 60


def test_ros2_node_list_and_info(plain_peer: Peer) -> None:
    assert "/p/peer" in ros2("node", "list", "--no-daemon").splitlines()
    shown = ros2("node", "info", "--no-daemon", "/p/peer")
    assert "/p/say: std_msgs/msg/String" in shown
    assert "/p/all/turret_ai_transcript: turret_ai/msg/Transcript" in shown
    assert "/p/set: std_srvs/srv/SetBool" in shown


def test_ros2_param(plain_peer: Peer) -> None:
    node = "/p/peer"
    listed = ros2("param", "list", "--no-daemon", node).split()
    assert {"gain", "vad.threshold", "use_sim_time"} <= set(listed)
    assert "Double value is: 0.5" in ros2("param", "get", "--no-daemon", node, "vad.threshold")
    described = ros2("param", "describe", "--no-daemon", node, "vad.threshold")
    assert "probability of speech" in described
    assert re.search(r"Max value: 1\.0", described)
    assert "successful" in ros2("param", "set", "--no-daemon", node, "gain", "2.5")
    assert plain_peer.until("gain")["gain"] == 2.5
    assert "(0, 10]" in ros2("param", "set", "--no-daemon", node, "gain", "99.0")


def test_ros2_topic_echo_and_info(plain_peer: Peer) -> None:
    topic = "/p/all/turret_ai_transcript"
    echoed = ros2("topic", "echo", "--no-daemon", "--once", topic)
    assert f"text: {samples.plain(samples.fill('turret_ai/msg/Transcript'))['text']}" in echoed
    shown = ros2("topic", "info", "--no-daemon", "-v", topic)
    assert "Node name: peer" in shown
    assert "Durability: TRANSIENT_LOCAL" in shown
    # the hash is ROS's own: the same type announced by a process with ROS
    with Peer("everything", "--ros-args", "-r", "__ns:=/r", **ROS) as other:
        other.until("spinning", SLOW)
        theirs = ros2("topic", "info", "--no-daemon", "-v", "/r/all/turret_ai_transcript")
    hashes = [re.findall(r"RIHS01_\w+", text) for text in (shown, theirs)]
    assert hashes[0] == hashes[1] != []


def test_ros2_service_call(plain_peer: Peer) -> None:
    answer = ros2("service", "call", "/p/set", "std_srvs/srv/SetBool", "{data: true}")
    assert "enabled=True" in answer


def test_our_own_look_at_a_graph_of_ros_processes(domain: int) -> None:
    command = shutil.which("turret-ai")
    with Peer("everything,clocked", "--ros-args", "-r", "__ns:=/look", **ROS) as peer:
        peer.until("spinning", SLOW)
        words = [command] if command else ["python3", "-m", "turret_ai.cli.app"]
        shown = subprocess.run(
            [*words, "nodes", "--wait", "5"],
            capture_output=True,
            text=True,
            timeout=SLOW,
            check=True,
        ).stdout
    assert {"/look/peer", "/look/clocked"} <= set(shown.split())


# -- the seam on rclpy ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("gain:=11.0", "error: parameter gain of /peer: must be in (0, 10], got 11.0"),
        ("counts:=1", "error: parameter counts: no node of this process has it"),
    ],
)
def test_on_rclpy_a_refused_parameter_ends_the_start_with_code_2(word: str, complaint: str) -> None:
    with Peer("everything", "--ros-args", "-p", word, **ROS) as peer:
        assert peer.process.wait(SLOW) == 2
        peer.wait_for_error(complaint)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_rclpy_a_signal_ends_a_process_with_code_0(number: int) -> None:
    with Peer("everything,clocked", **ROS) as peer:
        peer.until("spinning", SLOW)
        code, seconds = peer.stop(number)
    assert code == 0
    assert seconds < 3.0


def test_on_rclpy_parameters_change_at_run_time_as_they_do_without_ros() -> None:
    with Peer("everything", "--ros-args", "-r", "__ns:=/q", **ROS) as peer:
        peer.until("spinning", SLOW)
        node = "/q/peer"

        def change(name: str, value: str) -> str:
            return ros2("param", "set", "--no-daemon", node, name, value)

        assert "successful" in change("gain", "2.5")
        assert peer.until("gain")["gain"] == 2.5
        assert "successful" not in change("gain", "99.0")
        assert "successful" not in change("count", "4")
        assert "successful" in change("numbers", "[2.0, 0.5]")


def test_on_rclpy_a_failing_callback_ends_nothing() -> None:
    with Peer("everything", "--ros-args", "-r", "__ns:=/f", **ROS) as peer:
        peer.until("spinning", SLOW)
        text = "{data: raise}"
        ros2("topic", "pub", "--once", "-w", "1", "/f/say", "std_msgs/msg/String", text)
        peer.wait_for_error("on purpose", SLOW)
        answer: Any = ros2("service", "call", "/f/set", "std_srvs/srv/SetBool", "{data: true}")
        assert "enabled=True" in answer
