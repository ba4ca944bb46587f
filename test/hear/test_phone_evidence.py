# SPDX-License-Identifier: Apache-2.0
"""Where phones say that somebody speaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.hear import phone_evidence

TIMES = st.lists(st.floats(0.0, 5.0, allow_nan=False), max_size=40).map(
    lambda found: np.array(sorted(found), np.float32)
)


def test_a_run_begins_after_the_last_long_gap_before_the_anchor() -> None:
    times = np.array([0.2, 0.3, 1.5, 1.7, 2.1, 3.5])
    assert phone_evidence.run_start(times, 2.0) == 1.5
    assert phone_evidence.run_start(times, 0.9) == 1.5  # none is under way: the next one
    assert phone_evidence.run_start(times, 3.0) == 3.5
    assert phone_evidence.run_start(times, 4.0) is None


@given(TIMES, st.floats(0.0, 5.0))
def test_a_run_starts_at_a_phone_that_silence_precedes(times: np.ndarray, anchor: float) -> None:
    start = phone_evidence.run_start(times, anchor)
    if start is None:
        assert not len(times) or times[-1] < anchor
        return
    assert start in times
    before = times[times < start]
    assert not len(before) or start - before[-1] > phone_evidence.BRIDGE_S


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ([], None),
        ([1.5, 1.6, 1.7], None),  # a click
        ([1.2, 1.4, 1.6, 1.8], 1.2),
        ([0.1, 0.2, 0.3, 0.4], None),  # over
        ([0.1, 1.2, 1.4, 1.6, 1.8], 1.2),
    ],
)
def test_some_phones_in_a_row_are_speech_that_was_not_noticed(
    times: list[float], start: float | None
) -> None:
    found = phone_evidence.unnoticed(np.array(times), 1.9)
    assert found == start


def test_a_silence_lasts_from_its_last_phone_on() -> None:
    assert phone_evidence.last_after(np.array([0.5, 0.95, 1.05]), 1.0, 1) is None
    assert phone_evidence.last_after(np.array([0.5, 0.95, 1.3]), 1.0) is None  # a noise
    assert phone_evidence.last_after(np.array([0.5, 0.95, 1.3]), 1.0, 1) == pytest.approx(1.3)
    assert phone_evidence.last_after(np.array([0.5, 1.2, 1.4]), 1.0) == pytest.approx(1.4)
    assert phone_evidence.last_after(np.zeros(0), 1.0) is None
