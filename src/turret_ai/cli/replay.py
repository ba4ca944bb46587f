# SPDX-License-Identifier: Apache-2.0
"""`turret-ai replay`: a bag back onto live topics, with or without ROS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from turret_ai.errors import InputError


def replay(
    bag: Annotated[Path, typer.Argument(help="bag folder, .mcap or .db3 file")],
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", help="topic to play (repeatable); default: the inputs"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="every topic, what the stages had said too")
    ] = False,
    rate: Annotated[float, typer.Option("--rate", "-r", help="speed")] = 1.0,
    start: Annotated[float, typer.Option(min=0.0, help="s to leave out at the beginning")] = 0.0,
    duration: Annotated[
        float, typer.Option("--duration", "-d", min=0.0, help="s to play; 0: all")
    ] = 0.0,
    loop: Annotated[bool, typer.Option("--loop", "-l", help="begin again at the end")] = False,
    clock: Annotated[float, typer.Option(min=0.0, help="Hz of /clock; 0: none")] = 100.0,
    wait: Annotated[
        float, typer.Option(min=0.0, help="s to wait for a subscriber of each topic")
    ] = 30.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no status line")] = False,
) -> None:
    """Play a recording's inputs to live nodes: start those with use_sim_time."""
    from turret_ai.cli.status_line import Status
    from turret_ai.nodes.player import Player
    from turret_ai.ros import run
    from turret_ai.units import ns_to_seconds

    if not bag.exists():
        raise InputError(f"there is no bag at {bag}")
    overrides: dict[str, Any] = {
        "bag": str(bag),
        "topics": topics or [],
        "all": everything,
        "rate": rate,
        "start": start,
        "duration": duration,
        "loop": loop,
        "clock": clock,
        "wait": wait,
    }
    status = Status(quiet)

    def make() -> Any:
        node = Player(overrides)
        status.begin(
            f"playing {bag}",
            lambda: f"{ns_to_seconds(node.position_ns):.1f} s, {node.played} messages",
        )
        return node

    with status:
        code = run(make, args=[])
    raise typer.Exit(code)
