# SPDX-License-Identifier: Apache-2.0
"""Who the driver tells what comes from the robot, and the state of its link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turret_ai.types import ImageArray


class RobotEvents(Protocol):
    """Who is told what comes from the robot. Times: `time.monotonic()` of the measurement."""

    def on_attitude(self, yaw: float, pitch: float, at: float) -> None:
        """Joint angles, radians REP-103."""

    def on_image(self, image: ImageArray, at: float) -> None:
        """A picture of the camera."""

    def on_audio(self, samples: NDArray[np.int16], at: float) -> None:
        """Samples at 48 kHz; `at` is the first one's time."""

    def on_event(self, level: str, text: str) -> None:
        """Something that people should know; level: info, warning or error."""


@dataclass(slots=True)
class Status:
    """What the diagnostics show."""

    connected: bool = False
    address: str = ""
    mode: str = ""
    battery: int | None = None
    links: int = 0
    """How often a link was made."""
    mode_losses: int = 0
    """How often the robot was found in another mode than free."""
    pushes: int = 0
    unreadable: int = 0
    problem: str = ""
    signals: int = 0
