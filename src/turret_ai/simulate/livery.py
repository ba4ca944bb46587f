# SPDX-License-Identifier: Apache-2.0
"""How a craft is painted: one to three named colours in a pattern, or camouflage.

A pattern is a function of the place on the craft, so that it needs no texture coordinates. Places
are given in the fuselage's own measure: x is -1 at the tail and 1 at the nose, z is -1 at the
belly and 1 at the back of the fuselage, y is -1 and 1 at the wing tips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.simulate.colours import COLOURS, sample, to_linear
from turret_ai.simulate.craft import ROLES
from turret_ai.simulate.markings import mark, waves

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

PATTERNS = (
    "plain", "tail", "stripe", "belly", "wings", "ends", "bands", "tips", "swoosh", "nose",
)  # fmt: skip
CAMOUFLAGES = ("blotches", "digital", "splinter", "tiger")

STRUCTURE: dict[str, tuple[tuple[float, float, float], float]] = {
    "dark": ((0.10, 0.10, 0.11), 0.06),
    "glass": ((0.09, 0.12, 0.16), 0.7),
    "metal": ((0.5, 0.51, 0.52), 0.5),
    "flame": ((1.0, 0.72, 0.3), 0.0),
    "blade": ((0.16, 0.16, 0.17), 0.05),
}
"""sRGB colour and gloss of the roles that no livery paints."""

_PAINTED = {name: i for i, name in enumerate(ROLES)}
_WING, _TAIL, _TRIM, _NACELLE = (_PAINTED[n] for n in ("wing", "tail", "trim", "nacelle"))


@dataclass(frozen=True, slots=True)
class Livery:
    """One paint job.

    colours: names, the most usual on the craft first.
    paints: sRGB of each, shape (n, 3).
    pattern: one of PATTERNS, or of CAMOUFLAGES.
    seed: of the pattern's random places.
    """

    colours: tuple[str, ...]
    paints: tuple[tuple[float, float, float], ...]
    pattern: str
    seed: int

    @property
    def camouflage(self) -> bool:
        """Whether the pattern is a camouflage."""
        return self.pattern in CAMOUFLAGES

    def caption(self, type_name: str) -> str:
        """The description, such as "white, blue, and red commercial aircraft"."""
        return caption(type_name, self.colours, self.camouflage)

    def paint(
        self, places: FloatArray, roles: IntArray, marked: bool = True
    ) -> tuple[FloatArray, FloatArray, IntArray]:
        """Colour the points (n, 3) of a craft, given in the fuselage's measure.

        marked: with dirt, letters and other markings; without, each paint has one colour.

        Returns:
            linear RGB (n, 3), gloss (n,) in 0..1, and which of `colours` each shows (n,), -1 for
            parts that aren't painted.
        """
        index = self._indices(places, roles)
        painted = to_linear(np.array(self.paints, np.float32))
        albedo = painted[index]
        polish = 0.04
        if marked:
            albedo = mark(places, roles, albedo, self.seed)
            polish = float(np.random.default_rng((self.seed, 2)).uniform(0.02, 0.14))
        gloss = np.array([0.9 if c == "silver" else polish for c in self.colours], np.float32)
        gloss = gloss[index]
        index = index.copy()
        for name, (rgb, shine) in STRUCTURE.items():
            here = roles == _PAINTED[name]
            albedo[here] = to_linear(np.array(rgb, np.float32)) * (3.0 if name == "flame" else 1.0)
            gloss[here] = shine
            index[here] = -1
        return albedo, gloss, index

    def _indices(self, places: FloatArray, roles: IntArray) -> IntArray:
        count = len(self.colours)
        if count == 1 and not self.camouflage:
            return np.zeros(len(places), np.int64)
        if self.camouflage:
            return self._camouflage(places)
        rng = np.random.default_rng(self.seed)
        index = _pattern(self.pattern, places, roles, rng)
        if count == 3:
            third = (
                "tail" if self.pattern != "tail" else str(rng.choice(["stripe", "belly", "tips"]))
            )
            if self.pattern == "stripe":
                third = str(rng.choice(["tail", "nose", "wings"]))
            more = _pattern(third, places, roles, rng)
            both = (index == 1) & (more == 1) & (np.sin(places[:, 0] * 9.0) > 0)
            index = np.where((more == 1) & ((index == 0) | both), 2, index)
        return np.asarray(np.minimum(index, count - 1), np.int64)

    def _camouflage(self, places: FloatArray) -> IntArray:
        rng = np.random.default_rng(self.seed)
        p = places * np.array([1.0, 1.0, 0.35], np.float32)
        scale = float(rng.uniform(4.0, 8.0))
        if self.pattern == "digital":
            step = float(rng.uniform(0.05, 0.1))
            p = np.floor(p / step) * step
        elif self.pattern == "tiger":
            p = p * np.array([1.8, 0.5, 0.5], np.float32)
        elif self.pattern == "splinter":
            p = _splinter(p, rng)
        fields = [waves(p * scale, rng) for _ in range(max(1, len(self.colours) - 1))]
        index = np.zeros(len(p), np.int64)
        edges = (0.05, 0.5)
        for k, value in enumerate(fields[: len(self.colours) - 1], start=1):
            index[value > edges[k - 1]] = k
        return index


def _splinter(p: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Each point replaced by the nearest of a few random seeds: straight-edged patches."""
    seeds = (rng.uniform(-1.1, 1.1, (36, 3)) * [1.0, 1.0, 0.35]).astype(np.float32)
    distance = (p**2).sum(1)[:, None] - 2.0 * p @ seeds.T + (seeds**2).sum(1)
    nearest: FloatArray = seeds[np.argmin(distance, 1)] * np.float32(3.0)
    return nearest


