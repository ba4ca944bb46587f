# SPDX-License-Identifier: Apache-2.0
"""The seam on rclpy: its own node class with typed parameters, and the same `run`."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import rclpy
import rclpy.node
import rclpy.task
from pydantic import BaseModel
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from turret_ai.errors import ConfigError, PeerError
from turret_ai.ros import parameters as ros_parameters
from turret_ai.ros.arguments import Arguments, Setting
from turret_ai.ros.dds import config
from turret_ai.ros.parameters import NoParameters
from turret_ai.ros.process import Stop, run_process
from turret_ai.ros.qos_overrides import QosOverrides

_SLICE_S = 0.2


class Context:
    """An rclpy context, and the arguments that it was made with."""

    def __init__(self, arguments: Arguments | None = None, domain_id: int | None = None) -> None:
        self.arguments = arguments or Arguments()
        _enlarge_buffers()
        self.rcl = rclpy.context.Context()
        rclpy.init(
            args=self.arguments.words,
            context=self.rcl,
            domain_id=domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.nodes: list[Node] = []

    @property
    def closed(self) -> bool:
        """Whether it was shut down."""
        return not self.rcl.ok()

    def close(self) -> None:
        """Destroy the nodes and shut down."""
        for node in list(self.nodes):
            try:
                node.destroy_node()
            except Exception:  # it may have been made in part only
                Node.destroy_node(node)
        self.rcl.try_shutdown()


def _enlarge_buffers() -> None:
    """Ask Cyclone for receive buffers that hold images; the user's own settings win."""
    own = os.environ.get("CYCLONEDDS_URI", "").strip()
    if config.BASE not in own:
        os.environ["CYCLONEDDS_URI"] = f"{config.BASE},{own}" if own else config.BASE


_default: Context | None = None


def default_context() -> Context:
    """The context of nodes that were given none; made at first use."""
    global _default
    if _default is None or _default.closed:
        _default = Context()
    return _default


def _set_default(context: Context | None) -> None:
    global _default
    _default = context


