# SPDX-License-Identifier: Apache-2.0
"""Helicopters: light and heavy, skids and wheels, tail rotor or fan, attack, tandem."""

from __future__ import annotations

from functools import partial

from turret_ai.simulate.airframes.rotorcraft import attack, coaxial, tandem, utility
from turret_ai.simulate.craft import register

TYPE = "helicopter"

register(TYPE, "light", utility)
register(
    "helicopter",
    "executive",
    partial(
        utility, length=1.15, width=1.05, boom=4.6, rotor=5.9, gear="none", engine=1.25, bubble=0.5
    ),
)
register(
    "helicopter",
    "fan-tail",
    partial(
        utility, fan=True, boom=3.8, boom_thickness=0.34, rotor=5.2, rotor_blades=3, winglets=False
    ),
)
register(
    "helicopter",
    "open-boom",
    partial(
        utility,
        open_boom=True,
        bubble=0.95,
        width=0.85,
        rotor=5.0,
        rotor_blades=2,
        engine=0.7,
        winglets=False,
        boom=3.6,
    ),
)
register(
    "helicopter",
    "rescue",
    partial(
        utility,
        length=1.5,
        width=1.25,
        height=1.2,
        boom=5.6,
        boom_thickness=0.4,
        rotor=7.6,
        gear="wheels",
        engine=1.6,
        tail_fin=1.9,
        winglets=False,
        t_tail=True,
    ),
)
register(
    "helicopter",
    "transport",
    partial(
        utility,
        length=1.9,
        width=1.3,
        height=1.1,
        boom=6.5,
        boom_thickness=0.45,
        rotor=8.2,
        gear="wheels",
        engine=1.8,
        tail_fin=2.2,
        winglets=False,
        rotor_blades=5,
    ),
)
register(
    "helicopter",
    "patrol",
    partial(utility, length=1.05, boom=4.4, rotor=5.6, rotor_blades=2, engine=0.9, tail_fin=1.5),
)
register(TYPE, "attack", attack)
register(TYPE, "attack-domed", partial(attack, dome=True, length=1.05, stub=2.7))
register(
    "helicopter",
    "attack-slim",
    partial(
        attack, length=0.9, rotor=6.6, rotor_blades=2, skids=True, stub=1.7, stepped=False, pods=2
    ),
)
register(TYPE, "tandem", tandem)
register(TYPE, "coaxial", coaxial)
register(
    "helicopter",
    "surveyor",
    partial(
        utility,
        length=1.1,
        width=0.95,
        boom=4.2,
        rotor=5.5,
        rotor_blades=3,
        engine=1.1,
        winglets=False,
        tail_fin=1.6,
        t_tail=True,
    ),
    "val",
)
register(
    "helicopter",
    "attack-heavy",
    partial(attack, length=1.15, rotor=8.2, rotor_blades=5, stub=3.2, pods=3, stepped=True),
    "val",
)
register(
    "helicopter",
    "courier",
    partial(
        utility,
        length=0.92,
        width=0.95,
        boom=4.0,
        rotor=5.1,
        rotor_blades=5,
        engine=0.85,
        bubble=0.75,
        tail_fin=1.1,
    ),
    "test",
)
register(
    "helicopter",
    "offshore",
    partial(
        utility,
        length=1.6,
        width=1.15,
        height=1.1,
        boom=5.2,
        boom_thickness=0.36,
        rotor=7.0,
        gear="wheels",
        engine=1.5,
        tail_fin=1.7,
        winglets=True,
        rotor_blades=4,
    ),
    "test",
)
register(
    "helicopter",
    "attack-light",
    partial(
        attack, length=0.85, rotor=6.2, rotor_blades=4, stub=2.0, pods=1, stepped=True, dome=False
    ),
    "test",
)
