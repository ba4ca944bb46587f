# SPDX-License-Identifier: Apache-2.0
"""Turn and look while the operator still speaks: end of speech to settled aim, with and without

Real processes and real time: each clip is played as it was spoken, once with `early:=true` and once
with `early:=false`. Beside `python -m bench early`, which plays two of the shipped scenes:

    python -m bench.early --competition ../shared/data/til24 --plot docs/images/early.png
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.common import FAILED, Row

TIMEOUT_S = 900.0
SCENES = ("airfield", "harbour")
BOUND_S = 0.3
"""By how much no turn may be slower."""
_AIMS = ("AIMED", "AMBIGUOUS", "LIMITED")
"""Outcomes of turns that ended with the turret settled on a box."""
_LIMIT_S = 120.0
_WORLD = ("simulator", "audio_source")


@dataclass(frozen=True, slots=True)
class Played:
    """One turn. total: s from the end of speech to the settled aim; guesses: targets that were sure
    while the operator spoke, in order; target: the whole command's."""

    scene: str
    number: int
    early: bool
    outcome: str
    total: float
    hear: float
    slew: float
    see: float
    target: str
    guesses: tuple[str, ...]

    def __str__(self) -> str:
        how, misled = ", early" * self.early, ", misled" * self.misled
        steps = f"heard {self.hear:.2f}, slew {self.slew:.2f}, see {self.see:.2f}"
        return (
            f"{self.scene} {self.number}{how}: {self.outcome} {self.total:.2f} s ({steps}){misled}"
        )

    @property
    def misled(self) -> bool:
        """Whether a target was told for sure that the whole command does not name."""
        return any(guess != self.target for guess in self.guesses)


def play(
    scenes: Sequence[str], early: bool, say: Callable[[str], object] = lambda _: None
) -> list[Played]:
    """All commands of scenes, one after the other; the four stages live on from scene to scene."""
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(40, 99))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    from turret_ai.graph import GRAPHS
    from turret_ai.graph.processes import Processes

    given = {"early": str(early).lower()}
    stages = GRAPHS["finals"].plan({**given, "source": "none"})
    watch = _Watch()
    found: list[Played] = []
    try:
        with Processes(stages, on_line=lambda *_: None):
            for scene in scenes:
                plan = GRAPHS["finals"].plan({**given, "scene": scene})
                nodes = tuple(each for each in plan.nodes if each.executable in _WORLD)
                with Processes(replace(plan, nodes=nodes), on_line=lambda *_: None):
                    for each in watch.turns(scene, early):
                        say(str(each))
                        found.append(each)
    finally:
        watch.close()
    return found


class _Watch:
    """What the graph says of its turns."""

    def __init__(self) -> None:
        from turret_ai.ros import Context, Node, topics

        self._context = Context()
        self._node = Node("bench_early", context=self._context)
        self._ends: list[Any] = []
        self._guesses: dict[str, list[str]] = {}
        topics.ENGAGEMENT.subscribe(self._node, self._ends.append)
        topics.COMMAND.subscribe(self._node, self._on_command)

    def _on_command(self, message: Any) -> None:
        if message.partial and message.target:
            self._guesses.setdefault(message.utterance_id, []).append(message.target)

    def close(self) -> None:
        self._context.close()

    def turns(self, scene: str, early: bool) -> list[Played]:
        """Until each command of a scene has ended.

        Raises:
            RuntimeError: one does not.
        """
        from turret_ai.aim.turn import Outcome
        from turret_ai.ros import spin_until
        from turret_ai.simulate import scene as scenes

        count = len([each for each in scenes.load(scene).commands if each.audio is not None])
        self._ends.clear()
        found = []
        for number in range(count):
            if not spin_until(lambda n=number: len(self._ends) > n, self._node, timeout=_LIMIT_S):
                raise RuntimeError(f"{scene}: turn {number} did not end within {_LIMIT_S:.0f} s")
            end = self._ends[number]
            found.append(
                Played(
                    Path(scene).name,
                    number,
                    early,
                    Outcome(end.outcome).name,
                    float(end.total_seconds),
                    float(end.hear_seconds),
                    float(end.slew_seconds),
                    float(end.see_seconds),
                    end.target,
                    tuple(self._guesses.get(end.utterance_id, ())),
                )
            )
        return found


