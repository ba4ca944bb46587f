# SPDX-License-Identifier: Apache-2.0
"""Starts a plan's nodes as processes of this machine, without ROS's launch system."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from turret_ai.graph import parameters
from turret_ai.graph.description import NodeEntry, Plan
from turret_ai.graph.respawn import Delays
from turret_ai.spare import Spare, start

STOP_SECONDS = 4.0
"""How long a node may take to end after SIGINT before it is killed."""


class Processes:
    """The running nodes. Use as a context manager, or call `stop()`."""

    def __init__(
        self,
        plan: Plan,
        *,
        on_line: Callable[[str, str], None] | None = None,
        environment: Mapping[str, str] | None = None,
        respawn: bool | None = None,
        spare_after: float | None = 10.0,
    ) -> None:
        """Start every node.

        Args:
            on_line: called with (node, line) for each line that a node prints; None: to stderr.
            environment: on top of this process's own.
            respawn: start a node again that crashed (not one that refused its settings); None: as
                the plan says.
            spare_after: seconds after the last start of a node until a spare process is made,
                which takes the place of the next that crashes; None: never.
        """
        self._plan = plan
        self._on_line = on_line or _print_line
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._respawn = plan.respawn if respawn is None else respawn
        self._folder = tempfile.TemporaryDirectory(prefix="turret_ai_launch_")
        self._words = parameters.write(plan, Path(self._folder.name) / "parameters.yaml")
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self._respawn_at: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._delays = Delays()
        self._spare: Spare | None = None
        self._spare_after = spare_after
        self._something_ended = threading.Event()
        entries = (NodeEntry("chain"),) if plan.one_process else plan.nodes
        for entry in entries:
            self.start(entry)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> Mapping[str, subprocess.Popen[str]]:
        """The processes by executable."""
        return self._running

    def start(self, entry: NodeEntry) -> None:
        """Start one node, or the one process that holds all of them."""
        names = [entry.executable]
        if self._plan.one_process:
            names = [each.executable for each in self._plan.nodes]
        words = ["--ros-args", "--log-level", self._plan.log_level, *self._words]
        if self._plan.namespace:
            words += ["-r", f"__ns:=/{self._plan.namespace.strip('/')}"]
        for rule in self._plan.remappings(entry):
            words += ["-r", rule]
        words = [*names, *words]
        spare, self._spare = self._spare, None
        process = spare.become(words) if spare is not None else None
        if process is None:
            process = start(words, self._environment)  # Ctrl-C reaches it through stop(), once
        self._running[entry.executable] = process
        self._started[entry.executable] = time.monotonic()
        assert process.stdout is not None
        reader = threading.Thread(
            target=self._read, args=(entry.executable, process.stdout), daemon=True
        )
        reader.start()
        self._readers.append(reader)

    def check(self) -> int | None:
        """Look after the nodes once: start crashed ones again.

        Returns:
            The exit code of a node that ended for good (it refused its settings, or was asked to
            end), None while all is well.
        """
        now = time.monotonic()
        for name, process in list(self._running.items()):
            code = process.poll()
            if code is None:
                continue
            if code in (0, 2) or not self._respawn:
                self._on_line(name, f"ended with exit code {code}")
                return code
            if name not in self._respawn_at:
                self._on_line(name, f"crashed (exit code {code}), starting it again")
                self._respawn_at[name] = now + self._delays.after(name, now - self._started[name])
            if now >= self._respawn_at[name]:
                del self._respawn_at[name]
                self.start(self._entry(name))
        self._look_after_spare(now)
        return None

    def _look_after_spare(self, now: float) -> None:
        if not self._respawn or self._spare is not None or self._spare_after is None:
            return
        if now - max(self._started.values(), default=now) > self._spare_after:
            nodes = [entry.executable for entry in self._plan.nodes]
            self._spare = Spare(nodes, self._environment)

    def wait(self, seconds: float | None = None) -> int:
        """Look after the nodes until one ends for good or the time is over.

        Returns:
            0 when the time is over, else the exit code of the node that ended.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            code = self.check()
            if code is not None:
                return code
            self._something_ended.wait(0.1)
            self._something_ended.clear()
        return 0

    def stop(self) -> dict[str, int]:
        """End every node: SIGINT, then SIGKILL for one that doesn't listen.

        Returns:
            The exit codes by executable.
        """
        if self._spare is not None:
            self._spare.close()
        for process in self._running.values():
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGINT)
        end = time.monotonic() + STOP_SECONDS
        codes = {}
        for name, process in self._running.items():
            try:
                codes[name] = process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        for reader in self._readers:
            reader.join(1.0)
        self._folder.cleanup()
        return codes

    def _entry(self, executable: str) -> NodeEntry:
        for entry in self._plan.nodes:
            if entry.executable == executable:
                return entry
        return NodeEntry(executable)

    def _read(self, name: str, pipe: IO[str]) -> None:
        for line in pipe:
            self._on_line(name, line.rstrip("\n"))
        pipe.close()
        self._something_ended.set()


def _print_line(name: str, line: str) -> None:
    print(f"[{name}] {line}", file=sys.stderr, flush=True)
