# SPDX-License-Identifier: Apache-2.0
"""The camera's faults and the cut-out's look touch what they should and are repeatable."""

import math

import cv2
import numpy as np
import pytest

from turret_ai.aim.camera import Camera, rotation
from turret_ai.learn import cutout
from turret_ai.simulate import livery, mesh, render, sensor


@pytest.mark.parametrize("level", sensor.LEVELS)
def test_a_degraded_image_is_the_same_for_the_same_generator_state(level):
    image = np.full((120, 200, 3), 120, np.uint8)
    first, again = (sensor.degrade(image, np.random.default_rng(4), level) for _ in range(2))
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)


def test_stronger_levels_are_noisier():
    image = np.full((120, 200, 3), 120, np.uint8)

    def spread(level: str) -> float:
        results = (sensor.degrade(image, np.random.default_rng(k), level) for k in range(12))
        return float(np.mean([r.astype(float).std(axis=(0, 1)).mean() for r in results]))

    assert spread("clean") < spread("mild") < spread("strong")


@pytest.mark.parametrize(("level", "lowest"), [("clean", 80), ("mild", 50), ("strong", 25)])
def test_jpeg_qualities_stay_in_the_level_s_range(level, lowest):
    rng = np.random.default_rng(0)
    qualities = [sensor.jpeg_quality(rng, level) for _ in range(300)]
    assert lowest <= min(qualities) < lowest + 8
    assert max(qualities) <= 95


@pytest.mark.parametrize("change", [cutout.develop, cutout.fringe])
def test_developing_a_cut_out_leaves_the_background_alone(change):
    camera = Camera.from_fov(320, 200, math.radians(70))
    image = np.full((200, 320, 3), 180, np.uint8)
    model = mesh.load("helicopter", "light")
    placed = render.Placed(
        model, livery.make(("red",), 1), np.array([40.0, 0, 0]), rotation(1.2, 0.1)
    )
    drawn = render.draw(image, placed, camera, rotation(0, 0), render.Light())
    before = image.copy()
    change(image, np.random.default_rng(1), drawn)
    changed = (image != before).any(axis=2)
    assert changed.any()
    h, w = drawn.cover.shape
    near = np.zeros((200, 320), np.uint8)
    near[drawn.y : drawn.y + h, drawn.x : drawn.x + w] = drawn.cover > 0
    assert not changed[cv2.dilate(near, np.ones((3, 3), np.uint8)) == 0].any()
