# SPDX-License-Identifier: Apache-2.0
"""Controller and tracker as processes of their own: the turret follows what flies."""

import math
from pathlib import Path

import numpy as np
import pytest
from probe import Probe, free_domain, node_process

from turret_ai.aim.camera import Camera, angles_to_direction, directions_to_pixels
from turret_ai.nodes import convert
from turret_ai.ros import images, qos
from turret_ai.ros.interfaces import (
    CameraInfo,
    Detection2DArray,
    Engagement,
    GimbalCommand,
    Image,
    Lock,
    TargetBBox,
    Trigger,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.time import to_msg, to_ns

CAMERA = Camera.from_fov(480, 270, math.radians(70))
STUB = str(Path(__file__).with_name("stub_models.py"))
HALF = math.radians(5.0)
"""Half of the craft's width."""


class Sky(Probe):
    """A turret, a camera, and a red craft that flies past at 10 degrees a second."""

    def __init__(self, domain):
        super().__init__(domain)
        self.commands = self.create_publisher(TurretCommand, "command", qos.STAGE)
        self.boxes = self.create_publisher(TargetBBox, "target_bbox", qos.STAGE)
        self.infos = self.create_publisher(CameraInfo, "camera/camera_info", qos.IMAGE_PUB)
        self.pictures = self.create_publisher(Image, "camera/image_raw", qos.IMAGE_PUB)
        self.states = self.collect(TurretState, "turret/state", qos.STATE)
        self.ends = self.collect(Engagement, "engagement")
        self.tracks = self.collect(Detection2DArray, "tracks")
        self.locks = self.collect(Lock, "lock", qos.STATE)
        self.gimbal = []
        self.errors = []
        self.hidden = False
        self.rate = math.radians(10.0)
        self.began = self.now_ns()
        self.driven = (0.0, 0.0)
        self.create_subscription(GimbalCommand, "turret/command", self.obey, qos.COMMAND)
        self.drive_turret()
        self.create_timer(0.02, self.drive)
        self.create_timer(0.08, self.film)

    def craft(self):
        seconds = (self.now_ns() - self.began) * 1e-9
        return -0.4 + self.rate * seconds, -0.25

    def obey(self, message):
        self.gimbal.append(message)
        if message.mode == GimbalCommand.RATE:
            self.driven = (message.yaw_rate, message.pitch_rate)
        else:
            self.driven = (0.0, 0.0)
            self.turret.goal = (message.yaw, message.pitch)

    def drive(self):
        if self.gimbal and self.gimbal[-1].mode == GimbalCommand.RATE:
            self.turret.yaw += self.driven[0] * 0.02
            self.turret.pitch += self.driven[1] * 0.02
            self.turret.goal = (self.turret.yaw, self.turret.pitch)
        yaw, pitch = self.craft()
        self.errors.append(math.hypot(self.turret.yaw - yaw, self.turret.pitch - pitch))

    def box(self):
        """Where the craft is in a picture that is taken now."""
        towards = angles_to_direction(*self.craft())
        x, y = directions_to_pixels(towards, CAMERA, self.turret.yaw, self.turret.pitch)
        half = CAMERA.fx * math.tan(HALF)
        return x - half, y - half / 2, 2 * half, half

    def film(self):
        stamp = self.now_ns()
        self.infos.publish(convert.camera_to_message(CAMERA, stamp, "camera"))
        picture = np.full((270, 480, 3), 90, np.uint8)
        left, top, width, height = self.box()
        if not self.hidden and math.isfinite(left):
            rows = slice(max(0, round(top)), max(0, round(top + height)))
            picture[rows, max(0, round(left)) : max(0, round(left + width))] = (255, 0, 0)
        self.pictures.publish(images.to_message(picture, stamp, "camera"))

    def ready(self):
        return self.active("controller", "tracker") and self.until(
            lambda: (
                self.states
                and self.states[-1].connected
                and self.commands.get_subscription_count()
                and self.boxes.get_subscription_count() == 2
                and self.pictures.get_subscription_count()
            )
        )

    def command(self, name, **fields):
        message = TurretCommand(utterance_id=name, status=TurretCommand.OK, tool="EMP", **fields)
        message.header.stamp = to_msg(self.now_ns())
        self.commands.publish(message)

    def aim(self, name):
        """A whole turn: the turret looks where the craft flies, and aims at it."""
        self.began = self.now_ns()
        self.command(name, heading="005", target="red drone")
        searching = TurretState.SEARCHING
        assert self.until(lambda: self.says(searching, name))
        left, top, width, height = self.box()
        found = TargetBBox(utterance_id=name, status=TargetBBox.FOUND, caption="red drone")
        found.left, found.top, found.width, found.height = left, top, width, height
        found.header.stamp = to_msg(self.now_ns())
        self.boxes.publish(found)
        assert self.until(lambda: any(e.utterance_id == name for e in self.ends))
        assert self.ends[-1].outcome == Engagement.AIMED, self.ends[-1].reason

    def follow(self, name):
        """A whole turn that ends with a lock."""
        self.aim(name)
        assert self.until(lambda: self.says(TurretState.FOLLOWING, name))

    def says(self, phase, name):
        last = self.states[-1]
        return last.phase == phase and last.utterance_id == name

    def locked(self, state, timeout=8.0):
        return self.until(lambda: self.locks and self.locks[-1].state == state, timeout)

    def pause(self, seconds):
        self.until(lambda: False, timeout=seconds)


def another_domain():
    """Away from the graph that lives through this file."""
    return free_domain() + 101


@pytest.fixture
def sky():
    made = Sky(another_domain())
    yield made
    made.close()


@pytest.fixture(scope="module")
def graph():
    """Both nodes, for several tests."""
    domain = free_domain()
    sky = Sky(domain)
    settings = {"deadlines__coast": 0.4, "deadlines__lost": 2.0, "deadlines__give_up": 1.0}
    with (
        node_process(domain, "controller", tracking="lock"),
        node_process(domain, "tracker", script=STUB, **settings),
    ):
        assert sky.ready()
        yield sky
    sky.close()


def test_it_follows_through_an_occlusion_until_the_craft_is_gone(graph):
    sky = graph
    sky.follow("u1")
    sky.pause(1.0)
    sky.errors.clear()
    sky.pause(2.0)
    near = [error < HALF for error in sky.errors]
    assert sum(near) / len(near) >= 0.95
    assert sky.locks[-1].state == Lock.LOCKED
    assert sky.locks[-1].yaw_rate == pytest.approx(sky.rate, abs=0.04)
    ids = {each.detections[0].id for each in sky.tracks}
    assert len(ids) == 1
    assert sky.tracks[-1].detections[0].results[0].hypothesis.class_id == "target"

    sky.hidden = True
    assert sky.locked(Lock.COASTING)
    sky.pause(0.6)
    assert sky.turret.yaw == pytest.approx(sky.craft()[0], abs=HALF)
    sky.hidden = False
    assert sky.locked(Lock.LOCKED, timeout=1.0)
    assert {each.detections[0].id for each in sky.tracks} == ids

    sky.hidden = True
    assert sky.locked(Lock.LOST)
    assert sky.until(lambda: sky.driven == (0.0, 0.0), timeout=1.0), "the turret waits"
    assert sky.locked(Lock.UNLOCKED)
    assert "not seen" in sky.locks[-1].reason
    assert sky.until(lambda: sky.says(TurretState.IDLE, ""))


def test_it_lets_go_for_a_new_command_a_cancellation_and_a_reset(graph):
    sky = graph
    sky.follow("first")
    sky.command("second", heading="350", target="blue jet")
    assert sky.until(lambda: sky.says(TurretState.SEARCHING, "second"))
    assert sky.locked(Lock.UNLOCKED)
    assert sky.gimbal[-1].mode == GimbalCommand.ABSOLUTE
    assert sky.locks[-1].utterance_id == "first"

    sky.follow("third")
    sky.commands.publish(TurretCommand(utterance_id="off", status=TurretCommand.CANCELLED))
    assert sky.locked(Lock.UNLOCKED)
    assert sky.until(lambda: sky.says(TurretState.IDLE, ""))
    sky.pause(0.3)
    last = sky.gimbal[-1]
    assert (last.utterance_id, last.yaw_rate, last.pitch_rate) == ("off", 0.0, 0.0)

    for node in ("controller", "tracker"):
        sky.follow(f"before the reset of the {node}")
        client = sky.create_client(Trigger, f"/{node}/reset")
        assert sky.until(client.service_is_ready)
        assert sky.until(client.call_async(Trigger.Request()).done)
        assert sky.locked(Lock.UNLOCKED)
        assert sky.until(lambda: sky.says(TurretState.IDLE, ""))
        assert sky.until(lambda: sky.driven == (0.0, 0.0), timeout=1.0)


def test_a_tracker_that_dies_leaves_the_turret_standing(sky):
    domain = another_domain()
    with node_process(domain, "controller", tracking="lock"):
        with node_process(domain, "tracker", script=STUB) as tracker:
            assert sky.ready()
            sky.follow("u1")
            tracker.popen.kill()
        assert sky.until(lambda: sky.says(TurretState.IDLE, ""), timeout=5.0)
        sent = len(sky.gimbal)
        sky.pause(0.3)
        assert len(sky.gimbal) == sent
    assert to_ns(sky.gimbal[-1].valid_until) == 0 or sky.gimbal[-1].mode == GimbalCommand.RATE


def test_without_tracking_an_aim_ends_the_turn(sky):
    domain = another_domain()
    with (
        node_process(domain, "controller"),
        node_process(domain, "tracker", script=STUB),
    ):
        assert sky.ready()
        sky.aim("u1")
        assert sky.locked(Lock.UNLOCKED)
        assert all(state.phase != TurretState.FOLLOWING for state in sky.states)
