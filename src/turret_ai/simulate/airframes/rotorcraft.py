# SPDX-License-Identifier: Apache-2.0
"""Rotorcraft: a cabin with a boom, a gunship, a tandem, a coaxial."""

from __future__ import annotations

from turret_ai.simulate.craft import Airframe, Disc
from turret_ai.simulate.solids import blades, body, box, lathe, merge, rod, wheel, wing


def _tail_rotor(frame: Airframe, x: float, z: float, radius: float, count: int) -> None:
    frame.add("blade", blades((x, 0.28, z), radius, radius * 0.2, count, "y", thickness=0.04))
    frame.discs.append(Disc((x, 0.28, z), (0.0, 1.0, 0.0), radius))


def _main_rotor(frame: Airframe, x: float, z: float, radius: float, count: int) -> None:
    frame.add(
        "dark",
        rod((x, 0, z - 0.7), (x, 0, z + 0.05), 0.11),
        lathe([(-0.12, 0.22), (0.1, 0.26), (0.2, 0.1)], 12, "z", (x, 0, z)),
    )
    frame.add(
        "blade",
        blades((x, 0, z), radius, max(0.3, radius * 0.062), count, phase=0.5, thickness=0.07),
    )
    frame.discs.append(Disc((x, 0.0, z), (0.0, 0.0, 1.0), radius))


