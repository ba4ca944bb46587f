# SPDX-License-Identifier: Apache-2.0
"""`turret-ai demo`: spoken commands against the embedded simulator, with a table and a report."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turret_ai.errors import ConfigError, TurretError

if TYPE_CHECKING:
    from rich.console import Console

    from turret_ai.graph.processes import Processes
    from turret_ai.nodes.evaluator import Evaluator
    from turret_ai.prove.evaluation import Evaluation

SCENES = ["airfield", "harbour"]
START_LIMIT = 120.0
"""Seconds until the chain must have begun its first turn."""
MOVING = math.radians(2.0)
"""rad/s, as seen from the turret, from which on a scene's craft are followed (tracking:=lock)."""
TURN_LIMIT = 90.0
"""Seconds that one turn may take, speaking included, before the demo gives up."""


@dataclass(slots=True)
class _Run:
    """One scene's turns."""

    scene: str
    wanted: int
    folder: Path
    evaluation: Evaluation | None = None
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    """Time of each step by utterance."""
    log: list[str] = field(default_factory=list)
    problem: str = ""


def demo(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="arguments of the finals graph, as name:=value (see launch finals -s)"),
    ] = None,
    scene: Annotated[
        list[str] | None,
        typer.Option(help=f"scene to play, repeatable; default: {', '.join(SCENES)}"),
    ] = None,
    turns: Annotated[int, typer.Option(min=0, help="turns of each scene; 0: all")] = 0,
    report: Annotated[Path, typer.Option(help="folder of the reports")] = Path("reports/demo"),
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="show what nodes log")] = False,
) -> None:
    """Let the whole chain play: every node a process, real DDS, the shipped launch description."""
    from rich.console import Console

    from turret_ai.graph.description import parse_arguments

    console = Console()
    given = parse_arguments(arguments or [])
    if "scene" in given or "source" in given:
        raise ConfigError("the demo plays source:=simulator; choose scenes with --scene")
    _choose_domain(console)
    runs = [_prepare(name, turns, report) for name in scene or SCENES]
    try:
        for run in runs:
            _play(run, given, console, verbose)
    except KeyboardInterrupt:
        console.print("interrupted")
        raise typer.Exit(130) from None
    _print_table(console, runs)
    for run in runs:
        if run.problem:
            console.print(f"[red]{run.scene}: {run.problem}[/]")
            for line in run.log[-20:]:
                console.print(f"  {line}", markup=False, highlight=False)
        else:
            console.print(f"report: {run.folder / 'report.html'}", highlight=False)
    raise typer.Exit(int(any(run.problem for run in runs)))


def _choose_domain(console: Console) -> None:
    """Keep to this machine and out of other people's graphs, unless the user says otherwise."""
    if "ROS_DOMAIN_ID" not in os.environ:
        os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(40, 99))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    domain = os.environ["ROS_DOMAIN_ID"]
    console.print(
        f"watch it with ROS_DOMAIN_ID={domain} turret-ai echo engagement", highlight=False
    )


def _prepare(name: str, turns: int, report: Path) -> _Run:
    """Look the scene up before anything starts.

    Raises:
        InputError: no such scene, or nobody speaks in it.
    """
    from turret_ai.simulate import scene as scenes

    spoken = [c for c in scenes.load(name).commands if c.audio is not None]
    if not spoken:
        raise ConfigError(f"scene {name!r} has no spoken commands")
    wanted = min(turns, len(spoken)) if turns else len(spoken)
    return _Run(name, wanted, report / Path(name).stem)


def _play(run: _Run, given: Mapping[str, str], console: Console, verbose: bool) -> None:
    """Start the graph, follow its turns, stop it."""
    from turret_ai.graph import GRAPHS
    from turret_ai.graph.processes import Processes
    from turret_ai.nodes import convert
    from turret_ai.nodes.evaluator import Evaluator
    from turret_ai.ros import Context

    def on_line(node: str, line: str) -> None:
        run.log.append(f"[{node}] {line}")
        if verbose:
            console.print(run.log[-1], markup=False, highlight=False)

    tracking = "lock" if _is_moving(run.scene) else "off"
    plan = GRAPHS["finals"].plan({"tracking": tracking, **given, "scene": run.scene})
    console.print(f"[bold]{run.scene}[/]: {run.wanted} spoken commands")
    context = Context()
    overrides = {"output": str(run.folder), "name": run.scene}
    namespace = f"/{plan.namespace.strip('/')}"
    node = Evaluator(overrides, context=context, namespace=namespace)
    try:
        with Processes(plan, on_line=on_line, spare_after=None) as processes:
            _follow(run, node, processes, console)
        if not run.problem:
            run.evaluation = node.evaluate()
            run.seconds = {
                heard.message.utterance_id: convert.step_seconds(heard.message)
                for heard in node.heard("engagement")
            }
            node.write(run.evaluation)
    except TurretError as error:
        run.problem = str(error)
    finally:
        context.close()


