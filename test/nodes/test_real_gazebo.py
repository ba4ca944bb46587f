# SPDX-License-Identifier: Apache-2.0
"""The shipped worlds in a Gazebo that is installed here; skipped where there is none.

No ROS is needed: the tests' own bridge carries the topics. `pytest -m gazebo -rP` prints what was
measured.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from gz_bridge import Bridge, stamp_ns
from gz_wire import Transport, inner
from probe import Probe, free_domain

from turret_ai import share
from turret_ai.aim.camera import Camera
from turret_ai.aim.limits import Limits
from turret_ai.graph import GRAPHS
from turret_ai.graph.gazebo_preflight import RELEASES, Machine, installed_versions
from turret_ai.graph.processes import Processes
from turret_ai.ros import images, qos
from turret_ai.ros.interfaces import (
    CameraInfo,
    Detection2DArray,
    Engagement,
    Float64,
    GroundTruth,
    Image,
    JointState,
)
from turret_ai.ros.time import to_ns
from turret_ai.see.boxes import iou
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.gazebo import turret
from turret_ai.simulate.gazebo import world as worlds
from turret_ai.simulate.world import World

WORLDS = ("range", "airfield", "harbour")
FRAMES = ("camera/image_raw", "camera/camera_info", "joint_states", "truth_boxes")


@functools.cache
def release():
    """The installed Gazebo and its version, (None, "") without one that the worlds need."""
    machine = Machine()
    for each in RELEASES:
        if machine.which(each.command[0]) is None:
            continue
        for version in installed_versions(machine.run((*each.command, "--versions"))):
            major, minor = map(int, version.split(".")[:2])
            if major == each.major and minor >= each.minimum:
                return each, version
    return None, ""


HERE = bool(shutil.which("gz") or shutil.which("ign"))
pytestmark = [
    pytest.mark.gazebo,
    pytest.mark.skipif(not HERE, reason="no Gazebo here"),
    pytest.mark.timeout(900),
]


class Gazebo(Probe):
    """A server with a world, headless, and our topics bridged to it."""

    def __init__(self, name, folder, *, watched=True, file=None):
        found, self.version = release()
        if found is None:
            pytest.skip("no Gazebo that the worlds need")
        super().__init__(free_domain())
        self.name = name
        self.partition = f"turret_ai_{os.getpid()}_{name}"
        folders = os.pathsep.join(str(share.path(each)) for each in ("description", "worlds"))
        environment = dict(os.environ)
        for prefix in ("IGN", "GZ"):
            environment |= {f"{prefix}_PARTITION": self.partition, f"{prefix}_IP": "127.0.0.1"}
        for key in ("GZ_SIM_RESOURCE_PATH", "IGN_GAZEBO_RESOURCE_PATH"):
            environment[key] = folders
        self.transport = Transport(self.partition)
        self.stats = []
        self.transport.subscribe(f"/world/{name}/stats", self.stats.append)
        self.major = found.major
        self.bridge = Bridge(self, self.transport, major=self.major) if watched else None
        self.log = folder / f"{name}.log"
        words = ["-s", "-r", "-v", "3", "--headless-rendering", "--force-version"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *found.command,
                    *words,
                    str(found.major),
                    str(file or share.path(f"worlds/{name}.sdf")),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def simulated(self, seconds, timeout=300.0):
        """Wait until this much simulated time has passed, from now on."""
        start = self.seconds()
        return self.until(lambda: self.seconds() - start >= seconds, timeout)

    def seconds(self):
        """The simulated time."""
        return stamp_ns(inner(self.stats[-1], 2)) * 1e-9 if self.stats else 0.0

    def started(self):
        return self.until(lambda: self.seconds() > 0.2 or self.process.poll() is not None, 120.0)

    def speed(self, seconds=10.0):
        """Simulated seconds in one of real time, over some real time."""
        before, now = self.seconds(), time.monotonic()
        self.until(lambda: False, seconds)
        return (self.seconds() - before) / (time.monotonic() - now)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(15.0)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5.0)
        self.transport.close()
        super().close()


def overlap(one, other):
    """IoU of two boxes with left, top, width, height."""
    corners = (
        np.array([[b.left, b.top, b.left + b.width, b.top + b.height]]) for b in (one, other)
    )
    return float(iou(*corners)[0, 0])


@pytest.fixture
def gazebo(tmp_path):
    running = []

    def start(name, **options):
        running.append(Gazebo(name, tmp_path, **options))
        assert running[-1].started(), running[-1].log.read_text()[-2000:]
        assert running[-1].process.poll() is None, running[-1].log.read_text()[-2000:]
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_loads_without_an_error_and_runs(gazebo, world, record_property):
    server = gazebo(world, watched=False)
    speed = server.speed()
    print(f"{server.version} {world}: real time factor {speed:.2f}, nobody looks")
    record_property("real_time_factor", speed)
    assert speed > 0.0
    said = server.log.read_text()
    bad = [line for line in said.splitlines() if "[Err]" in line or "Failed to load" in line]
    assert not bad


@pytest.mark.parametrize(
    ("joint", "wanted"),
    [("gimbal_joint", 1.0), ("gimbal_joint", -2.0), ("blaster_joint", -0.3), ("blaster_joint", 2)],
)
def test_a_joint_steps_fast_without_overshoot_and_stops_at_its_limits(gazebo, joint, wanted):
    server = gazebo("range", watched=False)
    Bridge(server, server.transport, major=server.major, truth=False)
    states = server.collect(JointState, "joint_states", qos.STAGE)
    order = server.create_publisher(Float64, f"{joint}/command", qos.STAGE)
    assert server.until(lambda: states and order.get_subscription_count(), 30.0)
    server.until(lambda: False, 2.0)  # until the controllers hear the bridge
    count = len(states)
    order.publish(Float64(data=float(wanted)))
    assert server.simulated(1.5)
    axis = list(states[0].name).index(joint)
    seen = [(to_ns(s.header.stamp) * 1e-9, s.position[axis]) for s in states[count:]]
    times, angles = np.array(seen).T
    reach = Limits()
    stops = {
        "gimbal_joint": (reach.yaw_min, reach.yaw_max),
        "blaster_joint": (reach.pitch_min, reach.pitch_max),
    }
    goal = float(np.clip(wanted, *stops[joint]))
    share_of_way = (angles - angles[0]) / (goal - angles[0])
    rise = times[share_of_way > 0.9][0] - times[share_of_way > 0.1][0]
    speed = np.abs(np.diff(angles) / np.diff(times)).max()
    overshoot = max(0.0, share_of_way.max() - 1.0) * abs(goal - angles[0])
    error = abs(angles[-1] - goal)
    print(f"{joint} to {wanted}: rise {rise:.3f} s, overshoot {math.degrees(overshoot):.3f} deg, "
          f"error {math.degrees(error):.3f} deg, fastest {speed:.3f} rad/s")  # fmt: skip
    assert speed < turret.SPEED * 1.02
    assert error < math.radians(0.3)
    assert overshoot < math.radians(0.3)


@pytest.mark.parametrize("world", WORLDS)
def test_the_cameras_see_what_the_embedded_simulator_sees(gazebo, world, record_property):
    server = gazebo(world)
    pictures = server.collect(Image, "camera/image_raw", qos.IMAGE_PUB)
    infos = server.collect(CameraInfo, "camera/camera_info", qos.IMAGE_PUB)
    joints = server.collect(JointState, "joint_states", qos.STAGE)
    found = server.received.setdefault("ground_truth", [])
    server.create_subscription(GroundTruth, "ground_truth", found.append, qos.STAGE)
    others = "transcriber,commander,locator,controller,markers"
    file = str(share.path(f"worlds/{world}.sdf"))
    plan = GRAPHS["gazebo"].plan({"world": file, "speech": "none", "without": others})
    environment = {"ROS_DOMAIN_ID": str(free_domain()), "ROS_LOCALHOST_ONLY": "1"}
    with Processes(plan, environment=environment, respawn=False):
        assert server.until(lambda: len(found) > 3 and len(pictures) > 3, 300.0)
        speed = server.speed()
        assert server.until(lambda: len(found) > 20 and len(pictures) > 20, 600.0)
    camera = Camera.from_info(infos[-1])
    wanted = Camera.from_fov(turret.WIDTH, turret.HEIGHT, turret.VERTICAL_FOV)
    assert (camera.width, camera.height) == (wanted.width, wanted.height)
    assert camera.fx == pytest.approx(wanted.fx, rel=1e-3)
    stamps = np.array([to_ns(p.header.stamp) for p in pictures]) * 1e-9
    rate = 1.0 / float(np.median(np.diff(stamps)))
    assert rate == pytest.approx(turret.CAMERA_RATE, rel=0.05)
    informed = {to_ns(info.header.stamp) for info in infos}
    seen = {to_ns(picture.header.stamp) for picture in pictures}
    assert {stamp for stamp in seen if stamp >= min(informed)} <= informed
    embedded = World(scenes.load(world))
    picture = pictures[-1]
    last = to_ns(picture.header.stamp)
    state = min(joints, key=lambda s: abs(to_ns(s.header.stamp) - last))
    yaw, pitch = state.position[0], state.position[1]
    ours = embedded.render(wanted, yaw, pitch, last * 1e-9).astype(float)
    theirs = images.from_message(picture).astype(float)
    alike = float(np.corrcoef(ours.reshape(-1), theirs.reshape(-1))[0, 1])
    overlaps = []
    for told in found:
        seconds = to_ns(told.header.stamp) * 1e-9
        truth = {t.caption: t.box for t in embedded.truth(wanted, yaw, pitch, seconds)}
        for box in told.boxes:
            if box.visible == 1.0 and box.caption in truth:
                there = truth[box.caption]
                overlaps.append(overlap(box, there))
    print(f"{server.version} {world}: real time factor {speed:.2f} with camera and boxes, "
          f"{rate:.2f} Hz, correlation {alike:.3f}, {len(overlaps)} boxes, "
          f"IoU {np.mean(overlaps):.3f}, least {np.min(overlaps):.3f}")  # fmt: skip
    record_property("correlation", alike)
    assert alike > 0.8
    assert overlaps and np.mean(overlaps) > 0.8


def test_a_world_with_less_to_draw_is_drawn_so(gazebo, tmp_path):
    cameras = turret.Cameras.of_width(760, 4.0)
    file = tmp_path / "small" / "range.sdf"
    file.parent.mkdir()
    worlds.write(scenes.load("range"), file, shadows=False, cameras=cameras)
    server = gazebo("range", file=file)
    pictures = server.collect(Image, "camera/image_raw", qos.IMAGE_PUB)
    boxes = server.collect(Detection2DArray, "truth_boxes", qos.STAGE)
    assert server.until(lambda: len(pictures) > 3 and len(boxes) > 3, 300.0)
    print(f"{server.version}: real time factor {server.speed():.2f}, "
          f"{cameras.width}x{cameras.height} at {cameras.rate:g} Hz")  # fmt: skip
    assert (pictures[-1].width, pictures[-1].height) == (cameras.width, cameras.height)
    stamps = np.array([to_ns(p.header.stamp) for p in pictures]) * 1e-9
    assert float(np.median(np.diff(stamps))) == pytest.approx(1.0 / cameras.rate, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_a_spoken_turn_ends_aimed_at_the_right_craft(gazebo, world):
    server = gazebo(world)
    ends = server.collect(Engagement, "engagement")
    truth = server.collect(GroundTruth, "ground_truth")
    plan = GRAPHS["gazebo"].plan(
        {"world": str(share.path(f"worlds/{world}.sdf")), "scene": world, "without": "markers"}
    )
    environment = {"ROS_DOMAIN_ID": str(free_domain()), "ROS_LOCALHOST_ONLY": "1"}
    with Processes(plan, environment=environment, respawn=False):
        assert server.until(lambda: ends, 600.0)
    end = ends[0]
    print(f"{server.version} {world}: {end.transcript!r} ended {end.outcome}: {end.reason}")
    assert end.outcome == Engagement.AIMED, end.reason
    exposed = to_ns(end.box.header.stamp)
    told = next(t for t in truth if to_ns(t.header.stamp) == exposed)
    wanted = next(b for b in told.boxes if b.caption == end.target)
    there = overlap(end.box, wanted)
    off = (abs(math.remainder(end.aim_yaw - wanted.yaw, math.tau)),
           abs(end.aim_pitch - wanted.pitch))  # fmt: skip
    print(f"box of {wanted.width:.0f}x{wanted.height:.0f} pixels: IoU {there:.2f}, aim off its "
          f"middle by {math.degrees(off[0]):.2f} and {math.degrees(off[1]):.2f} deg")  # fmt: skip
    assert there > 0.3  # a helicopter is found without its rotor
    half = turret.VERTICAL_FOV / turret.HEIGHT / 2.0
    assert off[0] < half * wanted.width
    assert off[1] < half * wanted.height
