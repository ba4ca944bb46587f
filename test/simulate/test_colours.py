# SPDX-License-Identifier: Apache-2.0
"""Colour words are true of the pixels that a person sees."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.aim.camera import Camera, rotation
from turret_ai.errors import InputError
from turret_ai.simulate import colours, craft, livery, mesh, render
from turret_ai.simulate.render import Light, Placed

CAMERA = Camera.from_fov(160, 160, np.deg2rad(30.0))
VIEW = rotation(0.0, 0.0)
TOLD_BY_GLOSS = "silver"


@given(st.sampled_from(colours.COLOURS), st.integers(0, 10_000), st.booleans())
def test_a_paint_is_what_its_name_says(name, seed, camouflage):
    paint = colours.sample(name, np.random.default_rng(seed), camouflage)
    expected = {"white", "grey"} if name == TOLD_BY_GLOSS else {name}
    assert colours.name_of(paint) in expected


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_linear_light_and_srgb_are_inverse(rgb):
    there = colours.to_linear(np.array(rgb, np.float32))
    assert colours.to_srgb(there) == pytest.approx(rgb, abs=1e-3)


def _seen(colour: str, number: int) -> np.ndarray:
    """The median sRGB colour of a craft of one colour, side on."""
    type_name = craft.TYPES[number % len(craft.TYPES)]
    variant = craft.variants(type_name, "train")[number % 5].name
    model = mesh.load(type_name, variant)
    rng = np.random.default_rng(number)
    turn = rotation(float(rng.uniform(0.6, 2.4)), float(rng.normal(-0.1, 0.15)))
    image = np.full((160, 160, 3), 255, np.uint8)
    paint = livery.make((colour,), number)
    placed = Placed(model, paint, np.array([model.size * 2.0, 0, 0]), turn)
    drawn = render.draw(image, placed, CAMERA, VIEW, Light())
    h, w = drawn.cover.shape
    pixels = image[drawn.y : drawn.y + h, drawn.x : drawn.x + w][drawn.cover > 0.99]
    return np.median(pixels, axis=0).astype(np.float32) / 255.0


@pytest.mark.parametrize("colour", [c for c in colours.COLOURS if c != TOLD_BY_GLOSS])
def test_a_rendered_craft_still_has_the_colour_of_its_caption(colour):
    named = [colours.name_of(_seen(colour, k)) for k in range(8)]
    assert named.count(colour) >= 6, named


def test_white_silver_grey_and_black_get_darker_in_that_order():
    bright = [
        np.mean([_seen(c, k).mean() for k in range(8)])
        for c in ("white", "silver", "grey", "black")
    ]
    assert all(a > b + 0.1 for a, b in pairwise(bright)), bright


@pytest.mark.parametrize(
    ("names", "camouflage", "expected"),
    [
        (("grey",), False, "grey missile"),
        (("blue", "white"), False, "blue and white missile"),
        (("white", "blue", "red"), False, "white, blue, and red missile"),
        (("blue", "grey"), True, "blue and grey camouflage missile"),
    ],
)
def test_captions_are_worded_as_in_the_competition(names, camouflage, expected):
    assert livery.make(names, 1, camouflage=camouflage).caption("missile") == expected


@pytest.mark.parametrize("pattern", [*livery.PATTERNS[1:], *livery.CAMOUFLAGES])
def test_every_pattern_shows_both_of_its_colours_on_an_aeroplane(pattern):
    model = mesh.load("fighter jet", "twin-tail")
    places = (model.vertices[model.faces].mean(1) - model.middle) / model.half
    paint = livery.make(("red", "blue"), 3, pattern)
    _, _, index = paint.paint(places.astype(np.float32), model.roles)
    painted = index[index >= 0]
    assert 0.03 < (painted == 1).mean() < 0.97


def test_the_same_seed_paints_the_same():
    first, second = (livery.make(("green", "brown"), 8, camouflage=True) for _ in range(2))
    assert first == second
    assert first != livery.make(("green", "brown"), 9, camouflage=True)


def test_random_liveries_never_pair_colours_that_look_alike():
    rng = np.random.default_rng(0)
    for k in range(400):
        paint = livery.random_livery(craft.TYPES[k % 8], rng)
        assert len(set(paint.colours)) == len(paint.colours)
        if not paint.camouflage:
            assert not {"white", "silver"} <= set(paint.colours)
            assert not {"orange", "brown"} <= set(paint.colours)


@pytest.mark.parametrize("names", [(), ("pink",), ("red", "blue", "white", "grey")])
def test_a_livery_of_unknown_or_too_many_colours_is_refused(names):
    with pytest.raises(InputError):
        livery.make(names, 0)
