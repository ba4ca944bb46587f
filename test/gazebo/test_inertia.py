# SPDX-License-Identifier: Apache-2.0
"""Masses and inertias are those of a body that can exist."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.simulate.gazebo.inertia import (
    Box,
    Cylinder,
    Part,
    combine,
    is_physical,
    rotation,
)
from turret_ai.simulate.gazebo.turret import links

LENGTH = st.floats(0.001, 10.0)
ANGLE = st.floats(-math.pi, math.pi)
PLACE = st.floats(-5.0, 5.0)
SHAPES = st.one_of(st.builds(Box, LENGTH, LENGTH, LENGTH), st.builds(Cylinder, LENGTH, LENGTH))
PARTS = st.builds(
    Part,
    st.just("part"),
    SHAPES,
    st.floats(0.001, 100.0),
    st.tuples(PLACE, PLACE, PLACE),
    st.tuples(ANGLE, ANGLE, ANGLE),
)


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_any_combination_of_parts_is_a_physical_body(parts):
    body = combine(parts)
    assert is_physical(body.tensor)
    assert body.mass == pytest.approx(sum(part.mass for part in parts))


@pytest.mark.parametrize("link", links(), ids=lambda link: link.name)
def test_every_link_of_the_turret_is_a_physical_body(link):
    assert is_physical(combine(link.parts).tensor)


def test_a_cube_cut_in_two_weighs_and_turns_like_the_whole():
    whole = combine([Part("whole", Box(2.0, 1.0, 1.0), 6.0)])
    halves = combine(
        [
            Part("front", Box(1.0, 1.0, 1.0), 3.0, (0.5, 0.0, 0.0)),
            Part("rear", Box(1.0, 1.0, 1.0), 3.0, (-0.5, 0.0, 0.0), (0.0, 0.0, math.pi / 2)),
        ]
    )
    assert np.allclose(whole.tensor, halves.tensor)
    assert np.allclose(whole.centre, halves.centre)


def test_a_cylinder_laid_on_its_side_has_its_small_moment_along_y():
    tensor = combine([Part("bar", Cylinder(0.1, 2.0), 3.0, rpy=(math.pi / 2, 0.0, 0.0))]).tensor
    assert tensor[1, 1] == pytest.approx(3.0 * 0.1**2 / 2.0)
    assert tensor[0, 0] == pytest.approx(tensor[2, 2])


@given(st.tuples(ANGLE, ANGLE, ANGLE))
def test_rotations_keep_lengths_and_handedness(rpy):
    matrix = rotation(rpy)
    assert np.allclose(matrix @ matrix.T, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_impossible_bodies_are_told():
    assert not is_physical(np.diag([1.0, 1.0, 2.5]))
    assert not is_physical(np.diag([1.0, -1.0, 1.0]))
    assert not is_physical(np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
