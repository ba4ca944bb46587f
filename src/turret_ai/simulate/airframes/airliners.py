# SPDX-License-Identifier: Apache-2.0
"""Commercial aircraft: airliners, regional jets, business jets."""

from __future__ import annotations

from functools import partial

from turret_ai.simulate.airframes.transport import transport
from turret_ai.simulate.craft import register

TYPE = "commercial aircraft"
register(TYPE, "narrow-body", transport)
register(
    TYPE,
    "narrow-body-short",
    partial(transport, length=31.5, winglets=False, engine_radius=1.0, fin_height=6.8),
)
register(
    TYPE,
    "wide-body",
    partial(
        transport,
        length=62.0,
        radius=3.0,
        span=60.0,
        sweep=16.0,
        root_chord=12.0,
        tip_chord=2.4,
        engine_radius=1.8,
        fin_height=9.6,
    ),
)
register(
    TYPE,
    "jumbo",
    partial(
        transport,
        length=70.0,
        radius=3.25,
        span=62.0,
        sweep=18.5,
        root_chord=13.5,
        tip_chord=3.0,
        engines="4 wing",
        engine_radius=1.45,
        hump=6.5,
        fin_height=10.2,
        winglets=False,
    ),
)
register(
    TYPE,
    "four-engined",
    partial(
        transport,
        length=46.0,
        radius=1.9,
        span=43.0,
        sweep=13.0,
        root_chord=9.0,
        tip_chord=2.0,
        engines="4 wing",
        engine_radius=0.85,
        fin_height=7.4,
        winglets=False,
    ),
)
register(
    TYPE,
    "rear-engined",
    partial(
        transport,
        length=36.0,
        radius=1.7,
        span=28.5,
        engines="2 rear",
        t_tail=True,
        engine_radius=0.85,
        fin_height=5.6,
        winglets=False,
    ),
)
register(
    TYPE,
    "tri-jet",
    partial(
        transport,
        length=46.0,
        radius=1.95,
        span=33.0,
        sweep=10.5,
        engines="3 rear",
        t_tail=True,
        engine_radius=0.85,
        fin_height=6.2,
        winglets=False,
    ),
)
register(
    TYPE,
    "business-jet",
    partial(
        transport,
        length=18.5,
        radius=1.05,
        span=17.5,
        sweep=4.2,
        root_chord=3.2,
        tip_chord=1.0,
        engines="2 rear",
        t_tail=True,
        engine_radius=0.55,
        fin_height=3.1,
    ),
)
register(
    TYPE,
    "business-jet-long",
    partial(
        transport,
        length=28.0,
        radius=1.25,
        span=27.0,
        sweep=8.0,
        root_chord=4.8,
        tip_chord=1.2,
        engines="2 rear",
        t_tail=True,
        engine_radius=0.75,
        fin_height=4.2,
    ),
)
register(
    TYPE,
    "regional-jet",
    partial(
        transport,
        length=30.0,
        radius=1.5,
        span=26.0,
        sweep=6.5,
        root_chord=5.2,
        tip_chord=1.4,
        engine_radius=0.85,
        fin_height=5.2,
    ),
)
register(
    TYPE,
    "turboprop",
    partial(
        transport,
        length=27.0,
        radius=1.4,
        span=27.5,
        sweep=1.2,
        root_chord=2.7,
        tip_chord=1.5,
        high=True,
        engines="2 prop",
        t_tail=True,
        engine_radius=1.0,
        fin_height=5.0,
        winglets=False,
    ),
)
register(TYPE, "narrow-body-gear", partial(transport, gear=True, length=39.0))
register(
    TYPE,
    "narrow-body-long",
    partial(transport, length=44.0, span=35.5, engine_radius=1.2, fin_height=6.9),
    "val",
)
register(
    TYPE,
    "business-jet-light",
    partial(
        transport,
        length=15.0,
        radius=0.85,
        span=15.5,
        sweep=2.0,
        root_chord=2.5,
        tip_chord=0.9,
        engines="2 rear",
        t_tail=True,
        engine_radius=0.48,
        fin_height=2.6,
        winglets=False,
    ),
    "val",
)
register(
    TYPE,
    "wide-body-long",
    partial(
        transport,
        length=68.0,
        radius=2.9,
        span=63.0,
        sweep=18.0,
        root_chord=11.5,
        tip_chord=2.0,
        engine_radius=1.75,
        fin_height=9.4,
    ),
    "test",
)
register(
    TYPE,
    "narrow-body-mid",
    partial(
        transport,
        length=35.0,
        radius=2.05,
        span=35.0,
        sweep=8.0,
        engine_radius=1.25,
        fin_height=6.2,
        winglets=True,
        nose_blunt=0.85,
    ),
    "test",
)
register(
    TYPE,
    "rear-engined-short",
    partial(
        transport,
        length=30.0,
        radius=1.6,
        span=25.5,
        sweep=6.5,
        engines="2 rear",
        t_tail=True,
        engine_radius=0.95,
        fin_height=5.0,
    ),
    "test",
)
