# SPDX-License-Identifier: Apache-2.0
"""Services and clients in rmw_cyclonedds' protocol.

Requests go to rq<name>Request, replies to rr<name>Reply. 16 bytes before each sample (the client's
id and a sequence number) tell whose reply it is; the server sends them back untouched.
"""

from __future__ import annotations

import concurrent.futures
import secrets
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from turret_ai.errors import PeerError
from turret_ai.ros.dds.endpoint import Reader, Writer
from turret_ai.ros.dds.qos import QoSProfile

if TYPE_CHECKING:
    from turret_ai.ros.dds.node import Node

_HEADER = struct.Struct("<Qq")
_PATIENCE_S = 1.0
"""How long a reply waits until its client's reader is matched (rmw_cyclonedds: 0.1 s, blocking)."""
_RETRY_S = 0.005


class ServiceServer:
    """What `Node.create_service` returns."""

    def __init__(
        self,
        node: Node,
        interface: Any,
        name: str,
        callback: Callable[[Any, Any], Any],
        profile: QoSProfile,
    ) -> None:
        self.srv_name = name
        self._node, self._interface, self._callback = node, interface, callback
        extra = f"serviceid={node.context.next_id()};"
        ros_type = interface.ros_type
        self._writer = node.add_writer(
            f"rr{name}Reply", f"{ros_type}_Response", profile, service=True, extra=extra
        )
        self._reader = node.add_reader(
            f"rq{name}Request",
            f"{ros_type}_Request",
            profile,
            self._on_request,
            service=True,
            extra=extra,
        )

    def _on_request(self, request: Any, sample: Any) -> None:
        response = self._node.context.guarded(
            self._callback, self._node.get_logger(), request, self._interface.Response()
        )
        header, client = sample.raw[4:20], sample.sample_info.publication_handle
        if isinstance(response, Future):
            response.add_done_callback(
                lambda done: self._node.context.call_soon(
                    lambda: self._reply(done.result(), header, client)
                )
            )
            return
        self._reply(response, header, client)

    def _reply(self, response: Any, header: bytes, client: int) -> None:
        if response is None:
            # A handler that failed still answers, or its client would wait for ever.
            response = self._interface.Response()
            if hasattr(response, "message"):
                response.message = "the service failed: see its log"
        deadline = time.monotonic() + _PATIENCE_S
        self._answer(response, header, client, deadline)

    def _answer(self, response: Any, header: bytes, client: int, deadline: float) -> None:
        """Send as soon as the client can hear it; before that the reply would be lost."""
        if self._writer.closed:
            return
        data = self._reader.writer_user_data(client)
        if data is None:
            return  # the client went away
        wanted = data.get("clientid")
        heard = wanted is None or any(
            each.get("clientid") == wanted for each in self._writer.matched_user_data()
        )
        if heard or time.monotonic() >= deadline:
            self._writer.write(response, header)
            return
        self._node.context.call_later(
            _RETRY_S, lambda: self._answer(response, header, client, deadline)
        )

    def destroy(self) -> None:
        """Withdraw the service."""
        self._node.drop(self._reader, self._writer)


class Client:
    """What `Node.create_client` returns."""

    def __init__(self, node: Node, interface: Any, name: str, profile: QoSProfile) -> None:
        self.srv_name = name
        self._node, self._interface = node, interface
        self._id = secrets.randbits(63)
        self._sequence = 0
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        extra = f"clientid={node.context.next_id()};"
        ros_type = interface.ros_type
        self._reader: Reader = node.add_reader(
            f"rr{name}Reply",
            f"{ros_type}_Response",
            profile,
            self._on_reply,
            service=True,
            extra=extra,
        )
        self._writer: Writer = node.add_writer(
            f"rq{name}Request", f"{ros_type}_Request", profile, service=True, extra=extra
        )

    def service_is_ready(self) -> bool:
        """Whether a server's reader and writer are both matched."""
        if self._writer.closed:
            return False
        readers = {each.get("serviceid") for each in self._writer.matched_user_data()}
        writers = {each.get("serviceid") for each in self._reader.matched_user_data()}
        return bool(readers & writers)

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        """Wait until the service is there; False after `timeout_sec` seconds."""
        end = None if timeout_sec is None else time.monotonic() + timeout_sec
        while not self.service_is_ready():
            if (end is not None and time.monotonic() >= end) or self._node.context.closed:
                return False
            time.sleep(0.01)
        return True

    def call_async(self, request: Any) -> Future[Any]:
        """Send a request. The future's callbacks run in the executor.

        Raises:
            TypeError: the request is of another type, or a field's value doesn't fit.
        """
        future: Future[Any] = Future()
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
            self._waiting[sequence] = future
        if not self._writer.write(request, _HEADER.pack(self._id, sequence)):
            with self._lock:
                self._waiting.pop(sequence, None)
            future.set_exception(PeerError(f"{self.srv_name}: the request could not be sent"))
        return future

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """Send a request and wait for its reply. Not from a callback.

        Raises:
            PeerError: no reply within `timeout_sec` seconds.
            RuntimeError: called in the executor's thread, which would have to deliver the reply.
        """
        if self._node.context.in_executor:
            raise RuntimeError(f"{self.srv_name}: call() inside a callback would wait for itself")
        future = self.call_async(request)
        try:
            return future.result(timeout_sec)
        except (TimeoutError, concurrent.futures.TimeoutError) as error:  # one from Python 3.11 on
            self.remove_pending_request(future)
            raise PeerError(f"{self.srv_name}: no reply within {timeout_sec} s") from error

    def remove_pending_request(self, future: Future[Any]) -> None:
        """Forget a request whose reply is no longer wanted."""
        with self._lock:
            for sequence, each in list(self._waiting.items()):
                if each is future:
                    del self._waiting[sequence]

    def _on_reply(self, response: Any, sample: Any) -> None:
        client, sequence = _HEADER.unpack(sample.raw[4:20])
        if client != self._id:  # every client hears every reply
            return
        with self._lock:
            future = self._waiting.pop(sequence, None)
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(response)

    def destroy(self) -> None:
        """Leave; what still waits is cancelled."""
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
        for future in waiting:
            future.cancel()
        self._node.drop(self._reader, self._writer)
