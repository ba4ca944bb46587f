# SPDX-License-Identifier: Apache-2.0
"""One line on stderr that says how a long command goes, and a limit to its time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

from rich.console import Console
from rich.status import Status as Spinner


class Status:
    """Shows a line a few times a second; quiet where stderr is no terminal.

    duration: seconds after which the process is asked to end (SIGINT); 0: never.
    """

    def __init__(self, quiet: bool = False, duration: float = 0.0) -> None:
        console = Console(stderr=True)
        self._spinner = None if quiet or not console.is_terminal else Spinner("", console=console)
        self._duration = duration
        self._title = ""
        self._line: Callable[[], str] = str
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self, title: str, line: Callable[[], str]) -> None:
        """From now on show the title, the time and the line."""
        self._title, self._line = title, line
        self._began = time.monotonic()
        self._thread.start()
        if self._spinner is not None:
            self._spinner.start()

    def __enter__(self) -> Status:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._spinner is not None:
            self._spinner.stop()

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            passed = time.monotonic() - self._began
            if self._spinner is not None:
                self._spinner.update(f"{self._title}  {passed:.0f} s  {self._line()}")
            if self._duration and passed >= self._duration:
                os.kill(os.getpid(), signal.SIGINT)
                return
