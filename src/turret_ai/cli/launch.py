# SPDX-License-Identifier: Apache-2.0
"""`turret-ai run` and `turret-ai launch`: nodes and graphs without ROS's own commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from turret_ai import network
from turret_ai.errors import ConfigError


def run(
    names: Annotated[list[str], typer.Argument(help="nodes, then --ros-args and what follows")],
) -> None:
    """Run one or several nodes in this process: `turret-ai run locator --ros-args -p ...`."""
    from turret_ai.nodes.main import main

    raise typer.Exit(main(args=names))


def launch(
    graph: Annotated[str, typer.Argument(help="the graph, such as finals")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="arguments of the graph, as name:=value")
    ] = None,
    show_args: Annotated[
        bool, typer.Option("--show-args", "-s", help="list the graph's arguments and end")
    ] = False,
) -> None:
    """Start a whole graph, one process a node: `turret-ai launch finals scene:=harbour`."""
    from turret_ai.graph import GRAPHS
    from turret_ai.graph.description import parse_arguments
    from turret_ai.graph.processes import Processes

    name = graph.removesuffix(".launch.py")
    if name not in GRAPHS:
        raise ConfigError(f"no graph called {graph!r}; there are {', '.join(GRAPHS)}")
    chosen = GRAPHS[name]
    if show_args:
        for argument in chosen.arguments:
            print(f"{argument.name}:={argument.default or repr('')}\n    {argument.description}")
        return
    plan = chosen.plan(parse_arguments(arguments or []))
    hint = network.buffer_hint()
    if hint:
        print(hint, file=sys.stderr)
    with Processes(plan) as processes:
        try:
            code = processes.wait()
        except KeyboardInterrupt:
            code = 0
    raise typer.Exit(code)
