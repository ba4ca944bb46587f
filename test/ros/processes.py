# SPDX-License-Identifier: Apache-2.0
"""Starting and listening to other processes of a test."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

PEER = Path(__file__).parent / "peer.py"


class Peer:
    """A process whose lines are JSON objects; everything else that it says is kept as text."""

    def __init__(self, *words: str, command: list[str] | None = None, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*(command or [sys.executable, str(PEER)]), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for thread in self._threads:
            thread.join(1)

    def until(self, key: str, timeout: float = 20.0) -> dict[str, Any]:
        """The next line that has a key."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=min(left, 0.2))
            except queue.Empty:
                if self.process.poll() is not None and self._lines.empty():
                    break
                continue
            self.seen.append(line)
            if key in line:
                return line
        raise AssertionError(f"no line with {key!r}; stderr:\n{self.stderr}")

    @property
    def stderr(self) -> str:
        """What it complained about so far."""
        return "\n".join(self.errors)

    def wait_for_error(self, text: str, timeout: float = 10.0) -> None:
        """Until stderr holds a text."""
        end = time.monotonic() + timeout
        while text not in self.stderr:
            assert time.monotonic() < end, f"{text!r} is not in:\n{self.stderr}"
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """(exit code, seconds) after a signal."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(10)
        return code, time.monotonic() - began

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self._lines.put(json.loads(line))
            except ValueError:
                self.errors.append(line.rstrip())

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line.rstrip())
