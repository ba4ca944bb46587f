# SPDX-License-Identifier: Apache-2.0
"""`turret-ai latency`: what each step of a turn takes, live."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Any

import typer


def latency(
    window: Annotated[float, typer.Option(min=1.0, help="s over which figures are taken")] = 600.0,
    namespace: Annotated[str, typer.Option(help="namespace of the graph")] = "/",
    use_sim_time: Annotated[
        bool, typer.Option(help="take the time from /clock, as with a replay")
    ] = False,
    once: Annotated[
        float, typer.Option(min=0.0, help="s to listen, then print JSON and end; 0: live view")
    ] = 0.0,
) -> None:
    """Show p50, p95 and p99 of each step, from the stamps that ride on the messages.

    "turn: ..." are the steps of the `engagement` summaries, "work: ..." what a stage itself took,
    "age: ..." how old its source measurement was when the message arrived here.
    """
    import json

    from rich.console import Console
    from rich.live import Live

    from turret_ai.cli.latency_view import LatencyWatch, table
    from turret_ai.prove.records import canonical
    from turret_ai.ros import run

    made: list[LatencyWatch] = []
    ended = threading.Event()
    console = Console()

    def show() -> None:
        began = time.monotonic()
        if once:
            while not ended.wait(0.1) and time.monotonic() - began < once:
                pass
            rows = made[0].statistics()
            print(json.dumps(canonical({name: s.as_dict() for name, s in rows.items()})))
            _interrupt()
            return
        with Live(console=console, refresh_per_second=4) as live:
            while not ended.wait(0.25):
                live.update(table(made[0]))

    thread = threading.Thread(target=show, name="view", daemon=True)

    def make() -> Any:
        made.append(LatencyWatch(window, namespace=namespace))
        thread.start()
        return made[0]

    code = run(make, args=["--ros-args", "-p", f"use_sim_time:={str(use_sim_time).lower()}"])
    ended.set()
    if thread.ident is not None:
        thread.join(2.0)
    raise typer.Exit(code)


def _interrupt() -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGINT)
