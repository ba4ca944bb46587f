# SPDX-License-Identifier: Apache-2.0
"""Waiting with a limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

_T = TypeVar("_T")

END_S = 3.0
"""Seconds that cancelled tasks are waited for."""

_log = logging.getLogger(__name__)


async def within(wanted: Awaitable[_T], seconds: float) -> _T:
    """What `wanted` gives, if it comes in time; otherwise it is cancelled.

    As `asyncio.wait_for`, which before Python 3.12 loses a cancellation that arrives together with
    the result (https://github.com/python/cpython/issues/86296): the cancelled task lives on, and
    whoever waits for its end waits for ever.

    Args:
        wanted: a coroutine or a future.
        seconds: the limit, in seconds.

    Raises:
        TimeoutError: it did not come in time.
    """
    future = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait({future}, timeout=seconds)
        if not future.done():
            raise TimeoutError
        return future.result()
    finally:
        future.cancel()


async def cancel(tasks: Iterable[asyncio.Future[Any]], seconds: float = END_S) -> None:
    """Cancel tasks and wait until they have ended, no longer than so many seconds.

    One that swallows its cancellation is logged and left to itself. What the others raised is lost.
    """
    open_ones = set(tasks)
    if not open_ones:
        return
    for task in open_ones:
        task.cancel()
    done, left = await asyncio.wait(open_ones, timeout=seconds)
    for task in done:
        if not task.cancelled():
            task.exception()  # looked at, or asyncio complains
    for task in left:
        _log.warning("does not end: %r", task)
