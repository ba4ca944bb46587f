# SPDX-License-Identifier: Apache-2.0
"""Which utterances are over, also when the clock goes back: a recording is played in a loop.

Times are nanoseconds; `present_ns` is the time in which stamps are given.
"""

from __future__ import annotations

from dataclasses import dataclass

from turret_ai.units import seconds_to_ns

JUMP_NS = seconds_to_ns(1.0)
"""A clock that goes back by more than this begins anew."""
_REMEMBERED = 256
"""Utterances that are remembered, so that late messages don't begin them again."""


@dataclass(slots=True)
class _Ended:
    """An utterance that is over. before: it was over when the clock began anew."""

    stamp_ns: int
    before: bool = False


class Past:
    """Remembers ids and stamps of utterances that have ended."""

    def __init__(self) -> None:
        self._ended: dict[str, _Ended] = {}
        self._went_back_ns = 0

    @property
    def entries(self) -> list[tuple[str, int]]:
        """(id, stamp) of those that are remembered, oldest first."""
        return [(name, each.stamp_ns) for name, each in self._ended.items()]

    def add(self, utterance_id: str, stamp_ns: int, *, left_over: bool = False) -> None:
        """An utterance has ended. left_over: it was said before the clock went back."""
        self._ended.pop(utterance_id, None)
        self._ended[utterance_id] = _Ended(stamp_ns, left_over)
        while len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def has(self, utterance_id: str, present_ns: int) -> bool:
        """Whether an utterance is over.

        The same id means another utterance once the clock has begun anew and reached its stamp
        again. What is still said of the loop before comes earlier.
        """
        ended = self._ended.get(utterance_id)
        if ended is None:
            return False
        if not ended.before or present_ns < ended.stamp_ns:
            return True
        del self._ended[utterance_id]
        return False

    def went_back(self, from_ns: int) -> None:
        """The clock has gone back from an instant."""
        self._went_back_ns = from_ns
        for ended in self._ended.values():
            ended.before = True

    def is_left_over(self, stamp_ns: int, present_ns: int) -> bool:
        """Whether this was said before the clock went back, and is told only now."""
        return stamp_ns - present_ns > JUMP_NS and stamp_ns < self._went_back_ns
