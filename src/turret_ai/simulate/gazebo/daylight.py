# SPDX-License-Identifier: Apache-2.0
"""What Gazebo's light can't do: the sky's light on the craft, and the haze before them.

Its ambient light can't exceed 1, and is divided by pi on the way (a Lambertian surface), so that a
white face in the shade would be a third as bright as the scene has it. The rest, and the haze,
which it doesn't draw, the craft's materials shine by themselves.
"""

from __future__ import annotations

import math
from dataclasses import replace

from turret_ai.simulate.export import Surface
from turret_ai.simulate.render import Light

RGB = tuple[float, float, float]


def ambient(light: Light) -> RGB:
    """Gazebo's ambient light, linear RGB."""
    red, green, blue = (min(1.0, math.pi * share) for share in _shade(light))
    return red, green, blue


def seen(surfaces: list[Surface], light: Light, distance: float) -> list[Surface]:
    """A craft's surfaces as they look from so many metres away."""
    clear = light.clear(distance)
    missing = [
        there - given / math.pi for there, given in zip(_shade(light), ambient(light), strict=True)
    ]
    found = []
    for surface in surfaces:
        material = surface.material
        if material.alpha < 1.0:  # a spinning rotor would shine as if it were solid
            found.append(surface)
            continue
        red, green, blue = (clear * share for share in material.colour)
        glow_red, glow_green, glow_blue = (
            clear * colour * share + (1.0 - clear) * haze
            for colour, share, haze in zip(material.colour, missing, light.horizon_rgb, strict=True)
        )
        seen_so = replace(
            material, colour=(red, green, blue), glow=(glow_red, glow_green, glow_blue)
        )
        found.append(replace(surface, material=seen_so))
    return found


def _shade(light: Light) -> RGB:
    """How bright a white face in the shade is, the mean over where it may look."""
    red, green, blue = (
        (sky + ground) / 2.0 for sky, ground in zip(light.sky_rgb, light.ground_rgb, strict=True)
    )
    return red, green, blue