def _pattern(name: str, places: FloatArray, roles: IntArray, rng: np.random.Generator) -> IntArray:
    """1 where the second colour goes, 0 elsewhere."""
    x, y, z = places[:, 0], places[:, 1], places[:, 2]
    tail, wing = roles == _TAIL, roles == _WING
    extra = (roles == _TRIM) | (roles == _NACELLE)
    cut = float(rng.uniform(-0.08, 0.08))
    if name == "tail":
        mask = tail | (x < -0.68 + cut) | (roles == _TRIM)
        if rng.random() < 0.6:
            mask |= roles == _NACELLE
    elif name == "stripe":
        thick = float(rng.uniform(0.2, 0.34))
        mask = (np.abs(z - cut - 0.1) < thick) & ~wing & ~tail
        mask |= tail & (z > float(rng.uniform(1.0, 1.6))) | extra
    elif name == "belly":
        mask = (z < -0.12 + cut) & ~wing & ~tail
        mask |= wing & (np.abs(y) > 0.78) | (roles == _NACELLE)
    elif name == "wings":
        mask = wing | (tail & (rng.random() < 0.5))
    elif name == "ends":
        mask = (x > 0.5 + cut) | (x < -0.52 + cut)
    elif name == "bands":
        period = float(rng.uniform(0.34, 0.55))
        along = np.where(wing, np.abs(y) * 1.2, x) + 5.0
        mask = np.mod(along, period) < period * 0.5
    elif name == "tips":
        mask = (wing & (np.abs(y) > 0.55 + cut)) | tail | (roles == _TRIM)
        mask |= x > 0.72
    elif name == "swoosh":
        slope = float(rng.uniform(0.25, 0.6))
        mask = (x + slope * z < -0.15 + cut) & ~wing
    elif name == "nose":
        mask = (x > 0.32 + cut) & ~wing | extra
    else:
        mask = np.zeros(len(x), bool)
    return np.asarray(mask, np.int64)


def caption(type_name: str, colours: tuple[str, ...], camouflage: bool = False) -> str:
    """The competition's wording of one to three colours and a type."""
    if len(colours) > 2:
        words = ", ".join(colours[:-1]) + f", and {colours[-1]}"
    else:
        words = " and ".join(colours)
    return f"{words} {'camouflage ' if camouflage else ''}{type_name}"