def utility(
    frame: Airframe,
    *,
    length: float = 1.0,
    width: float = 1.0,
    height: float = 1.0,
    boom: float = 4.0,
    boom_thickness: float = 0.26,
    rotor: float = 5.4,
    rotor_blades: int = 4,
    gear: str = "skids",
    bubble: float = 0.6,
    fan: bool = False,
    engine: float = 1.0,
    winglets: bool = True,
    open_boom: bool = False,
    tail_fin: float = 1.3,
    t_tail: bool = False,
) -> None:
    """A cabin, a boom and one main rotor; the factors scale a light five-seater."""
    s, w, h = length, width, height
    rear = -2.2 * s
    sections = [
        (2.45 * s, 0.06 * w, 0.06 * h, -0.35),
        (2.25 * s, 0.4 * w, 0.34 * h, -0.33, 2.2),
        (1.7 * s, 0.74 * w, 0.68 * h, -0.18, 2.3),
        (0.9 * s, 0.95 * w, 0.95 * h, 0.0, 2.6),
        (-0.4 * s, 0.98 * w, 1.0 * h, 0.06, 2.7),
        (-1.3 * s, 0.8 * w, 0.85 * h, 0.2, 2.5),
        (rear, 0.36 * w, 0.42 * h, 0.42),
    ]
    tip = rear - boom
    if open_boom:
        frame.add("paint", body(*sections))
        struts = []
        for y, z in ((0.28, 0.1), (-0.28, 0.1), (0.0, 0.62)):
            struts.append(rod((rear + 0.3, y, z), (tip, 0, 0.55), 0.06))
        frame.add("paint", merge(*struts))
    else:
        t = boom_thickness
        frame.add(
            "paint",
            body(
                *sections,
                (rear - boom * 0.35, t * 1.05, t * 1.15, 0.55),
                (tip, t * 0.6, t * 0.7, 0.72),
                (tip - 0.25, t * 0.3, t * 0.3, 0.74),
            ),
        )
    frame.add(
        "glass",
        body(
            (2.36 * s, 0.2 * w, 0.16 * h, -0.16),
            (2.0 * s, 0.61 * w, 0.44 * h, 0.04, 2.3),
            (1.4 * s, 0.87 * w, 0.62 * h, 0.2, 2.5),
            (2.2 * s - 2.6 * s * bubble, 0.99 * w, 0.6 * h, 0.34, 2.6),
            (2.0 * s - 2.6 * s * bubble, 0.4, 0.3, 0.4),
        ),
    )
    frame.add("glass", box((-0.5 * s, 0.95 * w, 0.42), (0.8 * s, 0.14, 0.5 * h)).both_sides())
    top = 1.0 * h
    if engine:
        e = engine
        frame.add(
            "nacelle",
            body(
                (0.8, 0.2 * e, 0.1, top),
                (0.5, 0.52 * e, 0.28 * e, top + 0.1, 3),
                (-1.0 * s, 0.56 * e, 0.33 * e, top + 0.1, 3),
                (-1.8 * s, 0.3 * e, 0.2 * e, top - 0.05),
            ),
        )
        frame.add(
            "metal",
            rod(
                (-1.0 * s, 0.36 * e, top + 0.12), (-1.85 * s, 0.55 * e, top + 0.18), 0.15 * e
            ).both_sides(),
        )
    _main_rotor(frame, 0.0, top + 0.85, rotor, rotor_blades)
    fin_top = 0.75 + tail_fin
    frame.add(
        "tail",
        wing((tip + 0.85, 0, 0.75), (tip - 0.05, 0, fin_top), 1.1, 0.62, 0.1),
        wing((tip + 0.6, 0, 0.7), (tip + 0.1, 0, 0.0), 0.8, 0.42, 0.1),
    )
    if t_tail:
        frame.add(
            "tail", wing((tip + 0.3, 0, fin_top), (tip + 0.1, 1.2, fin_top), 0.7, 0.5).both_sides()
        )
    else:
        frame.add(
            "tail", wing((tip + 1.2, 0, 0.72), (tip + 1.0, 1.25, 0.72), 0.65, 0.48).both_sides()
        )
    if winglets:
        frame.add(
            "tail", wing((tip + 1.05, 1.25, 0.42), (tip + 0.95, 1.3, 1.2), 0.52, 0.4).both_sides()
        )
    if fan:
        frame.add(
            "tail",
            lathe(
                [(-0.14, 0.72), (-0.17, 0.8), (0.17, 0.8), (0.14, 0.72)],
                22,
                "y",
                (tip - 0.35, 0, 1.05),
            ),
        )
        frame.add("dark", lathe([(-0.18, 0.6), (0.18, 0.6)], 20, "y", (tip - 0.35, 0, 1.05)))
        frame.add("metal", lathe([(-0.2, 0.14), (0.2, 0.14)], 10, "y", (tip - 0.35, 0, 1.05)))
    else:
        _tail_rotor(
            frame,
            tip - 0.02,
            0.75 + tail_fin * 0.6,
            0.95 * max(1.0, rotor / 6.5),
            4 if rotor_blades > 3 else 2,
        )
    low = -1.0 * h
    if gear == "skids":
        z = low - 0.6
        for side in (1, -1):
            y = 1.15 * w * side
            frame.add(
                "dark",
                rod((1.9 * s, y, z), (-1.7 * s, y, z), 0.085),
                rod((1.9 * s, y, z), (2.3 * s, y, z + 0.25), 0.08),
                rod((1.0 * s, 0.6 * w * side, low + 0.25), (1.0 * s, y, z), 0.065),
                rod((-0.9 * s, 0.6 * w * side, low + 0.3), (-0.9 * s, y, z), 0.065),
            )
    elif gear == "wheels":
        for x, y in ((1.6 * s, 0.0), (-1.0 * s, 1.1 * w), (-1.0 * s, -1.1 * w)):
            frame.add(
                "dark",
                rod((x, y * 0.7, low + 0.4), (x, y, low - 0.28), 0.09),
                wheel((x, y, low - 0.35), 0.33),
            )


