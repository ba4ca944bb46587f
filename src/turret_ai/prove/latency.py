# SPDX-License-Identifier: Apache-2.0
"""Statistics of times: one small class with its window and its clock.

`add` only accumulates, `statistics` gives plain values, showing them is done elsewhere.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

OLDEST_S = 3600.0
"""Seconds; a message that seems older carries a stamp of another clock, such as a recording's."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Times of one stage in the window, seconds."""

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    largest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Statistics | None:
        """Of these times; None without any."""
        ordered = sorted(values)
        if not ordered:
            return None
        return cls(
            len(ordered),
            math.fsum(ordered) / len(ordered),
            percentile(ordered, 50.0),
            percentile(ordered, 95.0),
            percentile(ordered, 99.0),
            ordered[-1],
        )

    def as_dict(self) -> dict[str, float]:
        """For result files."""
        return {
            "count": self.count,
            "mean": self.mean,
            "p50": self.p50,
            "p95": self.p95,
            "p99": self.p99,
            "max": self.largest,
        }


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Linear between the two nearest ranks (numpy's default); `ordered` ascending, not empty."""
    rank = percent / 100.0 * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (rank - below) * (ordered[above] - ordered[below])


class Latency:
    """Times of several stages over a sliding window.

    Args:
        window_s: seconds after which a time is forgotten; inf: never.
        most: at most so many times are kept for a stage.
        clock: seconds; one that jumps back, as after a restarted simulation, empties the window.
    """

    def __init__(
        self,
        window_s: float = 60.0,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window = window_s
        self._most = most
        self._clock = clock
        self._last = -math.inf
        self._times: dict[str, deque[tuple[float, float]]] = {}
        self.refused = 0

    def add(self, stage: str, seconds: float) -> bool:
        """Take in one time. False: refused, since it is negative or not finite."""
        if not math.isfinite(seconds) or seconds < 0.0:
            self.refused += 1
            return False
        now = self._tick()
        times = self._times.setdefault(stage, deque(maxlen=self._most))
        times.append((now, seconds))
        return True

    def add_all(self, seconds: Mapping[str, float]) -> None:
        """Take in the times of several stages; those that are 0 were not reached."""
        for stage, value in seconds.items():
            if value:
                self.add(stage, value)

    def add_age(self, stage: str, stamp_ns: int, now_ns: int) -> bool:
        """Take in the age of a message with a source stamp.

        False: the stamp is 0, ahead, or so old that it is of another clock.
        """
        age = (now_ns - stamp_ns) * 1e-9
        if stamp_ns <= 0 or age > OLDEST_S:
            self.refused += 1
            return False
        return self.add(stage, age)

    def statistics(self) -> dict[str, Statistics]:
        """Of every stage that has a time in the window, in order of first appearance."""
        oldest = self._tick() - self._window
        found = {}
        for stage, times in self._times.items():
            while times and times[0][0] < oldest:
                times.popleft()
            summary = Statistics.of(seconds for _, seconds in times)
            if summary is not None:
                found[stage] = summary
        return found

    def _tick(self) -> float:
        now = self._clock()
        if now < self._last:
            self._times.clear()
        self._last = now
        return now
