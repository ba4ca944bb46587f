# SPDX-License-Identifier: Apache-2.0
"""What every stage node has: a life cycle, `~/enable`, `~/reset`, and reports of how it stands.

A stage says on `stages` what state it is in, at every change and once a second; who must wait for
it waits for ACTIVE there (`turret_ai.nodes.roster`). `diagnostics` says the same to people.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cache
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field, create_model

from turret_ai.aim.camera import Camera
from turret_ai.errors import InputError
from turret_ai.nodes.ledger import Ledger
from turret_ai.ros import Node, process, topics
from turret_ai.ros.interfaces import (
    CameraInfo,
    DiagnosticArray,
    DiagnosticStatus,
    Engagement,
    Header,
    KeyValue,
    SetBool,
    StageState,
    Trigger,
    UtteranceState,
)
from turret_ai.ros.lifecycle import LifeCycle, State, Transition
from turret_ai.ros.parameters import READ_ONLY
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.ros.worker import Worker
from turret_ai.units import ns_to_seconds, seconds_to_ns

T = TypeVar("T")

OK, WARN, ERROR = 0, 1, 2
_LOADING_S = 0.5
"""How long a node that ends waits for a model that is being loaded."""


@cache
def _with_autostart(model: type[BaseModel]) -> type[BaseModel]:
    """A stage's parameters and the one that every stage has."""
    description = "configure and activate at start; false: someone calls ~/change_state"
    field: Any = (bool, Field(True, description=description))
    made: type[BaseModel] = create_model(
        model.__name__, __base__=model, __doc__=model.__doc__, autostart=field
    )
    return made


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


