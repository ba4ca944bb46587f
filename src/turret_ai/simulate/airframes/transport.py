# SPDX-License-Identifier: Apache-2.0
"""A transport: a tube with wings, for airliners and cargo aircraft alike."""

from __future__ import annotations

import numpy as np

from turret_ai.simulate.airframes.light import propeller
from turret_ai.simulate.craft import Airframe
from turret_ai.simulate.solids import body, box, lathe, merge, wheel, wing


def _turbofan(frame: Airframe, x: float, y: float, z: float, r: float, pylon_to: float) -> None:
    frame.add(
        "nacelle",
        lathe(
            [
                (0.0, 0.82 * r),
                (0.12, 0.92 * r),
                (-0.8 * r, r),
                (-2.0 * r, 0.93 * r),
                (-2.9 * r, 0.68 * r),
            ],
            20,
            "x",
            (x, y, z),
        ),
    )
    frame.add("dark", lathe([(0.1, 0.78 * r), (0.08, 0.76 * r)], 18, "x", (x, y, z)))
    frame.add(
        "metal",
        lathe(
            [(-2.7 * r, 0.5 * r), (-3.4 * r, 0.34 * r), (-3.9 * r, 0.05 * r)], 14, "x", (x, y, z)
        ),
        lathe([(0.24, 0.02), (0.12, 0.22 * r)], 12, "x", (x, y, z)),
    )
    if pylon_to > z:
        frame.add(
            "nacelle", box((x - 1.6 * r, y, (z + pylon_to) / 2), (2.6 * r, 0.22, pylon_to - z))
        )
    elif pylon_to < z:
        frame.add(
            "nacelle", box((x - 1.6 * r, y, (z + pylon_to) / 2), (2.2 * r, 0.22, z - pylon_to))
        )


