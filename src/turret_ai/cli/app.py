"""`turret-ai`: one table of commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click
import typer
from typer.core import TyperGroup

from turret_ai.errors import TurretError

COMMANDS: dict[str, tuple[str, str]] = {
    # name: ("module:function or Typer object", help line)
}


class _LazyGroup(TyperGroup):
    """Shows every command's help line without importing what the command needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        target, help_line = COMMANDS[cmd_name]
        module, _, attribute = target.partition(":")
        found: Any = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            command = typer.main.get_group(found)
        else:
            single = typer.Typer(add_completion=False, rich_markup_mode=None)
            single.command(name=cmd_name)(found)
            command = typer.main.get_command(single)
        command.name = cmd_name
        command.help = command.help or help_line
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Speak to a turret: hear, understand, see, aim. With ROS 2 or without it.",
)


@app.callback()
def _root() -> None:
    """Speak to a turret: hear, understand, see, aim. With ROS 2 or without it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; a TurretError becomes one line on stderr and exit code 2."""
    try:
        app(args=list(arguments) if arguments is not None else None, prog_name="turret-ai")
    except TurretError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    return 0


if __name__ == "__main__":
    sys.exit(main())
