# SPDX-License-Identifier: Apache-2.0
"""What is told about every turn."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from turret_ai.types import Box


class TurnEnd(str, Enum):
    """How a turn ended. Every turn has exactly one of these."""

    ANSWERED = "answered"
    """With all fields and a box."""
    NOT_FOUND = "not found"
    """The locator saw the image and no target in it."""
    INCOMPLETE = "incomplete"
    """A field was not understood."""
    NO_SNAPSHOT = "no snapshot"
    """No usable image came from the server."""
    BAD_AUDIO = "bad audio"
    """The frame was not a WAV file that can be read."""
    DEADLINE = "deadline"
    """The time was over; what was known by then was sent."""
    SUPERSEDED = "superseded"
    """The server sent the next utterance before; what was known by then was sent."""
    LINK_LOST = "link lost"
    """The server was gone, and came back with another utterance."""


@dataclass(slots=True)
class TurnReport:
    """One turn: what was heard, understood, seen and answered, and where the time went.

    seconds: "total" from the WAV's arrival to the answer, and the steps in between.
    pan: rad, the shortest way from the camera's yaw at the beginning to the heading.
    aim: (yaw, pitch) of the target, radians REP-103.
    """

    number: int
    utterance_id: str
    end: TurnEnd | None = None
    heard: str = ""
    heading: str = ""
    tool: str = ""
    target: str = ""
    box: Box | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    pan: float | None = None
    aim: tuple[float, float] | None = None
    scores: dict[str, float] = field(default_factory=dict)
    """The locator's: detection, match, margin."""
    problems: list[str] = field(default_factory=list)

    def as_record(self) -> dict[str, Any]:
        """For JSON: angles in degrees, aim as compass azimuth and elevation."""
        from turret_ai.units import pitch_to_elevation_deg, yaw_to_heading

        aim = None
        if self.aim is not None:
            azimuth, elevation = yaw_to_heading(self.aim[0]), pitch_to_elevation_deg(self.aim[1])
            aim = {"azimuth_deg": round(azimuth, 2), "elevation_deg": round(elevation, 2)}
        return {
            "turn": self.number,
            "utterance_id": self.utterance_id,
            "end": self.end.value if self.end else None,
            "heard": self.heard,
            "understood": {"heading": self.heading, "tool": self.tool, "target": self.target},
            "box": [round(v, 1) for v in self.box.as_list()] if self.box else None,
            "aim": aim,
            "pan_deg": None if self.pan is None else round(abs(math.degrees(self.pan)), 1),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "scores": {name: round(value, 4) for name, value in self.scores.items()},
            "problems": self.problems,
        }

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps(self.as_record(), ensure_ascii=False)


WIDE = 110
"""Columns of a terminal from which on the pan and the heard text have room beside the rest."""


def show(records: Sequence[dict[str, Any]], console: Console) -> None:
    """The turns for people: a table on a terminal, plain lines elsewhere."""
    if console.is_terminal:
        console.print(table(records, console.width >= WIDE))
        return
    for each in records:
        for line in _lines(each):
            console.print(line, soft_wrap=True, markup=False, highlight=False)


def table(records: Sequence[dict[str, Any]], wide: bool) -> Table:
    """The turns' records as a table; narrow: without the pan and what was heard."""
    made = Table(title="Turns", title_justify="left")
    for column in ("turn", "end", "s"):
        made.add_column(column, no_wrap=True)
    if wide:
        made.add_column("pan", no_wrap=True)
    made.add_column("command", ratio=1)
    made.add_column("box", no_wrap=True)
    if wide:
        made.add_column("heard", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in records:
        cells = [str(each["turn"]), str(each["end"]), _seconds(each)]
        if wide:
            cells.append("" if each["pan_deg"] is None else f"{each['pan_deg']:.0f}°")
        cells += [_command(each), _box(each)]
        if wide:
            cells.append(each["heard"])
        made.add_row(*(escape(cell) for cell in cells))
    return made


def _lines(record: dict[str, Any]) -> list[str]:
    box = _box(record)
    lines = [
        f"turn {record['turn']}: {record['end']} in {_seconds(record)} s",
        f"  {_command(record) or 'no command'}" + (f", box {box}" if box else ""),
    ]
    if record["heard"]:
        lines.append(f"  heard: {record['heard']}")
    return lines + [f"  {problem}" for problem in record["problems"]]


def _seconds(record: dict[str, Any]) -> str:
    return f"{record['seconds'].get('total', math.nan):.2f}"


def _command(record: dict[str, Any]) -> str:
    understood = record["understood"]
    return ", ".join(understood[name] for name in ("heading", "tool", "target") if understood[name])


def _box(record: dict[str, Any]) -> str:
    return "" if record["box"] is None else " ".join(f"{v:.0f}" for v in record["box"])
