# SPDX-License-Identifier: Apache-2.0
"""Missiles: ballistic, air-to-air, cruise, with and without flame."""

from __future__ import annotations

import math

from turret_ai.simulate.craft import Airframe
from turret_ai.simulate.solids import body, box, lathe, merge, rod, wing


def rocket(
    frame: Airframe,
    *,
    length: float = 5.3,
    radius: float = 0.2,
    nose: float = 0.22,
    blunt: float = 0.0,
    fins: int = 4,
    fin_span: float = 0.6,
    fin_chord: float = 0.85,
    fin_sweep: float = 0.5,
    canards: float = 0.0,
    canard_at: float = 0.6,
    strakes: bool = False,
    booster: float = 0.0,
    bands: int = 2,
    flame: float = 0.0,
) -> None:
    """A body of revolution with tail fins; `nose` is the share of the length."""
    h = length / 2.0
    shoulder = h - nose * length
    frame.add(
        "paint",
        lathe([(shoulder, radius), (-h, radius)], 22),
    )
    curve = [(k / 6.0) for k in range(7)]
    frame.add(
        "trim",
        lathe(
            [
                (
                    shoulder + nose * length * t,
                    max(
                        radius * math.sqrt(max(0.0, 1 - t ** (2.0 if blunt else 1.6))),
                        0.004 + blunt * radius * 0.2,
                    ),
                )
                for t in curve
            ],
            22,
        ),
    )
    if booster:
        frame.add(
            "nacelle",
            lathe(
                [
                    (-h + 0.1, radius * 0.9),
                    (-h, radius * booster),
                    (-h - length * 0.22, radius * booster),
                    (-h - length * 0.24, radius * 0.8),
                ],
                20,
            ),
        )
    end = -h - (length * 0.22 if booster else 0.0)
    for k in range(bands):
        x = shoulder - (k + 0.6) * (shoulder + h) / (bands + 0.6)
        frame.add("trim", lathe([(x, radius * 1.02), (x - length * 0.025, radius * 1.02)], 22))
    for k in range(fins):
        angle = math.pi / 4 + 2 * math.pi * k / fins
        frame.add(
            "tail",
            wing(
                (end + fin_chord + 0.05, 0, radius * 0.8),
                (end + fin_chord - fin_sweep, 0, radius + fin_span),
                fin_chord,
                fin_chord * 0.45,
                0.06,
                n=6,
            ).rotated("x", angle),
        )
    if canards:
        x = -h + canard_at * length
        for k in range(4):
            angle = math.pi / 4 + math.pi * k / 2
            frame.add(
                "wing",
                wing(
                    (x + 0.4, 0, radius * 0.8), (x, 0, radius + canards), 0.7, 0.25, 0.05, n=6
                ).rotated("x", angle),
            )
    if strakes:
        for k in range(4):
            angle = math.pi / 4 + math.pi * k / 2
            frame.add(
                "wing",
                wing(
                    (h * 0.1, 0, radius * 0.8),
                    (-h * 0.1, 0, radius * 1.7),
                    length * 0.32,
                    length * 0.26,
                    0.03,
                    n=6,
                ).rotated("x", angle),
            )
    frame.add(
        "metal",
        lathe(
            [
                (end, radius * 0.6),
                (end - 0.25, radius * 0.85),
                (end - 0.24, radius * 0.7),
                (end, radius * 0.5),
            ],
            16,
        ),
    )
    if flame:
        frame.add(
            "flame",
            lathe(
                [
                    (end - 0.2, radius * 0.5),
                    (end - 0.2 - flame * 0.25, radius * 0.8),
                    (end - 0.2 - flame * 0.6, radius * 0.55),
                    (end - 0.2 - flame, radius * 0.05),
                ],
                14,
            ),
        )


def cruise(
    frame: Airframe,
    *,
    length: float = 6.2,
    radius: float = 0.27,
    span: float = 2.7,
    sweep: float = 0.15,
    square: float = 2.0,
    intake: str = "belly",
    tail_fins: int = 4,
    chord: float = 0.42,
) -> None:
    """A small jet with short straight wings and an intake."""
    h = length / 2.0
    frame.add(
        "paint",
        body(
            (h, 0.03, 0.03, 0),
            (h * 0.93, radius * 0.6, radius * 0.6, 0),
            (h * 0.78, radius, radius, 0, square),
            (-h * 0.75, radius, radius, 0, square),
            (-h * 0.97, radius * 0.62, radius * 0.62, 0),
            (-h, radius * 0.5, radius * 0.5, 0),
        ),
    )
    frame.add(
        "trim",
        body(
            (h + 0.005, 0.04, 0.04, 0),
            (h * 0.93, radius * 0.63, radius * 0.63, 0),
            (h * 0.8, radius * 1.01, radius * 1.01, 0, square),
            (h * 0.77, radius * 1.01, radius * 1.01, 0, square),
        ),
    )
    frame.add(
        "wing",
        wing(
            (0.35, 0.1, 0.02), (0.35 - sweep, span / 2, 0.02), chord, chord * 0.72, 0.12, n=7
        ).both_sides(),
    )
    for k in range(tail_fins):
        angle = math.pi / 4 + 2 * math.pi * k / tail_fins if tail_fins == 4 else 2 * math.pi * k / 3
        frame.add(
            "tail",
            wing(
                (-h + 0.75, 0, radius * 0.5), (-h + 0.5, 0, radius + 0.5), 0.55, 0.35, 0.08, n=6
            ).rotated("x", angle),
        )
    z = -radius * 1.25 if intake == "belly" else radius * 1.2
    frame.add("nacelle", box((-h * 0.35, 0, z), (1.0, radius * 1.1, radius * 0.9)))
    frame.add(
        "dark",
        box((-h * 0.35 + 0.51, 0, z), (0.02, radius * 0.9, radius * 0.7)),
        lathe([(-h, radius * 0.42), (-h - 0.06, radius * 0.4)], 14),
    )
    frame.add("metal", merge(rod((0, 0, radius), (0, 0, radius + 0.03), 0.05)))
