# SPDX-License-Identifier: Apache-2.0
"""Look at a turn with 0, 1 and 10 pages: what it costs the turn, and the console's process"""

from __future__ import annotations

import math
import os
import random
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import psutil

from bench._viewers import Viewers
from bench.common import FAILED, Row

TIMEOUT_S = 600.0
COUNTS = (0, 1, 10)
RATE_HZ = 15.0
SCENE = "airfield"
_LIMIT_S = 120.0


@dataclass(slots=True)
class Watched:
    """Turns of one number of pages. console: share of a core that its process used; pictures: a
    second and page; seconds: end of speech to settled aim."""

    seconds: list[float] = field(default_factory=list)
    hear: list[float] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    console: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)


def watch(turns: int, say: Callable[[str], object] = lambda _: None) -> dict[int, Watched]:
    """Play the scene's commands; the number of pages changes after each turn, so that each of the
    commands is played with each number.

    Args:
        turns: of 12, each number of pages has each of the four commands once.
    """
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(40, 99))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    from turret_ai.aim.turn import Outcome
    from turret_ai.graph import GRAPHS
    from turret_ai.graph.processes import Processes
    from turret_ai.ros import Context, Node, spin_until, topics

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    plan = GRAPHS["finals"].plan({"scene": SCENE, "console": "true", "console_port": str(port)})
    more: dict[str, dict[str, Any]] = {
        "simulator": {"camera.rate": RATE_HZ},
        "audio_source": {"loop": True, "pause": 1.5},
    }
    nodes = [
        replace(e, parameters={**e.parameters, **more.get(e.executable, {})}) for e in plan.nodes
    ]
    found = {count: Watched() for count in COUNTS}
    ends: list[Any] = []
    context = Context()
    node = Node("bench_viewers", context=context)
    topics.ENGAGEMENT.subscribe(node, ends.append)
    try:
        with (
            Processes(replace(plan, nodes=tuple(nodes)), on_line=lambda *_: None) as processes,
            Viewers(f"http://127.0.0.1:{port}") as viewers,
        ):
            console = psutil.Process(processes.running["console"].pid)
            for number in range(turns):
                count = COUNTS[number % len(COUNTS)]
                viewers.look(count)
                before, began = console.cpu_times(), len(ends)
                since = time.monotonic()
                if not spin_until(lambda began=began: len(ends) > began, node, timeout=_LIMIT_S):
                    raise RuntimeError(f"no turn ended within {_LIMIT_S:.0f} s")
                wall = time.monotonic() - since
                after, end, each = console.cpu_times(), ends[-1], found[count]
                each.pictures.append(viewers.look(count))
                each.console.append(
                    (after.user + after.system - before.user - before.system) / wall
                )
                each.outcomes.append(Outcome(end.outcome).name)
                if end.outcome == end.AIMED:
                    each.seconds.append(float(end.total_seconds))
                    each.hear.append(float(end.hear_seconds))
                say(
                    f"{count} pages: {each.outcomes[-1]} {end.total_seconds:.2f} s, heard after "
                    f"{end.hear_seconds:.2f} s, {each.pictures[-1]:.1f} pictures/s, console "
                    f"{each.console[-1]:.0%}"
                )
    finally:
        context.close()
    return found


def rows(found: dict[int, Watched]) -> list[Row]:
    """The figures, each beside that without pages."""
    load = f"load {os.getloadavg()[0]:.1f}"
    nobody = found[0]
    made: list[Row] = []
    for count, each in found.items():
        note = (
            f"{len(each.seconds)} of {len(each.outcomes)} turns AIMED, 15 pictures a second; {load}"
        )
        if not each.seconds or not nobody.seconds:
            made.append(Row(f"turn with {count} pages", math.nan, FAILED, note=note))
            continue
        baseline = ("no page", statistics.median(nobody.seconds)) if count else ("", None)
        made.append(
            Row(
                f"turn with {count} pages",
                statistics.median(each.seconds),
                "s",
                *baseline,
                note=note,
            )
        )
    for count, each in found.items():
        note = (
            f"{statistics.mean(each.pictures):.1f} pictures a second to each page" if count else ""
        )
        made.append(
            Row(
                f"console's processor time, {count} pages",
                statistics.mean(each.console),
                "cores",
                note=note,
            )
        )
    return made


def run(quick: bool) -> list[Row]:
    return rows(watch(3 if quick else 12))


if __name__ == "__main__":
    for row in rows(watch(12, say=lambda line: print(line, flush=True))):
        print(f"{row.name}: {row.value:.3g} {row.unit} ({row.note})")