def _is_moving(name: str) -> bool:
    """Whether craft of a scene fly so fast that the turret should follow them."""
    from turret_ai.simulate import path
    from turret_ai.simulate import scene as scenes

    craft = scenes.load(name).craft
    return any(path.fastest(c.place, c.attitude, c.path) > MOVING for c in craft)


def _follow(run: _Run, node: Evaluator, processes: Processes, console: Console) -> None:
    """Show each step of each turn until all have ended."""
    from turret_ai.ros import spin_until

    shown: dict[str, int] = {}
    started = last = time.monotonic()

    with console.status("starting the nodes ...") as status:

        def ended() -> bool:
            nonlocal last
            if _show_news(node, shown, console):
                last = time.monotonic()
                status.update("listening ...")
            code = processes.check()
            if code is not None:
                run.problem = f"a node ended with exit code {code}"
            waited = time.monotonic() - (last if shown.get("engagement") else started)
            if waited > (TURN_LIMIT if shown.get("engagement") else START_LIMIT):
                run.problem = f"no turn ended for {waited:.0f} s"
            return bool(run.problem) or len(node.heard("engagement")) >= run.wanted

        spin_until(ended, node, timeout=START_LIMIT + TURN_LIMIT * run.wanted)


def _show_news(node: Evaluator, shown: dict[str, int], console: Console) -> bool:
    """Print what came since the last call; whether anything did."""
    news = False
    for topic, line in (
        ("transcript", _heard_line),
        ("command", _understood_line),
        ("target_bbox", _found_line),
        ("engagement", _end_line),
    ):
        messages = node.heard(topic)
        for heard in messages[shown.get(topic, 0) :]:
            text = line(heard.message)
            if text:
                console.print(text, markup=False, highlight=False)
            news = True
        shown[topic] = len(messages)
    return news


def _heard_line(message: Any) -> str:
    if message.status == message.PARTIAL:
        return ""
    return f"  heard       {message.text or '(' + message.reason + ')'}"


def _understood_line(message: Any) -> str:
    if message.partial:
        return ""
    fields = ", ".join(v or "?" for v in (message.heading, message.tool, message.target))
    return f"  understood  {fields}"


def _found_line(message: Any) -> str:
    if message.status == message.NOT_FOUND:
        return f"  found       nothing ({message.reason})"
    box = ", ".join(f"{v:.0f}" for v in (message.left, message.top, message.width, message.height))
    return f"  found       [{box}] match {message.match_score:.2f}, margin {message.margin:.2f}"


def _end_line(message: Any) -> str:
    from turret_ai.aim.turn import Outcome

    return f"  {Outcome(message.outcome).name:<11} {message.reason}".rstrip()


def _print_table(console: Console, runs: list[_Run]) -> None:
    """Every turn with what was right and where the time went, within 80 columns."""
    from rich.table import Table

    from turret_ai.aim.turn import STEPS

    table = Table(title="turns", show_edge=False)
    for name in ("scene", "heard (WER)", "understood", "found (IoU)", "outcome", "aim error"):
        table.add_column(name)
    times = Table(title="milliseconds", show_edge=False)
    for name in ("scene", *STEPS):
        times.add_column(name, justify="left" if name == "scene" else "right")
    aimed = rows = 0
    for run in runs:
        for scored in run.evaluation.scored if run.evaluation else ():
            answer = scored.answer
            if answer is None:
                continue
            rows += 1
            right = scored.hit == 1.0 and answer.outcome == "AIMED"
            aimed += right
            seconds = run.seconds.get(answer.utterance_id, {})
            table.add_row(
                Path(run.scene).stem,
                "-" if scored.words is None else f"{scored.words.wer:.2f}",
                _marked(scored),
                "-" if scored.iou is None else f"{scored.iou:.2f}",
                f"[green]{answer.outcome}[/]" if right else f"[yellow]{answer.outcome}[/]",
                "-" if scored.aim_error is None else f"{math.degrees(scored.aim_error):.2f}°",
            )
            times.add_row(
                Path(run.scene).stem, *(f"{seconds.get(name, 0.0) * 1e3:.0f}" for name in STEPS)
            )
    console.print(table)
    console.print(times)
    console.print(f"{aimed} of {rows} turns AIMED at the right craft", highlight=False)


def _marked(scored: Any) -> str:
    """How many fields are right, and the wrong ones with what was meant."""
    names = ("heading", "tool", "target")
    meant = {name: getattr(scored.truth, name, None) for name in names}
    wrong = [n for n in names if meant[n] is not None and scored.answer.value(n) != meant[n]]
    if not wrong:
        return "all" if any(meant.values()) else "-"
    return "\n".join(f"[red]{scored.answer.value(n) or '?'}[/]≠{meant[n]}" for n in wrong)