def pairs(played: Sequence[Played]) -> list[tuple[Played, Played]]:
    """(without, with) of each command that ended in an aim both times, play by play."""
    kept: dict[tuple[str, int], tuple[list[Played], list[Played]]] = {}
    for each in played:
        if each.outcome in _AIMS:
            kept.setdefault((each.scene, each.number), ([], []))[each.early].append(each)
    return [pair for late, early in kept.values() for pair in zip(late, early, strict=False)]


def rows(name: str, played: Sequence[Played]) -> list[Row]:
    """The figures of some scenes."""
    both = pairs(played)
    if not both:
        return [Row(f"end of speech to settled aim, {name}", math.nan, FAILED, note="none aimed")]
    lead = [early.total - late.total for late, early in both]
    late_s, early_s = (statistics.median(pair[i].total for pair in both) for i in (0, 1))
    misled = [gain for gain, (_, early) in zip(lead, both, strict=True) if early.misled]
    turns = f"{len(both)} commands with an aim both ways of {len(played) // 2}"
    note = f"{turns}; {1 - early_s / late_s:.0%} shorter; load {os.getloadavg()[0]:.1f}"
    worst = f"the slowest by {max(lead):+.2f} s"
    if misled:
        worst += (
            f"; {len(misled)} heard another target in part, those by {max(misled):+.2f} s at most"
        )
    return [
        Row(
            f"end of speech to settled aim, {name}", early_s, "s", "early:=false", late_s, note=note
        ),
        Row(f"slower with it, {name}", sum(s > 0 for s in lead) / len(lead), "share", note=worst),
        Row(
            f"slower by more than {BOUND_S:g} s, {name}",
            sum(s > BOUND_S for s in lead) / len(lead),
            "share",
            note=turns,
        ),
    ]


def draw(played: Sequence[Played], file: Path) -> None:
    """A line for each command, from its time without to its time with."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    both = sorted(pairs(played), key=lambda pair: (pair[0].scene, pair[0].number))
    figure, axes = pyplot.subplots(figsize=(7.0, 1.2 + 0.26 * len(both)))
    for row, (late, early) in enumerate(both):
        colour = "tab:red" if early.total > late.total else "tab:green"
        axes.plot([late.total, early.total], [row, row], color=colour, lw=1.5, zorder=1)
        axes.scatter(late.total, row, color="white", edgecolor="black", s=28, zorder=2)
        mark = "X" if early.misled else "o"
        axes.scatter(early.total, row, color=colour, marker=mark, s=32, zorder=3)
    axes.set_yticks(range(len(both)), [f"{late.scene} {late.number + 1}" for late, _ in both])
    axes.invert_yaxis()
    axes.set_xlim(left=0.0)
    axes.set_xlabel("s from the end of speech to the settled aim")
    axes.set_title(
        "hollow: early:=false, filled: early (x: a wrong target was heard in part)", size=9
    )
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def run(quick: bool) -> list[Row]:
    scenes = SCENES[:1] if quick else SCENES
    played = [each for early in (False, True) for each in play(scenes, early)]
    return rows("the demo's scenes", played)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.early", description=__doc__)
    parser.add_argument("--scene", action="append", help="a shipped scene, repeatable")
    parser.add_argument("--competition", type=Path, help="folder that holds the published scenes")
    parser.add_argument("--repeat", type=int, default=1, help="how often each is played each way")
    parser.add_argument("--plot", type=Path, help="picture to write")
    parser.add_argument("--json", type=Path, help="file for all turns")
    given = parser.parse_args(words)
    shipped = list(given.scene or SCENES)
    published = (
        sorted(str(each) for each in given.competition.glob("scene_*")) if given.competition else []
    )
    played: list[Played] = []
    for number in range(2 * given.repeat):
        early = number % 4 in (1, 2)  # without, with, with, without: a drift cancels out
        played += play([*shipped, *published], early, say=lambda line: print(line, flush=True))
    names = {Path(each).name for each in published}
    table = rows("shipped scenes", [each for each in played if each.scene not in names])
    if published:
        table += rows("competition's scenes", [each for each in played if each.scene in names])
    for row in table:
        beside = f" ({row.baseline}: {row.baseline_value:.3g})" if row.baseline_value else ""
        print(f"{row.name}: {row.value:.3g} {row.unit}{beside}; {row.note}")
    if given.json:
        given.json.write_text(json.dumps([asdict(each) for each in played], indent=1), "utf-8")
    if given.plot:
        draw(played, given.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
