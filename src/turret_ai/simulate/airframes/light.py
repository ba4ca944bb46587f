# SPDX-License-Identifier: Apache-2.0
"""Light aircraft: high and low wing, one or two engines, biplane, canard, fixed and drawn gear."""

from __future__ import annotations

from turret_ai.simulate.craft import Airframe, Disc
from turret_ai.simulate.solids import blades, body, lathe, merge, rod, wheel, wing


def propeller(
    frame: Airframe, x: float, y: float, z: float, radius: float, count: int, spinner: float = 0.2
) -> None:
    """A spinner, its blades and their disc."""
    frame.add(
        "trim",
        lathe(
            [(0.0, spinner), (spinner * 1.5, spinner * 0.6), (spinner * 2.1, 0.02)],
            14,
            "x",
            (x, y, z),
        ),
    )
    frame.add(
        "blade",
        blades(
            (x + spinner * 0.6, y, z),
            radius,
            radius * 0.16,
            count,
            "x",
            thickness=0.05,
            twist=0.4,
            phase=0.5 + abs(y),
        ),
    )
    frame.discs.append(Disc((x + spinner * 0.6, y, z), (1.0, 0.0, 0.0), radius))


def single(
    frame: Airframe,
    *,
    length: float = 1.0,
    width: float = 1.0,
    span: float = 11.0,
    chord: float = 1.6,
    taper: float = 0.75,
    high: bool = True,
    dihedral: float = 0.02,
    sweep: float = 0.2,
    gear: str = "nose",
    struts: bool = True,
    tail: str = "plain",
    canopy: str = "cabin",
    engines: int = 1,
    blade_count: int = 2,
    biplane: bool = False,
    radial: bool = False,
    winglets: bool = False,
    spats: bool = False,
) -> None:
    """A small propeller aeroplane; the factors scale a four-seater of 8 m."""
    s, w = length, width
    nose = [(2.75 * s, 0.12, 0.12, 0.0), (2.62 * s, 0.36 * w, 0.34, 0.0)]
    if radial:
        nose = [(2.75 * s, 0.42 * w, 0.42, 0.0), (2.7 * s, 0.56 * w, 0.56, 0.0)]
    if engines == 2:
        nose = [(3.3 * s, 0.06, 0.06, -0.1), (3.0 * s, 0.26 * w, 0.24, -0.06)]
    frame.add(
        "paint",
        body(
            *nose,
            (2.1 * s, 0.47 * w, 0.46, 0.0, 2.6),
            (1.2 * s, 0.54 * w, 0.54, 0.03, 3),
            (0.6 * s, 0.57 * w, 0.62, 0.08, 3),
            (-0.8 * s, 0.55 * w, 0.62, 0.1, 3),
            (-2.0 * s, 0.36 * w, 0.42, 0.14, 2.4),
            (-4.6 * s, 0.12, 0.2, 0.26),
            (-4.9 * s, 0.05, 0.1, 0.28),
        ),
    )
    top = 0.7
    if canopy == "cabin":
        frame.add(
            "glass",
            body(
                (1.45 * s, 0.34 * w, 0.1, 0.45),
                (0.85 * s, 0.53 * w, 0.36, 0.62, 3),
                (-0.6 * s, 0.54 * w, 0.36, 0.64, 3),
                (-1.4 * s, 0.36 * w, 0.2, 0.48, 2.6),
                (-1.8 * s, 0.2, 0.08, 0.4),
            ),
        )
        frame.add(
            "paint",
            body(
                (0.75 * s, 0.2, 0.03, 0.95),
                (0.4 * s, 0.5 * w, 0.07, 0.98, 3),
                (-0.7 * s, 0.5 * w, 0.07, 0.98, 3),
                (-1.9 * s, 0.12, 0.04, 0.55),
            ),
        )
        top = 1.05
    else:
        frame.add(
            "glass",
            body(
                (1.2 * s, 0.2, 0.08, 0.55),
                (0.6 * s, 0.42 * w, 0.4, 0.68),
                (-0.4 * s, 0.42 * w, 0.42, 0.7),
                (-1.5 * s, 0.2, 0.15, 0.5),
            ),
        )
    half = span / 2.0
    z = top if high else -0.32
    tip_z = z + half * (dihedral if high else dihedral + 0.06)
    frame.add(
        "wing",
        wing(
            (0.95 * s, 0.0, z), (0.95 * s - sweep, half, tip_z), chord, chord * taper, 0.14
        ).both_sides(),
    )
    if biplane:
        frame.add(
            "wing",
            wing(
                (0.75 * s, 0.3, -0.35), (0.6 * s, half * 0.92, -0.2), chord, chord * taper, 0.12
            ).both_sides(),
        )
        for x in (0.6 * s, -0.2 * s):
            frame.add(
                "trim", rod((x, half * 0.75, -0.25), (x, half * 0.75, tip_z), 0.06).both_sides()
            )
        frame.add("dark", rod((0.5 * s, 0.3, 0.5), (0.5 * s, 0.5, z), 0.05).both_sides())
    if winglets:
        frame.add(
            "trim",
            wing(
                (0.9 * s - sweep, half, tip_z),
                (0.5 * s - sweep, half + 0.12, tip_z + 0.7),
                chord * taper * 0.8,
                0.4,
            ).both_sides(),
        )
    if high and struts and not biplane:
        frame.add(
            "dark",
            rod((0.3 * s, 0.5 * w, -0.32), (0.35 * s, half * 0.48, z + 0.02), 0.06).both_sides(),
        )
    fin_top = 1.95
    if tail == "v":
        frame.add("tail", wing((-3.7 * s, 0.1, 0.3), (-4.5 * s, 1.5, 1.5), 1.2, 0.7).both_sides())
    else:
        frame.add("tail", wing((-3.5 * s, 0, 0.35), (-4.7 * s, 0, fin_top), 1.5, 0.75, 0.1))
        if tail == "t":
            frame.add(
                "tail",
                wing((-4.5 * s, 0, fin_top), (-4.7 * s, 1.75, fin_top), 0.9, 0.65).both_sides(),
            )
        else:
            frame.add(
                "tail", wing((-4.0 * s, 0, 0.33), (-4.2 * s, 1.8, 0.33), 1.1, 0.75).both_sides()
            )
    if engines == 2:
        y, zn = 1.85, z - (0.2 if high else -0.05)
        frame.add(
            "nacelle",
            body(
                (2.1 * s, 0.16, 0.16, 0),
                (1.95 * s, 0.36, 0.32, 0),
                (0.6 * s, 0.38, 0.34, 0, 2.6),
                (-0.7 * s, 0.1, 0.1, 0.05),
            )
            .moved((0, y, zn))
            .both_sides(),
        )
        for side in (1, -1):
            propeller(frame, 2.1 * s, y * side, zn, 0.95, max(3, blade_count), 0.16)
    else:
        propeller(
            frame,
            2.7 * s,
            0.0,
            0.0,
            1.0 if not radial else 1.25,
            blade_count,
            0.16 if radial else 0.2,
        )
    main_x = 0.1 * s if gear == "nose" else 1.15 * s
    if gear in ("nose", "tail"):
        for side in (1, -1):
            frame.add(
                "dark",
                rod((main_x, 0.4 * side, -0.4), (main_x, 1.15 * side, -1.1), 0.06),
                wheel((main_x, 1.2 * side, -1.15), 0.27),
            )
            if spats:
                frame.add(
                    "trim",
                    body(
                        (main_x + 0.5, 0.02, 0.02, -1.1),
                        (main_x + 0.2, 0.15, 0.24, -1.1),
                        (main_x - 0.6, 0.03, 0.05, -1.08),
                    ).moved((0, 1.2 * side, 0)),
                )
        if gear == "nose":
            frame.add(
                "dark",
                rod((2.0 * s, 0, -0.35), (2.1 * s, 0, -1.1), 0.05),
                wheel((2.1 * s, 0, -1.15), 0.23),
            )
        else:
            frame.add("dark", wheel((-4.5 * s, 0, -0.02), 0.13))
    elif gear == "floats":
        frame.add(
            "trim",
            body(
                (3.0 * s, 0.05, 0.05, -1.3),
                (2.4 * s, 0.32, 0.28, -1.4, 3),
                (0, 0.36, 0.3, -1.45, 3),
                (-2.6 * s, 0.08, 0.1, -1.3),
            )
            .moved((0, 1.15, 0))
            .both_sides(),
        )
        for x in (1.3 * s, -0.6 * s):
            frame.add("dark", rod((x, 0.4, -0.4), (x, 1.15, -1.2), 0.06).both_sides())


