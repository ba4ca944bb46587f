# SPDX-License-Identifier: Apache-2.0
"""Drones: multicopters, and uncrewed aeroplanes with long wings, twin booms or a delta."""

from __future__ import annotations

import math

from turret_ai.simulate.craft import Airframe, Disc
from turret_ai.simulate.solids import blades, body, box, lathe, merge, rod, wing


def multicopter(
    frame: Airframe,
    *,
    arms: int = 4,
    reach: float = 0.85,
    rotor: float = 0.38,
    length: float = 0.42,
    width: float = 0.2,
    height: float = 0.12,
    boxy: float = 3.0,
    legs: str = "splayed",
    shroud: bool = False,
    camera: bool = True,
    blade_count: int = 2,
    stack: float = 0.0,
    droop: float = 0.0,
    payload: bool = False,
) -> None:
    """A body with `arms` rotors around it; `reach` is the distance of a rotor's axis, metres."""
    frame.add(
        "paint",
        body(
            (-length, width * 0.3, height * 0.3, 0.0),
            (-length * 0.9, width * 0.8, height * 0.8, 0.0, boxy),
            (-length * 0.3, width, height, 0.01, boxy),
            (length * 0.4, width, height, 0.01, boxy),
            (length * 0.9, width * 0.75, height * 0.75, 0.0, boxy),
            (length, width * 0.3, height * 0.35, 0.0),
        ),
    )
    frame.add(
        "trim",
        body(
            (-length * 0.7, width * 0.3, 0.01, height),
            (-length * 0.6, width * 0.65, 0.05, height, 3.0),
            (length * 0.5, width * 0.6, 0.05, height, 3.0),
            (length * 0.65, width * 0.2, 0.01, height),
        ),
    )
    for k in range(arms):
        angle = math.pi / arms + 2.0 * math.pi * k / arms
        x, y, z = reach * math.cos(angle), reach * math.sin(angle), 0.06 - droop
        frame.add(
            "wing",
            rod(
                (length * 0.45 * math.cos(angle), width * 0.7 * math.sin(angle), 0.02),
                (x, y, z),
                0.055,
                0.04,
            ),
        )
        frame.add(
            "nacelle",
            lathe([(-0.09, 0.05), (-0.06, 0.09), (0.06, 0.09), (0.1, 0.05)], 12, "z", (x, y, z)),
        )
        top = z + 0.12
        frame.add(
            "blade",
            blades((x, y, top), rotor, 0.07, blade_count, phase=0.7 + 1.9 * k, thickness=0.018),
        )
        frame.discs.append(Disc((x, y, top), (0.0, 0.0, 1.0), rotor))
        if shroud:
            ring = []
            for i in range(16):
                a, b = 2 * math.pi * i / 16, 2 * math.pi * (i + 1) / 16
                r = rotor * 1.08
                ring.append(
                    rod(
                        (x + r * math.cos(a), y + r * math.sin(a), top),
                        (x + r * math.cos(b), y + r * math.sin(b), top),
                        0.04,
                        n=6,
                    )
                )
            frame.add("trim", merge(*ring))
        if legs == "motor":
            frame.add("dark", rod((x, y, z - 0.05), (x * 1.04, y * 1.04, z - 0.36), 0.028, 0.02))
    if legs == "splayed":
        for side in (1, -1):
            for forward in (1, -1):
                frame.add(
                    "dark",
                    rod(
                        (forward * 0.16, side * width * 0.6, -height * 0.5),
                        (forward * 0.24, side * 0.34, -0.46),
                        0.025,
                    ),
                )
            frame.add("dark", rod((-0.36, side * 0.34, -0.46), (0.36, side * 0.34, -0.46), 0.028))
    if camera:
        frame.add(
            "dark",
            lathe(
                [(0.0, 0.02), (0.02, 0.08), (0.1, 0.08), (0.13, 0.06)],
                14,
                "x",
                (length * 0.55, 0, -height - 0.07),
            ),
        )
        frame.add(
            "glass",
            lathe(
                [(0.0, 0.05), (0.012, 0.045)], 12, "x", (length * 0.55 + 0.13, 0, -height - 0.07)
            ),
        )
    if payload:
        frame.add("trim", box((0, 0, -height - 0.16), (length * 1.1, width * 1.5, 0.26)))
    if stack:
        frame.add(
            "dark",
            lathe([(0.0, 0.13), (stack, 0.11), (stack + 0.05, 0.03)], 14, "z", (-0.1, 0, height)),
        )


