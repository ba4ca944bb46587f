"""The turns that our server plays: a spoken command, a world to look at, and the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from turret_ai.types import Box, ImageArray


@dataclass(frozen=True, slots=True)
class Case:
    """One turn.

    audio: a WAV file's bytes. heading: three digits. view: the picture at a camera yaw (radians,
    REP-103), RGB. true_box: the target's bounding rectangle in that picture, None outside of it.
    """

    name: str
    audio: bytes
    heading: str
    tool: str
    target: str
    view: Callable[[float], ImageArray]
    true_box: Callable[[float], Box | None]