def attack(
    frame: Airframe,
    *,
    length: float = 1.0,
    rotor: float = 7.0,
    rotor_blades: int = 4,
    stub: float = 2.4,
    stepped: bool = True,
    dome: bool = False,
    skids: bool = False,
    pods: int = 2,
) -> None:
    """A slim two-seater with stub wings, weapons and a chin turret."""
    s = length
    frame.add(
        "paint",
        body(
            (5.3 * s, 0.12, 0.14, -0.3),
            (4.9 * s, 0.36, 0.36, -0.28, 2.6),
            (4.0 * s, 0.5, 0.55, -0.2, 2.8),
            (2.0 * s, 0.56, 0.8, 0.0, 2.8),
            (0.5 * s, 0.66, 0.95, 0.12, 2.8),
            (-1.5 * s, 0.55, 0.7, 0.22, 2.6),
            (-3.0 * s, 0.3, 0.4, 0.35),
            (-7.0 * s, 0.16, 0.22, 0.6),
            (-7.4 * s, 0.08, 0.1, 0.62),
        ),
    )
    frame.add(
        "glass",
        body(
            (4.3 * s, 0.2, 0.14, 0.3),
            (3.8 * s, 0.46, 0.42, 0.36, 3),
            (2.9 * s, 0.5, 0.5, 0.5, 3),
            (2.7 * s, 0.42, 0.4, 0.5),
        ),
    )
    lift = 0.35 if stepped else 0.1
    frame.add(
        "glass",
        body(
            (2.75 * s, 0.3, 0.3, 0.55 + lift),
            (2.3 * s, 0.52, 0.5, 0.6 + lift, 3),
            (1.2 * s, 0.52, 0.45, 0.62 + lift, 3),
            (0.7 * s, 0.2, 0.1, 0.7 + lift),
        ),
    )
    frame.add(
        "nacelle",
        body(
            (1.1 * s, 0.3, 0.3, 0.85),
            (0.8 * s, 0.42, 0.42, 0.85, 3),
            (-1.4 * s, 0.42, 0.4, 0.85, 3),
            (-2.1 * s, 0.24, 0.26, 0.8),
        )
        .moved((0, 0.62, 0))
        .both_sides(),
    )
    frame.add("dark", lathe([(0, 0.3), (0.03, 0.28)], 14, "x", (1.08 * s, 0.62, 0.85)).both_sides())
    _main_rotor(frame, -0.1, 2.1, rotor, rotor_blades)
    if dome:
        frame.add(
            "trim",
            lathe([(-0.15, 0.3), (0.05, 0.45), (0.3, 0.38), (0.42, 0.1)], 16, "z", (-0.1, 0, 2.45)),
        )
    frame.add(
        "wing", wing((0.7 * s, 0.5, 0.1), (0.45 * s, stub, -0.05), 1.25, 0.95, 0.13).both_sides()
    )
    for k in range(pods):
        y = stub * (0.95 - 0.38 * k)
        frame.add(
            "trim" if k else "dark",
            lathe(
                [(0.9, 0.1), (0.85, 0.22), (-0.9, 0.22), (-1.0, 0.1)], 12, "x", (0.0, y, -0.38)
            ).both_sides(),
        )
    frame.add(
        "tail",
        wing((-5.9 * s, 0, 0.6), (-7.3 * s, 0, 2.5), 1.5, 0.8, 0.12),
        wing((-6.7 * s, 0, 0.7), (-6.9 * s, 1.6, 0.7), 0.95, 0.7).both_sides(),
    )
    _tail_rotor(frame, -7.4 * s, 2.0, 1.35, 4)
    frame.add(
        "dark",
        lathe([(-0.4, 0.03), (-0.35, 0.22), (0, 0.27)], 12, "z", (4.4 * s, 0, -0.7)),
        rod((4.4 * s, 0, -0.95), (5.7 * s, 0, -1.0), 0.06),
    )
    if skids:
        frame.add(
            "dark",
            rod((2.2, 1.0, -1.5), (-1.6, 1.0, -1.5), 0.08).both_sides(),
            rod((1.2, 0.4, -0.7), (1.2, 1.0, -1.5), 0.07).both_sides(),
            rod((-0.8, 0.4, -0.6), (-0.8, 1.0, -1.5), 0.07).both_sides(),
        )
    else:
        frame.add(
            "dark",
            rod((1.8 * s, 0.5, -0.4), (1.6 * s, 1.05, -1.3), 0.09).both_sides(),
            wheel((1.6 * s, 1.1, -1.35), 0.36).both_sides(),
            wheel((-6.9 * s, 0, -0.1), 0.24),
        )