def make(
    colours: tuple[str, ...], seed: int, pattern: str = "", camouflage: bool = False
) -> Livery:
    """A livery of these colours; what isn't given is drawn from `seed`.

    Raises:
        InputError: an unknown colour or pattern, or not one to three colours.
    """
    unknown = [c for c in colours if c not in COLOURS]
    if unknown or not 1 <= len(colours) <= 3:
        raise InputError(f"a livery has one to three of {', '.join(COLOURS)}: got {colours}")
    if pattern and pattern not in PATTERNS + CAMOUFLAGES:
        raise InputError(f"unknown pattern {pattern!r}: known are {PATTERNS + CAMOUFLAGES}")
    rng = np.random.default_rng(seed)
    camouflage = camouflage or pattern in CAMOUFLAGES
    if not pattern:
        if camouflage:
            pattern = str(rng.choice(CAMOUFLAGES, p=[0.5, 0.2, 0.15, 0.15]))
        else:
            pattern = "plain" if len(colours) == 1 else str(rng.choice(PATTERNS[1:]))
    paints = tuple(tuple(float(v) for v in sample(c, rng, camouflage)) for c in colours)
    return Livery(colours, paints, pattern, int(rng.integers(1 << 31)))  # type: ignore[arg-type]


LIKELY: dict[str, dict[str, float]] = {
    "commercial aircraft": {
        "white": 6,
        "blue": 2.5,
        "red": 2.5,
        "grey": 1,
        "silver": 1.5,
        "yellow": 1,
        "orange": 1,
        "green": 1,
        "black": 0.8,
        "purple": 0.8,
        "brown": 0.3,
    },
    "cargo aircraft": {
        "grey": 3,
        "white": 2.5,
        "green": 1.5,
        "brown": 1.2,
        "yellow": 1,
        "red": 1,
        "blue": 1,
        "silver": 1,
        "black": 0.7,
        "orange": 0.7,
        "purple": 0.5,
    },
    "fighter jet": {
        "grey": 3,
        "blue": 1.5,
        "black": 1.2,
        "red": 1.2,
        "white": 1.2,
        "green": 1,
        "silver": 1.2,
        "yellow": 0.8,
        "orange": 0.6,
        "brown": 0.6,
        "purple": 0.4,
    },
}
"""How usual a colour is on a type; 1 for all that isn't listed."""


def random_livery(type_name: str, rng: np.random.Generator, seed_offset: int = 0) -> Livery:
    """A believable paint job for a type.

    seed_offset: shifts the seeds of patterns and paints, to keep data sets apart.
    """
    weights = np.array([LIKELY.get(type_name, {}).get(c, 1.0) for c in COLOURS])
    count = int(rng.choice([1, 2, 3], p=[0.4, 0.42, 0.18]))
    military = type_name in (
        "fighter jet",
        "fighter plane",
        "helicopter",
        "cargo aircraft",
        "drone",
    )
    seed = int(rng.integers(1 << 24)) + seed_offset
    if military and rng.random() < 0.14:
        sets = (
            ("green", "brown"),
            ("blue", "grey"),
            ("green", "grey"),
            ("brown", "yellow"),
            ("black", "green"),
            ("grey", "white"),
            ("green", "brown", "black"),
            ("blue", "grey", "white"),
            ("brown", "green", "grey"),
            ("black", "grey"),
            ("blue", "white"),
            ("brown", "black"),
        )
        colours: tuple[str, ...] = sets[int(rng.integers(len(sets)))]
        if rng.random() < 0.5:
            colours = tuple(reversed(colours))
        return make(colours, seed, camouflage=True)
    for _ in range(50):
        chosen = rng.choice(len(COLOURS), count, replace=False, p=weights / weights.sum())
        names = tuple(COLOURS[i] for i in chosen)
        neutral = {"white", "silver", "grey"}
        if len(neutral & set(names)) > 1 and ("silver" in names or "grey" in names):
            continue  # white beside silver or grey is one colour to most eyes
        if {"brown", "orange"} <= set(names) or {"orange", "yellow"} <= set(names):
            continue
        return make(names, seed)
    return make(("white",), seed)
