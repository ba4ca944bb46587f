# SPDX-License-Identifier: Apache-2.0
"""`turret-ai serve`: the stages as HTTP services."""

from __future__ import annotations

import math
from typing import Annotated

import typer

USUAL_PORTS = {"stt": 5001, "extract": 5002, "cannon": 5003, "identify": 5004}


def serve(
    only: Annotated[
        list[str] | None,
        typer.Argument(help="services to offer: stt, extract, identify, cannon; none: all"),
    ] = None,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="one port for all; 0: 5001 stt, 5002 extract, 5003 cannon, 5004")
    ] = 0,
    scene: Annotated[str, typer.Option(help="scene that the cannon stands in")] = "airfield",
    pan_speed: Annotated[
        float, typer.Option(help="degrees a second of the cannon; 0: at once", min=0.0)
    ] = 60.0,
    max_body: Annotated[int, typer.Option(help="MiB of a request's body", min=1, max=1024)] = 64,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or tensorrt")] = "auto",
) -> None:
    """Serve /stt, /extract, /identify, /send_heading, /reset_cannon and /health (extra server)."""
    from rich.console import Console

    from turret_ai import extras
    from turret_ai.errors import ConfigError

    extras.require("fastapi", "server")
    extras.require("uvicorn", "server")
    from turret_ai.act.services import running

    wanted = only or list(USUAL_PORTS)
    unknown = sorted(set(wanted) - set(USUAL_PORTS))
    if unknown:
        raise ConfigError(f"no service {', '.join(unknown)}; there are {', '.join(USUAL_PORTS)}")
    ports = {name: port or USUAL_PORTS[name] for name in wanted}
    console = Console(stderr=True)
    with console.status("loading the models"):
        stages = running.load(wanted, device, scene, math.radians(pan_speed))
    for name, each in ports.items():
        console.print(f"{name}: http://{host}:{each}")
    running.serve(stages, ports, host, max_body * 1024 * 1024)
