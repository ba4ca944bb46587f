# SPDX-License-Identifier: Apache-2.0
"""The geometry from box to aim, against the published check values and against itself."""

import math
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.aim import camera as geometry
from turret_ai.aim.camera import Camera
from turret_ai.aim.distortion import Distortion
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


# -- lenses ---------------------------------------------------------------------------------------

LENSES = [
    Distortion("plumb_bob", (-0.29, 0.09, 0.001, -0.0008, -0.01)),
    Distortion("plumb_bob", (0.05, -0.02, 0.0, 0.0)),
    Distortion("rational_polynomial", (0.4, -0.1, 0.0005, 0.0002, 0.02, 0.7, -0.05, 0.01)),
    Distortion("equidistant", (0.02, -0.004, 0.001, -0.0002)),
]
"""As calibrations of real cameras look."""


@pytest.mark.parametrize("lens", LENSES)
@given(yaws, pitches, st.floats(-0.5, 0.5), st.floats(-0.35, 0.35))
def test_a_pixel_of_a_real_lens_survives_the_way_to_a_direction_and_back(lens, yaw, pitch, x, y):
    camera = Camera(1280, 720, 900.0, 905.0, 643.0, 355.0, lens)
    pixel = np.array([camera.cx + x * camera.fx, camera.cy + y * camera.fy])
    direction = geometry.pixels_to_directions(pixel, camera, yaw, pitch)
    back = geometry.directions_to_pixels(direction, camera, yaw, pitch)
    assert back == pytest.approx(pixel, abs=0.1)


@pytest.mark.parametrize("lens", LENSES[:3])
def test_the_lens_bends_as_opencv_bends(lens):
    camera = Camera(1280, 720, 900.0, 905.0, 643.0, 355.0, lens)
    point = np.array([2.0, -0.6, 0.4])  # forward, left, up
    k = np.array(camera.as_k()).reshape(3, 3)
    expected, _ = cv2.projectPoints(
        np.array([[0.6, -0.4, 2.0]]), np.zeros(3), np.zeros(3), k, np.array(lens.coefficients)
    )
    seen = geometry.directions_to_pixels(point, camera, 0.0, 0.0)
    # OpenCV counts from the middle of the first pixel, this package from its corner.
    assert seen == pytest.approx(expected.ravel() + 0.5, abs=1e-6)


def test_without_the_lens_a_wide_camera_aims_degrees_beside():
    lens = LENSES[0]
    bent = Camera(1280, 720, 700.0, 700.0, 640.0, 360.0, lens)
    straight = Camera(1280, 720, 700.0, 700.0, 640.0, 360.0)
    x, y = geometry.directions_to_pixels(np.array([1.0, 0.8, 0.4]), bent, 0.0, 0.0)
    box = Box(x - 10, y - 10, 20, 20)
    true_yaw = math.degrees(math.atan2(0.8, 1.0))
    assert math.degrees(geometry.aim_at(box, bent, 0.0, 0.0)[0]) == pytest.approx(true_yaw, abs=0.1)
    assert abs(math.degrees(geometry.aim_at(box, straight, 0.0, 0.0)[0]) - true_yaw) > 3.0


def test_a_box_where_the_lens_s_model_folds_over_is_refused():
    camera = Camera(1280, 720, 300.0, 300.0, 640.0, 360.0, Distortion("plumb_bob", (-0.4,) * 5))
    with pytest.raises(InputError, match="distortion"):
        geometry.aim_at(Box(0, 0, 4, 4), camera, 0.0, 0.0)


def info(**changes):
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    base = {"width": 1280, "height": 720, "distortion_model": "plumb_bob", "d": [0.0] * 5,
            "k": [900.0, 0, 640, 0, 905, 360, 0, 0, 1], "binning_x": 0, "roi": roi}  # fmt: skip
    return SimpleNamespace(**{**base, **changes})


def test_camera_info_gives_lens_region_and_binning():
    assert Camera.from_info(info()).distortion is None
    assert Camera.from_info(info(distortion_model="", d=[])).distortion is None
    assert Camera.from_info(info(d=[0.1, 0, 0, 0, 0])).distortion == Distortion(
        "plumb_bob", (0.1, 0.0, 0.0, 0.0, 0.0)
    )
    roi = SimpleNamespace(x_offset=320, y_offset=180, width=640, height=360)
    part = Camera.from_info(info(roi=roi, binning_x=2))
    assert (part.width, part.height, part.fx, part.fy) == (320, 180, 450.0, 452.5)
    whole = geometry.pixels_to_directions(np.array([700.0, 300.0]), Camera.from_info(info()), 0, 0)
    seen = geometry.pixels_to_directions(np.array([(700 - 320) / 2, (300 - 180) / 2]), part, 0, 0)
    assert seen == pytest.approx(whole)


@pytest.mark.parametrize(
    ("model", "d"),
    [("fish", [0.1] * 4), ("plumb_bob", [0.1] * 3), ("equidistant", [0.1] * 5),
     ("plumb_bob", [math.nan] * 5)],
)  # fmt: skip
def test_a_lens_that_is_not_known_is_named(model, d):
    with pytest.raises(InputError, match="distortion model"):
        Camera.from_info(info(distortion_model=model, d=d))
