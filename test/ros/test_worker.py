# SPDX-License-Identifier: Apache-2.0
"""A worker takes what is long out of the callbacks."""

from __future__ import annotations

import threading
import time

import pytest

from turret_ai.ros.worker import Worker


class Gate:
    """A handler that waits until it is let go."""

    def __init__(self) -> None:
        self.handled: list[int] = []
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self, item: int) -> None:
        self.begun.set()
        assert self.open.wait(10)
        self.handled.append(item)


def test_utterances_are_handled_first_in_first_out() -> None:
    gate = Gate()
    worker = Worker(gate, latest_wins=False)
    for item in range(10):
        worker.put(item)
    gate.open.set()
    assert worker.wait_idle(5)
    assert gate.handled == list(range(10))
    assert worker.dropped == 0
    assert worker.close()


def test_of_waiting_images_the_latest_wins() -> None:
    gate = Gate()
    worker = Worker(gate, latest_wins=True)
    worker.put(0)
    assert gate.begun.wait(5)
    for item in range(1, 6):
        worker.put(item)
    gate.open.set()
    assert worker.wait_idle(5)
    assert gate.handled == [0, 5]
    assert worker.dropped == 4
    worker.close()


def test_the_oldest_is_dropped_when_too_many_wait() -> None:
    gate = Gate()
    worker = Worker(gate, latest_wins=False, capacity=2)
    worker.put(0)
    assert gate.begun.wait(5)
    for item in range(1, 5):
        worker.put(item)
    assert worker.waiting == 2
    gate.open.set()
    assert worker.wait_idle(5)
    assert gate.handled == [0, 3, 4]
    worker.close()


def test_an_item_that_fails_is_reported_and_the_next_is_handled() -> None:
    failures: list[tuple[str, int]] = []
    done: list[int] = []

    def handle(item: int) -> None:
        if item == 1:
            raise ValueError("bad")
        done.append(item)

    worker = Worker(
        handle, latest_wins=False, on_error=lambda error, item: failures.append((str(error), item))
    )
    for item in (1, 2):
        worker.put(item)
    assert worker.wait_idle(5)
    assert failures == [("bad", 1)]
    assert done == [2]
    worker.close()


def test_the_age_is_that_of_the_oldest_unfinished_item() -> None:
    gate = Gate()
    worker = Worker(gate, latest_wins=False)
    assert worker.age_ns == 0
    worker.put(0)
    time.sleep(0.05)
    assert worker.age_ns >= 40_000_000
    gate.open.set()
    assert worker.wait_idle(5)
    assert worker.age_ns == 0
    worker.close()


def test_closing_drops_what_waits_and_says_whether_the_thread_ended() -> None:
    gate = Gate()
    worker = Worker(gate, latest_wins=False)
    worker.put(0)
    worker.put(1)
    assert gate.begun.wait(5)
    assert not worker.close(0.05)
    assert worker.dropped == 1
    worker.put(2)
    assert worker.dropped == 2
    gate.open.set()
    assert worker.close(5)


def test_a_worker_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Worker(print, latest_wins=False, capacity=0)


def test_what_is_dropped_is_told_why_and_what_is_being_handled_becomes_stale() -> None:
    begun, go_on = threading.Event(), threading.Event()
    stale: list[bool] = []
    dropped: list[tuple[int, str]] = []

    def handle(_item: int) -> None:
        begun.set()
        go_on.wait(5.0)
        stale.append(worker.stale)

    worker = Worker(
        handle,
        latest_wins=False,
        capacity=2,
        on_drop=lambda item, why: dropped.append((item, why)),
    )
    worker.put(0)
    assert begun.wait(5.0)
    for item in (1, 2, 3):
        worker.put(item)
    assert [item for item, why in dropped if "full" in why] == [1]
    assert worker.clear() == 2
    assert dropped[1:] == [(2, "reset"), (3, "reset")]
    assert not worker.stale, "that is for the handler's thread to ask"
    go_on.set()
    assert worker.wait_idle(5.0)
    worker.put(4)
    assert worker.wait_idle(5.0)
    assert stale == [True, False]
    worker.close()
    worker.put(5)
    assert dropped[-1] == (5, "the node ends")
