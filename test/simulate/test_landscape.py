# SPDX-License-Identifier: Apache-2.0
"""Procedural panoramas: any kind under any sky, the same for the same seed, no seam in the back."""

import numpy as np
import pytest

from turret_ai.errors import InputError
from turret_ai.simulate import landscape, sky


@pytest.mark.parametrize("kind", landscape.KINDS)
def test_every_kind_paints_a_sky_above_and_a_ground_below(kind):
    image = landscape.paint(kind, 3, mood="clear", width=512).panorama.image
    assert image.shape == (256, 512, 3)
    top, bottom = image[:32].mean(axis=(0, 1)), image[-32:].mean(axis=(0, 1))
    assert top[2] > top[0] + 20, "a clear sky is blue"
    assert np.abs(top - bottom).max() > 15


@pytest.mark.parametrize("mood", sky.SKIES)
def test_every_mood_has_light_near_neutral(mood):
    world = landscape.paint("desert", 5, mood=mood, width=256)
    for rgb in (world.light.sky_rgb, world.light.ground_rgb):
        assert max(rgb) < 1.2 * min(rgb)
    assert world.mood == mood


def test_dusk_is_darker_than_day():
    day, night = (
        landscape.paint("coast", 1, mood=m, width=256).panorama.image.mean()
        for m in ("clear", "dusk")
    )
    assert night < 0.6 * day


def test_the_same_seed_gives_the_same_panorama_and_another_set_of_textures_another():
    first, again, other = (
        landscape.paint("forest", 8, mood="clear", width=512, textures=t).panorama.image
        for t in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_street_adds_to_the_landscape_and_changes_nothing_above_it():
    plain, street = (
        landscape.paint("plaza", 4, mood="clear", width=1024, street=s).panorama.image
        for s in (False, True)
    )
    changed = (plain != street).any(axis=2)
    assert changed[256:].any()
    assert not changed[:150].any()


def test_the_back_has_no_seam():
    image = landscape.paint("coast", 2, mood="overcast", width=1024).panorama.image.astype(int)
    across = np.abs(image[:, 0] - image[:, -1]).mean()
    usual = np.abs(np.diff(image, axis=1)).mean()
    assert across < 3 * usual + 1


def test_unknown_kinds_and_moods_are_answered_with_those_that_exist():
    with pytest.raises(InputError, match="airfield"):
        landscape.paint("moon", 0)
    with pytest.raises(InputError, match="overcast"):
        landscape.paint("desert", 0, mood="gloomy")
