# SPDX-License-Identifier: Apache-2.0
"""`turret-ai record`: topics of the running graph into a bag, with or without ROS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def record(
    topics: Annotated[
        list[str] | None, typer.Argument(help="topics; without any: those of the graph")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder of the bag (turret_DATE-TIME)")
    ] = None,
    storage: Annotated[str, typer.Option("--storage", "-s", help="mcap or sqlite3")] = "mcap",
    compress: Annotated[bool, typer.Option(help="compress an mcap bag by zstd")] = False,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="every topic whose type is known")
    ] = False,
    images: Annotated[bool, typer.Option(help="also camera images")] = True,
    jpeg: Annotated[
        int, typer.Option(min=0, max=100, help="images as JPEG of this quality; 0: as they are")
    ] = 0,
    duration: Annotated[
        float, typer.Option("--duration", "-d", min=0.0, help="s to record; 0: until Ctrl-C")
    ] = 0.0,
    namespace: Annotated[str, typer.Option(help="namespace of the graph")] = "/",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no status line")] = False,
) -> None:
    """Record the graph: nothing is lost, Ctrl-C completes the bag, `ros2 bag` can read it."""
    from turret_ai.cli.status_line import Status
    from turret_ai.nodes.recorder import BagRecorder
    from turret_ai.ros import run

    overrides: dict[str, Any] = {
        "output": str(output or ""),
        "storage": storage,
        "compress": compress,
        "topics": topics or [],
        "all": everything,
        "images": images,
        "jpeg_quality": jpeg,
    }
    status = Status(quiet, duration)

    def make() -> Any:
        node = BagRecorder(overrides, namespace=namespace)

        def line() -> str:
            counts, lost = node.counts, sum(node.recorder.lost.values())
            size = node.recorder.waiting_bytes / 2**20
            text = f"{sum(counts.values())} messages of {sum(map(bool, counts.values()))} topics"
            return f"{text}, {size:.0f} MiB wait" + (f", [red]{lost} lost[/red]" if lost else "")

        status.begin(f"recording {node.path}", line)
        return node

    with status:
        code = run(make, args=[])
    raise typer.Exit(code)
