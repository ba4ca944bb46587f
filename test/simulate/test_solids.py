# SPDX-License-Identifier: Apache-2.0
"""Solids are closed, wound outwards, and keep their volume when moved."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.simulate import solids
from turret_ai.simulate.solids import Solid

SHAPES = {
    "box": solids.box((1, 2, 3), (2, 1, 0.5)),
    "rod": solids.rod((0, 0, 0), (1, 2, 0.5), 0.2, 0.1),
    "lathe": solids.lathe([(-1, 0.3), (0, 0.5), (1, 0.1)]),
    "body": solids.body(
        (2, 0.1, 0.1, 0), (1, 0.5, 0.4, 0.1, 3), (-1, 0.5, 0.4, 0), (-2, 0.1, 0.1, 0)
    ),
    "wing": solids.wing((1, 0, 0), (0.5, 4, 0.2), 1.5, 0.8),
    "wheel": solids.wheel((0, 0, 0), 0.4),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_edge_of_a_solid_belongs_to_two_faces_that_run_it_opposite_ways(name):
    faces = SHAPES[name].faces
    edges = [tuple(e) for f in faces for e in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0]))]
    assert len(edges) == len(set(edges))
    assert {(b, a) for a, b in edges} == set(edges)


@pytest.mark.parametrize("name", SHAPES)
def test_faces_look_outwards(name):
    assert solids.signed_volume(SHAPES[name]) > 0


def test_a_box_has_the_volume_of_its_edges():
    assert solids.signed_volume(SHAPES["box"]) == pytest.approx(1.0)


@given(
    st.sampled_from(["x", "y", "z"]),
    st.floats(-7, 7),
    st.lists(st.floats(-9, 9), min_size=3, max_size=3),
)
def test_turning_moving_and_mirroring_keep_the_volume(axis, angle, by):
    before = solids.signed_volume(SHAPES["wing"])
    turned = SHAPES["wing"].rotated(axis, angle, (1, 2, 3)).moved(by)
    assert solids.signed_volume(turned) == pytest.approx(before, rel=1e-6)
    assert solids.signed_volume(turned.mirrored()) == pytest.approx(before, rel=1e-6)
    assert solids.signed_volume(turned.both_sides()) == pytest.approx(2 * before, rel=1e-6)


def test_a_quarter_turn_about_z_takes_forward_to_left():
    point = Solid(np.array([[1.0, 0.0, 0.0]]), np.zeros((0, 3), np.int32))
    assert point.rotated("z", math.pi / 2).vertices[0] == pytest.approx([0, 1, 0])