def is_on_cpu(about: Mapping[str, object]) -> bool:
    """Whether models that describe themselves so run on a CPU: such are warm after their first
    piece of work, within a second. A node warms them up when it is active already, so that one
    that crashed is back sooner. A GPU's first piece of work takes up to minutes."""
    return str(about.get("device", "")).startswith("cpu")


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
    """A node of the chain. Subclasses call `receive()` on arrival of what they work on.

    What takes long, such as loading a model, belongs in `on_configure`, which runs in a thread of
    its own; `on_cleanup` frees it again.
    """

    adjustable = False
    """Whether parameters may be changed while the node is not configured: if `on_configure` makes
    everything that depends on them."""

    late_imports: ClassVar[tuple[str, ...]] = ()
    """Modules that are slow to import and wait until they are needed; a spare process has them."""

    input_timeout = 0.0
    """Seconds without input after which the diagnostics warn; 0: never."""

    def __init__(
        self,
        name: str,
        parameters: type[BaseModel],
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self._workers: list[Worker[Any]] = []
        self._states: Any = None
        super().__init__(name, parameters=_with_autostart(parameters), overrides=overrides)
        self.stage = name
        self.health = Health()
        self.enabled = True
        self.doing = ""
        """What configuring is at, for the diagnostics."""
        self._since = time.monotonic()
        self._loading: threading.Thread | None = None
        self._instance = secrets.randbits(63)
        self._state_lock = threading.RLock()
        self.ledger = Ledger(self._report_state)
        self._born_ns = self.now_ns()
        self._diagnostics = topics.DIAGNOSTICS.advertise(self)
        self.create_service(SetBool, "~/enable", self._on_enable)
        self.create_service(Trigger, "~/reset", self._on_reset)
        self.create_timer(1.0, self._publish_health)
        self._states = topics.STAGES.advertise(self)
        self.life = LifeCycle(
            self,
            {
                "configure": self._configure,
                "activate": self.on_activate,
                "deactivate": self._deactivate,
                "cleanup": self.on_cleanup,
                "shutdown": self._shut_down,
            },
            self._on_life,
        )
        self.create_wall_timer(1.0, self._report_state)
        # In the executor: the subclass is complete by then.
        self._starter = self.create_wall_timer(0.001, self._start)
        self._report_state()

    # -- life ------------------------------------------------------------------------------------

    def on_configure(self) -> None:
        """Load and make what the parameters say; in a thread of its own.

        Raises:
            TurretError: it can't be done; the node stays unconfigured.
        """

    def on_activate(self) -> None:
        """Work begins."""

    def on_deactivate(self) -> None:
        """Work ends; what was under way has been dropped."""

    def on_cleanup(self) -> None:
        """Free what `on_configure` made."""

    @property
    def active(self) -> bool:
        """Whether inputs are taken: in the state active, and not switched off."""
        return self.enabled and self.life.state is State.ACTIVE

    @property
    def fixed_parameters(self) -> str:
        if not self.adjustable:
            return READ_ONLY
        if self.life.state is State.UNCONFIGURED:
            return ""
        return (
            f"can be changed while the node is unconfigured only, it is {self.life.state.label}: "
            "deactivate and cleanup first"
        )

    def follow_engagements(self) -> None:
        """Note in the ledger which utterances are over."""

        def note(message: Engagement) -> None:
            self.ledger.ended(message.utterance_id, to_ns(message.header.stamp))

        topics.ENGAGEMENT.subscribe(self, note)

    def _start(self) -> None:
        self._starter.cancel()
        if self.parameters.autostart and self.life.state is State.UNCONFIGURED:
            self.life.request(Transition.CONFIGURE).add_done_callback(self._configured)

    def _configured(self, done: Future[bool]) -> None:
        """After configuring at start: go on, or end as a node that can't be made."""
        if done.result():
            self.life.request(Transition.ACTIVATE)
        elif self.life.exception is not None:
            process.fail(self.life.exception)

    def _configure(self) -> None:
        self._loading = threading.current_thread()
        self.doing = "loading"
        try:
            self.on_configure()
        finally:
            self.doing, self._loading = "", None

    def _deactivate(self) -> None:
        self.reset()
        self.on_deactivate()

    def _shut_down(self) -> None:
        self.reset()
        self.on_cleanup()

    def _on_life(self) -> None:
        self._since = time.monotonic()
        self._report_state()
        if self.life.state in (State.UNCONFIGURED, State.INACTIVE, State.ACTIVE, State.FINALIZED):
            self.get_logger().info(f"{self.life.state.label}{self._because()}")

    def _because(self) -> str:
        return f": {self.life.problem}" if self.life.problem else ""

    def _report_state(self) -> None:
        with self._state_lock:
            if self._states is None:
                return
            state, reason = self.life.state, self.life.problem or self.doing
            if state is State.ACTIVE and not self.enabled:
                state, reason = State.INACTIVE, "disabled"
            self._states.publish(
                StageState(
                    header=Header(stamp=to_msg(self.now_ns())),
                    stage=self.stage,
                    node=self.get_fully_qualified_name(),
                    instance=self._instance,
                    state=int(state),
                    reason="" if state is State.ACTIVE else reason,
                    utterances=[
                        UtteranceState(
                            utterance_id=each.utterance_id,
                            stamp=to_msg(each.stamp_ns),
                            status=int(each.status),
                        )
                        for each in self.ledger.entries()
                    ],
                )
            )

    # -- work ------------------------------------------------------------------------------------

    def create_worker(
        self,
        handle: Callable[[T], None],
        on_error: Callable[[Exception, T], None],
        *,
        latest_wins: bool = False,
        capacity: int = 16,
        on_drop: Callable[[T, str], None] | None = None,
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
        ended = [worker.close(1.0) for worker in self._workers]
        self._say_farewell()
        if not all(ended):  # a thread inside a model's library would abort the process
            process.end_at_once()
        loading = self._loading
        if loading is not None:
            loading.join(_LOADING_S)
            if loading.is_alive():  # a thread inside a model's library would abort the process
                process.end_at_once()
        super().destroy_node()

    def _say_farewell(self) -> None:
        """Let the others know at once; a process that is killed falls silent instead."""
        if self._states is None:
            return
        self.life.close()  # not under the lock: a transition holds its own and reports
        with self._state_lock:
            states, self._states = self._states, None
            states.publish(
                StageState(
                    header=Header(stamp=to_msg(self.now_ns())),
                    stage=self.stage,
                    node=self.get_fully_qualified_name(),
                    instance=self._instance,
                    state=StageState.FINALIZED,
                )
            )

    def reset(self) -> None:
        """Drop what is under way. Subclasses extend it."""

    def describe(self) -> Mapping[str, object]:
        """What the diagnostics show beside the counters, such as model and device.

        Also called before the node is configured."""
        return {}

    def receive(self) -> bool:
        """Note an arrival; False where the stage is not active."""
        self.health.last_input_ns = self.now_ns()
        self.health.count("received")
        return self.active

    def read_camera(self, message: CameraInfo) -> Camera | None:
        """From `camera/camera_info`; None where it is no use, which the diagnostics tell."""
        try:
            return Camera.from_info(message)
        except InputError as error:
            self.health.problem = f"camera_info: {error}"
            return None

    def on_event(self, level: str, text: str) -> None:
        """Log what people should know; for peers that are given the node as who listens."""
        log: Callable[[str], object] = getattr(self.get_logger(), level)
        log(text)

    def stamp_of(self, at: float) -> int:
        """An instant of `time.monotonic()` as the node's time, nanoseconds."""
        return self.now_ns() - seconds_to_ns(time.monotonic() - at)

    def _on_enable(self, request: Any, response: Any) -> Any:
        self.enabled = bool(request.data)
        if not self.enabled:
            self.reset()
        self._report_state()
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
        state = self.life.state
        if state is not State.ACTIVE:
            level = ERROR if self.life.problem else WARN
            seconds = time.monotonic() - self._since
            doing = f": {self.doing} ({seconds:.0f} s)" if self.doing else ""
            return level, f"{state.label}{doing}{self._because()}"
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
