# SPDX-License-Identifier: Apache-2.0
"""What a gimbal is told, whatever turret it is of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum


class Mode(IntEnum):
    """Mirrors the constants of msg/GimbalCommand.msg."""

    ABSOLUTE = 0
    RELATIVE = 1
    RATE = 2


@dataclass(frozen=True, slots=True)
class Order:
    """What the gimbal shall do. Radians, REP-103; rates of 0 mean the turret's own.

    until: when the order becomes void, s of the clock of who obeys it; None: never.
    """

    mode: Mode
    yaw: float = 0.0
    pitch: float = 0.0
    yaw_rate: float = 0.0
    pitch_rate: float = 0.0
    until: float | None = None

    def usable(self) -> bool:
        """Whether all numbers are finite."""
        numbers = (self.yaw, self.pitch, self.yaw_rate, self.pitch_rate, self.until or 0.0)
        return all(math.isfinite(number) for number in numbers)
