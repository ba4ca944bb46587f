# SPDX-License-Identifier: Apache-2.0
"""Where boxes of an earlier picture are drawn, and what a click on one aims at."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.aim.camera import Camera, aim_at
from turret_ai.console.sight import Lock, Sight
from turret_ai.errors import InputError
from turret_ai.types import Box

SECOND = 1_000_000_000
CAMERA = Camera.from_fov(1520, 870, math.radians(70.0))
angles = st.floats(-0.3, 0.3)
boxes = st.builds(
    Box, st.floats(200, 1200), st.floats(150, 600), st.floats(8, 90), st.floats(8, 60)
)


def sight(fixed: float = math.nan) -> Sight:
    made = Sight(fixed)
    made.camera = CAMERA
    return made


@given(boxes, angles, angles)
def test_on_its_own_picture_a_box_is_drawn_where_it_was_found(
    box: Box, yaw: float, pitch: float
) -> None:
    seen = sight()
    seen.joints.add(SECOND, yaw, pitch)
    seen.on_search(SECOND, [(box, 0.8)])
    (drawn,) = seen.overlay(SECOND)["boxes"]
    assert drawn["box"] == pytest.approx(box.as_list(), abs=0.2)
    assert drawn["exact"] is True and drawn["age"] == 0.0


@given(boxes, angles, angles, angles, angles)
def test_a_pick_after_the_turret_has_turned_aims_along_the_same_direction(
    box: Box, yaw: float, pitch: float, turned: float, tilted: float
) -> None:
    seen = sight()
    seen.joints.add(SECOND, yaw, pitch)
    seen.on_search(SECOND, [(box, 0.8)])
    wanted = aim_at(box, CAMERA, yaw, pitch)
    seen.joints.add(2 * SECOND, yaw + turned, pitch + tilted)
    picked, stamp_ns = seen.pick(seen.search, 0)
    assert stamp_ns == 2 * SECOND
    found = aim_at(picked, CAMERA, yaw + turned, pitch + tilted)
    assert found == pytest.approx(wanted, abs=2e-4)


@given(angles, angles)
def test_the_aim_is_the_middle_of_a_camera_that_follows(yaw: float, pitch: float) -> None:
    seen = sight()
    seen.joints.add(SECOND, yaw, pitch)
    assert seen.overlay(SECOND)["aim"] == pytest.approx([760.0, 435.0], abs=0.1)


def test_a_fixed_camera_sees_the_aim_move() -> None:
    seen = sight(fixed=-0.26)
    seen.joints.add(SECOND, 0.4, -0.46)
    x, y = seen.overlay(SECOND)["aim"]
    assert x == pytest.approx(760.0) and y < 435.0 - 100.0


def test_the_chosen_box_is_one_of_the_candidates_or_joins_them() -> None:
    seen = sight()
    seen.joints.add(SECOND, 0.0, 0.0)
    seen.on_search(SECOND, [(Box(100, 100, 20, 10), 0.9), (Box(300, 100, 20, 10), 0.8)])
    seen.on_chosen(SECOND, Box(300, 100, 20, 10), 0.8)
    assert [each["chosen"] for each in seen.overlay(SECOND)["boxes"]] == [False, True]
    seen.on_chosen(SECOND, Box(700, 100, 20, 10), 0.5)
    assert [each["chosen"] for each in seen.overlay(SECOND)["boxes"]] == [False, False, True]


def test_what_cannot_be_aimed_at_is_refused_with_the_reason() -> None:
    seen = sight()
    with pytest.raises(InputError, match="earlier search"):
        seen.pick(0, 0)
    seen.joints.add(SECOND, 0.0, 0.0)
    seen.on_search(SECOND, [(Box(100, 100, 20, 10), 0.9)])
    with pytest.raises(InputError, match="earlier search"):
        seen.pick(seen.search, 1)
    with pytest.raises(InputError, match="earlier search"):
        seen.pick(seen.search - 1, 0)
    seen.joints.add(2 * SECOND, math.pi, 0.0)
    with pytest.raises(InputError, match="turned away"):
        seen.pick(seen.search, 0)


def test_without_camera_or_joints_nothing_is_drawn_and_nothing_fails() -> None:
    blind = Sight()
    blind.on_search(SECOND, [(Box(1, 1, 2, 2), 0.5)])
    assert blind.overlay(SECOND)["boxes"] == [] and blind.overlay(SECOND)["aim"] is None


def test_tracks_are_drawn_while_they_are_fresh() -> None:
    seen = sight()
    for second in range(1, 5):
        seen.joints.add(second * SECOND, 0.0, 0.0)
    seen.on_tracks(SECOND, [("7", Box(100, 100, 20, 10))])
    (track,) = seen.overlay(SECOND)["tracks"]
    assert track == {"name": "7", "box": [100.0, 100.0, 20.0, 10.0]}
    assert seen.overlay(3 * SECOND)["tracks"] == []


def test_a_lock_is_drawn_where_the_target_will_be_at_the_pictures_stamp() -> None:
    seen = sight()
    seen.joints.add(SECOND, 0.0, 0.0)
    seen.joints.add(2 * SECOND, 0.0, 0.0)
    seen.lock = Lock("LOCKED", SECOND, yaw=0.0, yaw_rate=-0.1, width=0.04, height=0.02)
    left, top, width, height = seen.overlay(2 * SECOND)["lock"]["box"]
    assert width == pytest.approx(0.04 * CAMERA.fx, abs=0.2)
    assert left + width / 2 == pytest.approx(760.0 + math.tan(0.1) * CAMERA.fx, abs=0.5)
    assert top + height / 2 == pytest.approx(435.0, abs=0.5)
    seen.lock = Lock("UNLOCKED", SECOND)
    assert seen.overlay(2 * SECOND)["lock"] is None
