# SPDX-License-Identifier: Apache-2.0
"""Craft in Gazebo are as bright and as hazy as in the embedded simulator."""

import math

import numpy as np
import pytest

from turret_ai.simulate.export import Material, Surface
from turret_ai.simulate.gazebo import daylight
from turret_ai.simulate.render import Light

NOTHING = np.zeros((0, 3, 3), np.float32)
NOON = Light()
DUSK = Light(sky_rgb=(0.2, 0.2, 0.3), ground_rgb=(0.1, 0.1, 0.1), horizon_rgb=(0.4, 0.2, 0.1))


def shown(material, light, distance):
    """A surface in the shade as Gazebo draws it: ambient light divided by pi, and its glow."""
    surface = Surface(material, NOTHING, NOTHING)
    drawn = daylight.seen([surface], light, distance)[0].material
    return np.array(drawn.colour) * daylight.ambient(light) / math.pi + drawn.glow


@pytest.mark.parametrize("light", [NOON, DUSK])
@pytest.mark.parametrize("distance", [10.0, 400.0, 3000.0])
def test_a_surface_in_the_shade_is_as_bright_as_in_the_scene(light, distance):
    colour = np.array([0.8, 0.4, 0.1])
    shade = (np.array(light.sky_rgb) + light.ground_rgb) / 2.0
    clear = light.clear(distance)
    wanted = clear * colour * shade + (1.0 - clear) * np.array(light.horizon_rgb)
    assert shown(Material("paint", tuple(colour), 0.2), light, distance) == pytest.approx(wanted)


def test_gazebos_ambient_light_is_never_above_what_it_takes():
    assert max(daylight.ambient(NOON)) == 1.0
    assert daylight.ambient(DUSK) == pytest.approx([0.15 * math.pi] * 2 + [0.2 * math.pi])


def test_what_is_seen_through_does_not_shine():
    rotor = Material("rotor", (0.05, 0.05, 0.05), 0.0, alpha=0.25)
    assert daylight.seen([Surface(rotor, NOTHING, NOTHING)], NOON, 300.0)[0].material == rotor
