# SPDX-License-Identifier: Apache-2.0
"""The two photographic scenes of the competition's public kit, seen at the commanded heading."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from turret_ai.aim.camera import Camera, directions_to_pixels, rotation
from turret_ai.see import locator
from turret_ai.see.boxes import Boxes, iou
from turret_ai.types import Box, ImageArray
from turret_ai.units import elevation_deg_to_pitch, heading_to_yaw

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "til24"
CAMERA = Camera.from_fov(1520, 870, math.radians(70.0))
PITCH = elevation_deg_to_pitch(15.0)


def view(name: str) -> tuple[ImageArray, str, Box]:
    """The picture at the commanded heading, the caption and the true box of a scene."""
    if not (DATA / name / "case.json").is_file():
        pytest.skip(f"needs the public scene {name} in ../shared/data/til24")
    from turret_ai.simulate.panorama import Cubemap, corners_to_directions

    case = json.loads((DATA / name / "case.json").read_text())
    yaw = heading_to_yaw(float(case["truth"]["heading"]))
    rgb = Cubemap.load(DATA / name).view(CAMERA, rotation(yaw, PITCH))
    corners = np.array([[p["x"], p["y"], p["z"]] for p in case["corners"]])
    pixels = directions_to_pixels(corners_to_directions(corners), CAMERA, yaw, PITCH)
    (left, top), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
    return rgb, case["truth"]["target"], Box(left, top, right - left, bottom - top)


@pytest.fixture(scope="module")
def see() -> locator.Locator:
    return locator.load()


@pytest.mark.parametrize(
    ("name", "box"), [("scene_0", [556, 277, 99, 44]), ("scene_2", [759, 291, 84, 32])]
)
def test_the_target_is_where_the_kit_says(name, box):
    assert view(name)[2].as_list() == pytest.approx(box, abs=1.5)


@pytest.mark.parametrize("name", ["scene_0", "scene_2"])
def test_a_photographic_scene_is_answered_with_candidates(see, name):
    rgb, caption, _ = view(name)
    location = see.locate(rgb, caption)
    assert location.candidates
    for box, detected, matched in location.candidates:
        assert box.left >= 0 and box.left + box.width <= 1520 and 0 <= detected <= 1
        assert -1.001 <= matched <= 1.001


def test_the_airliner_in_the_open_sky_is_among_the_candidates(see):
    rgb, caption, true = view("scene_2")
    found = Boxes.from_boxes([box for box, _, _ in see.locate(rgb, caption).candidates])
    assert iou(Boxes.from_boxes([true]).xyxy, found.xyxy).max() > 0.5
