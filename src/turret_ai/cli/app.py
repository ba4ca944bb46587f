# SPDX-License-Identifier: Apache-2.0
"""`turret-ai`: one table of commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from turret_ai.cli import streams
from turret_ai.errors import TurretError

if TYPE_CHECKING:
    import typer

COMMANDS: dict[str, tuple[str, str]] = {
    # name: ("module:function or module:Typer object", help line)
    "compete": ("turret_ai.cli.compete:compete", "play for a team at the finals server"),
    "competition-server": (
        "turret_ai.cli.compete:competition_server",
        "a finals server of our own, to train and test with",
    ),
    "console": ("turret_ai.cli.console:console", "the operator's page on a running graph"),
    "demo": ("turret_ai.cli.demo:demo", "spoken commands against the embedded simulator"),
    "doctor": ("turret_ai.cli.doctor:doctor", "name what is missing and how to get it"),
    "echo": ("turret_ai.cli.graph:echo", "print what is published on a topic"),
    "launch": ("turret_ai.cli.launch:launch", "start a whole graph, one process a node"),
    "nodes": ("turret_ai.cli.graph:nodes", "list the nodes on the network"),
    "render": ("turret_ai.cli.render:render", "what the camera sees in a scene"),
    "robomaster-emulator": ("turret_ai.cli.robomaster:emulator", "a robot to try the driver with"),
    "parse": ("turret_ai.cli.parse:parse", "turn transcripts into commands"),
    "run": ("turret_ai.cli.launch:run", "run one or several nodes in this process"),
    "serve": ("turret_ai.cli.serve:serve", "the stages as HTTP services (extra server)"),
    "synth": ("turret_ai.cli.synth:app", "make synthetic speech, images and scenes (extra train)"),
    "topics": ("turret_ai.cli.graph:topics", "list the topics on the network"),
    "record": ("turret_ai.cli.record:record", "record the graph into a bag"),
    "replay": ("turret_ai.cli.replay:replay", "play a bag onto live topics"),
    "latency": ("turret_ai.cli.latency:latency", "show live what each step of a turn takes"),
    "evaluate": ("turret_ai.cli.evaluate:app", "score predictions or a whole recording"),
    "transcribe": ("turret_ai.cli.transcribe:transcribe", "hear audio files"),
    "train": ("turret_ai.cli.train:app", "train a model (extra train)"),
    "export": ("turret_ai.cli.export:app", "export a checkpoint (extra train)"),
    "locate": ("turret_ai.cli.see:locate", "find described craft in a picture"),
    "classify": ("turret_ai.cli.see:classify", "tell what pictures show, without training"),
    "ensemble": ("turret_ai.cli.see:ensemble", "weigh several predictions by their saved scores"),
    "world": ("turret_ai.cli.world:world", "make a Gazebo world of a scene"),
}

PASS_THROUGH = {"run": {"allow_extra_args": True, "ignore_unknown_options": True}}
"""Commands whose options are for somebody else (ROS's own arguments)."""


def _placeholder() -> None:
    """Stands for a command in the list that `--help` shows."""


def _application(called: str | None) -> typer.Typer:
    """The command line with the called command loaded and the others as mere help lines."""
    import typer  # here: without it, main() still says what is missing

    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Speak to a turret: hear, understand, see, aim. With ROS 2 or without it.",
    )
    for name, (target, help_line) in COMMANDS.items():
        if name != called:
            app.command(name, help=help_line)(_placeholder)
            continue
        module, _, attribute = target.partition(":")
        found: Any = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, help=help_line)
        else:
            app.command(name, context_settings=PASS_THROUGH.get(name))(found)

    @app.callback()
    def root() -> None:
        """Speak to a turret: hear, understand, see, aim. With ROS 2 or without it."""

    return app


def _terminated(_number: int, _frame: object) -> None:
    """SIGTERM unwinds like an exception, so that what a command has started is stopped with it."""
    raise SystemExit(128 + signal.SIGTERM)


def _without_packages(error: ImportError, words: Sequence[str]) -> int:
    """Say which packages are missing; an import that failed for another reason is raised again."""
    from turret_ai import requirements

    explanation = requirements.explanation(error)
    if explanation is None:
        raise error
    if words[:1] == ["doctor"]:
        from turret_ai.cli.examination import tell

        return tell()
    print(f"error: {explanation}", file=sys.stderr)
    return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; a TurretError becomes one line on stderr and exit code 2."""
    code = _run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        streams.drop_output()
    return code


def _run(arguments: Sequence[str] | None) -> int:
    streams.tolerant()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    try:
        _application(words[0] if words else None)(args=words, prog_name="turret-ai")
    except TurretError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        return _without_packages(error, words)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe went away, as `head` does
        streams.drop_output()
        return 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    return 0


if __name__ == "__main__":
    sys.exit(main())
