# SPDX-License-Identifier: Apache-2.0
"""A jet fighter with everything that varies between them."""

from __future__ import annotations

from turret_ai.simulate.craft import Airframe
from turret_ai.simulate.solids import Solid, body, lathe, merge, rod, wheel, wing


def _air_missile(x: float, y: float, z: float) -> Solid:
    fins = [
        wing((x - 0.9, y, z + 0.08), (x - 1.15, y, z + 0.36), 0.42, 0.2, 0.06, n=5).rotated(
            "x", k * 1.5708, (x, y, z)
        )
        for k in range(4)
    ]
    tube = lathe(
        [(1.5, 0.01), (1.3, 0.08), (1.1, 0.1), (-1.3, 0.1), (-1.35, 0.05)], 10, "x", (x, y, z)
    )
    return merge(tube, *fins)


def jet(
    frame: Airframe,
    *,
    length: float = 15.5,
    width: float = 1.35,
    engines: int = 2,
    planform: str = "swept",
    span: float = 11.0,
    root_chord: float = 5.6,
    tip_chord: float = 1.4,
    sweep: float = 4.6,
    wing_at: float = 0.12,
    wing_z: float = 0.05,
    fins: int = 2,
    cant: float = 0.65,
    fin_height: float = 2.6,
    stabilisers: bool = True,
    canards: bool = False,
    strakes: bool = True,
    intakes: str = "side",
    nose: float = 1.0,
    angular: bool = False,
    stores: int = 2,
    tanks: bool = False,
    gear: bool = False,
    glow: bool = False,
    dihedral: float = 0.0,
    canopy_at: float = 0.55,
    two_seats: bool = False,
) -> None:
    """A jet fighter; lengths in metres, `sweep` is how far the tip's leading edge lies behind."""
    h = length / 2.0
    w = width if engines == 2 else width * 0.78
    e = 3.4 if engines == 2 else 2.3
    if angular:
        e = 1.5
    nose_end = h * (0.98 + 0.05 * nose)
    frame.add(
        "paint",
        body(
            (nose_end, 0.02, 0.02, -0.05),
            (h * 0.9, 0.26, 0.24, -0.04, 2 if not angular else 1.6),
            (h * 0.75, 0.44, 0.44, 0, 2 if not angular else 1.5),
            (h * 0.55, 0.58, 0.6, 0.06, 2 if not angular else 1.5),
            (h * 0.35, w * 0.62, 0.7, 0.05, 2.2 if not angular else 1.5),
            (h * 0.1, w, 0.7, 0, e),
            (-h * 0.4, w, 0.66, 0, e),
            (-h * 0.75, w * 0.92, 0.58, 0, e),
            (-h * 0.88, w * 0.8, 0.5, 0, e),
            steps=2,
        ),
    )
    c = h * canopy_at
    long = 1.35 if two_seats else 1.0
    frame.add(
        "glass",
        body(
            (c + 1.4, 0.08, 0.04, 0.42),
            (c + 0.9, 0.33, 0.32, 0.56),
            (c, 0.42, 0.48, 0.68),
            (c - 1.0 * long, 0.4, 0.42, 0.7),
            (c - 2.2 * long, 0.2, 0.2, 0.64),
            (c - 2.7 * long, 0.05, 0.05, 0.6),
        ),
    )
    frame.add(
        "paint",
        body(
            (c - 1.6 * long, 0.22, 0.2, 0.58),
            (0, 0.42, 0.28, 0.56),
            (-h * 0.5, 0.36, 0.2, 0.5),
            (-h * 0.75, 0.1, 0.05, 0.45),
        ),
    )
    half = span / 2.0
    lead = h * wing_at + root_chord * 0.35
    tip = (lead - sweep, half, wing_z + half * dihedral)
    root = (lead, w * 0.7, wing_z)
    if planform == "cranked":
        mid = (lead - sweep * 0.62, half * 0.5, wing_z + half * dihedral * 0.5)
        frame.add(
            "wing",
            wing(root, tip, root_chord, tip_chord, 0.05, [(mid, root_chord * 0.55)]).both_sides(),
        )
    else:
        frame.add("wing", wing(root, tip, root_chord, tip_chord, 0.05).both_sides())
    if strakes:
        frame.add(
            "wing",
            wing(
                (lead + 2.7, 0.45, wing_z + 0.08),
                (lead - 0.4, w + 0.35, wing_z + 0.02),
                4.2,
                2.4,
                0.03,
            ).both_sides(),
        )
    if canards:
        frame.add(
            "wing", wing((h * 0.48, 0.55, 0.25), (h * 0.3, 2.3, 0.35), 1.7, 0.6, 0.05).both_sides()
        )
    if stabilisers:
        frame.add(
            "tail",
            wing(
                (-h * 0.62, w * 0.75, -0.02),
                (-h * 0.92, w + 2.3, -0.02 - (0.5 if dihedral < -0.02 else 0)),
                2.7,
                1.0,
                0.05,
            ).both_sides(),
        )
    if fins == 2:
        frame.add(
            "tail",
            wing(
                (-h * 0.38, w * 0.8, 0.42),
                (-h * 0.72, w * 0.8 + cant, 0.42 + fin_height),
                2.9,
                1.15,
                0.05,
            ).both_sides(),
        )
    else:
        frame.add(
            "tail", wing((-h * 0.36, 0, 0.5), (-h * 0.8, 0, 0.6 + fin_height * 1.2), 3.3, 1.2, 0.05)
        )
    if intakes == "side":
        y = w * 0.82
        frame.add(
            "nacelle",
            body(
                (h * 0.36, 0.34, 0.5, -0.16, 4.5),
                (h * 0.1, 0.4, 0.56, -0.16, 4),
                (-h * 0.25, 0.25, 0.3, -0.1, 3),
            )
            .moved((0, y, 0))
            .both_sides(),
        )
        frame.add(
            "dark",
            body(
                (h * 0.363, 0.28, 0.43, -0.16, 4.5),
                (h * 0.355, 0.28, 0.43, -0.16, 4.5),
            )
            .moved((0, y, 0))
            .both_sides(),
        )
    elif intakes == "chin":
        frame.add(
            "nacelle",
            body(
                (h * 0.42, 0.48, 0.3, -0.66, 2.6),
                (h * 0.1, 0.6, 0.45, -0.55, 2.6),
                (-h * 0.4, 0.4, 0.3, -0.3),
            ),
        )
        frame.add(
            "dark", body((h * 0.424, 0.4, 0.23, -0.66, 2.6), (h * 0.415, 0.4, 0.23, -0.66, 2.6))
        )
    elif intakes == "nose":
        frame.add("dark", lathe([(nose_end + 0.02, 0.3), (nose_end - 0.2, 0.3)], 16, "x"))
        frame.add(
            "nacelle", lathe([(nose_end, 0.32), (nose_end - 0.05, 0.36), (h * 0.8, 0.46)], 18, "x")
        )
        frame.add("metal", lathe([(nose_end + 0.5, 0.01), (nose_end, 0.18)], 14, "x"))
    ys = (w * 0.48, -w * 0.48) if engines == 2 else (0.0,)
    r = 0.56 if engines == 2 else 0.62
    for y in ys:
        frame.add(
            "metal",
            lathe(
                [
                    (0.3, r * 0.98),
                    (0, r),
                    (-0.9, r * 0.85),
                    (-1.2, r * 0.72),
                    (-1.15, r * 0.6),
                    (-0.5, r * 0.55),
                ],
                20,
                "x",
                (-h * 0.86, y, 0),
            ),
        )
        frame.add("dark", lathe([(-0.8, r * 0.56), (-0.85, r * 0.55)], 16, "x", (-h * 0.86, y, 0)))
        if glow:
            frame.add(
                "flame",
                lathe(
                    [(-1.05, r * 0.5), (-1.9, r * 0.45), (-3.2, r * 0.08)],
                    14,
                    "x",
                    (-h * 0.86, y, 0),
                ),
            )
    for k in range(stores):
        share = (1.0, 0.68, 0.45)[k]
        x = lead - sweep * share - 0.6
        y = w * 0.7 + (half - w * 0.7) * share
        z = wing_z + half * dihedral * share - (0.0 if k == 0 else 0.38)
        frame.add("trim", _air_missile(x, y, z).both_sides())
    if tanks:
        y = w * 0.7 + (half - w * 0.7) * 0.38
        frame.add(
            "nacelle",
            lathe(
                [(2.2, 0.02), (1.5, 0.26), (0.5, 0.36), (-1.2, 0.34), (-2.4, 0.04)],
                14,
                "x",
                (lead - sweep * 0.3 - 0.8, y, wing_z - 0.6),
            ).both_sides(),
        )
    if gear:
        frame.add(
            "dark",
            rod((-0.6, w * 0.7, -0.5), (-0.9, w + 0.3, -1.6), 0.09).both_sides(),
            wheel((-0.9, w + 0.35, -1.6), 0.38).both_sides(),
            rod((h * 0.5, 0, -0.4), (h * 0.5, 0, -1.6), 0.08),
            wheel((h * 0.5, 0, -1.65), 0.28),
        )
