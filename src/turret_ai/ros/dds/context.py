# SPDX-License-Identifier: Apache-2.0
"""One DDS participant and one executor for all nodes of a process."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cyclonedds.core import DDSException, GuardCondition, Policy, Qos, WaitSet
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.internal import dds_c_t
from cyclonedds.topic import Topic

from turret_ai.errors import ConfigError
from turret_ai.ros.arguments import Arguments
from turret_ai.ros.dds import config
from turret_ai.ros.dds.idl import raw_struct
from turret_ai.ros.dds.logger import Logger

if TYPE_CHECKING:
    from turret_ai.ros.dds.announcer import Announcer
    from turret_ai.ros.dds.clock import Timer
    from turret_ai.ros.dds.node import Node

SECOND = 1_000_000_000
_AT_ONCE = 128
"""Triggers that one wait reports; the others come with the next."""

_TOPIC_TRIES = 5

_domains: dict[int, tuple[Any, int]] = {}
_domains_lock = threading.Lock()


def _join_domain(number: int) -> None:
    """Configure the domain at its first use in this process."""
    with _domains_lock:
        domain, users = _domains.get(number, (None, 0))
        if domain is None:
            domain = _configure(number)
        _domains[number] = (domain, users + 1)


def _configure(number: int) -> Domain:
    try:
        return Domain(number, config.cyclone_config())
    except DDSException:  # there may be no interface but the loopback
        with contextlib.suppress(DDSException):
            return Domain(number, config.cyclone_config(loopback=False))
    raise ConfigError(
        f"DDS domain {number} could not be set up: look at CYCLONEDDS_URI, "
        "and whether a network interface is up"
    )


def _leave_domain(number: int) -> None:
    with _domains_lock:
        domain, users = _domains.pop(number)
        if users > 1:
            _domains[number] = (domain, users - 1)
        else:
            domain.__del__()  # ends Cyclone's threads


def _make_topic(participant: DomainParticipant, dds_name: str, struct: Any) -> Topic:
    """A new topic.

    cyclonedds-python 11.0 looks through the domain's types without their lock once it has made the
    topic. Where a peer's types come in at that moment, a good type is now and then refused as a bad
    parameter; the next try succeeds.
    """
    for _ in range(_TOPIC_TRIES - 1):
        with contextlib.suppress(DDSException):
            return Topic(participant, dds_name, struct)
    return Topic(participant, dds_name, struct)


class Context:
    """What the nodes of a process share: participant, arguments, and the loop of callbacks.

    Samples are received by a WaitSet, never by listeners: cyclonedds-python holds the interpreter
    lock in write and take, so that a throttled write and a listener would wait for each other.
    """

    def __init__(self, arguments: Arguments | None = None, domain_id: int | None = None) -> None:
        """Join the domain.

        Args:
            domain_id: ROS_DOMAIN_ID if None.

        Raises:
            ConfigError: the environment or Cyclone's configuration can't be used.
        """
        from turret_ai.ros.dds.announcer import Announcer

        self.arguments = arguments or Arguments()
        self.domain_id = config.domain_id() if domain_id is None else domain_id
        _join_domain(self.domain_id)
        try:
            self.participant = DomainParticipant(
                self.domain_id, qos=Qos(Policy.Userdata(b"enclave=/;"))
            )
        except DDSException as error:
            _leave_domain(self.domain_id)
            raise ConfigError(f"no DDS participant in domain {self.domain_id}: {error}") from error
        self.nodes: list[Node] = []
        self.timers: set[Timer] = set()
        self._topics: dict[tuple[str, str], Any] = {}
        self._keys = itertools.count(2)
        self._handlers: dict[int, Callable[[], None]] = {}
        self._soon: deque[Callable[[], None]] = deque()
        self._later: list[tuple[int, Callable[[], None]]] = []
        self._lock = threading.RLock()
        self._spinning = threading.Lock()
        self._spinner: int | None = None
        self._closed = False
        self._waitset = WaitSet(self.participant)
        self._guard = GuardCondition(self.participant)
        self._attach(self._guard, 1)
        self._triggered = (dds_c_t.attach * _AT_ONCE)()
        self._ids = itertools.count(1)
        self.announcer: Announcer = Announcer(self)

    # -- entities

    def topic(self, dds_name: str, ros_type: str, service: bool = False) -> Any:
        """The DDS topic of a name and type."""
        with self._lock:
            key = (dds_name, ros_type)
            if key not in self._topics:
                struct = raw_struct(ros_type, service)
                self._topics[key] = _make_topic(self.participant, dds_name, struct)
            return self._topics[key]

    def next_id(self) -> str:
        """A service's or client's id in ROS's notation, unique on the network."""
        raw = self.participant.get_guid().bytes[:12] + next(self._ids).to_bytes(4, "big")
        return ".".join(f"{byte:x}" for byte in raw)

    def watch(self, entity: Any, handler: Callable[[], None]) -> int:
        """Call `handler` in the executor whenever the entity triggers."""
        with self._lock:
            key = next(self._keys)
            self._handlers[key] = handler
            self._attach(entity, key)
            return key

    def unwatch(self, entity: Any, key: int) -> None:
        """Undo `watch`."""
        with self._lock:
            self._handlers.pop(key, None)
            if not self._closed:
                self._waitset._waitset_detach(self._waitset._ref, entity._ref)

    def _attach(self, entity: Any, key: int) -> None:
        # Not WaitSet.attach: the key that it attaches can't be chosen.
        result = self._waitset._waitset_attach(
            self._waitset._ref, entity._ref, ctypes.c_void_p(key)
        )
        if result < 0:
            raise DDSException(result, "while attaching to the wait set")

    # -- the loop

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have the executor call a function; from any thread."""
        self._soon.append(function)
        self.wake()

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Likewise, after some time."""
        with self._lock:
            self._later.append((time.monotonic_ns() + round(seconds * SECOND), function))
        self.wake()

    def wake(self) -> None:
        """Let the executor look at its timers and calls again."""
        with self._lock:
            if not self._closed:
                self._guard.set(True)

    @property
    def in_executor(self) -> bool:
        """Whether the caller is the thread that runs the callbacks."""
        return self._spinner == threading.get_ident()

    @property
    def is_spinning(self) -> bool:
        """Whether some thread runs the callbacks."""
        return self._spinner is not None

    @contextmanager
    def spinning(self) -> Iterator[None]:
        """Make the calling thread the one that runs the callbacks."""
        if not self._spinning.acquire(blocking=False):
            raise RuntimeError("another thread already spins this context")
        self._spinner = threading.get_ident()
        try:
            yield
        finally:
            self._spinner = None
            self._spinning.release()

    def spin_once(self, timeout: float = 0.1) -> None:
        """Wait for work at most `timeout` seconds and do it. Within `spinning()` only."""
        wait_ns = max(0, min(round(timeout * SECOND), self._until_next()))
        count = self._waitset._waitset_wait(self._waitset._ref, self._triggered, _AT_ONCE, wait_ns)
        if count < 0:
            if self._closed:
                return
            raise DDSException(count, "while waiting for samples")
        for key in self._triggered[: min(count, _AT_ONCE)]:
            if key == 1:
                self._guard.set(False)
            elif handler := self._handlers.get(key):
                self.guarded(handler, None)
        for timer in list(self.timers):
            timer.run_if_due()
        self._run_calls()

    def _until_next(self) -> int:
        if self._soon:
            return 0
        now = time.monotonic_ns()
        with self._lock:
            waits = [due - now for due, _ in self._later]
            waits += [timer.remaining_ns() for timer in self.timers]
        return min(waits, default=SECOND * 3600)

    def _run_calls(self) -> None:
        now = time.monotonic_ns()
        with self._lock:
            due = [function for at, function in self._later if at <= now]
            self._later = [each for each in self._later if each[0] > now]
        for _ in range(len(self._soon)):
            due.append(self._soon.popleft())
        for function in due:
            self.guarded(function, None)

    def guarded(self, function: Callable[..., Any], logger: Logger | None, *arguments: Any) -> Any:
        """Call a callback; what it raises is logged and ends nothing."""
        try:
            return function(*arguments)
        except Exception:
            if not self._closed:
                text = f"a callback failed:\n{traceback.format_exc().rstrip()}"
                (logger or Logger("turret_ai.ros")).error(text)
            return None

    # -- end

    @property
    def closed(self) -> bool:
        """Whether the participant is gone."""
        return self._closed

    def close(self) -> None:
        """Destroy the nodes and leave the domain; peers see it at once."""
        with self._lock:
            if self._closed:
                return
        for node in list(self.nodes):
            node.end()
        with self._lock:
            self._closed = True
            self._handlers.clear()
            self.timers.clear()
            for entity in (self._guard, self._waitset):
                entity.__del__()
            self.announcer.close()
            for topic in self._topics.values():
                topic.__del__()
            self._topics.clear()
            self.participant.__del__()
        _leave_domain(self.domain_id)


_default: Context | None = None
_default_lock = threading.Lock()


def default_context() -> Context:
    """The context of nodes that were given none; made at first use."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Context()
        return _default


def set_default_context(context: Context | None) -> None:
    """The context of nodes that are given none."""
    global _default
    with _default_lock:
        _default = context
