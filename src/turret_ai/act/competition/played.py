# SPDX-License-Identifier: Apache-2.0
"""What our server is told, what can be made to go wrong, and what it says of each turn."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from turret_ai.prove.turns import TurnResult
from turret_ai.settings import Settings


class ServerSettings(Settings):
    """How the server behaves."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="0: any free one")
    team_timeout: float = Field(60.0, gt=0.0, le=3600.0, description="s to wait for a team")
    answer_timeout: float = Field(35.0, gt=0.0, le=600.0, description="s to wait for an answer")
    pause: float = Field(0.5, ge=0.0, le=60.0, description="s between two turns")
    pan_speed: float = Field(
        math.radians(60.0), gt=0.0, description="rad/s, of the pan time that turns are held against"
    )
    jpeg_quality: int = Field(90, ge=1, le=100, description="of the snapshots")


@dataclass(slots=True)
class Faults:
    """What goes wrong, switched on by tests and by those who harden a client."""

    no_snapshot: bool = False
    """As if no simulator page were connected."""
    broken_snapshot: bool = False
    """Half a JPEG comes instead of one."""
    double_snapshot: bool = False
    """As if two simulator pages were connected."""
    hang_ups: int = 0
    """So many times the team link is dropped right after the audio."""
    robot_hang_ups: int = 0
    """So many times the robot link is dropped when a snapshot is asked for."""
    broken_audio: bool = False
    """The binary frame is not a WAV file."""
    snapshot_seconds: float = 0.0
    """What the simulator page takes for a picture; it makes one after the other."""
    hurried: bool = False
    """The audio comes in the moment of the connection, without a health check before it."""
    repeats: int = 0
    """So many times the audio is sent twice."""


@dataclass(frozen=True, slots=True)
class Played:
    """One turn as the server saw it. pan_seconds: the least time that panning needs."""

    case: str
    result: TurnResult
    answer: dict[str, Any] | None
    truth: dict[str, Any]
    pan_seconds: float
    problems: tuple[str, ...] = ()

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "case": self.case,
                "score": round(self.result.score, 4),
                "nlp": round(self.result.nlp, 4),
                "vlm": self.result.vlm,
                "iou": round(self.result.iou, 4),
                "seconds": round(self.result.seconds, 3),
                "pan_seconds": round(self.pan_seconds, 3),
                "answer": self.answer,
                "truth": self.truth,
                "problems": list(self.problems),
            },
            ensure_ascii=False,
        )
