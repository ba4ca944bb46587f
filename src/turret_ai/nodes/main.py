# SPDX-License-Identifier: Apache-2.0
"""Starts nodes: `python -m turret_ai.nodes.main NAME [NAME...] [--ros-args ...]`.

With `--spare NAME...` it imports what those nodes need, then waits for a line on its standard
input: the words to go on with, as a JSON list. Without a line it ends.
"""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from turret_ai.errors import TurretError


def main(names: Sequence[str] | None = None, args: Sequence[str] | None = None) -> int:
    """Run one or several nodes in this process until SIGINT or SIGTERM.

    Args:
        names: nodes of the registry; None: the words before `--ros-args`.
        args: command line without the program's name; None: the process's own.

    Returns:
        Exit code: 0 after a signal, 2 for a node that could not be made.
    """
    try:
        return _main(names, args)
    except KeyboardInterrupt:  # Ctrl-C while the modules were still being imported
        return 0
    except TurretError as error:  # no such node, or not the runtime that was asked for
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        from turret_ai import requirements

        explanation = requirements.explanation(error)
        if explanation is None:
            raise
        print(f"error: {explanation}", file=sys.stderr)
        return 2


def process(*names: str) -> NoReturn:
    """The whole life of a process: `main`, with SIGTERM heeded from the first moment, and deaf to
    both signals once its exit code is known."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        code = main(names or None)
        _be_deaf()
    except KeyboardInterrupt:  # a second one: a launch passes on what the terminal sent already
        _be_deaf()
        code = 0
    sys.exit(code)


def _be_deaf() -> None:
    """On a busy machine Python itself takes seconds to end: a launch that loses patience meanwhile
    sends SIGTERM, and the exit code would be that of a crash."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _main(names: Sequence[str] | None, args: Sequence[str] | None) -> int:
    # Imported here, so that a Ctrl-C meanwhile is caught above.
    from turret_ai import spare
    from turret_ai.nodes.registry import node_class
    from turret_ai.ros import run

    words = list(sys.argv[1:] if args is None else args)
    if words[:1] == [spare.WORD]:
        _import_ahead(words[1:])
        words = spare.wait_for_words()
        if not words:
            return 0
    if names is None:
        end = words.index("--ros-args") if "--ros-args" in words else len(words)
        names, words = words[:end], words[end:]
    return run(*(node_class(name) for name in names), args=words)


def _import_ahead(names: Sequence[str]) -> None:
    """What these nodes will need, until the spare is called upon: then the rest would only delay
    it."""
    from turret_ai import spare
    from turret_ai.nodes.registry import node_class

    for name in names:
        if spare.is_called():
            return
        with contextlib.suppress(Exception):  # told when it is to become that node
            for module in getattr(node_class(name), "late_imports", ()):
                if spare.is_called():
                    return
                importlib.import_module(module)


if __name__ == "__main__":
    process()
