# SPDX-License-Identifier: Apache-2.0
"""How long to wait before trying to reach a peer again."""

from __future__ import annotations

import random


class Backoff:
    """Waits that double up to a limit, spread at random so that peers don't retry in step.

    Args:
        first: seconds before the second try (the first try is the caller's).
        limit: seconds that no wait exceeds.
        spread: share by which a wait may be shorter, 0..1.
    """

    def __init__(
        self,
        first: float = 0.2,
        limit: float = 5.0,
        spread: float = 0.25,
        chance: random.Random | None = None,
    ) -> None:
        self._first, self._limit, self._spread = first, limit, spread
        self._chance = chance or random.Random()
        self.tries = 0

    def next(self) -> float:
        """Seconds to wait now."""
        wait = min(self._limit, self._first * 2.0 ** min(self.tries, 32))
        self.tries += 1
        return wait * (1.0 - self._spread * self._chance.random())

    def reset(self) -> None:
        """The peer was reached: the next wait is the shortest again."""
        self.tries = 0
