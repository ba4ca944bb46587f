# SPDX-License-Identifier: Apache-2.0
"""Utterances that others have announced and the controller does not serve.

A controller that was started anew, or that missed a message, learns from the stages' reports what
is still open. What somebody works on will come; what nobody works on any more must be ended, or
whoever waits for its engagement would wait in vain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from turret_ai.ros.interfaces import StageState, UtteranceState
from turret_ai.ros.lifecycle import State
from turret_ai.ros.time import to_ns

GRACE_S = 1.0
"""Seconds of real time that messages which cross each other may take."""


@dataclass(slots=True)
class _Open:
    stamp_ns: int
    idle_since: float


class Unserved:
    """Fed with reports, it says which utterances are to be given up."""

    def __init__(self, served: Callable[[str], bool], recall: Callable[[str, int], object]) -> None:
        """
        Args:
            served: whether the controller runs or has ended an utterance.
            recall: told (id, stamp) of those that a controller before this one has ended.
        """
        self._served, self._recall = served, recall
        self._open: dict[str, _Open] = {}
        self._reports: dict[str, StageState] = {}
        self._met: set[str] = set()

    def take(self, report: StageState) -> None:
        """Note a stage's report."""
        first = report.node not in self._met
        self._met.add(report.node)
        self._reports[report.node] = report
        now = time.monotonic()
        for each in report.utterances:
            name = each.utterance_id
            if each.status == UtteranceState.ENDED:
                if first and not self._served(name):
                    self._recall(name, to_ns(each.stamp))
                self._open.pop(name, None)
            elif not self._served(name):
                self._open.setdefault(name, _Open(to_ns(each.stamp), now))

    def due(self) -> list[tuple[str, int]]:
        """(id, stamp of the first sample in ns) of those that nobody works on any more."""
        now = time.monotonic()
        working = {
            each.utterance_id
            for report in self._reports.values()
            if report.state == State.ACTIVE
            for each in report.utterances
            if each.status == UtteranceState.WORKING
        }
        found = []
        for name, entry in list(self._open.items()):
            if self._served(name):
                del self._open[name]
            elif name in working:
                entry.idle_since = now
            elif now - entry.idle_since > GRACE_S:
                del self._open[name]
                found.append((name, entry.stamp_ns))
        return found

    def lost(self, node: str) -> list[tuple[str, int]]:
        """A node is gone: those that it worked on, and its word counts no longer."""
        report = self._reports.pop(node, None)
        if report is None:
            return []
        found = []
        for each in report.utterances:
            name = each.utterance_id
            if each.status == UtteranceState.WORKING and name in self._open:
                del self._open[name]
                found.append((name, to_ns(each.stamp)))
        return found
