# SPDX-License-Identifier: Apache-2.0
"""A process that has imported everything and waits to become a node: both of its sides.

Two thirds of a node's start are imports. The node that takes a crashed one's place has them done.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

WORD = "--spare"
"""Before the names of nodes on a process's command line: be a spare for these."""
_END_S = 2.0


def start(words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """A process of a node or a spare, deaf to the terminal's Ctrl-C.

    Args:
        words: as `turret_ai.nodes.main` takes them.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "turret_ai.nodes.main", *words],
        stdin=subprocess.PIPE if words[0] == WORD else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=dict(environment),
        start_new_session=True,
    )


class Spare:
    """One such process. It ends when whoever made it does."""

    def __init__(self, nodes: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it.

        Args:
            nodes: what it may become.
        """
        self._process: subprocess.Popen[str] | None = start((WORD, *nodes), environment)

    def become(self, words: Sequence[str]) -> subprocess.Popen[str] | None:
        """Let it go on as if it had been started with these words; None where it has ended."""
        process, self._process = self._process, None
        if process is None:
            return None
        try:
            _say(process, json.dumps(list(words)) + "\n")
        except OSError:
            _end(process)
            return None
        return process

    def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                _say(process, "")
            _end(process)


def is_called() -> bool:
    """In the spare itself: whether its words have come, or nobody can send any."""
    return bool(select.select([sys.stdin], [], [], 0.0)[0])


def wait_for_words() -> list[str]:
    """In the spare itself: what it is to go on with; nothing where it is to end."""
    line = sys.stdin.readline()
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    return [str(word) for word in json.loads(line)] if line else []


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(line)
    finally:
        process.stdin.close()  # also flushes


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:  # still importing
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()
