# SPDX-License-Identifier: Apache-2.0
"""Waiting with a limit: what comes, what comes too late, cancellations that must not be lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from turret_ai.waiting import cancel, within


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


async def test_what_comes_too_late_is_cancelled() -> None:
    never = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await within(never, 0.01)
    assert never.cancelled()


@pytest.mark.parametrize("ticks", range(8))
async def test_a_cancellation_that_meets_the_result_is_not_lost(ticks: int) -> None:
    async def wait() -> None:
        await within(give("heard", 3), 5.0)
        await asyncio.Event().wait()  # whoever lost the cancellation stays here

    task = asyncio.create_task(wait())
    for _ in range(ticks):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=1.0)
    assert task.cancelled()


def test_cancelled_tasks_are_waited_for_and_their_errors_are_no_noise(caplog) -> None:
    closed: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.sleep(60.0)
        finally:
            await asyncio.sleep(0.01)
            closed.append("tidy")

    async def fail() -> None:
        raise OSError("the link broke")

    async def story() -> None:
        tasks = [asyncio.create_task(tidy()), asyncio.create_task(fail())]
        await asyncio.sleep(0)
        await cancel(tasks)
        await cancel([])
        assert all(task.done() for task in tasks)

    asyncio.run(story())
    assert closed == ["tidy"]
    assert not caplog.records


def test_a_task_that_swallows_its_cancellation_keeps_nobody(caplog, monkeypatch) -> None:
    # ROS's pytest plugins make loggers that keep what they are told to themselves
    monkeypatch.setattr(logging.getLogger("turret_ai.waiting"), "propagate", True)

    async def stubborn(enough: asyncio.Event) -> None:
        while not enough.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await enough.wait()

    async def story() -> None:
        enough = asyncio.Event()
        task = asyncio.create_task(stubborn(enough))
        await asyncio.sleep(0)
        await cancel([task], 0.05)
        assert not task.done()
        enough.set()
        await task

    asyncio.run(story())
    assert "does not end" in caplog.text
