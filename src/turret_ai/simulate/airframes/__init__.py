# SPDX-License-Identifier: Apache-2.0
"""The airframes of the eight types; importing this package registers them all."""

from turret_ai.simulate.airframes import (  # noqa: F401
    airliners,
    cargo,
    drones,
    helicopters,
    jets,
    light,
    missiles,
    propeller_fighters,
)