def pusher(frame: Airframe, *, span: float = 8.6, length: float = 5.4) -> None:
    """A canard with swept wings, tip fins and the propeller behind."""
    h = length / 2
    frame.add(
        "paint",
        body(
            (h, 0.03, 0.03, -0.1),
            (h * 0.75, 0.28, 0.25, -0.08),
            (h * 0.2, 0.42, 0.45, 0),
            (-h * 0.4, 0.45, 0.48, 0.05),
            (-h, 0.25, 0.25, 0.1),
        ),
    )
    frame.add(
        "glass",
        body(
            (h * 0.55, 0.15, 0.08, 0.22),
            (h * 0.2, 0.36, 0.36, 0.3),
            (-h * 0.25, 0.3, 0.3, 0.35),
            (-h * 0.5, 0.1, 0.1, 0.3),
        ),
    )
    frame.add("wing", wing((0.2, 0.2, 0.0), (-h * 0.95, span / 2, 0.1), 2.2, 0.75).both_sides())
    frame.add(
        "tail", wing((-h * 0.95, span / 2, 0.0), (-h * 1.3, span / 2, 1.1), 0.8, 0.45).both_sides()
    )
    frame.add("trim", wing((h * 0.86, 0, -0.02), (h * 0.84, 1.9, 0.0), 0.45, 0.38).both_sides())
    frame.add("blade", blades((-h - 0.15, 0, 0.1), 0.85, 0.14, 2, "x", thickness=0.05, twist=0.4))
    frame.discs.append(Disc((-h - 0.15, 0.0, 0.1), (1.0, 0.0, 0.0), 0.85))
    frame.add(
        "dark",
        merge(
            wheel((-0.6, 0.9, -0.95), 0.22),
            wheel((-0.6, -0.9, -0.95), 0.22),
            wheel((h * 0.7, 0, -0.9), 0.18),
        ),
        rod((-0.6, 0.2, -0.3), (-0.6, 0.9, -0.9), 0.05).both_sides(),
    )
