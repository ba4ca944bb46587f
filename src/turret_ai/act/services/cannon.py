# SPDX-License-Identifier: Apache-2.0
"""The cannon of /send_heading: a simulated turret with its camera in a scene."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from turret_ai.act.competition.cases import CAMERA_PITCH, camera
from turret_ai.errors import InputError
from turret_ai.see import images
from turret_ai.units import heading_to_yaw, wrap, yaw_to_heading

if TYPE_CHECKING:
    from turret_ai.simulate.world import World


def parse_heading(value: object) -> float:
    """ "095" to degrees.

    Raises:
        InputError: not a text of one to three digits, at most 360.
    """
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 3:
        raise InputError(f"heading must be a text of three digits such as '095', not {value!r}")
    if int(value) > 360:
        raise InputError(f"heading must be 000 to 360, not {value!r}")
    return float(value)


class Cannon:
    """Turns the shortest way at a speed, then takes a picture.

    Args:
        speed: rad/s; 0 turns at once.
    """

    def __init__(self, world: World, speed: float = math.radians(60.0)) -> None:
        self._world = world
        self._speed = speed
        self._yaw = 0.0
        self._lens = camera()
        self._lock = threading.Lock()

    @property
    def heading(self) -> float:
        """Where it looks, degrees clockwise from north."""
        return yaw_to_heading(self._yaw)

    def send_heading(self, heading_deg: float) -> bytes:
        """Turn, and give the picture there as a JPEG. Takes as long as the turning takes."""
        with self._lock:
            self._turn(heading_to_yaw(heading_deg))
            return images.encode(self._world.render(self._lens, self._yaw, CAMERA_PITCH))

    def reset(self) -> None:
        """Turn back to north."""
        with self._lock:
            self._turn(0.0)

    def _turn(self, yaw: float) -> None:
        way = wrap(yaw - self._yaw)
        if self._speed > 0.0:
            time.sleep(abs(way) / self._speed)
        self._yaw = wrap(yaw)
