# SPDX-License-Identifier: Apache-2.0
"""The utterances that a stage knows of, as it tells the others in its StageState."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

_LATE_S = 3.0
"""Seconds after its end during which word of an utterance is late, and not of another one."""
FORGET_S = 180.0
"""Seconds after which an utterance without an engagement is no longer mentioned: nobody serves."""
MOST = 32
"""Utterances that are remembered."""


class Status(IntEnum):
    """The constants of turret_ai/UtteranceState."""

    WORKING = 0
    WAITING = 1
    ENDED = 2


@dataclass(slots=True)
class Entry:
    """One utterance. since: seconds of `time.monotonic()` at its last change of status."""

    utterance_id: str
    stamp_ns: int
    status: Status
    since: float


class Ledger:
    """Which utterances are in hand, answered, or over. Callable from any thread."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """on_change: called after every change, outside of the lock."""
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self._on_change = on_change

    def working(self, utterance_id: str, stamp_ns: int) -> None:
        """The stage has taken it in hand; the same id again, some time later, is another one."""
        with self._lock:
            known = self._entries.get(utterance_id)
            over = known is not None and known.status is Status.ENDED
            if known is not None and over and time.monotonic() - known.since < _LATE_S:
                return
        self._note(utterance_id, stamp_ns, Status.WORKING)

    def answered(self, utterance_id: str, stamp_ns: int) -> None:
        """The stage has said what it had to say; the engagement is awaited."""
        with self._lock:
            known = self._entries.get(utterance_id)
            if known is not None and known.status is Status.ENDED:
                return  # given up meanwhile
        self._note(utterance_id, stamp_ns, Status.WAITING)

    def ended(self, utterance_id: str, stamp_ns: int = 0) -> None:
        """The engagement has come."""
        self._note(utterance_id, stamp_ns, Status.ENDED)

    def drop(self, utterance_id: str) -> None:
        """Forget it: it turned out to be none."""
        with self._lock:
            if self._entries.pop(utterance_id, None) is None:
                return
        self._on_change()

    def is_open(self, utterance_id: str) -> bool:
        """Whether it is known, and its engagement has not come."""
        with self._lock:
            known = self._entries.get(utterance_id)
        return known is not None and known.status is not Status.ENDED

    def entries(self) -> list[Entry]:
        """What there is, the longest unchanged first."""
        now = time.monotonic()
        with self._lock:
            for key, entry in list(self._entries.items()):
                if now - entry.since > FORGET_S:
                    del self._entries[key]
            return list(self._entries.values())

    def _note(self, utterance_id: str, stamp_ns: int, status: Status) -> None:
        with self._lock:
            known = self._entries.pop(utterance_id, None)
            if known is not None:
                stamp_ns = stamp_ns or known.stamp_ns
            entry = Entry(utterance_id, stamp_ns, status, time.monotonic())
            if known is not None and known.status is status and known.stamp_ns == stamp_ns:
                entry.since = known.since
            self._entries[utterance_id] = entry
            while len(self._entries) > MOST:
                del self._entries[next(iter(self._entries))]
        if known is None or (known.status, known.stamp_ns) != (status, stamp_ns):
            self._on_change()