class Node(rclpy.node.Node):  # type: ignore[misc]
    """rclpy's node with parameters from a pydantic model."""

    adjustable = False

    def __init__(
        self,
        name: str,
        *,
        parameters: type[BaseModel] = NoParameters,
        overrides: Mapping[str, Any] | None = None,
        context: Context | None = None,
        namespace: str = "/",
    ) -> None:
        """See `turret_ai.ros.dds.node.Node`.

        Raises:
            ConfigError: a name or parameter can't be used.
        """
        context = default_context() if context is None else context
        arguments = context.arguments
        final = arguments.node_name(name)
        full = f"{arguments.namespace(name, namespace).rstrip('/')}/{final}"
        settings = arguments.settings(name, full)
        # Before the node exists, so that a refused one was never in the graph.
        self.parameters: Any = ros_parameters.resolve(parameters, settings, overrides, full)
        specifications = ros_parameters.specify(parameters)
        arguments.known |= {each.name for each in specifications} | set(ros_parameters.STANDARD)
        if not isinstance(settings.get("use_sim_time", _FALSE).value, bool):
            raise ConfigError(f"parameter use_sim_time of {full}: must be a bool")
        overrides_of_qos = QosOverrides(settings, full, arguments.known)
        arguments.checks.append(overrides_of_qos.check_unused)
        super().__init__(
            name, namespace=None if namespace == "/" else namespace, context=context.rcl
        )
        self._seam = context
        self._qos_overrides = overrides_of_qos  # rclpy's own topics came before
        self._owned_destroyed = False
        context.nodes.append(self)
        values = ros_parameters.values(self.parameters)
        for each in specifications:
            descriptor = ros_parameters.describe(
                each, ParameterDescriptor, (FloatingPointRange, IntegerRange), self.adjustable
            )
            value = values[each.name]
            if value is None or value == []:  # rclpy can't tell the type of either
                descriptor.dynamic_typing = True
            self.declare_parameter(each.name, value, descriptor, ignore_override=True)
        self._own = {each.name for each in specifications}
        self.add_on_set_parameters_callback(self._on_set)

    @property
    def fixed_parameters(self) -> str:
        """See `turret_ai.ros.dds.node.Node`."""
        return ros_parameters.READ_ONLY

    def on_parameters(self, new: Any) -> None:
        """Called with the validated parameters after a dynamic one changed, before it is shown.

        A ConfigError refuses the change.
        """

    def now_ns(self) -> int:
        """The node's time: system time, or /clock with use_sim_time; nanoseconds."""
        return int(self.get_clock().now().nanoseconds)

    def create_publisher(self, msg_type: Any, topic: str, qos_profile: Any, **options: Any) -> Any:
        """As rclpy's, with `qos_overrides.*` for every topic; a node that has left says nothing.

        rclpy raises then, in whatever thread of the node still has a word.
        """
        profile = self._with_overrides(topic, "publisher", qos_profile)
        publisher = super().create_publisher(msg_type, topic, profile, **options)
        publish, count = publisher.publish, publisher.get_subscription_count

        def send(msg: Any) -> None:
            with contextlib.suppress(InvalidHandle):
                publish(msg)

        def subscriptions() -> int:
            try:
                return int(count())
            except InvalidHandle:
                return 0

        publisher.publish, publisher.get_subscription_count = send, subscriptions
        return publisher

    def create_subscription(
        self, msg_type: Any, topic: str, callback: Any, qos_profile: Any, **options: Any
    ) -> Any:
        """As rclpy's, with `qos_overrides.*` for every topic."""
        profile = self._with_overrides(topic, "subscription", qos_profile)
        return super().create_subscription(msg_type, topic, callback, profile, **options)

    def _with_overrides(self, topic: str, entity: str, profile: Any) -> Any:
        overrides = getattr(self, "_qos_overrides", None)
        if overrides is None:
            return profile
        return overrides.apply(self.resolve_topic_name(topic), entity, profile)

    def create_service(self, srv_type: Any, srv_name: str, callback: Any, **options: Any) -> Any:
        """As rclpy's; a handler that fails still answers, or its client would wait for ever."""

        def answer(request: Any, response: Any) -> Any:
            try:
                return callback(request, response)
            except Exception:
                self.get_logger().error(f"a callback failed:\n{traceback.format_exc().rstrip()}")
                failed = srv_type.Response()
                if hasattr(failed, "message"):
                    failed.message = "the service failed: see its log"
                return failed

        return super().create_service(srv_type, srv_name, answer, **options)

    def create_slow_service(self, srv_type: Any, srv_name: str, callback: Any) -> Any:
        """See `turret_ai.ros.dds.node.Node`."""

        async def answer(request: Any, response: Any) -> Any:
            try:
                found = callback(request, response)
                if isinstance(found, concurrent.futures.Future):
                    # rclpy's executor waits for its own kind of future only
                    executor = self.executor
                    ours = rclpy.task.Future(executor=executor)

                    def answered(done: concurrent.futures.Future[Any]) -> None:
                        ours.set_result(done.result())
                        if executor is not None:
                            executor.wake()  # it looks at what is awaited when something happens

                    found.add_done_callback(answered)
                    found = await ours
                return found
            except Exception:
                self.get_logger().error(f"a callback failed:\n{traceback.format_exc().rstrip()}")
                return srv_type.Response()

        # A group of its own: while one call waits, the node's other callbacks go on.
        group = ReentrantCallbackGroup()
        return super().create_service(srv_type, srv_name, answer, callback_group=group)

    def create_wall_timer(self, timer_period_sec: float, callback: Callable[[], object]) -> Any:
        """See `turret_ai.ros.dds.node.Node`."""
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        return self.create_timer(timer_period_sec, callback, clock=clock)

    def create_timer(
        self, timer_period_sec: float, callback: Callable[[], object], **options: Any
    ) -> Any:
        """As rclpy's, which may also be cancelled when its node has left."""
        timer = super().create_timer(timer_period_sec, callback, **options)
        cancel = timer.cancel

        def cancel_if_there() -> None:
            with contextlib.suppress(InvalidHandle):
                cancel()

        timer.cancel = cancel_if_there
        return timer

    def create_client(self, srv_type: Any, srv_name: str, **options: Any) -> Any:
        """As rclpy's; `call` raises PeerError where no reply came in time."""
        client = super().create_client(srv_type, srv_name, **options)

        def call(request: Any, timeout_sec: float | None = None) -> Any:
            done = threading.Event()
            try:
                future = client.call_async(request)
            except InvalidHandle as error:
                raise PeerError(f"{srv_name}: its node has left the graph") from error
            future.add_done_callback(lambda _: done.set())
            if not done.wait(timeout_sec):
                client.remove_pending_request(future)
                raise PeerError(f"{client.srv_name}: no reply within {timeout_sec} s")
            return future.result()

        ready = client.service_is_ready

        def service_is_ready() -> bool:
            try:
                return bool(ready())
            except InvalidHandle:
                return False

        client.call, client.service_is_ready = call, service_is_ready
        return client

    def destroy_node(self) -> None:
        """Leave the graph; callbacks end. Subclasses close their workers and call this."""
        if self._owned_destroyed:
            return
        self._owned_destroyed = True
        if self in self._seam.nodes:
            self._seam.nodes.remove(self)
        super().destroy_node()

    def _on_set(self, changed: Sequence[Parameter]) -> SetParametersResult:
        changes = {each.name: each.value for each in changed if each.name in self._own}
        if not changes:
            return SetParametersResult(successful=True)
        try:
            new = ros_parameters.change(self.parameters, changes, fixed=self.fixed_parameters)
            self.on_parameters(new)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.parameters = new
        return SetParametersResult(successful=True)


