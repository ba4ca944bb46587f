# SPDX-License-Identifier: Apache-2.0
"""A node's clock (system time, or /clock in simulation) and its timers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turret_ai.ros.dds.context import Context
    from turret_ai.ros.dds.logger import Logger

SECOND = 1_000_000_000
FOREVER = 2**62


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """A moment; `nanoseconds` since the clock's zero."""

    nanoseconds: int


class Clock:
    """System time, or what /clock last said once `simulated` is set."""

    def __init__(self) -> None:
        self.simulated = False
        self._simulated_ns = 0

    def now(self) -> Time:
        """The present moment; 0 in simulation until /clock has spoken."""
        return Time(self.now_ns())

    def now_ns(self) -> int:
        """Likewise in nanoseconds."""
        return self._simulated_ns if self.simulated else time.time_ns()

    def set(self, nanoseconds: int) -> None:
        """Take over what /clock says."""
        self._simulated_ns = nanoseconds

    def steady_ns(self) -> int:
        """What timers count by: the simulated time, else a clock that nobody adjusts."""
        return self._simulated_ns if self.simulated else time.monotonic_ns()


class Timer:
    """Calls a function again and again in the executor; missed calls are skipped."""

    def __init__(
        self,
        context: Context,
        clock: Clock,
        period: float,
        callback: Callable[[], object],
        logger: Logger,
    ) -> None:
        if not period > 0.0:
            raise ValueError(f"a timer's period must be above 0 s, got {period}")
        self._context, self._clock, self._callback, self._logger = context, clock, callback, logger
        self._period = round(period * SECOND)
        self._simulated = clock.simulated
        self._next = clock.steady_ns() + self._period
        self._cancelled = False
        context.timers.add(self)
        context.wake()

    def cancel(self) -> None:
        """Stop calling until `reset`."""
        self._cancelled = True
        self._context.timers.discard(self)

    def reset(self) -> None:
        """The next call comes one period from now."""
        self._next = self._clock.steady_ns() + self._period
        self._cancelled = False
        self._context.timers.add(self)
        self._context.wake()

    destroy = cancel

    def remaining_ns(self) -> int:
        """Until the next call, by the wall; in simulation /clock wakes the executor."""
        left = self._next - self._clock.steady_ns()
        return left if left <= 0 or not self._clock.simulated else FOREVER

    def run_if_due(self) -> None:
        """Call the function if it is time."""
        if self._cancelled:
            return
        now = self._clock.steady_ns()
        if self._simulated != self._clock.simulated or self._next - now > self._period:
            # another clock, or the time jumped back
            self._simulated = self._clock.simulated
            self._next = now + self._period
            return
        if now < self._next:
            return
        self._next += self._period * (1 + (now - self._next) // self._period)
        self._context.guarded(self._callback, self._logger)
