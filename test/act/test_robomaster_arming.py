# SPDX-License-Identifier: Apache-2.0
"""The signal's gate, against an oracle and many random stories."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from turret_ai.act.robomaster.arming import Arming

SECOND = 1_000_000_000


def story(chance: random.Random, length: int) -> None:
    """One random sequence of messages; the oracle knows only what was said last, and when."""
    arming = Arming()
    connected, armed_since, now = False, None, 0
    given_out: set[str] = set()
    for _ in range(length):
        now += chance.choice([0, SECOND // 50, SECOND // 3, 2 * SECOND])
        if chance.random() < 0.02:
            now -= 5 * SECOND  # the clock jumps
        match chance.randrange(6):
            case 0:
                connected = chance.random() < 0.7
                arming.on_link(connected)
                armed_since = None
            case 1 | 2:
                armed = chance.random() < 0.6
                arming.on_state(armed, now)
                armed_since = now if armed and connected else None
            case 3:
                if chance.random() < 0.3:
                    arming.disarm()
                    armed_since = None
            case _:
                utterance = f"u{chance.randrange(40)}"
                allowed = connected and armed_since is not None and 0 <= now - armed_since <= SECOND
                signalled = arming.request(utterance, now)
                assert not (signalled and not allowed), "a signal while disarmed"
                assert not (signalled and utterance in given_out), "a signal twice"
                assert signalled or not allowed or utterance in given_out
                if signalled:
                    given_out.add(utterance)


def test_ten_thousand_random_message_sequences_never_signal_while_disarmed() -> None:
    chance = random.Random(7)
    for _ in range(10_000):
        story(chance, length=20)


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_no_found_sequence_signals_while_disarmed(seed: int, length: int) -> None:
    story(random.Random(seed), length)


def test_the_gate_is_closed_at_the_start_and_after_a_second_of_silence() -> None:
    arming = Arming()
    assert not arming.request("a", 0)
    arming.on_link(True)
    assert not arming.request("a", 0)
    arming.on_state(True, 0)
    assert arming.armed(SECOND)
    assert not arming.armed(SECOND + 1)
    assert arming.request("a", SECOND)


def test_a_new_link_must_be_armed_anew() -> None:
    arming = Arming()
    arming.on_link(True)
    arming.on_state(True, 0)
    arming.on_link(False)
    arming.on_link(True)
    assert not arming.armed(1)
