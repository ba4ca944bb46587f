# SPDX-License-Identifier: Apache-2.0
"""The life of a process of nodes, alike in both runtimes: arguments, signals, exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from turret_ai.errors import TurretError
from turret_ai.ros import log
from turret_ai.ros.arguments import Arguments

GRACE_S = 1.7
"""Seconds after a signal until a process whose threads don't end is ended all the same."""


_grace_s = GRACE_S


def ask_for_time(seconds: float) -> None:
    """Let this process take longer to end after a signal: a bag or a report must be completed.

    For nodes that write files when they are destroyed; called while they are made.
    """
    global _grace_s
    _grace_s = max(_grace_s, seconds)


def fail(error: BaseException) -> bool:
    """End the nodes' run with an error that came up after they were made, by its exit code.

    Returns:
        False where nothing runs that could be ended: the nodes are someone else's.
    """
    if _running is None:
        return False
    _running.fail(error)
    return True


def end_at_once() -> None:
    """Don't wait for threads at the end of this process: one is inside a library."""
    global _at_once
    _at_once = True


_exit_code = 0


def end_with(code: int) -> None:
    """Let this process end with another code than 0 after a signal: what it was to do failed.

    For nodes that find out when they are destroyed.
    """
    global _exit_code
    _exit_code = code


class Stop:
    """Whether the process shall end: set by SIGINT and SIGTERM, or by an error in the executor."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._error: BaseException | None = None
        self._force: Callable[[], None] = lambda: None
        self._starting = True

    def is_set(self) -> bool:
        """Whether it is time to end."""
        return self._event.is_set()

    def wait(self) -> None:
        """Block the main thread until then; raises what ended the executor, if an error did."""
        self._starting = False
        while not self._event.wait(3600.0):
            pass
        if self._error is not None:
            raise self._error

    def fail(self, error: BaseException) -> None:
        """End because of an error in the executor, or of a node that can't do its work."""
        self._error = self._error or error
        self._event.set()

    def on_force(self, function: Callable[[], None]) -> None:
        """What to do at last where threads don't end: leave the graph."""
        self._force = function

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        if self._event.is_set():
            return
        self._event.set()
        watchdog = threading.Timer(_grace_s, self._end)
        watchdog.daemon = True
        watchdog.start()
        if self._starting:  # a model may be loading: unwind from where we are
            raise KeyboardInterrupt

    def _end(self) -> None:
        """A model in mid-inference can't be interrupted; the promise of 2 s counts more."""
        closing = threading.Thread(target=self._force, daemon=True)
        closing.start()
        closing.join(0.2)
        _leave(0)


_running: Stop | None = None
_at_once = False


def run_process(work: Callable[[Arguments, Stop], None], args: Sequence[str] | None) -> int:
    """Parse the arguments, watch for signals, do the work.

    Returns:
        0 after a signal (or what `end_with` said), 2 after a TurretError (told in one line).
    """
    code = _run(work, args)
    if _at_once:
        _leave(code)
    return code


def _leave(code: int) -> None:
    """End the process whatever its threads do."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


def _run(work: Callable[[Arguments, Stop], None], args: Sequence[str] | None) -> int:
    global _running
    end_with(0)
    stop = _running = Stop()
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, stop.on_signal)
    try:
        arguments = Arguments.parse(sys.argv[1:] if args is None else args)
        log.bridge(arguments.log_level)
        work(arguments, stop)
    except KeyboardInterrupt:
        return _exit_code
    except TurretError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    finally:
        _running = None
        for number, handler in previous.items():
            signal.signal(number, handler)
    return _exit_code
