# SPDX-License-Identifier: Apache-2.0
"""The graph for the competition: a turret that always has the shortest way."""

from __future__ import annotations

import math
import random

from turret_ai.aim.limits import nearest_yaw
from turret_ai.aim.settings import AimSettings
from turret_ai.graph import GRAPHS
from turret_ai.graph.parameters import nested
from turret_ai.units import heading_to_yaw


def controller_settings() -> AimSettings:
    plan = GRAPHS["finals"].plan({"source": "competition"})
    (controller,) = [e for e in plan.nodes if e.executable == "controller"]
    return AimSettings(**nested(controller.parameters))


def test_no_turn_pans_further_than_half_a_circle() -> None:
    limits = controller_settings().limits.to_limits()
    chance = random.Random(2)
    yaw = 0.0
    for _ in range(500):
        wanted, limited = nearest_yaw(heading_to_yaw(5.0 * chance.randint(1, 72)), yaw, limits)
        assert not limited
        assert abs(wanted - yaw) <= math.pi + 1e-9
        yaw = wanted


def test_the_camera_looks_fifteen_degrees_up_whatever_the_turret_does() -> None:
    assert math.isclose(controller_settings().fixed_camera_pitch, math.radians(-15))
