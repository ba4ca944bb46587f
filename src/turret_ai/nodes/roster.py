# SPDX-License-Identifier: Apache-2.0
"""Which stages there are and how they stand, from what each says of itself on `stages`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from turret_ai.ros import Node, topics
from turret_ai.ros.interfaces import StageState
from turret_ai.ros.lifecycle import State

SILENCE_S = 4.0
"""Seconds of real time without a word after which a stage counts as gone; it speaks every second.

Below the five seconds within which the turn after a broken one begins."""


_FRESH_S = 2.0
"""Seconds without a word after which nobody should begin what a stage is needed for."""
_LOOK_S = 0.25
SETTLED_S = 0.5
"""Seconds for which all must be well: the first word of a node comes after its subscriptions."""


@dataclass(slots=True)
class Member:
    """The latest report of one node."""

    stage: str
    node: str
    instance: int
    state: State
    reason: str
    report: StageState
    silent_s: float = 0.0
    """Seconds since the report during which this process was awake to hear another one."""
    heard: float = field(default_factory=time.monotonic)
    """When the report came, by `time.monotonic()`."""
    former: set[int] = field(default_factory=set)
    """Instances that were there before this one."""


class Roster:
    """Follows the stages of the node's namespace."""

    def __init__(
        self,
        node: Node,
        on_lost: Callable[[str, str, str], None] | None = None,
        on_report: Callable[[StageState], None] | None = None,
    ) -> None:
        """
        Args:
            on_lost: called with (stage, node, what happened to it) when one is no longer active.
            on_report: called with each report, after it was taken in.
        """
        self._node = node
        self._members: dict[str, Member] = {}
        self._on_lost, self._on_report = on_lost, on_report
        topics.STAGES.subscribe(node, self._take)
        self._looked = time.monotonic()
        node.create_wall_timer(_LOOK_S, self._look)

    def missing(self, awaited: Sequence[str], since: float = 0.0) -> list[str]:
        """Those of the awaited (stages or names of nodes) that are not active, by name.

        since: an instant of `time.monotonic()`; what was said before doesn't count.
        """
        active = {
            name
            for member in list(self._members.values())
            if member.state is State.ACTIVE
            if member.silent_s < _FRESH_S and member.heard >= since
            for name in (member.stage, member.node, member.node.rpartition("/")[2])
        }
        return sorted(name for name in awaited if name not in active)

    def why(self, stage: str) -> str:
        """What is the matter with a stage, such as "has not reported"; "" if it is active."""
        told = "has not reported"
        for member in list(self._members.values()):
            if stage in (member.stage, member.node, member.node.rpartition("/")[2]):
                if member.state is State.ACTIVE:
                    return ""
                told = _words(member)
        return told

    def told(self, missing: Sequence[str]) -> str:
        """What is the matter with each of those that are missing, for people."""
        return "; ".join(f"{name} {self.why(name) or 'has fallen silent'}" for name in missing)

    def knows(self, stage: str) -> bool:
        """Whether a stage has reported."""
        return any(each.stage == stage for each in list(self._members.values()))

    def pending(self) -> list[str]:
        """The names of nodes that are there and not active yet."""
        over = (State.ACTIVE, State.FINALIZED, State.UNKNOWN)
        members = list(self._members.values())
        return sorted(each.node for each in members if each.state not in over)

    def open_utterances(self) -> set[str]:
        """Utterances that some stage has in hand or waits for."""
        return {
            each.utterance_id
            for member in list(self._members.values())
            for each in member.report.utterances
            if each.status != each.ENDED
        }

    def _take(self, report: StageState) -> None:
        try:
            state = State(report.state)
        except ValueError:
            state = State.UNKNOWN
        known = self._members.get(report.node)
        member = Member(
            report.stage,
            report.node,
            report.instance,
            state,
            report.reason,
            report,
        )
        if known is not None:
            if report.instance in known.former:
                return  # two nodes of one name, or a late word of a former one
            member.former = known.former
            if report.instance != known.instance:
                member.former = known.former | {known.instance}
        self._members[report.node] = member
        if known is not None and known.state is State.ACTIVE and self._on_lost is not None:
            if report.instance != known.instance:
                self._on_lost(known.stage, known.node, "was started anew")
            elif state is not State.ACTIVE:
                self._on_lost(known.stage, known.node, _words(member))
        if self._on_report is not None:
            self._on_report(report)

    def _look(self) -> None:
        """Notice those that have fallen silent."""
        before, self._looked = self._looked, time.monotonic()
        passed = min(self._looked - before, 2 * _LOOK_S)
        for member in list(self._members.values()):
            member.silent_s += passed
            if member.state is State.ACTIVE and member.silent_s > SILENCE_S:
                member.state = State.UNKNOWN
                member.reason = "has fallen silent"
                if self._on_lost is not None:
                    self._on_lost(member.stage, member.node, member.reason)


def _words(member: Member) -> str:
    if member.state is State.UNKNOWN:
        return member.reason or "is in no known state"
    if member.state is State.FINALIZED:
        return "has ended"
    reason = f" ({member.reason})" if member.reason else ""
    return f"is {member.state.label}{reason}"
