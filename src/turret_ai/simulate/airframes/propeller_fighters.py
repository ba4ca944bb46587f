# SPDX-License-Identifier: Apache-2.0
"""Fighter planes: the propeller-driven fighters of the 1930s to 1950s."""

from __future__ import annotations

from turret_ai.simulate.airframes.light import propeller
from turret_ai.simulate.craft import Airframe
from turret_ai.simulate.solids import body, box, lathe, merge, rod, wheel, wing


def single(
    frame: Airframe,
    *,
    length: float = 9.2,
    span: float = 11.2,
    nose: str = "inline",
    planform: str = "ellipse",
    canopy: str = "bubble",
    chin: bool = False,
    scoop: bool = False,
    gull: float = 0.0,
    gear: bool = False,
    blade_count: int = 4,
    chord: float = 2.5,
    dihedral: float = 0.09,
    tail_height: float = 1.75,
    cannons: int = 2,
    tank: bool = False,
    razorback: bool = False,
) -> None:
    """A single-engined fighter with an inline or a radial engine."""
    h = length / 2.0
    if nose == "radial":
        front = [(h, 0.48, 0.48, 0.05), (h * 0.97, 0.68, 0.68, 0.05), (h * 0.72, 0.74, 0.76, 0.05)]
    else:
        front = [(h, 0.26, 0.28, 0.05), (h * 0.9, 0.36, 0.4, 0.04), (h * 0.6, 0.44, 0.54, 0.03)]
    frame.add(
        "paint",
        body(
            *front,
            (h * 0.2, 0.5, 0.68, 0.05),
            (-h * 0.15, 0.46, 0.64, 0.1),
            (-h * 0.55, 0.27, 0.4, 0.18),
            (-h * 0.95, 0.08, 0.16, 0.26),
            (-h, 0.03, 0.06, 0.28),
        ),
    )
    if nose == "radial":
        frame.add("dark", lathe([(h + 0.01, 0.4), (h - 0.1, 0.4)], 18, "x", (0, 0, 0.05)))
    if razorback or canopy == "framed":
        frame.add(
            "paint",
            body(
                (h * 0.02, 0.2, 0.28, 0.62),
                (-h * 0.12, 0.28, 0.32, 0.62),
                (-h * 0.5, 0.14, 0.2, 0.46),
                (-h * 0.7, 0.05, 0.08, 0.36),
            ),
        )
        frame.add(
            "glass",
            body(
                (h * 0.25, 0.12, 0.06, 0.66),
                (h * 0.16, 0.29, 0.3, 0.76),
                (h * 0.0, 0.31, 0.34, 0.78, 2.6),
                (-h * 0.1, 0.26, 0.26, 0.74),
            ),
        )
    else:
        frame.add(
            "glass",
            body(
                (h * 0.26, 0.12, 0.06, 0.64),
                (h * 0.15, 0.29, 0.34, 0.74),
                (-h * 0.02, 0.3, 0.38, 0.78),
                (-h * 0.22, 0.1, 0.1, 0.62),
            ),
        )
    half, lead = span / 2.0, h * 0.32
    root_z = -0.38
    tip_z = root_z + half * dihedral
    if planform == "ellipse":
        frame.add(
            "wing",
            wing(
                (lead, 0, root_z),
                (lead - chord * 0.5, half, tip_z),
                chord,
                0.25,
                0.13,
                [
                    ((lead - 0.02, half * 0.35, root_z + (tip_z - root_z) * 0.35), chord * 0.96),
                    ((lead - 0.12, half * 0.65, root_z + (tip_z - root_z) * 0.65), chord * 0.78),
                    ((lead - 0.35, half * 0.88, root_z + (tip_z - root_z) * 0.88), chord * 0.46),
                ],
            ).both_sides(),
        )
    elif gull:
        knee = (lead - 0.05, half * 0.26, root_z - gull)
        frame.add(
            "wing",
            wing(
                (lead, 0, root_z + 0.1),
                (lead - 0.35, half, tip_z + 0.35),
                chord,
                chord * 0.55,
                0.14,
                [(knee, chord * 0.98)],
            ).both_sides(),
        )
    elif planform == "square":
        frame.add(
            "wing",
            wing(
                (lead, 0, root_z), (lead - 0.3, half, tip_z), chord, chord * 0.62, 0.14
            ).both_sides(),
        )
    else:
        frame.add(
            "wing",
            wing(
                (lead, 0, root_z),
                (lead - 0.45, half, tip_z),
                chord * 1.05,
                chord * 0.45,
                0.13,
                [((lead - 0.36, half * 0.94, tip_z * 0.94), chord * 0.5)],
            ).both_sides(),
        )
    frame.add(
        "tail",
        wing((-h * 0.7, 0, 0.35), (-h * 0.95, 0, 0.3 + tail_height), 1.45, 0.7, 0.1),
        wing((-h * 0.74, 0, 0.35), (-h * 0.82, 1.95, 0.4), 1.15, 0.6, 0.1).both_sides(),
    )
    propeller(frame, h - 0.02, 0.0, 0.05, 1.6, blade_count, 0.34 if nose == "inline" else 0.22)
    if chin:
        frame.add(
            "nacelle",
            body(
                (h * 0.92, 0.22, 0.22, -0.42),
                (h * 0.55, 0.28, 0.34, -0.5),
                (h * 0.25, 0.1, 0.1, -0.4),
            ),
        )
        frame.add("dark", lathe([(0, 0.17), (0.02, 0.15)], 12, "x", (h * 0.92, 0, -0.44)))
    if scoop:
        frame.add(
            "nacelle",
            body(
                (h * 0.08, 0.26, 0.2, -0.72),
                (-h * 0.15, 0.32, 0.3, -0.66),
                (-h * 0.5, 0.1, 0.1, -0.2),
            ),
        )
    for k in range(cannons):
        y = half * (0.34 + 0.1 * k)
        frame.add(
            "dark",
            rod(
                (lead + 0.55, y, root_z + y * dihedral),
                (lead - 0.2, y, root_z + y * dihedral),
                0.04,
            ).both_sides(),
        )
    for k in range(5):
        x = h * (0.78 - 0.06 * k)
        frame.add("dark", box((x, 0.43, 0.25), (0.14, 0.14, 0.1)).both_sides())
    if tank:
        frame.add(
            "trim",
            lathe([(0.9, 0.03), (0.5, 0.22), (-0.5, 0.24), (-1.2, 0.03)], 14, "x", (0.3, 0, -0.95)),
        )
    if gear:
        y = span * 0.14
        frame.add(
            "dark",
            rod((lead - 0.4, y, -0.5), (lead - 0.1, y * 1.15, -1.55), 0.08).both_sides(),
            wheel((lead - 0.1, y * 1.15, -1.55), 0.38).both_sides(),
            wheel((-h * 0.85, 0, -0.15), 0.17),
        )


