# SPDX-License-Identifier: Apache-2.0
"""Drawn craft lie exactly where the geometry says, and touch nothing else."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.aim.camera import Camera, rotation
from turret_ai.simulate import livery, mesh, render
from turret_ai.simulate.render import Light, Placed

CAMERA = Camera.from_fov(640, 360, math.radians(70.0))
WHITE = livery.make(("red",), 1)


def _placed(distance: float, yaw: float, pitch: float, turn: float, kind: str = "") -> Placed:
    model = mesh.load("fighter jet", kind or "twin-tail")
    ray = rotation(yaw, pitch)[:, 0]
    return Placed(model, WHITE, ray * distance, rotation(turn, 0.2))


def _blank() -> np.ndarray:
    return np.full((360, 640, 3), 255, np.uint8)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(20, 200), st.floats(-0.5, 0.5), st.floats(-0.25, 0.25), st.floats(-3, 3),
    st.floats(-3, 3),
)  # fmt: skip
def test_the_box_is_the_silhouette_to_a_pixel(distance, yaw, pitch, turn, heading):
    view = rotation(heading, -0.1)
    placed = _placed(distance, heading + yaw, pitch - 0.1, turn)
    image = _blank()
    drawn = render.draw(image, placed, CAMERA, view, Light(), rays=200_000)
    ys, xs = np.nonzero((image != 255).any(axis=2))
    box = drawn.box
    assert box == render.true_box(placed, CAMERA, view)
    if box.left < 0 or box.top < 0 or box.left + box.width > 640 or box.top + box.height > 360:
        return
    assert box.left - 1 <= xs.min() <= box.left + 2
    assert box.top - 1 <= ys.min() <= box.top + 2
    assert box.left + box.width - 3 <= xs.max() <= box.left + box.width + 1
    assert box.top + box.height - 3 <= ys.max() <= box.top + box.height + 1


def test_few_rays_give_the_same_outline_as_many():
    covers = []
    for rays in (500, 300_000):
        drawn = render.draw(
            _blank(), _placed(25, 0, 0, 1), CAMERA, rotation(0, 0), Light(), rays=rays
        )
        covers.append(drawn.cover)
    assert np.abs(covers[0] - covers[1]).mean() < 0.01


def test_edges_are_smooth():
    drawn = render.draw(_blank(), _placed(40, 0, 0, 1), CAMERA, rotation(0, 0), Light())
    partly = (drawn.cover > 0.05) & (drawn.cover < 0.95)
    assert partly.sum() > 20


@pytest.mark.parametrize(("yaw", "pitch"), [(math.pi, 0.0), (1.2, 0.0), (0.0, -1.2)])
def test_what_is_out_of_view_leaves_the_image_alone(yaw, pitch):
    image = _blank()
    assert render.draw(image, _placed(60, yaw, pitch, 0), CAMERA, rotation(0, 0), Light()) is None
    assert (image == 255).all()


def test_a_craft_at_the_frame_s_edge_keeps_its_whole_box():
    drawn = render.draw(_blank(), _placed(30, 0.79, 0, 1.5), CAMERA, rotation(0, 0), Light())
    assert drawn.box.left < 0 < drawn.box.left + drawn.box.width
    assert drawn.x == 0


def test_the_sun_brightens_the_side_it_shines_on():
    def mean(sun: tuple[float, float, float]) -> float:
        image = _blank()
        light = Light(sun=sun)
        drawn = render.draw(image, _placed(25, 0, 0, 1.57), CAMERA, rotation(0, 0), light)
        h, w = drawn.cover.shape
        return float(image[drawn.y : drawn.y + h, drawn.x : drawn.x + w][drawn.cover > 0.9].mean())

    assert mean((-1.0, 0.0, 0.3)) > mean((1.0, 0.0, 0.3)) + 5


def test_haze_pales_a_distant_craft():
    near, far = (
        render.draw(image := _blank(), placed, CAMERA, rotation(0, 0), Light(haze_per_metre=haze))
        and image.min()
        for haze, placed in ((0.0, _placed(60, 0, 0, 1)), (0.01, _placed(60, 0, 0, 1)))
    )
    assert far > near


def test_colour_shares_tell_what_is_in_view():
    two = livery.make(("red", "blue"), 3, "ends")
    model = mesh.load("commercial aircraft", "narrow-body")
    placed = Placed(model, two, np.array([80.0, 0, 0]), rotation(1.5, 0.3))
    drawn = render.draw(_blank(), placed, CAMERA, rotation(0, 0), Light())
    assert sum(drawn.colour_shares) == pytest.approx(1.0)
    assert min(drawn.colour_shares) > 0.1
