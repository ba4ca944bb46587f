# SPDX-License-Identifier: Apache-2.0
"""Play the finals against our own server."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.common import SHARED_DATA, Row, Skip

TIMEOUT_S = 600


def run(quick: bool) -> list[Row]:
    from turret_ai import share
    from turret_ai.act.competition import cases
    from turret_ai.errors import TurretError

    try:
        own, _ = cases.load([share.path("scenes")])
    except TurretError as error:
        raise Skip(str(error)) from error
    til24, _ = cases.load([SHARED_DATA / "til24"]) if SHARED_DATA.is_dir() else ([], [])
    chosen = [*til24, *(own[::8] if quick else own[::2])]
    played, turns = asyncio.run(_play(chosen))
    if len(turns) < len(chosen):
        raise RuntimeError(f"only {len(turns)} of {len(chosen)} turns were reported")
    seconds = [each.result.seconds for each in played]
    pans = [each.pan_seconds for each in played]
    answered = sum(each.answer is not None for each in played)
    compute = [s - p for s, p in zip(seconds, pans, strict=True)]
    note = f"{len(played)} turns, {len(til24)} of them from shared data; pan at 60 deg/s"
    nlp = statistics.mean(each.result.nlp for each in played)
    vlm = statistics.mean(each.result.vlm for each in played)
    score = statistics.mean(each.result.score for each in played)
    return [
        Row(
            "finals: turns answered",
            answered / len(played),
            "share",
            higher_is_better=True,
            note=note,
        ),
        Row(
            "finals: all turns' seconds, panning and compute",
            sum(seconds),
            "s",
            "least time for panning alone",
            sum(pans),
            note=f"{note}; {sum(seconds) / sum(pans):.2f} times the least pan time",
        ),
        Row(
            "finals: seconds of a turn beyond panning, median",
            statistics.median(compute),
            "s",
            note="hear, understand, settle, snapshot, see; " + _steps(turns),
        ),
        Row(
            "finals: all turns' seconds over panning and the models' compute",
            sum(seconds) / (sum(pans) + sum(_compute(turn) for turn in turns)),
            "ratio",
            note="what settling, snapshots and messages cost; 1 would be nothing",
        ),
        Row("finals: mean score of a turn", score, "score", "", None, True, note),
        Row("finals: language score", nlp, "score", "", None, True, note),
        Row("finals: boxes right", vlm, "share", "", None, True, note),
    ]


def _compute(turn: dict[str, Any]) -> float:
    """Seconds of a turn in which a model worked, transport included."""
    return sum(turn["seconds"].get(name, 0.0) for name in ("hear", "understand", "see"))


def _steps(turns: list[dict[str, Any]]) -> str:
    """The median of each step but the panning."""
    found = []
    for name in ("hear", "understand", "snapshot", "see"):
        values = [turn["seconds"][name] for turn in turns if name in turn["seconds"]]
        if values:
            found.append(f"{name} {statistics.median(values) * 1e3:.0f} ms")
    return ", ".join(found)


async def _play(chosen: list[Any]) -> tuple[list[Any], list[dict[str, Any]]]:
    """Our server here, `turret-ai compete` as a process of its own."""
    from turret_ai.act.competition.played import ServerSettings
    from turret_ai.act.competition.server import CompetitionServer

    settings = ServerSettings(port=0, team_timeout=180.0, pause=1.0)
    async with CompetitionServer(chosen, settings) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "turret_ai.cli.app", "compete"),
            *("--server", server.address, "--team", "bench", "--json", "--one-process"),
            cwd=Path(__file__).resolve().parents[1],
            env={
                **os.environ,
                "ROS_DOMAIN_ID": str(10 + os.getpid() % 90),
                "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            played = await server.play()
            out, _ = await asyncio.wait_for(process.communicate(), 20.0)
        finally:
            if process.returncode is None:
                process.kill()
    turns = [json.loads(line) for line in out.decode().splitlines()]
    return list(played), turns
