# SPDX-License-Identifier: Apache-2.0
"""What `turret-ai latency` subscribes to, and its table."""

from __future__ import annotations

import threading
from typing import Any

from rich.table import Table

from turret_ai.aim.turn import STEPS
from turret_ai.nodes import convert
from turret_ai.prove.latency import Latency, Statistics
from turret_ai.ros import Node, topics
from turret_ai.ros.interfaces import Engagement
from turret_ai.ros.time import to_ns

_STAGES = (
    (topics.TRANSCRIPT, "hear"),
    (topics.COMMAND, "understand"),
    (topics.TARGET_BBOX, "see"),
)


class LatencyWatch(Node):
    """Keeps the statistics of a live graph."""

    def __init__(self, window_s: float, **node_options: Any) -> None:
        super().__init__("latency", **node_options)
        self._latency = Latency(window_s)
        self._guard = threading.Lock()
        self.turns = 0
        self.last = ""
        for topic, stage in _STAGES:
            topic.subscribe(self, self._listener(stage))
        topics.ENGAGEMENT.subscribe(self, self._on_engagement)

    def _listener(self, stage: str) -> Any:
        def take(message: Any) -> None:
            with self._guard:
                self._latency.add(f"work: {stage}", float(message.processing_time))
                stamp_ns = to_ns(message.header.stamp)
                self._latency.add_age(f"age: {stage}", stamp_ns, self.now_ns())

        return take

    def _on_engagement(self, message: Engagement) -> None:
        steps = {f"turn: {step}": s for step, s in convert.step_seconds(message).items()}
        with self._guard:
            self._latency.add_all(steps)
            self.turns += 1
            self.last = f"{message.utterance_id}: {message.transcript or message.reason}"

    def statistics(self) -> dict[str, Statistics]:
        """Of every step in the window; from any thread."""
        with self._guard:
            return self._latency.statistics()


_GROUPS = ("turn", "work", "age")


def _place(name: str) -> tuple[int, int]:
    """Steps of the turns first, in their order."""
    group, _, step = name.partition(": ")
    return _GROUPS.index(group), STEPS.index(step)


def table(watch: LatencyWatch) -> Table:
    """The live view."""
    shown = Table(title=f"{watch.turns} turns  {watch.last}"[:100], title_justify="left")
    shown.add_column("step")
    for name in ("p50", "p95", "p99", "max", "times"):
        shown.add_column(name, justify="right")
    for name, s in sorted(watch.statistics().items(), key=lambda item: _place(item[0])):
        values = (s.p50, s.p95, s.p99, s.largest)
        shown.add_row(name, *(f"{value * 1e3:.0f} ms" for value in values), str(s.count))
    return shown
