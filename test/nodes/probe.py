# SPDX-License-Identifier: Apache-2.0
"""Plays the rest of the graph for a node under test: real processes, real DDS, a private domain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from turret_ai.nodes.roster import Roster
from turret_ai.ros import Context, Node, qos, spin_until
from turret_ai.ros.interfaces import JointState
from turret_ai.ros.time import to_msg


def free_domain() -> int:
    """A domain that other runs on this machine hardly use."""
    return 1 + os.getpid() % 100


@dataclass
class Process:
    """A node process and what it printed."""

    popen: subprocess.Popen[str]
    output: str = ""

    def stop(self, number: int = signal.SIGINT, timeout: float = 5.0) -> tuple[int, float]:
        """Send a signal; the exit code and the seconds that it took."""
        started = time.monotonic()
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        self.output = self.popen.communicate(timeout=timeout)[0]
        return self.popen.returncode, time.monotonic() - started


@contextlib.contextmanager
def node_process(
    domain: int, name: str, ros: Sequence[str] = (), script: str = "", **parameters: Any
) -> Iterator[Process]:
    """`turret-ai run NAME` with parameters and ROS arguments, killed at the end if need be.

    script: run this file instead, which takes the same words.
    """
    words = list(ros)
    for key, value in parameters.items():
        words += ["-p", f"{key.replace('__', '.')}:={value}"]
    program = [script] if script else ["-m", "turret_ai.nodes.main"]
    popen = subprocess.Popen(
        [sys.executable, *program, name, "--ros-args", *words],
        env={**os.environ, "ROS_DOMAIN_ID": str(domain), "ROS_LOCALHOST_ONLY": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process = Process(popen)
    try:
        yield process
    finally:
        if popen.poll() is None:
            popen.kill()
        if popen.stdout is not None and not popen.stdout.closed:
            process.output = popen.communicate()[0]


@dataclass
class Turret:
    """A turret that goes where it is told, a bit at a time."""

    yaw: float = 0.0
    pitch: float = 0.0
    goal: tuple[float, float] = (0.0, 0.0)
    speed: float = 6.0
    stuck: bool = False

    def step(self, dt: float) -> tuple[float, float]:
        """Move; the rates."""
        if self.stuck:
            return 0.0, 0.0
        rates = []
        for axis, goal in zip(("yaw", "pitch"), self.goal, strict=True):
            present = getattr(self, axis)
            move = max(-self.speed * dt, min(self.speed * dt, goal - present))
            setattr(self, axis, present + move)
            rates.append(move / dt)
        return rates[0], rates[1]


class Probe(Node):
    """Publishes and collects whatever a test wants."""

    def __init__(self, domain: int) -> None:
        with mock.patch.dict(os.environ, ROS_LOCALHOST_ONLY="1"):
            self._joined = Context(domain_id=domain)
            super().__init__("probe", context=self._joined)  # its rmw reads CYCLONEDDS_URI here
        self.roster = Roster(self)
        self.received: dict[str, list[Any]] = {}
        self.turret = Turret()
        self._joints: Any = None

    def collect(self, kind: Any, topic: str, profile: Any = qos.STAGE) -> list[Any]:
        """Everything that comes on a topic from now on."""
        found = self.received.setdefault(topic, [])
        self.create_subscription(kind, topic, found.append, profile)
        return found

    def drive_turret(self, rate: float = 50.0) -> None:
        """Publish joint states, obeying `self.turret.goal`."""
        self._joints = self.create_publisher(JointState, "joint_states", qos.STAGE)
        self.create_timer(1.0 / rate, lambda: self._publish_joints(1.0 / rate))

    def _publish_joints(self, dt: float) -> None:
        rates = self.turret.step(dt)
        message = JointState(
            name=["gimbal_joint", "blaster_joint"],
            position=[self.turret.yaw, self.turret.pitch],
            velocity=list(rates),
        )
        message.header.stamp = to_msg(self.now_ns())
        self._joints.publish(message)

    def until(self, condition: Any, timeout: float = 15.0) -> bool:
        """Run callbacks until a condition holds."""
        return spin_until(condition, self, timeout=timeout)

    def active(self, *stages: str, timeout: float = 60.0) -> bool:
        """Wait until stages say that they are active."""
        return self.until(lambda: not self.roster.missing(stages), timeout)

    def close(self) -> None:
        """Leave the graph."""
        self._joined.close()  # not self.context: on rclpy that is its own class


def joined(kind: type[Probe]) -> Any:
    """A fixture: a probe of that kind in a free domain."""

    @pytest.fixture
    def probe() -> Iterator[Probe]:
        made = kind(free_domain())
        yield made
        made.close()

    return probe
