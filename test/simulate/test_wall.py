# SPDX-License-Identifier: Apache-2.0
"""Walls hide what is behind them, in the picture and in the truth."""

import math
from pathlib import Path

import numpy as np
import pytest

from turret_ai.aim.camera import Camera
from turret_ai.errors import InputError
from turret_ai.simulate import path, scene
from turret_ai.simulate.path import Attitude
from turret_ai.simulate.world import World

CAMERA = Camera.from_fov(380, 218, math.radians(70))
CRAFT = {
    "type": "helicopter",
    "variant": "patrol",
    "colours": ["purple"],
    "heading": 90.0,
    "elevation": 10.0,
    "distance": 60.0,
}


def world(*walls):
    data = {
        "name": "walled",
        "panorama": {"kind": "desert", "seed": 1, "width": 512},
        "craft": [CRAFT],
        "walls": list(walls),
    }
    return World(scene.parse(data, Path("walled.yaml")))


def wall(heading=90.0, width=40.0, distance=30.0, **more):
    return {"heading": heading, "width": width, "distance": distance, **more}


def seen(made, heading=90.0):
    pose = (-math.radians(heading), -math.radians(10.0))
    return made.render(CAMERA, *pose), made.truth(CAMERA, *pose)[0]


def test_a_wall_before_a_craft_hides_it_and_one_behind_it_does_not():
    open_view, free = seen(world())
    before, hidden = seen(world(wall()))
    behind, whole = seen(world(wall(distance=90.0)))
    assert free.visible == whole.visible == pytest.approx(1.0)
    assert hidden.visible == pytest.approx(0.0, abs=0.01)
    assert hidden.box == free.box
    x, y = (round(v) for v in free.box.centre)
    assert (
        np.ptp(before[y - 5 : y + 5, x - 5 : x + 5].reshape(-1, 3).astype(int), axis=0).max() < 12
    )
    left, top = round(free.box.left), round(free.box.top)
    right, bottom = left + round(free.box.width), top + round(free.box.height)
    assert (
        np.abs(behind[top:bottom, left:right].astype(int) - before[top:bottom, left:right]).max()
        > 40
    )
    assert (open_view != behind).any()


def test_half_of_a_craft_behind_an_edge_is_half_visible_from_wherever_the_camera_looks():
    for looks in (90.0, 70.0, 115.0):
        _, truth = seen(world(wall(heading=100.0, width=20.0)), looks)
        assert truth.visible == pytest.approx(0.5, abs=0.06)


def test_a_wall_out_of_sight_changes_nothing():
    plain, _ = seen(world())
    walled, truth = seen(world(wall(heading=270.0)))
    assert np.array_equal(plain, walled)
    assert truth.visible == pytest.approx(1.0)


@pytest.mark.parametrize(
    "bad", [{"low": 20.0, "high": 10.0}, {"colour": [300, 0, 0]}, {"width": 0.0}, {"depth": 3}]
)
def test_a_wall_that_can_not_stand_is_refused_by_name(bad):
    with pytest.raises(InputError, match="walls"):
        world(wall(**bad))


def test_the_speed_of_a_path_is_that_which_the_turret_sees():
    round_it = path.Path(shape="circle", extent=40.0, period=36.0)
    above = np.array([0.0, 0.0, 10.0])
    up = math.atan2(10.0, 40.0)
    seen_rate = math.radians(10.0) * math.cos(up)
    assert path.fastest(above, Attitude(), round_it) == pytest.approx(seen_rate, rel=0.01)
    past = path.Path(shape="line", extent=200.0, period=20.0)  # 10 m/s at 50 m
    ahead = np.array([50.0, 0.0, 0.0])
    rate = path.fastest(ahead, Attitude(course=90.0), past)
    assert rate == pytest.approx(0.2, rel=0.01)
    assert path.fastest(ahead, Attitude(), path.Path()) == 0.0
