"""What every stage node has: `~/enable`, `~/reset` and a line in `diagnostics` every second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from turret_ai.ros import Node, qos
from turret_ai.ros.interfaces import (
    DiagnosticArray,
    DiagnosticStatus,
    Header,
    KeyValue,
    SetBool,
    Trigger,
)
from turret_ai.ros.time import to_msg
from turret_ai.ros.worker import Worker
from turret_ai.units import ns_to_seconds

T = TypeVar("T")

OK, WARN, ERROR = 0, 1, 2


def diagnostic_status(
    name: str, level: int, text: str, values: Mapping[str, object], hardware_id: str = ""
) -> DiagnosticStatus:
    """One line of diagnostics."""
    status = DiagnosticStatus(
        name=name,
        message=text,
        hardware_id=hardware_id,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )
    # rclpy types `level` as one byte, the plain runtime as a number.
    status.level = bytes([level]) if isinstance(status.level, bytes) else level
    return status


class Health:
    """A stage's state for the diagnostics: counters, the last input's age, the last error."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.counters: dict[str, int] = {}
        self.gauges: dict[str, Callable[[], object]] = {}
        self.last_input_ns: int | None = None
        self.problem = ""

    def count(self, name: str) -> None:
        """One more of something."""
        self.counters[name] = self.counters.get(name, 0) + 1


class Stage(Node):
    """A node of the chain. Subclasses call `receive()` on arrival of what they work on."""

    input_timeout = 0.0
    """Seconds without input after which the diagnostics warn; 0: never."""

    def __init__(
        self,
        name: str,
        parameters: type[BaseModel],
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self._workers: list[Worker[Any]] = []
        super().__init__(name, parameters=parameters, overrides=overrides)
        self.health = Health()
        self.enabled = True
        self._born_ns = self.now_ns()
        self._diagnostics = self.create_publisher(DiagnosticArray, "diagnostics", qos.STAGE)
        self.create_service(SetBool, "~/enable", self._on_enable)
        self.create_service(Trigger, "~/reset", self._on_reset)
        self.create_timer(1.0, self._publish_health)

    def create_worker(
        self,
        handle: Callable[[T], None],
        on_error: Callable[[Exception, T], None],
        *,
        latest_wins: bool = False,
        capacity: int = 16,
        on_drop: Callable[[T], None] | None = None,
    ) -> Worker[T]:
        """A thread for the model's work; it ends with the node."""
        worker = Worker(
            handle, latest_wins=latest_wins, capacity=capacity, on_error=on_error, on_drop=on_drop
        )
        self._workers.append(worker)
        self.health.gauges["dropped"] = lambda: sum(each.dropped for each in self._workers)
        self.health.gauges["queue_age"] = lambda: f"{self._queue_age():.3f}"
        return worker

    def _queue_age(self) -> float:
        """Seconds that the oldest unfinished piece of work has waited."""
        return ns_to_seconds(max(each.age_ns for each in self._workers))

    def destroy_node(self) -> None:
        for worker in self._workers:
            worker.close(1.0)
        super().destroy_node()

    def reset(self) -> None:
        """Drop what is under way. Subclasses extend it."""

    def describe(self) -> Mapping[str, object]:
        """What the diagnostics show beside the counters, such as model and device."""
        return {}

    def receive(self) -> bool:
        """Note an arrival; False where the stage is switched off."""
        self.health.last_input_ns = self.now_ns()
        self.health.count("received")
        return self.enabled

    def _on_enable(self, request: Any, response: Any) -> Any:
        self.enabled = bool(request.data)
        if not self.enabled:
            self.reset()
        response.success = True
        response.message = "enabled" if self.enabled else "disabled"
        return response

    def _on_reset(self, request: Any, response: Any) -> Any:
        self.reset()
        self.health.problem = ""
        response.success = True
        response.message = "reset"
        return response

    def _level(self) -> tuple[int, str]:
        if self.health.problem:
            return ERROR, self.health.problem
        if not self.enabled:
            return WARN, "disabled"
        if self.input_timeout:
            since = self.health.last_input_ns or self._born_ns
            age = ns_to_seconds(self.now_ns() - since)
            if age > self.input_timeout:
                return WARN, f"no input for {age:.0f} s"
        return OK, "running"

    def _publish_health(self) -> None:
        level, text = self._level()
        health = self.health
        pairs: dict[str, object] = {**self.describe(), **health.values, **health.counters}
        pairs.update({name: read() for name, read in health.gauges.items()})
        name = self.get_fully_qualified_name().lstrip("/")
        status = diagnostic_status(name, level, text, pairs)
        self._diagnostics.publish(
            DiagnosticArray(header=Header(stamp=to_msg(self.now_ns())), status=[status])
        )
