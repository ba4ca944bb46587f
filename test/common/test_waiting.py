# SPDX-License-Identifier: Apache-2.0
"""Waiting with a limit: what comes, what comes too late, cancellations that must not be lost."""

from __future__ import annotations

import asyncio

import pytest

from turret_ai.waiting import within


async def give(value: str, ticks: int) -> str:
    for _ in range(ticks):
        await asyncio.sleep(0)
    return value


def test_the_result_is_given() -> None:
    assert asyncio.run(within(give("heard", 3), 5.0)) == "heard"


def test_an_error_is_given() -> None:
    async def fail() -> None:
        raise OSError("the link broke")

    with pytest.raises(OSError, match="the link broke"):
        asyncio.run(within(fail(), 5.0))


def test_what_comes_too_late_is_cancelled() -> None:
    async def story() -> None:
        never = asyncio.get_running_loop().create_future()
        with pytest.raises(TimeoutError):
            await within(never, 0.01)
        assert never.cancelled()

    asyncio.run(story())


@pytest.mark.parametrize("ticks", range(8))
def test_a_cancellation_that_meets_the_result_is_not_lost(ticks: int) -> None:
    async def wait() -> None:
        await within(give("heard", 3), 5.0)
        await asyncio.Event().wait()  # whoever lost the cancellation stays here

    async def story() -> None:
        task = asyncio.create_task(wait())
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
        assert task.cancelled()

    asyncio.run(story())