def reconnaissance(
    frame: Airframe,
    *,
    span: float = 16.0,
    length: float = 9.0,
    bulge: float = 0.62,
    chord: float = 1.2,
    tail: str = "v",
    wing_height: float = 0.1,
    booms: bool = False,
    stores: int = 1,
    pusher: bool = True,
    sweep: float = 0.3,
    turret: bool = True,
) -> None:
    """An uncrewed aeroplane of long span with a bulged nose and usually a pusher propeller."""
    h, w = length / 2.0, 0.42
    rear = -h * 0.45 if booms else -h
    frame.add(
        "paint",
        body(
            (h, 0.08, 0.08, -0.05),
            (h * 0.93, w * 0.75, bulge * 0.55, 0.08),
            (h * 0.72, w * 1.15, bulge, 0.18),
            (h * 0.45, w * 1.05, bulge * 0.8, 0.1),
            (0.0, w, 0.46, 0.0),
            (rear * 0.6, w * 0.8, 0.4, 0.0),
            (rear, 0.22, 0.24, 0.05),
        ),
    )
    half = span / 2.0
    frame.add(
        "wing",
        wing(
            (chord * 0.6, 0.2, wing_height),
            (chord * 0.6 - sweep, half, wing_height + half * 0.05),
            chord,
            chord * 0.5,
            0.13,
        ).both_sides(),
    )
    tail_x = -h + 1.1
    if booms:
        y = span * 0.12
        frame.add(
            "paint", rod((0.2, y, wing_height), (-h, y, wing_height + 0.1), 0.13, 0.09).both_sides()
        )
        frame.add(
            "tail",
            wing((-h + 0.8, y, 0.1), (-h + 0.3, y, 1.3), 0.9, 0.6).both_sides(),
            wing((-h + 0.5, -y, 1.2), (-h + 0.5, y, 1.2), 0.6, 0.6),
        )
    elif tail == "v":
        frame.add(
            "tail", wing((tail_x, 0.15, 0.1), (tail_x - 0.5, 1.7, 1.35), 0.95, 0.55).both_sides()
        )
    elif tail == "inverted":
        frame.add(
            "tail",
            wing((tail_x, 0.15, 0.0), (tail_x - 0.4, 1.6, -0.8), 0.9, 0.55).both_sides(),
            wing((tail_x, 0, 0.0), (tail_x - 0.4, 0, -0.95), 0.9, 0.5),
        )
    else:
        frame.add(
            "tail",
            wing((tail_x, 0, 0.1), (tail_x - 0.5, 0, 1.5), 1.0, 0.6),
            wing((tail_x, 0.1, 0.15), (tail_x - 0.2, 1.5, 0.15), 0.75, 0.5).both_sides(),
        )
    x = rear - 0.15 if pusher else h + 0.1
    frame.add(
        "trim",
        lathe(
            [(-0.15, 0.05), (0.1, 0.18)] if pusher else [(0.0, 0.18), (0.3, 0.03)],
            12,
            "x",
            (x, 0, 0.05),
        ),
    )
    frame.add("blade", blades((x, 0, 0.05), 0.95, 0.15, 3, "x", thickness=0.05, twist=0.5))
    frame.discs.append(Disc((x, 0.0, 0.05), (1.0, 0.0, 0.0), 0.95))
    if turret:
        frame.add(
            "dark",
            lathe([(-0.3, 0.02), (-0.28, 0.2), (0.0, 0.27)], 14, "z", (h * 0.7, 0, -bulge * 0.72)),
        )
    for k in range(stores):
        y = half * (0.25 + 0.17 * k)
        frame.add(
            "trim",
            merge(
                rod((0.7, y, wing_height - 0.35), (-0.8, y, wing_height - 0.35), 0.1),
                box((0, y, wing_height - 0.2), (0.5, 0.05, 0.3)),
            ).both_sides(),
        )
    frame.add(
        "dark",
        rod((h * 0.6, 0, -0.3), (h * 0.6, 0, -1.15), 0.05),
        rod((-0.4, 0.25, -0.3), (-0.6, 0.85, -1.15), 0.05).both_sides(),
    )


def delta(
    frame: Airframe,
    *,
    span: float = 2.6,
    length: float = 3.4,
    fins: bool = True,
    sweep_end: float = 0.25,
    body_radius: float = 0.24,
    notch: bool = False,
) -> None:
    """A tailless delta with a pusher propeller, or a flying wing where `notch` is set."""
    h, half = length / 2.0, span / 2.0
    frame.add(
        "paint",
        lathe(
            [
                (h, 0.02),
                (h * 0.85, body_radius * 0.6),
                (h * 0.5, body_radius),
                (-h * 0.9, body_radius),
                (-h, body_radius * 0.6),
            ],
            18,
        ),
    )
    root = length * (0.62 if notch else 0.82)
    frame.add(
        "wing",
        wing(
            (h * 0.62, 0, 0),
            (-h + sweep_end * length, half, 0.02),
            root,
            length * (0.22 if notch else 0.16),
            0.07,
        ).both_sides(),
    )
    if fins:
        frame.add(
            "tail",
            merge(
                wing(
                    (-h + sweep_end * length, half, 0.0),
                    (-h + 0.2 * length, half, 0.48),
                    0.55,
                    0.35,
                ),
                wing(
                    (-h + sweep_end * length, half, 0.0),
                    (-h + 0.2 * length, half, -0.35),
                    0.55,
                    0.35,
                ),
            ).both_sides(),
        )
        frame.add("blade", blades((-h - 0.1, 0, 0), 0.5, 0.1, 2, "x", thickness=0.03, twist=0.5))
        frame.discs.append(Disc((-h - 0.1, 0.0, 0.0), (1.0, 0.0, 0.0), 0.5))
    else:
        frame.add(
            "trim",
            body(
                (h * 0.5, 0.1, 0.05, 0.2),
                (h * 0.25, 0.32, 0.2, 0.16, 3),
                (-h * 0.3, 0.3, 0.12, 0.14, 3),
                (-h * 0.6, 0.1, 0.05, 0.1),
            ),
        )
        frame.add("dark", body((h * 0.36, 0.26, 0.1, 0.24, 3), (h * 0.33, 0.26, 0.1, 0.24, 3)))