_FALSE = Setting(False, "", False)


def run(*factories: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Make nodes and run them until SIGINT or SIGTERM; see `turret_ai.ros.dds.run.run`."""

    def work(arguments: Arguments, stop: Stop) -> None:
        context = Context(arguments)
        _set_default(context)
        stop.on_force(context.rcl.try_shutdown)
        try:
            nodes = [make() for make in factories]
            arguments.check_unused()
            executor = SingleThreadedExecutor(context=context.rcl)
            for node in nodes:
                executor.add_node(node)
            thread = threading.Thread(target=_loop, args=(executor, stop), name="executor")
            thread.start()
            try:
                stop.wait()
            finally:
                executor.wake()
                thread.join()
                executor.shutdown(0.5)
        finally:
            context.close()
            _set_default(None)

    return run_process(work, args)


def _loop(executor: SingleThreadedExecutor, stop: Stop) -> None:
    try:
        while not stop.is_set():
            _spin_once(executor, _SLICE_S)
    except BaseException as error:  # the main thread must not wait for a dead loop
        stop.fail(error)


def _spin_once(executor: SingleThreadedExecutor, timeout: float) -> None:
    """One turn; what a callback raises is logged and ends nothing."""
    try:
        executor.spin_once(timeout_sec=timeout)
    except ExternalShutdownException:
        time.sleep(0.01)
    except Exception:
        nodes = executor.get_nodes()
        text = f"a callback failed:\n{traceback.format_exc().rstrip()}"
        if nodes:
            nodes[0].get_logger().error(text)


def spin_until(condition: Callable[[], object], *nodes: Node, timeout: float = 10.0) -> bool:
    """Run the callbacks of `nodes` in this thread until a condition holds.

    Returns:
        Whether it held within `timeout` seconds.
    """
    end = time.monotonic() + timeout
    with _executor(nodes) as executor:
        while not condition():
            if time.monotonic() >= end:
                return False
            if executor is None:
                time.sleep(0.005)
            else:
                _spin_once(executor, 0.02)
    return True


@contextlib.contextmanager
def spinning(*nodes: Node) -> Iterator[None]:
    """Run the callbacks of `nodes` in a thread of its own, within a `with` block."""
    ending = threading.Event()
    with _executor(nodes) as executor:

        def loop() -> None:
            while executor is not None and not ending.is_set():
                _spin_once(executor, 0.1)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join(2.0)


@contextlib.contextmanager
def _executor(nodes: Sequence[Node]) -> Iterator[SingleThreadedExecutor | None]:
    """An executor of the nodes that no other one has; None where there are none such."""
    chosen = list(nodes) or list(default_context().nodes)
    free = [node for node in chosen if node.executor is None]
    if not free:
        yield None
        return
    executor = SingleThreadedExecutor(context=free[0].context)
    for node in free:
        executor.add_node(node)
    try:
        yield executor
    finally:
        for node in free:
            executor.remove_node(node)
        executor.shutdown(0.5)