def twin_boom(frame: Airframe, *, span: float = 15.0, length: float = 11.0) -> None:
    """Two engines in two booms with a pod between them."""
    h = length / 2.0
    frame.add(
        "paint",
        body(
            (h * 0.75, 0.05, 0.05, 0),
            (h * 0.6, 0.34, 0.36, 0),
            (h * 0.1, 0.46, 0.6, 0.05),
            (-h * 0.3, 0.06, 0.1, 0.1),
        ),
    )
    frame.add(
        "glass",
        body(
            (h * 0.4, 0.1, 0.06, 0.45),
            (h * 0.25, 0.32, 0.4, 0.55),
            (h * 0.02, 0.3, 0.38, 0.55),
            (-h * 0.15, 0.1, 0.1, 0.4),
        ),
    )
    y = span * 0.17
    frame.add(
        "paint",
        body(
            (h * 0.62, 0.22, 0.24, 0),
            (h * 0.5, 0.36, 0.4, 0),
            (h * 0.0, 0.36, 0.42, 0),
            (-h * 0.4, 0.2, 0.24, 0.05),
            (-h, 0.1, 0.14, 0.1),
        )
        .moved((0, y, 0))
        .both_sides(),
    )
    frame.add(
        "nacelle",
        lathe([(0.3, 0.2), (0, 0.26), (-0.7, 0.12)], 12, "x", (-h * 0.1, y + 0.42, 0)).both_sides(),
    )
    for side in (1, -1):
        propeller(frame, h * 0.62, y * side, 0, 1.6, 3, 0.26)
    frame.add("wing", wing((h * 0.3, 0, -0.05), (h * 0.2, span / 2, 0.5), 2.4, 0.8).both_sides())
    frame.add(
        "tail",
        wing((-h + 0.9, -y - 0.5, 0.15), (-h + 0.9, y + 0.5, 0.15), 0.9, 0.9),
        merge(wing((-h + 1.1, y, -0.6), (-h + 0.7, y, 1.1), 1.1, 0.8)).both_sides(),
    )


def twin(
    frame: Airframe, *, span: float = 16.0, length: float = 12.5, radial: bool = False
) -> None:
    """A twin-engined heavy fighter with one fuselage."""
    h = length / 2.0
    frame.add(
        "paint",
        body(
            (h * 0.98, 0.06, 0.06, 0),
            (h * 0.85, 0.42, 0.46, 0),
            (h * 0.4, 0.56, 0.7, 0.08),
            (-h * 0.3, 0.4, 0.55, 0.15),
            (-h * 0.95, 0.1, 0.18, 0.25),
            (-h, 0.03, 0.06, 0.26),
        ),
    )
    frame.add(
        "glass",
        body(
            (h * 0.6, 0.12, 0.06, 0.56),
            (h * 0.45, 0.36, 0.38, 0.68),
            (h * 0.0, 0.36, 0.36, 0.7),
            (-h * 0.2, 0.12, 0.12, 0.6),
        ),
    )
    y, r = span * 0.17, 0.6 if radial else 0.4
    frame.add(
        "nacelle",
        body(
            (h * 0.72, r * 0.65, r * 0.65, 0),
            (h * 0.66, r, r, 0),
            (h * 0.2, r, r * 1.1, 0),
            (-h * 0.35, 0.1, 0.12, 0.05),
        )
        .moved((0, y, -0.15))
        .both_sides(),
    )
    for side in (1, -1):
        propeller(frame, h * 0.7, y * side, -0.15, 1.75, 3, 0.24)
    frame.add("wing", wing((h * 0.36, 0, -0.1), (h * 0.22, span / 2, 0.5), 3.0, 1.0).both_sides())
    frame.add(
        "tail",
        wing((-h * 0.75, 0, 0.3), (-h * 0.95, 0, 2.3), 1.8, 0.8),
        wing((-h * 0.78, 0, 0.35), (-h * 0.84, 2.5, 0.45), 1.4, 0.7).both_sides(),
    )
