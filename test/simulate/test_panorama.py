# SPDX-License-Identifier: Apache-2.0
"""Panoramas show the right direction, without seams, and the competition's layout is met."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.aim.camera import Camera, aim_at, pixels_to_directions, rotation
from turret_ai.errors import InputError
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.panorama import CUBE_FROM_BASE, Cubemap, Equirectangular, _face_axes
from turret_ai.simulate.world import World
from turret_ai.units import heading_to_yaw, pitch_to_elevation_deg, yaw_to_heading

CAMERA = Camera.from_fov(190, 110, math.radians(70.0))
FINALS = Camera.from_fov(1520, 870, math.radians(70.0))
CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "til24"


def _colour(directions: np.ndarray) -> np.ndarray:
    """A smooth colour for each direction, so that a picture shows where it looks."""
    unit = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    return (127.5 + 100.0 * unit).astype(np.float64)


def _equirectangular(height: int = 360) -> Equirectangular:
    rows, columns = np.meshgrid(np.arange(height), np.arange(2 * height), indexing="ij")
    yaw = np.pi * (1 - 2 * (columns + 0.5) / (2 * height))
    up = np.pi * (0.5 - (rows + 0.5) / height)
    d = np.stack([np.cos(up) * np.cos(yaw), np.cos(up) * np.sin(yaw), np.sin(up)], -1)
    return Equirectangular(np.round(_colour(d)).astype(np.uint8))


def _cubemap(side: int = 200) -> Cubemap:
    faces = []
    middle = (np.arange(side) + 0.5) / side * 2 - 1
    for axis, s, t in _face_axes():
        d = axis + middle[None, :, None] * s + middle[:, None, None] * t
        faces.append(np.round(_colour(d @ CUBE_FROM_BASE)).astype(np.uint8))
    return Cubemap(faces)


PANORAMAS = {"equirectangular": _equirectangular(), "cubemap": _cubemap()}


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(list(PANORAMAS)), st.floats(-7, 7), st.floats(-1.0, 0.6),
    st.floats(math.radians(30), math.radians(100)),
)  # fmt: skip
def test_every_pixel_shows_its_own_direction(name, yaw, pitch, fov):
    camera = Camera.from_fov(190, 110, fov)
    seen = PANORAMAS[name].view(camera, rotation(yaw, pitch)).astype(float)
    x, y = np.meshgrid(np.arange(190) + 0.5, np.arange(110) + 0.5)
    expected = _colour(pixels_to_directions(np.stack([x, y], -1), camera, yaw, pitch))
    assert np.abs(seen - expected).max() < 4.0


def test_the_second_view_at_another_yaw_is_as_right_as_the_first():
    panorama = _equirectangular()
    for yaw in (0.0, 1.0, -2.5):
        seen = panorama.view(CAMERA, rotation(yaw, -0.2)).astype(float)
        middle = _colour(rotation(yaw, -0.2)[:, 0])
        assert np.abs(seen[55, 95] - middle).max() < 3.0


@pytest.mark.parametrize(("heading", "face"), [(0, 5), (90, 1), (180, 4), (270, 0)])
def test_the_faces_lie_at_the_competition_s_headings(heading, face):
    faces = [np.full((32, 32, 3), 40 * k, np.uint8) for k in range(6)]
    seen = Cubemap(faces).view(CAMERA, rotation(heading_to_yaw(heading), 0.0))
    assert (seen[55, 95] == 40 * face).all()


@pytest.mark.parametrize(("elevation", "face"), [(80, 2), (-80, 3)])
def test_the_third_face_is_up_and_the_fourth_down(elevation, face):
    faces = [np.full((32, 32, 3), 40 * k, np.uint8) for k in range(6)]
    seen = Cubemap(faces).view(CAMERA, rotation(0.3, -math.radians(elevation)))
    assert (seen[55, 95] == 40 * face).all()


@pytest.mark.parametrize(
    ("case", "heading", "box", "aim"),
    [
        ("scene_0", 350, (556, 277, 99, 44), (334.7, 26.5)),
        ("scene_2", 185, (759, 291, 84, 32), (189.1, 26.6)),
    ],
)
def test_the_kit_s_cases_give_the_published_boxes_and_aims(case, heading, box, aim):
    folder = CASES / case
    if not folder.is_dir():
        pytest.skip(f"the kit's case is not there: {folder}")
    world = World(scenes.load(folder))
    yaw, pitch = heading_to_yaw(heading), -math.radians(15.0)
    (truth,) = world.truth(FINALS, yaw, pitch)
    assert truth.box.as_list() == pytest.approx(box, abs=1.0)
    assert yaw_to_heading(truth.yaw) == pytest.approx(aim[0], abs=0.1)
    assert pitch_to_elevation_deg(truth.pitch) == pytest.approx(aim[1], abs=0.1)
    assert aim_at(truth.box, FINALS, yaw, pitch) == pytest.approx(
        (truth.yaw, truth.pitch), abs=1e-6
    )
    image = world.render(FINALS, yaw, pitch)
    x, y, w, h = (round(v) for v in truth.box.as_list())
    inside = image[y : y + h, x : x + w].astype(float)
    assert inside.std() > 40, "the craft should be in its box"


@pytest.mark.parametrize("shape", [(100, 150, 3), (100, 200)])
def test_a_panorama_of_another_shape_is_refused(shape):
    with pytest.raises(InputError):
        Equirectangular(np.zeros(shape, np.uint8))


def test_a_missing_face_is_named(tmp_path):
    with pytest.raises(InputError, match=r"posx\.jpg"):
        Cubemap.load(tmp_path)


@pytest.mark.parametrize("side", [16, 100, 512, 2048])
def test_no_seam_shows_between_the_faces_of_a_cubemap(side):
    middles = (np.arange(side) + 0.5) * 2 / side - 1
    across, down = (m[..., None] for m in np.meshgrid(middles, middles))
    rays = [axis + across * s + down * t for axis, s, t in _face_axes()]
    cube = Cubemap([_colour(ray @ CUBE_FROM_BASE).round().astype(np.uint8) for ray in rays])
    cameras = [CAMERA] if side < 2048 else [CAMERA, FINALS]
    for camera in cameras:
        rows, columns = np.mgrid[: camera.height, : camera.width] + 0.5
        pixels = np.stack([columns, rows], axis=2).reshape(-1, 2)
        step = 120 if camera is FINALS else 15 if side < 2048 else 45
        for heading in range(0, 360, step):
            for elevation in (-40, 15, 50):
                yaw, pitch = heading_to_yaw(heading), -math.radians(elevation)
                seen = cube.view(camera, rotation(yaw, pitch)).reshape(-1, 3)
                true = _colour(pixels_to_directions(pixels, camera, yaw, pitch))
                # Rounding, thrice, and the slope within a pixel of a coarse face.
                assert np.abs(seen - true).max() <= 2.2 + 60 / side, (heading, elevation)
