"""Waiting until the other nodes of the chain report: what is said before that would be lost."""

from __future__ import annotations

from collections.abc import Sequence

from turret_ai.ros import Node, qos
from turret_ai.ros.interfaces import DiagnosticArray


class Readiness:
    """Which of the awaited nodes have reported in `diagnostics` so far."""

    def __init__(self, node: Node, awaited: Sequence[str]) -> None:
        """awaited: node names without their namespace."""
        self._awaited = frozenset(awaited)
        self._heard: set[str] = set()
        node.create_subscription(DiagnosticArray, "diagnostics", self._on_report, qos.STAGE)

    def missing(self) -> list[str]:
        """Those that have not reported, by name."""
        return sorted(self._awaited - self._heard)

    def _on_report(self, message: DiagnosticArray) -> None:
        self._heard |= {status.name.rsplit("/", 1)[-1] for status in message.status}
