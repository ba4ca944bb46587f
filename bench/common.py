# SPDX-License-Identifier: Apache-2.0
"""What every benchmark file speaks: rows, timing, and a way to say that it can't run here."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SHARED_DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
"""Optional public data beside the source tree; a benchmark that needs it raises `Skip` without."""


FAILED = "failed"
"""The unit of a row whose figure could not be taken; its note says why, the exit code is 1."""


class Skip(Exception):
    """This benchmark can't run here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure, and the baseline that was measured in the same run.

    name: what was measured, such as "locate the target in a 1520x870 image".
    value: the figure, in `unit`.
    unit: "ms", "s", "x real time", "images/s", "MB", "share", ...
    baseline: what it is compared with, "" where there is nothing to compare with.
    baseline_value: the baseline's figure in the same unit; None where it could not run.
    higher_is_better: False for times and sizes, True for rates and accuracies.
    note: the number of runs, the setting, why a baseline is missing.
    """

    name: str
    value: float
    unit: str
    baseline: str = ""
    baseline_value: float | None = None
    higher_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the baseline (above 1: better); None without one."""
        if self.baseline_value is None:
            return None
        top, bottom = self.baseline_value, self.value
        if self.higher_is_better:
            top, bottom = bottom, top
        return top / bottom if bottom else None


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock times of repeated calls, seconds."""

    median: float
    p95: float
    best: float
    runs: int

    @property
    def milliseconds(self) -> float:
        """The median in ms, the usual value of a row."""
        return self.median * 1e3

    @property
    def note(self) -> str:
        """For `Row.note`."""
        return f"median of {self.runs}, p95 {self.p95 * 1e3:.3g} ms"


def measure(
    call: Callable[[], object],
    *,
    runs: int = 20,
    warm_up: int = 2,
    at_most_s: float = 20.0,
) -> Timing:
    """Time a call, one by one.

    Args:
        runs: how often, unless `at_most_s` is used up before (at least 3 runs are made).
        warm_up: untimed calls beforehand.
        at_most_s: seconds after which no further run is started.
    """
    for _ in range(warm_up):
        call()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < runs and (len(times) < 3 or time.perf_counter() - began < at_most_s):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return Timing(statistics.median(ordered), p95, ordered[0], len(ordered))


def race(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    runs: int = 20,
    warm_up: int = 2,
    at_most_s: float = 20.0,
) -> tuple[Timing, Timing]:
    """Time two calls in turns, so that a busy machine slows both alike."""
    for _ in range(warm_up):
        ours()
        theirs()
    times: tuple[list[float], list[float]] = ([], [])
    began = time.perf_counter()
    while len(times[0]) < runs and (len(times[0]) < 3 or time.perf_counter() - began < at_most_s):
        for call, taken in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    first, second = (
        Timing(
            statistics.median(taken),
            sorted(taken)[round(0.95 * (len(taken) - 1))],
            min(taken),
            len(taken),
        )
        for taken in times
    )
    return first, second
