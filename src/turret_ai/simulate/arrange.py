# SPDX-License-Identifier: Apache-2.0
"""Makes scene descriptions: craft all round whose captions are unique and can be told by eye.

A craft is kept only if every colour of its caption covers a fair share of what the camera sees of
it, and if it stands clear of the others.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from turret_ai.aim.camera import Camera, rotation
from turret_ai.errors import InputError
from turret_ai.simulate import craft, landscape, livery, mesh, path, render, sky
from turret_ai.simulate.scene import CraftEntry
from turret_ai.units import format_heading, heading_to_yaw

CAMERA = Camera.from_fov(1520, 870, math.radians(70.0))
"""The competition's camera, for which sizes are chosen; it looks up by SEARCH_ELEVATION."""
HIGHEST_ELEVATION = 27.0
"""Degrees: a little below what a RoboMaster's gimbal reaches."""
SEARCH_ELEVATION = math.radians(15.0)

TOOLS = (
    "surface-to-air missiles", "anti-air artillery", "electromagnetic pulse", "machine gun",
    "interceptor jets", "drone catcher", "EMP",
)  # fmt: skip

_NOVICE = (
    "Heading is {heading}, target is {target}, tool to deploy is {tool}.",
    "Target is {target}, heading is {heading}, tool to deploy is {tool}.",
    "Tool to deploy is {tool}, target is {target}, heading is {heading}.",
)
_ADVANCED = (
    "Control tower to turret Alpha, engage {target} at heading {heading} with {tool}, over.",
    "Turret Bravo, this is control. Deploy {tool} towards heading {heading} and "
    "intercept the {target}.",
    "Air defense turrets, set heading {heading}. Hostile {target} sighted, "
    "neutralise it with {tool}.",
    "All turrets, {target} detected on heading {heading}, respond with {tool}, over.",
)
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "niner")

_LEAST_SHARE = 0.12
"""Of the painted pixels, that each named colour must cover."""


_LEAST_CONTRAST, _BUSIEST_BACKGROUND = 38.0, 24.0
"""Mean difference from what is behind the craft, and that background's spread, of 255."""


def spoken_heading(heading: str) -> str:
    """ "350" -> "three five zero", as radio operators say it."""
    return " ".join(_DIGITS[int(d)] for d in heading)


