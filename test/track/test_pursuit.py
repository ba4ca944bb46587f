# SPDX-License-Identifier: Apache-2.0
"""Whose sighting is whose, and a whole pursuit: crossing craft, walls, borders, moving cameras."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.aim.camera import Camera, angles_to_direction, directions_to_pixels
from turret_ai.track.lock import LockState
from turret_ai.track.pursuit import Pursuit
from turret_ai.track.settings import TrackSettings
from turret_ai.track.sight import Pose, Seen, box_at, sight, whole_middle
from turret_ai.track.window import window_round
from turret_ai.types import Box

S = 1_000_000_000
CAMERA = Camera.from_fov(1520, 870, math.radians(70))
SETTINGS = TrackSettings()
BLUE = np.array([1.0, 0.0, 0.0], np.float32)
RED = np.array([0.5, math.sqrt(0.75), 0.0], np.float32)


class Sky:
    """Craft that fly, and a camera that turns, 10 pictures a second."""

    def __init__(self, settings=SETTINGS):
        self.pursuit = Pursuit(settings)
        self.pursuit.camera = CAMERA
        self.now = 100 * S
        self.craft = {}
        self.hidden = set()
        self.pose = [0.0, -0.25]
        self.turns = 0.0
        self.rng = np.random.default_rng(1)
        self.windows = []

    def add(self, name, yaw, rate, vector=BLUE, odds=2.0, pitch=-0.25):
        self.craft[name] = [yaw, pitch, rate, vector, odds]

    def box(self, name):
        yaw, pitch = self.craft[name][:2]
        return box_at((yaw, pitch), (0.12, 0.06), CAMERA, Pose(*self.pose))

    def joints(self):
        self.pursuit.joints.add(self.now, *self.pose)

    def begin(self, name):
        self.joints()
        self.pursuit.begin("u1", name, self.box(name), self.now, self.now)

    def step(self, dt=0.1):
        parts = 5
        for _ in range(parts):
            self.now += round(dt * S / parts)
            self.pose[0] += self.turns * dt / parts
            for each in self.craft.values():
                each[0] += each[2] * dt / parts
            self.joints()
        self.pursuit.tick(self.now)
        plan = self.pursuit.plan(self.now)
        if plan is None:
            return None
        self.windows.append(plan.window)
        seen = [s for s in map(self.look, self.craft) if s is not None]
        w = plan.window
        inside = [
            s
            for s in seen
            if w.left <= s.box.centre[0] < w.left + w.width
            and w.top <= s.box.centre[1] < w.top + w.height
        ]
        self.pursuit.take(plan, inside, self.now + S // 20)
        return plan

    def look(self, name):
        box = self.box(name)
        if name in self.hidden or box is None:
            return None
        jitter = self.rng.normal(0.0, 0.02, 4) * (box.width, box.height, box.width, box.height)
        left, top = box.left + jitter[0], box.top + jitter[1]
        right, bottom = box.left + box.width + jitter[2], box.top + box.height + jitter[3]
        left, right = max(0.0, left), min(CAMERA.width, right)
        if right <= left + 4:
            return None
        _, _, _, vector, odds = self.craft[name]
        return Seen(Box(left, top, right - left, bottom - top), 0.8, odds, vector)

    def error(self, name):
        report = self.pursuit.report(self.now)
        return math.hypot(*np.subtract(report.estimate.at(self.now), self.craft[name][:2]))

    @property
    def state(self):
        return self.pursuit.lock.state


def test_a_craft_is_followed_while_the_camera_turns_the_other_way():
    sky = Sky()
    sky.add("jet", -0.5, math.radians(10))
    sky.turns = -0.1
    sky.begin("jet")
    for _ in range(30):
        sky.step()
    assert sky.state is LockState.LOCKED
    assert sky.error("jet") < 0.01
    assert sky.pursuit.report(sky.now).estimate.yaw_rate == pytest.approx(
        math.radians(10), abs=0.02
    )
    assert not any(w.full for w in sky.windows)
    assert sky.windows[-1].width <= 384


@pytest.mark.parametrize("alike", [False, True])
def test_craft_that_cross_keep_their_numbers(alike):
    sky = Sky()
    sky.add("jet", -0.3, 0.2)
    other = {} if alike else {"vector": RED, "odds": -3.0}
    sky.add("other", 0.3, -0.2, pitch=-0.24, **other)
    sky.begin("jet")
    for tick in range(40):
        sky.hidden = {"jet"} if 13 <= tick <= 16 else set()  # behind the other
        sky.step()
    assert sky.error("jet") < 0.02
    assert sky.pursuit.tracker.target.number == 1


def test_another_craft_is_not_taken_for_the_target_that_is_out_of_sight():
    sky = Sky()
    sky.add("jet", -0.3, 0.1)
    sky.begin("jet")
    for _ in range(10):
        sky.step()
    sky.hidden = {"jet"}
    sky.add("other", sky.craft["jet"][0] + 0.05, 0.1, vector=RED, odds=-4.0)
    for _ in range(10):
        sky.step()
    assert sky.state is LockState.COASTING
    sky.hidden = set()
    sky.step()
    sky.step()
    assert sky.state is LockState.LOCKED and sky.error("jet") < 0.02


def test_a_second_behind_a_wall_is_bridged_and_longer_is_found_again_by_looks():
    sky = Sky()
    sky.add("jet", -0.3, 0.15)
    sky.add("other", 0.5, 0.0, vector=RED, odds=-4.0)
    sky.begin("jet")
    for _ in range(15):
        sky.step()
    sky.hidden = {"jet"}
    for _ in range(10):
        sky.step()
    assert sky.state is LockState.COASTING and sky.error("jet") < 0.05
    sky.hidden = set()
    sky.step()
    assert sky.state is LockState.LOCKED
    sky.hidden = {"jet"}
    for _ in range(25):
        sky.step()
    assert sky.state is LockState.LOST
    sky.hidden = set()
    sky.craft["jet"][0] = -0.4  # it has turned round meanwhile
    for _ in range(8):
        sky.step()
    assert sky.state is LockState.LOCKED
    assert sky.error("jet") < 0.03
    assert sky.pursuit.lock.regained == 1


def test_a_lost_target_that_never_comes_back_is_given_up():
    sky = Sky()
    sky.add("jet", 0.0, 0.1)
    sky.begin("jet")
    sky.step()
    sky.hidden = {"jet"}
    for _ in range(130):
        sky.step()
    assert sky.state is LockState.UNLOCKED
    assert sky.pursuit.report(sky.now).estimate is None
    assert "not seen" in sky.pursuit.lock.reason
    assert sky.step() is None


def test_a_target_that_was_never_seen_again_after_its_box_is_found_by_its_caption():
    sky = Sky()
    sky.add("jet", 0.0, 0.1)
    sky.add("other", 0.4, 0.0, vector=RED, odds=-4.0)
    sky.begin("jet")
    sky.hidden = {"jet"}
    for _ in range(25):
        sky.step()
    assert sky.state is LockState.LOST
    sky.hidden = set()
    for _ in range(8):
        sky.step()
    assert sky.state is LockState.LOCKED and sky.error("jet") < 0.03


def test_a_craft_that_leaves_the_picture_is_seen_whole_although_it_is_cut():
    sky = Sky()
    sky.add("jet", 0.5, 0.25)
    sky.begin("jet")
    while sky.box("jet").centre[0] > 15.0:
        sky.step()
    assert sky.error("jet") < 0.02, "half of it is beyond the border"


def test_results_of_a_lock_that_has_ended_are_dropped():
    sky = Sky()
    sky.add("jet", 0.0, 0.0)
    sky.begin("jet")
    plan = sky.step()
    sky.begin("jet")
    assert not sky.pursuit.take(plan, [sky.look("jet")], sky.now)
    sky.pursuit.end("reset")
    assert not sky.pursuit.take(plan, [sky.look("jet")], sky.now)
    assert sky.pursuit.boxes(sky.now) == []


def test_without_camera_or_joints_it_waits_and_begins_when_they_come():
    pursuit = Pursuit(SETTINGS)
    pursuit.begin("u1", "jet", Box(700, 400, 80, 40), 100 * S, 100 * S)
    assert pursuit.plan(100 * S + S // 10) is None
    pursuit.camera = CAMERA
    pursuit.joints.add(100 * S, 0.0, 0.0)
    pursuit.joints.add(100 * S + S // 10, 0.0, 0.0)
    assert pursuit.plan(100 * S + S // 10) is not None


def test_pictures_come_at_most_at_the_rate_that_is_set():
    sky = Sky(TrackSettings(look={"rate": 4.0}))
    sky.add("jet", 0.0, 0.0)
    sky.begin("jet")
    looks = [sky.step(0.05) is not None for _ in range(40)]
    assert 6 <= sum(looks) <= 9


@given(
    st.floats(-0.6, 0.6),
    st.floats(-0.3, 0.3),
    st.floats(-1.5, 1.5),
    st.floats(-0.5, 0.5),
    st.floats(0.02, 0.2),
)
@settings(max_examples=60, deadline=None)
def test_a_box_turned_into_angles_and_back_is_where_it_was(x, y, yaw, pitch, size):
    pose = Pose(yaw, pitch)
    towards = angles_to_direction(yaw + x, pitch + y)
    pixel = directions_to_pixels(towards, CAMERA, yaw, pitch)
    half = size * CAMERA.fx / 2
    box = Box(pixel[0] - half, pixel[1] - half, 2 * half, 2 * half)
    seen = sight(Seen(box, 1.0), CAMERA, pose, SETTINGS.sight)
    assert seen.angles == pytest.approx((yaw + x, pitch + y), abs=1e-6)
    again = box_at(seen.angles, seen.size, CAMERA, pose)
    assert again.centre == pytest.approx(box.centre, abs=1e-3)
    assert np.linalg.eigvalsh(seen.noise).min() > 0


@given(st.floats(0.0, 0.95), st.sampled_from(["left", "right"]))
@settings(deadline=None)
def test_the_middle_of_a_half_hidden_craft_is_told_from_the_side_that_is_seen(hidden, side):
    size = (0.2, 0.1)
    whole = box_at((0.1, -0.1), size, CAMERA, Pose(0.0, 0.0))
    cut = whole.width * hidden
    left = whole.left + (cut if side == "left" else 0.0)
    part = Box(left, whole.top, whole.width - cut, whole.height)
    sighting = sight(Seen(part, 1.0), CAMERA, Pose(0.0, 0.0), SETTINGS.sight)
    angles, noise = whole_middle(sighting, size, (0.1, -0.1))
    assert angles[0] == pytest.approx(0.1, abs=0.014)
    assert noise[0, 0] >= sighting.noise[0, 0]


def test_a_window_stays_inside_the_picture_and_out_of_sight_there_is_none():
    sky = Sky()
    sky.add("jet", 0.8, 0.0)
    sky.begin("jet")
    target = sky.pursuit.tracker.target
    look = SETTINGS.look
    for yaw in (0.8, 0.5, 0.0, -0.1):
        window = window_round(
            target.at(sky.now), target.size, 4.0, CAMERA, Pose(yaw, -0.25), look, first=False
        )
        assert 0 <= window.left <= CAMERA.width - window.width
        assert 0 <= window.top <= CAMERA.height - window.height
    away = window_round(
        target.at(sky.now), target.size, 4.0, CAMERA, Pose(-2.0, -0.25), look, first=False
    )
    assert away is None
