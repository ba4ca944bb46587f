# SPDX-License-Identifier: Apache-2.0
"""A thread for what takes long, so that callbacks never block."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Worker(Generic[T]):
    """Handles items one after the other in a thread of its own.

    With `latest_wins` an item that still waits is replaced by a newer one; otherwise items are
    handled first in, first out, and the oldest is dropped when more than `capacity` wait.
    """

    def __init__(
        self,
        handle: Callable[[T], None],
        *,
        latest_wins: bool,
        capacity: int = 16,
        on_error: Callable[[Exception, T], None] | None = None,
        on_drop: Callable[[T, str], None] | None = None,
        name: str = "worker",
    ) -> None:
        """Start the thread.

        Args:
            handle: called in the thread; its exceptions go to `on_error`, never further.
            capacity: how many items may wait, at least 1.
            on_error: called in the thread; without it, exceptions are logged.
            on_drop: told every item that is never handled, and why, in the thread of whoever
                dropped it.
        """
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self._handle = handle
        self._on_error = on_error
        self._on_drop = on_drop
        self._waiting: deque[tuple[int, T]] = deque()
        self._capacity = 1 if latest_wins else capacity
        self._condition = threading.Condition()
        self._closing = False
        self._since: int | None = None
        self._stale = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand over an item; never blocks. After `close` it is dropped."""
        surplus: list[T] = []
        why = "too slow: the queue is full"
        with self._condition:
            if self._closing:
                surplus.append(item)
                why = "the node ends"
            else:
                while len(self._waiting) >= self._capacity:
                    surplus.append(self._waiting.popleft()[1])
                self._waiting.append((time.monotonic_ns(), item))
                self._condition.notify()
        self._drop(surplus, why)

    def clear(self, why: str = "reset") -> int:
        """Drop what waits; what is being handled goes on, but is `stale`.

        Returns:
            How many were dropped.
        """
        with self._condition:
            surplus = [item for _, item in self._waiting]
            self._waiting.clear()
            self._stale = self._since is not None
        self._drop(surplus, why)
        return len(surplus)

    @property
    def stale(self) -> bool:
        """Whether `clear` was called since the item that is being handled was taken up.

        For the handler: its result is no longer wanted. In other threads: False.
        """
        return self._stale and threading.current_thread() is self._thread

    @property
    def dropped(self) -> int:
        """Items that were never handled."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """Items that wait."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether an item is being handled."""
        return self._since is not None

    @property
    def age_ns(self) -> int:
        """Nanoseconds since the oldest unfinished item was put; 0 if there is none."""
        with self._condition:
            since = self._since
            if since is None and self._waiting:
                since = self._waiting[0][0]
        return 0 if since is None else time.monotonic_ns() - since

    def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing waits or is being handled; False if that took too long (seconds)."""
        with self._condition:
            return self._condition.wait_for(
                lambda: not self._waiting and self._since is None, timeout
            )

    def close(self, timeout: float = 1.0) -> bool:
        """Drop what waits and end the thread; False if an item still runs after `timeout` s."""
        with self._condition:
            self._closing = True
            surplus = [item for _, item in self._waiting]
            self._waiting.clear()
            self._condition.notify_all()
        self._drop(surplus, "the node ends")
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _drop(self, surplus: list[T], why: str) -> None:
        self._dropped += len(surplus)
        if self._on_drop is not None:
            for item in surplus:
                self._on_drop(item, why)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._since, self._stale = None, False
                self._condition.notify_all()
                while not self._waiting and not self._closing:
                    self._condition.wait()
                if self._closing:
                    return
                self._since, item = self._waiting.popleft()
            try:
                self._handle(item)
            except Exception as error:
                self._report(error, item)

    def _report(self, error: Exception, item: T) -> None:
        if self._on_error is None:
            _log.exception("%s failed", self._thread.name)
            return
        try:
            self._on_error(error, item)
        except Exception:
            _log.exception("the error handler of %s failed", self._thread.name)