def arrange(
    name: str, kind: str, seed: int, *, mood: str = "", count: int = 6, commands: int = 3
) -> dict[str, Any]:
    """A scene description, ready for `yaml.safe_dump`.

    Raises:
        InputError: unknown kind or mood, or more craft than fit.
    """
    if kind not in landscape.KINDS:
        raise InputError(f"unknown landscape {kind!r}: known are {', '.join(landscape.KINDS)}")
    if mood and mood not in sky.SKIES:
        raise InputError(f"unknown mood {mood!r} of the sky: known are {', '.join(sky.SKIES)}")
    if not 1 <= count <= 24:
        raise InputError(f"a scene takes 1 to 24 craft: got {count}")
    rng = np.random.default_rng((seed, 11))
    world = landscape.paint(kind, seed, mood=mood, width=1024)
    entries: list[CraftEntry] = []
    types = list(rng.permutation(craft.TYPES))
    start = float(rng.uniform(0, 360))
    for k in range(400):
        if len(entries) == count:
            break
        slot = len(entries)
        heading = (start + 360.0 * slot / count + float(rng.uniform(-14, 14))) % 360.0
        entry = _candidate(str(types[(slot + k // 40) % len(types)]), heading, rng)
        if _distinct(entry, entries) and _tellable(entry, world):
            entries.append(entry)
    if len(entries) < count:
        raise InputError(f"only {len(entries)} of {count} craft fit into the scene")
    return {
        "name": name,
        "description": f"{kind}, {mood or 'any'} sky, {count} craft; seed {seed}",
        "panorama": {"kind": kind, "seed": seed, **({"mood": mood} if mood else {})},
        "craft": [_plain(e) for e in entries],
        "commands": [
            _command(k, min(commands, count), entries, rng) for k in range(min(commands, count))
        ],
    }


def _candidate(type_name: str, heading: float, rng: np.random.Generator) -> CraftEntry:
    choices = craft.variants(type_name, "train")
    variant = choices[int(rng.integers(len(choices)))].name
    paint = livery.random_livery(type_name, rng)
    spinning = bool(rng.random() < 0.6)
    size = mesh.load(type_name, variant, spinning).size
    wanted = float(np.clip(np.exp(rng.normal(math.log(95.0), 0.25)), 60, 170))
    distance = size * CAMERA.fx / wanted * float(rng.uniform(0.85, 1.0))
    side = 1 if rng.random() < 0.5 else -1
    course = (heading + side * float(rng.uniform(40, 130))) % 360.0
    shape, extent, period = "hover", size * 0.05, 12.0
    if type_name in ("missile",):
        climb, bank = float(rng.uniform(5, 45)), 0.0
    else:
        climb, bank = float(rng.uniform(-4, 10)), float(rng.uniform(-18, 18))
    if type_name not in ("drone", "helicopter", "missile") and rng.random() < 0.4:
        shape, extent, period = "line", distance * 0.12, float(rng.uniform(15, 30))
    return CraftEntry.model_validate(
        {
            "type": type_name,
            "variant": variant,
            "colours": paint.colours,
            "camouflage": paint.camouflage,
            "pattern": paint.pattern,
            "seed": int(rng.integers(1 << 24)),
            "spinning": spinning,
            "heading": round(heading, 1),
            "elevation": round(float(rng.uniform(9, HIGHEST_ELEVATION)), 1),
            "distance": round(distance, 1),
            "attitude": {
                "course": round(course, 1),
                "climb": round(climb, 1),
                "bank": round(bank, 1),
            },
            "path": {"shape": shape, "extent": round(extent, 2), "period": round(period, 1)},
        }
    )


def _distinct(entry: CraftEntry, others: list[CraftEntry]) -> bool:
    mine = set(entry.colours)
    for other in others:
        theirs = set(other.colours)
        if entry.type == other.type and (mine <= theirs or theirs <= mine):
            return False
        apart = abs((entry.heading - other.heading + 180) % 360 - 180)
        if apart < 12 and abs(entry.elevation - other.elevation) < 8:
            return False
    return True


def _tellable(entry: CraftEntry, world: landscape.Landscape) -> bool:
    """Whether the craft stands out and the colours of its caption can be seen from the turret."""
    model = mesh.load(entry.type, entry.variant, entry.spinning)
    where, turn = path.pose(entry.place, entry.attitude, entry.path, 0.0)
    view = rotation(heading_to_yaw(entry.heading), -SEARCH_ELEVATION)
    before = world.panorama.view(CAMERA, view)
    canvas = before.copy()
    placed = render.Placed(model, entry.livery, where, turn)
    drawn = render.draw(canvas, placed, CAMERA, view, world.light)
    if drawn is None or min(drawn.colour_shares) < _LEAST_SHARE:
        return False
    if drawn.colour_shares != sorted(drawn.colour_shares, reverse=True):
        return False  # people name the largest colour first
    h, w = drawn.cover.shape
    region = (slice(drawn.y, drawn.y + h), slice(drawn.x, drawn.x + w))
    solid = drawn.cover > 0.9
    behind, craft_pixels = before[region][solid].astype(int), canvas[region][solid].astype(int)
    if not solid.any() or np.abs(craft_pixels - behind).mean() < _LEAST_CONTRAST:
        return False
    if behind.std(axis=0).max() > _BUSIEST_BACKGROUND:
        return False
    return drawn.box.top > 12 and max(drawn.box.width, drawn.box.height) > 40


def _plain(entry: CraftEntry) -> dict[str, Any]:
    data = entry.model_dump(mode="json", exclude_defaults=True)
    data["colours"] = list(entry.colours)
    return data


def _command(
    number: int, total: int, entries: list[CraftEntry], rng: np.random.Generator
) -> dict[str, Any]:
    entry = entries[(number * max(1, len(entries) // total)) % len(entries)]
    offset = float(rng.uniform(-30, 30))
    heading = format_heading(5 * round((entry.heading + offset) / 5) % 360)
    novice = number % 2 == 0
    templates = _NOVICE if novice else _ADVANCED
    tool = TOOLS[int(rng.integers(len(TOOLS)))]
    text = templates[int(rng.integers(len(templates)))].format(
        heading=spoken_heading(heading), target=entry.caption, tool=tool
    )
    return {
        "text": text[0].upper() + text[1:],
        "heading": heading,
        "tool": tool,
        "target": entry.caption,
        "style": "novice" if novice else "advanced",
    }
