# SPDX-License-Identifier: Apache-2.0
"""The time that a command may take, by the clock: for training, and for what follows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from turret_ai.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Budget:
    """Minutes from now on.

    kept: the share of it that training leaves for export, score and figures.
    say: gets a line for each decision that the clock makes.

    Raises:
        ConfigError: no time, or a share outside of [0, 1).
    """

    minutes: float
    kept: float = 0.2
    say: Callable[[str], None] = print
    now: Callable[[], float] = time.monotonic
    started: float = field(init=False)

    def __post_init__(self) -> None:
        if not 0 < self.minutes < 1e6 or not 0 <= self.kept < 1:
            raise ConfigError(
                f"a budget is some minutes, of which a share from 0 to below 1 is kept, "
                f"not {self.minutes:g} and {self.kept:g}"
            )
        object.__setattr__(self, "started", self.now())

    @property
    def left(self) -> float:
        """Seconds until all has to be done; negative afterwards."""
        return self.started + 60 * self.minutes - self.now()

    @property
    def left_for_training(self) -> float:
        """Seconds until the training has to be done."""
        return self.left - 60 * self.minutes * self.kept

    def within(self, items: Iterable[T], what: str) -> Iterator[T]:
        """The items, as long as another one like the longest so far ends in time; at least one."""
        longest, count = 0.0, 0
        for item in items:
            if count and self.left < 1.2 * longest:
                self.say(f"{what}: {count} are done and the time is up: the others are left out")
                return
            began = self.now()
            yield item
            longest, count = max(longest, self.now() - began), count + 1

    @staticmethod
    def clock(seconds: float) -> str:
        """The time of day in so many seconds."""
        return f"{datetime.now() + timedelta(seconds=max(0.0, seconds)):%H:%M:%S}"
