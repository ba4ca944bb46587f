# SPDX-License-Identifier: Apache-2.0
"""Waiting with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_T = TypeVar("_T")


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