def tandem(frame: Airframe, *, length: float = 1.0, rotor: float = 8.6) -> None:
    """Two main rotors, front and rear, over a long box of a cabin."""
    s = length
    frame.add(
        "paint",
        body(
            (7.7 * s, 0.2, 0.2, -0.4),
            (7.4 * s, 0.8, 0.7, -0.25, 2.6),
            (6.4 * s, 1.25, 1.25, 0.05, 3),
            (5.0 * s, 1.35, 1.35, 0.1, 3.6),
            (-5.0 * s, 1.35, 1.35, 0.1, 3.6),
            (-7.0 * s, 1.1, 1.0, 0.5, 3.2),
            (-7.8 * s, 0.7, 0.6, 0.7),
        ),
    )
    frame.add(
        "tail",
        body(
            (-4.2 * s, 0.5, 0.4, 1.5),
            (-5.4 * s, 0.75, 1.5, 2.2, 3),
            (-7.3 * s, 0.65, 1.4, 2.5, 3),
            (-7.9 * s, 0.2, 0.8, 2.6),
        ),
    )
    frame.add(
        "nacelle",
        body(
            (6.9 * s, 0.3, 0.2, 1.2),
            (6.2 * s, 0.6, 0.5, 1.6, 3),
            (4.6 * s, 0.5, 0.4, 1.6, 3),
            (3.8 * s, 0.2, 0.1, 1.4),
        ),
    )
    frame.add(
        "glass",
        body(
            (7.45 * s, 0.5, 0.3, 0.1),
            (7.0 * s, 1.0, 0.5, 0.35, 3),
            (6.2 * s, 1.28, 0.4, 0.55, 3),
            (6.1 * s, 0.6, 0.3, 0.5),
        ),
    )
    for x in (3.5, 1.5, -0.5, -2.5):
        frame.add(
            "glass", lathe([(-0.03, 0.26), (0.03, 0.26)], 12, "y", (x * s, 1.35, 0.55)).both_sides()
        )
    frame.add(
        "metal",
        lathe(
            [(1.0, 0.35), (0.8, 0.45), (-1.1, 0.45), (-1.4, 0.3)], 14, "x", (-5.6 * s, 1.25, 1.7)
        ).both_sides(),
    )
    frame.add(
        "trim",
        body(
            (4.4 * s, 0.1, 0.1, -0.8),
            (3.6 * s, 0.45, 0.42, -0.8, 3),
            (-3.6 * s, 0.45, 0.42, -0.8, 3),
            (-4.4 * s, 0.1, 0.1, -0.8),
        )
        .moved((0, 1.45, 0))
        .both_sides(),
    )
    for x, z, n in ((5.4 * s, 2.6, 3), (-6.4 * s, 4.4, 3)):
        _main_rotor(frame, x, z, rotor, n)
    for x in (3.4 * s, -4.6 * s):
        frame.add("dark", wheel((x, 1.4, -1.6), 0.42).both_sides())


def coaxial(frame: Airframe, *, rotor: float = 6.5) -> None:
    """Two rotors on one mast, twin fins, no tail rotor."""
    utility(
        frame,
        boom=2.6,
        boom_thickness=0.42,
        rotor=rotor,
        rotor_blades=3,
        gear="wheels",
        fan=False,
        width=1.15,
        height=1.15,
        winglets=False,
        tail_fin=0.5,
        bubble=0.5,
    )
    frame.discs = [d for d in frame.discs if abs(d.normal[1]) < 0.5]
    frame.add("blade", blades((0, 0, 2.9), rotor, 0.38, 3, phase=1.1, thickness=0.07))
    frame.add("dark", rod((0, 0, 1.8), (0, 0, 3.0), 0.12))
    frame.add("tail", wing((-4.0, 1.3, 0.2), (-4.5, 1.4, 2.0), 1.1, 0.8).both_sides())
