# SPDX-License-Identifier: Apache-2.0
"""`turret-ai compete` and `turret-ai competition-server`: the finals, and a server for training."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from turret_ai.graph import Plan


def compete(
    server: Annotated[str, typer.Option(help="address of the finals server")],
    team: Annotated[str, typer.Option(help="team name")],
    deadline: Annotated[float, typer.Option(help="s after which an answer is sent anyway")] = 20.0,
    pan_speed: Annotated[
        float, typer.Option(help="degrees a second of the virtual turret", min=1.0, max=1000.0)
    ] = 60.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or tensorrt")] = "auto",
    one_process: Annotated[
        bool, typer.Option(help="all nodes in one process instead of one each")
    ] = False,
    arguments: Annotated[
        list[str] | None, typer.Argument(help="further arguments of the graph, as name:=value")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="folder for a page of the run (report.html)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a turn")] = False,
    verbose: Annotated[bool, typer.Option(help="show what the nodes log")] = False,
) -> None:
    """Play for a team at the finals server until it ends the run, and report every turn."""
    from rich.console import Console

    from turret_ai.act.competition import wire
    from turret_ai.act.competition.report import show
    from turret_ai.graph.processes import Processes

    wire.addresses(server, team)  # an address that can't be one is found before anything starts
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="turret_ai_compete_") as folder:
        report, pictures = Path(folder) / "turns.jsonl", Path(folder) / "pictures"
        told = {"report": str(report), "pictures": str(pictures) if output else ""}
        plan = _plan(server, team, deadline, pan_speed, device, one_process, arguments, told)

        def on_line(node: str, line: str) -> None:
            if verbose or node in ("competition", "chain") or "ERROR" in line:
                console.print(f"[dim]{node}[/] {line}", markup=True, highlight=False)

        console.print(f"playing as {team} at {server}; Ctrl-C ends")
        with Processes(plan, on_line=on_line) as processes:
            try:
                code = processes.wait()
            except KeyboardInterrupt:
                code = 0
        records = _read(report)
        if output is not None and records:
            from turret_ai.prove.finals import write_page

            page = write_page(records, pictures, output, f"{team} at {server}")
            console.print(f"the page of the run: {page}", soft_wrap=True, markup=False)
    if as_json:
        for record in records:
            print(json.dumps(record, ensure_ascii=False))
    if records:
        show(records, console)
    else:
        console.print("no turn was played")
    raise typer.Exit(code)


def _plan(
    server: str,
    team: str,
    deadline: float,
    pan_speed: float,
    device: str,
    one_process: bool,
    arguments: list[str] | None,
    told: Mapping[str, str],
) -> Plan:
    """The finals graph with the competition node told to end with the run, and the locator always
    to answer: no answer is worth as little as a wrong one."""
    import math

    from turret_ai.graph import GRAPHS
    from turret_ai.graph.description import parse_arguments

    plan = GRAPHS["finals"].plan(
        {
            "source": "competition",
            "server": server,
            "team": team,
            "device": device,
            "deadline": str(deadline),
            "one_process": str(one_process).lower(),
            **parse_arguments(arguments or []),
        }
    )
    extra = {
        **told,
        "exit_when_done": True,
        "yaw_rate": math.radians(pan_speed),
    }
    added: dict[str, dict[str, Any]] = {
        "competition": extra,
        "locator": {"matching.always_answer": True},
    }
    nodes = tuple(
        replace(entry, parameters={**entry.parameters, **added.get(entry.executable, {})})
        for entry in plan.nodes
    )
    return replace(plan, nodes=nodes)


def _read(report: Path) -> list[dict[str, Any]]:
    if not report.is_file():
        return []
    return [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines() if line]


def competition_server(
    scenes: Annotated[
        list[str], typer.Option(help="scene, kit folder, or folder of these; may be repeated")
    ],
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one", min=0, max=65535)] = 8000,
    rounds: Annotated[int, typer.Option(help="how often all scenes are played", min=1)] = 1,
    team_timeout: Annotated[float, typer.Option(help="s to wait for a team")] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a turn")] = False,
) -> None:
    """Run a finals server of our own: play the scenes with the team that connects, and score it."""
    import asyncio

    from rich.console import Console
    from rich.progress import track

    from turret_ai.act.competition import cases
    from turret_ai.act.competition.played import Played, ServerSettings
    from turret_ai.act.competition.server import CompetitionServer
    from turret_ai.prove.turns import summarise

    console = Console(stderr=True)
    found, left_out = cases.load(scenes)
    for reason in left_out:
        console.print(f"[yellow]left out[/] {reason}")

    def on_turn(played: Played) -> None:
        if as_json:
            print(played.as_line(), flush=True)
        result = played.result
        console.print(
            f"{played.case}: score {result.score:.3f} (language {result.nlp:.2f}, box "
            f"{result.vlm:.0f}, {result.seconds:.2f} s of which {played.pan_seconds:.2f} s panning)"
        )
        for problem in played.problems:
            console.print(f"  [yellow]{problem}[/]")

    async def play() -> list[Played]:
        settings = ServerSettings(host=host, port=port, team_timeout=team_timeout)
        async with CompetitionServer(found * rounds, settings, on_turn) as server:
            console.print(f"{len(found) * rounds} turns; listening on {server.address}")
            return await server.play()

    for case in track(found, "loading the worlds", console=console, transient=True):
        case.true_box(0.0)
    try:
        played = asyncio.run(play())
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    total = summarise([each.result for each in played])
    console.print(f"mean score {total.score:.4f}, {total.seconds:.2f} s a turn")
