# SPDX-License-Identifier: Apache-2.0
"""Loads the stages that are asked for, and serves them on their ports until interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import uvicorn

from turret_ai.act.services.app import Stages, create_app
from turret_ai.act.services.cannon import Cannon
from turret_ai.errors import PeerError

_CLOSE_S = 3
"""Seconds that answers under way may still take after a signal."""
_FIELDS = {
    "stt": "recogniser",
    "extract": "understander",
    "identify": "locator",
    "cannon": "cannon",
}


def load(names: Sequence[str], device: str, scene: str, pan_speed: float) -> Stages:
    """The stages behind the services, warmed up.

    Raises:
        ModelError, ConfigError, InputError: a model, setting or scene that can't be used.
    """
    found: dict[str, Any] = {}
    if "stt" in names:
        from turret_ai.hear import recogniser
        from turret_ai.hear.settings import RecogniserSettings

        speech_device = {"auto": "auto", "tensorrt": "cuda"}.get(device, device)
        found["recogniser"] = recogniser.load(RecogniserSettings(device=speech_device))
        found["recogniser"].warm_up()
    if "extract" in names:
        from turret_ai.understand import Understander, UnderstandSettings

        found["understander"] = Understander(UnderstandSettings())
    if "identify" in names:
        from turret_ai.execution import ExecutionSettings
        from turret_ai.see import locator
        from turret_ai.see.settings import SeeSettings

        execution = ExecutionSettings(provider=device)
        found["locator"] = locator.load(SeeSettings(execution=execution))
        found["locator"].warm_up()
    if "cannon" in names:
        from turret_ai.simulate import scene as scenes
        from turret_ai.simulate.world import World

        found["cannon"] = Cannon(World(scenes.load(scene)), pan_speed)
    return Stages(**found)


def serve(stages: Stages, ports: Mapping[str, int], host: str, max_body: int) -> None:
    """Serve until SIGINT or SIGTERM. Services that share a port share an application.

    Raises:
        PeerError: a port is taken.
    """
    by_port: dict[int, list[str]] = {}
    for name, port in ports.items():
        by_port.setdefault(port, []).append(name)
    servers = []
    for port, names in by_port.items():
        fields = {_FIELDS[name]: getattr(stages, _FIELDS[name]) for name in names}
        app = create_app(Stages(**fields), max_body)
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_CLOSE_S,
        )
        servers.append(uvicorn.Server(config))
    try:
        asyncio.run(_serve(servers))
    except SystemExit as error:  # how uvicorn says that it can't listen
        raise PeerError(f"can't listen on {host}, ports {sorted(by_port)}") from error


async def _serve(servers: Sequence[uvicorn.Server]) -> None:
    """All of them end when one of them ends: each gets the process's signal."""
    tasks = [asyncio.ensure_future(server.serve()) for server in servers]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
