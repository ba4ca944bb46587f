# SPDX-License-Identifier: Apache-2.0
"""An asyncio program in a thread of its own, for owners that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any


class LoopThread:
    """Runs one coroutine function until it returns or `stop` cancels it.

    Args:
        main: makes the coroutine; called inside the thread's event loop.
        on_error: told of an exception that ended `main`.
    """

    def __init__(
        self,
        main: Callable[[], Coroutine[Any, Any, None]],
        name: str,
        on_error: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._main = main
        self._on_error = on_error
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread and wait (5 s at most) until its loop runs."""
        self._thread.start()
        self._running.wait(5.0)

    @property
    def alive(self) -> bool:
        """Whether the coroutine still runs."""
        return self._thread.is_alive()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a plain function called inside the loop; from any thread, never blocks."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:  # the loop closed in between
                return

    def stop(self, timeout: float = 2.0) -> bool:
        """Cancel the coroutine and wait for its end.

        Returns:
            False where it had not ended in time.
        """
        self.call(self._cancel)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _work(self) -> None:
        try:
            asyncio.run(self._guarded())
        except asyncio.CancelledError:
            return
        except BaseException as error:
            if self._on_error is not None:
                self._on_error(error)

    async def _guarded(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(self._main())
        self._running.set()
        await self._task
