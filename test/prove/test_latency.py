# SPDX-License-Identifier: Apache-2.0
"""Latency statistics: a window, a clock, plain values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.prove.latency import Latency, Statistics, percentile

times = st.lists(st.floats(0.0, 1e3), min_size=1, max_size=50)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(times, st.floats(0.0, 100.0))
def test_percentiles_agree_with_numpy(values: list[float], percent: float) -> None:
    ours = percentile(sorted(values), percent)
    assert ours == pytest.approx(float(np.percentile(values, percent)), rel=1e-9, abs=1e-9)


@given(times)
def test_the_percentiles_are_in_order(values: list[float]) -> None:
    s = Statistics.of(values)
    assert s is not None
    assert min(values) <= s.p50 <= s.p95 <= s.p99 <= s.largest == max(values)


def test_what_left_the_window_no_longer_counts() -> None:
    clock = Clock()
    latency = Latency(window_s=10.0, clock=clock)
    latency.add("hear", 1.0)
    clock.now += 6.0
    latency.add("hear", 3.0)
    assert latency.statistics()["hear"].mean == 2.0
    clock.now += 6.0
    assert latency.statistics()["hear"].mean == 3.0
    clock.now += 6.0
    assert latency.statistics() == {}


def test_a_clock_that_jumps_back_empties_the_window() -> None:
    clock = Clock()
    latency = Latency(clock=clock)
    latency.add("see", 5.0)
    clock.now = 1.0
    latency.add("see", 1.0)
    assert latency.statistics()["see"].largest == 1.0


def test_times_that_can_not_be_are_refused() -> None:
    latency = Latency()
    assert not latency.add("see", -0.1)
    assert not latency.add("see", float("nan"))
    assert not latency.add_age("see", 0, 10)
    assert not latency.add_age("see", 20, 10)
    assert not latency.add_age("see", 1, 2**62)  # a stamp of another clock
    assert latency.refused == 5
    assert latency.statistics() == {}


def test_an_age_is_counted_from_the_source_stamp() -> None:
    latency = Latency()
    latency.add_age("image", 1_000_000_000, 1_250_000_000)
    assert latency.statistics()["image"].p50 == pytest.approx(0.25)


def test_steps_that_were_not_reached_do_not_count() -> None:
    latency = Latency()
    latency.add_all({"hear": 0.5, "aim": 0.0})
    assert list(latency.statistics()) == ["hear"]
