# SPDX-License-Identifier: Apache-2.0
"""The states of a lock, by its deadlines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.track.lock import Lock, LockState
from turret_ai.track.settings import DeadlineSettings

S = 1_000_000_000
LIMITS = DeadlineSettings(coast=0.5, lost=2.0, give_up=3.0)


def begun(at=10 * S):
    lock = Lock(LIMITS)
    lock.begin(at)
    return lock


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (0.0, LockState.LOCKED),
        (0.4, LockState.LOCKED),
        (0.5, LockState.COASTING),
        (1.9, LockState.COASTING),
        (2.0, LockState.LOST),
        (4.9, LockState.LOST),
        (5.0, LockState.UNLOCKED),
    ],
)
def test_a_target_that_is_not_seen_coasts_is_lost_and_is_given_up(seconds, state):
    lock = begun()
    lock.tick(10 * S + round(seconds * S))
    assert lock.state is state
    assert bool(lock.reason) is (state is LockState.UNLOCKED)


def test_only_a_sighting_leads_back_from_lost():
    lock = begun()
    lock.tick(13 * S)
    lock.tick(11 * S)  # a clock that wavers
    assert lock.state is LockState.LOST
    lock.seen(13 * S, 13 * S + S // 10)
    assert lock.state is LockState.LOCKED
    assert lock.regained == 1


def test_a_picture_that_is_old_when_it_was_searched_does_not_make_up_for_lost_time():
    lock = begun()
    lock.seen(11 * S, 12 * S)
    assert lock.state is LockState.COASTING
    assert lock.unseen(12 * S) == pytest.approx(1.0)


def test_an_end_keeps_its_first_reason_and_nothing_revives_it():
    lock = begun()
    lock.end("called off")
    lock.end("again")
    lock.seen(11 * S, 11 * S)
    lock.tick(12 * S)
    assert (lock.state, lock.reason) == (LockState.UNLOCKED, "called off")


@given(st.lists(st.tuples(st.sampled_from(["seen", "tick"]), st.integers(0, S)), max_size=40))
@settings(deadline=None)
def test_the_state_always_is_what_the_time_unseen_says(events):
    lock, now, seen = begun(), 10 * S, 10 * S
    for what, later in events:
        now += later
        if what == "seen" and lock.on:
            lock.tick(now)
            if not lock.on:
                break
            lock.seen(now, now)
            seen = now
        else:
            lock.tick(now)
        unseen = (now - seen) / S
        expected = (
            LockState.LOCKED
            if unseen < 0.5
            else LockState.COASTING
            if unseen < 2.0
            else LockState.LOST
            if unseen < 5.0
            else LockState.UNLOCKED
        )
        assert lock.state is expected
        if not lock.on:
            break
