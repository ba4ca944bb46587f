# SPDX-License-Identifier: Apache-2.0
"""How the emulated robot behaves, what can be made to go wrong, and what it has counted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pydantic import Field

from turret_ai.settings import Settings


class EmulatorSettings(Settings):
    """How the emulated robot behaves."""

    host: str = Field("127.0.0.1", description="address that the robot listens on")
    broadcast_address: str = Field(
        "127.0.0.1", description="where `robot ip` goes while nobody is connected"
    )
    time_scale: float = Field(1.0, gt=0.0, le=100.0, description="motors and pushes run so fast")
    width: int = Field(1280, ge=64, le=4096, multiple_of=2, description="pixels of the video")
    height: int = Field(720, ge=64, le=4096, multiple_of=2, description="pixels of the video")
    fps: int = Field(30, ge=1, le=60, description="pictures a second")
    moveto_blocks: bool = Field(True, description="answer a move only when it has ended")
    noise: float = Field(0.0, ge=0.0, le=5.0, description="deg, deviation of the measured angles")
    seed: int = Field(0, description="of the noise")


@dataclass(slots=True)
class Faults:
    """What goes wrong, switched on by tests and by those who try out a driver."""

    silent: bool = False
    """Commands are not answered."""
    dribble: bool = False
    """Replies leave byte by byte."""
    unterminated: bool = False
    """Replies lack their `;`."""
    line_ends: bool = False
    """Replies end in a line end instead of `;`."""
    no_seq: bool = False
    """Numbers are not echoed."""
    lost_pushes: float = 0.0
    """The share of the pushes that get lost on the way."""
    garbage_pushes: bool = False
    """Every other push is noise."""
    no_pushes: bool = False
    stall_video: bool = False
    garbage_video: bool = False
    refuse_links: bool = False
    """New connections are closed at once."""


@dataclass(slots=True)
class Counters:
    """What has happened so far."""

    links: int = 0
    pushes: int = 0
    frames: int = 0
    commands: deque[str] = field(default_factory=lambda: deque(maxlen=20_000))