def transport(
    frame: Airframe,
    *,
    length: float = 37.0,
    radius: float = 1.98,
    span: float = 34.0,
    sweep: float = 8.5,
    root_chord: float = 7.0,
    tip_chord: float = 1.6,
    high: bool = False,
    engines: str = "2 wing",
    engine_radius: float = 1.1,
    t_tail: bool = False,
    winglets: bool = True,
    windows: bool = True,
    hump: float = 0.0,
    ramp: float = 0.0,
    sponsons: bool = False,
    droop: float = 0.0,
    fin_height: float = 6.6,
    gear: bool = False,
    nose_blunt: float = 1.0,
    twin_tail: bool = False,
) -> None:
    """A tube with wings.

    engines: "2 wing", "4 wing", "2 rear", "3 rear", "2 prop" or "4 prop".
    """
    h, r = length / 2.0, radius
    k, up = nose_blunt, ramp
    sections = [
        (h, 0.03 * r, 0.03 * r, -0.3 * r),
        (h - 0.16 * r * k, 0.25 * r, 0.23 * r, -0.28 * r),
        (h - 0.6 * r * k, 0.5 * r, 0.48 * r, -0.18 * r),
        (h - 1.3 * r * k, 0.78 * r, 0.76 * r, -0.06 * r),
        (h - 2.1 * r * k, 0.94 * r, 0.94 * r, -0.01 * r),
        (h - 3.0 * r * k, r, 1.02 * r, 0.0),
        (-h * 0.38, r, 1.02 * r, 0.0),
        (-h * 0.6, 0.88 * r, (0.86 - 0.06 * up) * r, (0.15 + 0.12 * up) * r),
        (-h * 0.82, 0.5 * r, (0.52 - 0.1 * up) * r, (0.42 + 0.22 * up) * r),
        (-h * 0.97, 0.18 * r, 0.22 * r, (0.66 + 0.15 * up) * r),
        (-h, 0.06 * r, 0.08 * r, (0.69 + 0.15 * up) * r),
    ]
    frame.add("paint", body(*sections, n=28))
    if hump:
        frame.add(
            "paint",
            body(
                (h - 1.2 * r, 0.3 * r, 0.2 * r, 0.5 * r),
                (h - 2.4 * r, 0.7 * r, 0.6 * r, 0.75 * r),
                (h - hump * r, 0.72 * r, 0.62 * r, 0.78 * r),
                (h - (hump + 2.5) * r, 0.3 * r, 0.1 * r, 0.85 * r),
            ),
        )
    cockpit = hump and 0.82 * r
    frame.add(
        "dark",
        body(
            (h - 1.0 * r * k, 0.36 * r, 0.1 * r, 0.26 * r + (cockpit or 0) * 0.8, 3),
            (h - 1.35 * r * k, 0.66 * r, 0.15 * r, 0.42 * r + (cockpit or 0), 3),
            (h - 1.75 * r * k, 0.84 * r, 0.12 * r, 0.5 * r + (cockpit or 0), 3),
        ),
    )
    if windows:
        step = max(0.6, length / 60.0)
        xs = np.arange(-h * 0.5, h - 3.4 * r * k, step)
        frame.add(
            "dark",
            merge(
                *[box((x, r * 0.975, 0.22 * r), (step * 0.5, 0.1, 0.19 * r)) for x in xs]
            ).both_sides(),
        )
        for x in (h - 2.9 * r * k, -h * 0.54):
            frame.add(
                "trim",
                box(
                    (x, r * 0.96 - (0.1 * r if x < 0 else 0), 0.1 * r), (0.75, 0.1, 0.85 * r)
                ).both_sides(),
            )
    half = span / 2.0
    zw = 0.88 * r if high else -0.58 * r
    lead = length * 0.13
    tip_z = zw + (-droop if high else 0.05 * span)
    mid_y = half * 0.34

    def lead_x(y: float) -> float:
        return lead - sweep * max(0.0, y - r) / (half - r) * (1.0 if y > mid_y else 1.08)

    def wing_z(y: float) -> float:
        return zw + (tip_z - zw) * y / half

    frame.add(
        "wing",
        wing(
            (lead + sweep * 0.05, 0.55 * r, zw),
            (lead - sweep, half, tip_z),
            root_chord,
            tip_chord,
            0.11,
            [((lead_x(mid_y), mid_y, wing_z(mid_y)), root_chord * 0.56 + tip_chord * 0.1)],
        ).both_sides(),
    )
    if not high:
        frame.add(
            "paint",
            body(
                (lead + 1.2, 0.3 * r, 0.15 * r, -0.85 * r),
                (lead - 0.5, 0.85 * r, 0.4 * r, -0.75 * r, 3),
                (lead - root_chord, 0.85 * r, 0.4 * r, -0.75 * r, 3),
                (lead - root_chord - 2.2, 0.3 * r, 0.15 * r, -0.85 * r),
            ),
        )
    if winglets:
        frame.add(
            "tail",
            wing(
                (lead - sweep - 0.1, half, tip_z),
                (lead - sweep - 1.2, half + 0.45, tip_z + 0.06 * span),
                tip_chord * 0.95,
                tip_chord * 0.35,
                0.09,
            ).both_sides(),
        )
    base = (0.5 + 0.2 * up) * r
    fin_x = -h * 0.62
    fin_tip = -h * 0.93
    if twin_tail:
        y = span * 0.17
        frame.add(
            "tail",
            wing((-h * 0.8, 0.1, base), (-h * 0.82, y, base + 0.3), 3.2, 2.6).both_sides(),
            wing(
                (-h * 0.76, y, base - 1.4), (-h * 0.86, y, base + 0.62 * fin_height), 3.0, 1.8
            ).both_sides(),
        )
    else:
        chord = 0.9 * fin_height
        frame.add(
            "tail",
            wing((fin_x, 0, base), (fin_tip, 0, base + fin_height), chord, chord * 0.42, 0.1),
        )
        if t_tail:
            frame.add(
                "tail",
                wing(
                    (fin_tip + 0.3, 0, base + fin_height),
                    (fin_tip - 2.2, span * 0.19, base + fin_height + 0.1),
                    chord * 0.55,
                    chord * 0.25,
                    0.1,
                ).both_sides(),
            )
        else:
            frame.add(
                "wing",
                wing(
                    (-h * 0.78, 0.25 * r, base),
                    (-h * 0.78 - 0.1 * span, span * 0.19, base + 0.03 * span),
                    chord * 0.62,
                    chord * 0.26,
                    0.1,
                ).both_sides(),
            )
    number, place = engines.split()
    er = engine_radius
    if place == "wing":
        for share in (0.36,) if number == "2" else (0.33, 0.62):
            y = half * share
            z = wing_z(y) - (1.05 if high else 0.95) * er
            for side in (1, -1):
                _turbofan(frame, lead_x(y) + 1.7 * er, y * side, z, er, wing_z(y))
    elif place == "rear":
        for side in (1, -1):
            frame.add(
                "nacelle",
                box((-h * 0.5 - 1.6 * er, side * 0.95 * r, 0.45 * r), (2.0 * er, 0.8 * r, 0.2)),
            )
            _turbofan(frame, -h * 0.5, side * (r + 1.1 * er), 0.45 * r, er, 0.45 * r)
        if number == "3":
            _turbofan(frame, -h * 0.62, 0.0, base + 1.3 * er, er, base + 1.3 * er)
            frame.add(
                "nacelle",
                body(
                    (-h * 0.63, 0.9 * er, 0.9 * er, base + 1.2 * er),
                    (-h * 0.8, 0.8 * er, 0.9 * er, base + 0.9 * er),
                    (-h * 1.02, 0.4 * er, 0.4 * er, base + 0.4 * er),
                ),
            )
    else:
        for share in (0.3,) if number == "2" else (0.28, 0.58):
            y = half * share
            z = wing_z(y) - 0.15 * er
            for side in (1, -1):
                frame.add(
                    "nacelle",
                    body(
                        (2.4 * er, 0.36 * er, 0.4 * er, 0.1),
                        (2.1 * er, 0.55 * er, 0.6 * er, 0),
                        (-0.6 * er, 0.6 * er, 0.66 * er, 0, 2.6),
                        (-2.6 * er, 0.15 * er, 0.2 * er, 0.15),
                    ).moved((lead_x(y), y * side, z)),
                )
                propeller(frame, lead_x(y) + 2.4 * er, y * side, z + 0.1, 2.05 * er, 4, 0.34 * er)
    if sponsons:
        frame.add(
            "paint",
            body(
                (0.14 * length, 0.1, 0.1, -0.75 * r),
                (0.08 * length, 0.4 * r, 0.38 * r, -0.75 * r, 3),
                (-0.1 * length, 0.4 * r, 0.38 * r, -0.75 * r, 3),
                (-0.16 * length, 0.1, 0.1, -0.7 * r),
            )
            .moved((0, 0.95 * r, 0))
            .both_sides(),
        )
    if gear:
        for y in (0.12 * span, -0.12 * span):
            frame.add(
                "dark",
                wheel((-0.02 * length, y, -1.75 * r), 0.55),
                wheel((-0.06 * length, y, -1.75 * r), 0.55),
                box((-0.04 * length, y, -1.2 * r), (0.35, 0.3, 1.1 * r)),
            )
        frame.add(
            "dark",
            wheel((h * 0.72, 0.2, -1.75 * r), 0.45),
            wheel((h * 0.72, -0.2, -1.75 * r), 0.45),
            box((h * 0.72, 0, -1.3 * r), (0.25, 0.25, 0.8 * r)),
        )
