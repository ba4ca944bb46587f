# SPDX-License-Identifier: Apache-2.0
"""The diagnostics node: notices nodes that fall silent, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from turret_ai.nodes.registry import STAGES
from turret_ai.nodes.stage import ERROR, OK, WARN, diagnostic_status
from turret_ai.ros import Node, topics
from turret_ai.ros.interfaces import DiagnosticArray, Header
from turret_ai.ros.time import to_msg
from turret_ai.settings import Settings
from turret_ai.units import ns_to_seconds


class DiagnosticsParameters(Settings):
    """What the diagnostics node watches."""

    expected: list[str] = Field(
        list(STAGES),
        description="nodes (names without namespace) that must report",
    )
    silence: float = Field(
        3.0, gt=0.0, le=3600.0, description="s without a report until a node counts as gone"
    )


class Diagnostics(Node):
    """Watches the reports of the other nodes; what they say goes by on the same topic."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("diagnostics", parameters=DiagnosticsParameters, overrides=overrides)
        self._born_ns = self.now_ns()
        self._heard_ns: dict[str, int] = {}
        self._worst: dict[str, int] = {}
        self._gone: set[str] = set()
        self._publisher = topics.DIAGNOSTICS.advertise(self)
        topics.DIAGNOSTICS.subscribe(self, self._on_report)
        self.create_timer(1.0, self._publish)

    def _on_report(self, message: DiagnosticArray) -> None:
        for status in message.status:
            name = status.name.rsplit("/", 1)[-1]
            if name == self.get_name() or status.hardware_id == self.get_name():
                continue  # what this node itself said
            level = status.level
            self._heard_ns[name] = self.now_ns()
            self._worst[name] = level[0] if isinstance(level, bytes) else int(level)

    def _publish(self) -> None:
        now = self.now_ns()
        # Under simulated time the clock stands at 0 until its first tick: nobody is late yet.
        self._born_ns = self._born_ns or now
        silence = self.parameters.silence
        gone: dict[str, str] = {}
        for name in {*self.parameters.expected, *self._heard_ns}:
            age = ns_to_seconds(now - self._heard_ns.get(name, self._born_ns))
            if age > silence:
                seen = "has fallen silent" if name in self._heard_ns else "has never reported"
                gone[name] = f"{name} {seen} ({age:.0f} s)"
        for name in sorted(set(gone) - self._gone):
            self.get_logger().warning(gone[name])
        for name in sorted(self._gone - set(gone)):
            self.get_logger().info(f"{name} reports again")
        self._gone = set(gone)
        worst = max([self._worst.get(name, OK) for name in self._heard_ns], default=WARN)
        summary = "; ".join(gone.values()) or ("all nodes report", "see the warnings")[worst > OK]
        own = diagnostic_status(
            self.get_fully_qualified_name().lstrip("/"),
            ERROR if gone else worst,
            summary,
            {"nodes": len(self._heard_ns), "silent": len(gone)},
            hardware_id=self.get_name(),
        )
        silent = [
            diagnostic_status(name, ERROR, text, {}, hardware_id=self.get_name())
            for name, text in sorted(gone.items())
        ]
        self._publisher.publish(
            DiagnosticArray(header=Header(stamp=to_msg(now)), status=[own, *silent])
        )
