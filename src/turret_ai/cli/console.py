# SPDX-License-Identifier: Apache-2.0
"""`turret-ai console`: the operator's page on a graph that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def console(
    host: Annotated[
        str, typer.Option(help="address to listen on; beyond loopback a token is demanded")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on; 0: any", min=0, max=65535)] = 8765,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="a further name under which browsers may address it; repeatable"),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="file with the token that pages must know")
    ] = None,
    namespace: Annotated[str, typer.Option(help="of the turret's nodes")] = "",
    use_sim_time: Annotated[bool, typer.Option(help="take the time from /clock")] = False,
) -> None:
    """See and command a running graph in the browser (extra console).

    Without one: `turret-ai launch finals source:=console` starts the simulator, the stages and
    this page.
    """
    from turret_ai import extras

    for module in ("fastapi", "uvicorn"):
        extras.require(module, "console")
    from turret_ai.nodes.console import Console
    from turret_ai.ros import run

    overrides = {
        "host": host,
        "port": port,
        "allowed_hosts": allow or [],
        "token_file": str(token_file) if token_file is not None else "",
    }
    words = ["-p", f"use_sim_time:={str(use_sim_time).lower()}"]
    if namespace.strip("/"):
        words += ["-r", f"__ns:=/{namespace.strip('/')}"]
    raise typer.Exit(run(lambda: Console(overrides), args=["--ros-args", *words]))
