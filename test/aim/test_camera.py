"""The geometry from box to aim, against the published check values and against itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.aim import camera as geometry
from turret_ai.aim.camera import Camera
from turret_ai.errors import InputError
from turret_ai.types import Box
from turret_ai.units import elevation_deg_to_pitch, heading_to_yaw, yaw_to_heading

FINALS = Camera.from_fov(1520, 870, math.radians(70.0))

cameras = st.builds(
    Camera.from_fov,
    st.integers(16, 4000),
    st.integers(16, 4000),
    st.floats(math.radians(5), math.radians(150)),
)
yaws = st.floats(-4.4, 4.4)
pitches = st.floats(-1.2, 1.2)


def test_the_finals_camera_has_the_published_focal_length():
    assert FINALS.fx == pytest.approx(621.25, abs=0.01)
    horizontal = 2 * math.atan(FINALS.width / 2 / FINALS.fx)
    assert math.degrees(horizontal) == pytest.approx(101.5, abs=0.05)


@pytest.mark.parametrize(
    ("heading", "box", "azimuth", "elevation"),
    [
        (350.0, Box(556, 277, 99, 44), 334.7, 26.5),
        (185.0, Box(759, 291, 84, 32), 189.1, 26.6),
    ],
)
def test_aiming_at_a_true_box_gives_the_published_direction(heading, box, azimuth, elevation):
    yaw, pitch = geometry.aim_at(box, FINALS, heading_to_yaw(heading), elevation_deg_to_pitch(15.0))
    assert yaw_to_heading(yaw) == pytest.approx(azimuth, abs=0.1)
    assert -math.degrees(pitch) == pytest.approx(elevation, abs=0.1)


@given(cameras, yaws, pitches, st.floats(0, 1), st.floats(0, 1))
def test_a_pixel_survives_the_way_to_a_direction_and_back(camera, yaw, pitch, u, v):
    pixel = np.array([u * camera.width, v * camera.height])
    direction = geometry.pixels_to_directions(pixel, camera, yaw, pitch)
    assert np.linalg.norm(direction) == pytest.approx(1.0)
    back = geometry.directions_to_pixels(direction, camera, yaw, pitch)
    assert back == pytest.approx(pixel, abs=1e-5 * max(camera.width, camera.height))


@given(cameras, yaws, st.floats(-0.6, 0.6), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_camera_turned_to_the_aim_sees_the_target_in_its_middle(camera, yaw, pitch, u, v):
    box = Box(u * camera.width - 1, v * camera.height - 1, 2, 2)
    aim = geometry.aim_at(box, camera, yaw, pitch)
    seen = geometry.pixels_to_directions(np.array(box.centre), camera, yaw, pitch)
    middle = geometry.directions_to_pixels(seen, camera, *aim)
    assert middle == pytest.approx([camera.cx, camera.cy], abs=1e-4 * camera.fx)


@given(yaws, pitches)
def test_angles_survive_the_way_to_a_direction_and_back(yaw, pitch):
    back = geometry.direction_to_angles(geometry.angles_to_direction(yaw, pitch))
    assert math.remainder(back[0] - yaw, 2 * math.pi) == pytest.approx(0.0, abs=1e-9)
    assert back[1] == pytest.approx(pitch, abs=1e-9)


@given(cameras)
def test_the_camera_matrix_of_the_message_survives_the_way_back(camera):
    back = Camera.from_k(camera.width, camera.height, camera.as_k())
    assert back.as_k() == pytest.approx(camera.as_k())


def test_the_image_right_of_the_middle_is_clockwise():
    yaw, pitch = geometry.aim_at(Box(1000, 434, 2, 2), FINALS, 0.0, 0.0)
    assert yaw < 0
    assert pitch == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("box", [Box(0, 0, 0, 4), Box(math.nan, 0, 4, 4), Box(0, 0, 4, -1)])
def test_a_box_without_area_is_refused(box):
    with pytest.raises(InputError):
        geometry.aim_at(box, FINALS, 0.0, 0.0)


def test_broken_intrinsics_are_refused():
    with pytest.raises(InputError):
        Camera(10, 10, math.nan, 1, 5, 5)
    with pytest.raises(InputError):
        Camera.from_k(10, 10, [1.0] * 8)
    with pytest.raises(InputError):
        Camera.from_fov(10, 10, math.pi)
