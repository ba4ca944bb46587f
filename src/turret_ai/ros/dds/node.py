# SPDX-License-Identifier: Apache-2.0
"""A node without ROS, with rclpy's methods."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from turret_ai.errors import ConfigError
from turret_ai.ros import names, qos
from turret_ai.ros import parameters as ros_parameters
from turret_ai.ros.dds.clock import Clock, Timer
from turret_ai.ros.dds.context import Context, default_context
from turret_ai.ros.dds.endpoint import Publisher, Reader, Subscription, Writer
from turret_ai.ros.dds.logger import Logger
from turret_ai.ros.dds.parameter_services import ParameterServices
from turret_ai.ros.dds.qos import QoSProfile
from turret_ai.ros.dds.service import Client, ServiceServer
from turret_ai.ros.interfaces import message, type_name
from turret_ai.ros.parameters import Kind, NoParameters, Specification
from turret_ai.ros.qos_overrides import PREFIX as QOS_PREFIX
from turret_ai.ros.qos_overrides import QosOverrides
from turret_ai.ros.time import to_msg, to_ns

_SERVICE_PROFILE = QoSProfile(depth=1000)
"""History isn't part of the match with ROS's depth of 10; a burst of calls loses nothing."""
_USE_SIM_TIME = Specification(
    "use_sim_time", Kind.BOOL, False, "Use /clock instead of the system time.", dynamic=True
)


class Node:
    """One ROS node. Its callbacks run in the one executor thread of its context and never block."""

    adjustable = False
    """Whether there are times at which every parameter may be changed; see `fixed_parameters`."""

    def __init__(
        self,
        name: str,
        *,
        parameters: type[BaseModel] = NoParameters,
        overrides: Mapping[str, Any] | None = None,
        context: Context | None = None,
        namespace: str = "/",
    ) -> None:
        """Resolve the parameters and join the graph.

        Args:
            parameters: the model of the node's parameters; `self.parameters` is its instance.
            overrides: defaults of the program, nested or with dotted names; the user's win.
            namespace: unless `-r __ns:=` gives another.

        Raises:
            ConfigError: a name or parameter can't be used.
        """
        context = default_context() if context is None else context
        arguments = context.arguments
        self.context = context
        self._name = names.check_node_name(arguments.node_name(name))
        self._namespace = arguments.namespace(name, namespace)
        full = self.get_fully_qualified_name()
        settings = arguments.settings(name, full)
        self.parameters: Any = ros_parameters.resolve(parameters, settings, overrides, full)
        specifications = ros_parameters.specify(parameters)
        known = {each.name for each in specifications} | set(ros_parameters.STANDARD)
        arguments.known |= known

        self._qos_overrides = QosOverrides(settings, full, arguments.known)
        arguments.checks.append(self._qos_overrides.check_unused)

        self._lock = threading.RLock()
        self.readers: list[Reader] = []
        self.writers: list[Writer] = []
        self._timers: list[Timer] = []
        self._clients: list[Client] = []
        self._destroyed = False
        self._clock = Clock()
        self._clock_subscription: Subscription | None = None
        self._rosout: Publisher | None = None
        self._logger = Logger(
            full[1:].replace("/", "."),
            arguments.log_levels.get(full[1:].replace("/", "."), arguments.log_level),
            self._publish_log if arguments.rosout else None,
            arguments.console,
        )
        with context.announcer:
            context.nodes.append(self)
            if arguments.rosout:
                self._rosout = self.create_publisher(
                    message("rcl_interfaces/msg/Log"), "/rosout", qos.ROSOUT
                )
            for key, setting in settings.items():
                if key not in known and not key.startswith(QOS_PREFIX):
                    self._logger.debug(
                        f"{key} from {setting.origin} is not a parameter of this node"
                    )
            if "use_sim_time" in settings:
                self._use_sim_time(settings["use_sim_time"].value)
            self._parameter_services = ParameterServices(
                self,
                (*specifications, _USE_SIM_TIME),
                self._read_parameters,
                self._write_parameters,
            )

    # -- names

    def get_name(self) -> str:
        """Without its namespace."""
        return self._name

    def get_namespace(self) -> str:
        """Such as "/turret", or "/"."""
        return self._namespace

    def get_fully_qualified_name(self) -> str:
        """Such as "/turret/locator"."""
        return names.join(self._namespace, self._name)

    def resolve_topic_name(self, topic: str) -> str:
        """The absolute name after expansion and remapping."""
        full = names.expand(topic, self._namespace, self._name)
        return self.context.arguments.remap(full, self._namespace, self._name)

    def resolve_service_name(self, service: str) -> str:
        """Likewise for a service."""
        full = names.expand(service, self._namespace, self._name)
        return self.context.arguments.remap(full, self._namespace, self._name, service=True)

    # -- endpoints

    def create_publisher(
        self, msg_type: type[Any], topic: str, qos_profile: QoSProfile | int
    ) -> Publisher:
        """A publisher. An integer instead of a profile is its depth, as in rclpy."""
        full = self.resolve_topic_name(topic)
        profile = self._qos_overrides.apply(full, "publisher", _profile(qos_profile))
        writer = self.add_writer(f"rt{full}", type_name(msg_type), profile)
        return Publisher(writer, full)

    def create_subscription(
        self,
        msg_type: type[Any],
        topic: str,
        callback: Callable[[Any], object],
        qos_profile: QoSProfile | int,
    ) -> Subscription:
        """A subscription; the callback runs in the executor."""
        full = self.resolve_topic_name(topic)
        profile = self._qos_overrides.apply(full, "subscription", _profile(qos_profile))

        def receive(received: Any, _sample: Any) -> None:
            callback(received)

        reader = self.add_reader(f"rt{full}", type_name(msg_type), profile, receive)
        return Subscription(reader, full)

    def create_service(
        self,
        srv_type: type[Any],
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        qos_profile: QoSProfile = _SERVICE_PROFILE,
    ) -> ServiceServer:
        """A service; `callback(request, response)` in the executor returns the response."""
        full = self.resolve_service_name(srv_name)
        with self.context.announcer:
            return ServiceServer(self, srv_type, full, callback, qos_profile)

    def create_slow_service(
        self, srv_type: type[Any], srv_name: str, callback: Callable[[Any, Any], Any]
    ) -> ServiceServer:
        """A service whose callback may return a future of the response instead of the response.

        While it is awaited, the node's other callbacks go on.
        """
        return self.create_service(srv_type, srv_name, callback)

    def create_client(
        self, srv_type: type[Any], srv_name: str, qos_profile: QoSProfile = _SERVICE_PROFILE
    ) -> Client:
        """A client of a service."""
        full = self.resolve_service_name(srv_name)
        with self.context.announcer:
            client = Client(self, srv_type, full, qos_profile)
        self._clients.append(client)
        return client

    def create_timer(self, timer_period_sec: float, callback: Callable[[], object]) -> Timer:
        """Call a function every so many seconds of the node's clock."""
        timer = Timer(self.context, self._clock, timer_period_sec, callback, self._logger)
        self._timers.append(timer)
        return timer

    def create_wall_timer(self, timer_period_sec: float, callback: Callable[[], object]) -> Timer:
        """Likewise of real time, whatever the node's clock is: /clock may stand still."""
        timer = Timer(self.context, Clock(), timer_period_sec, callback, self._logger)
        self._timers.append(timer)
        return timer

    def add_writer(
        self,
        dds_name: str,
        ros_type: str,
        profile: QoSProfile,
        service: bool = False,
        extra: str = "",
    ) -> Writer:
        """A DDS writer that counts as this node's."""
        writer = Writer(self.context, self._logger, dds_name, ros_type, profile, service, extra)
        with self._lock:
            self.writers.append(writer)
        self.context.announcer.announce()
        return writer

    def add_reader(
        self,
        dds_name: str,
        ros_type: str,
        profile: QoSProfile,
        receive: Callable[[Any, Any], object],
        service: bool = False,
        extra: str = "",
    ) -> Reader:
        """A DDS reader that counts as this node's."""
        reader = Reader(
            self.context, self._logger, dds_name, ros_type, profile, receive, service, extra
        )
        with self._lock:
            self.readers.append(reader)
        self.context.announcer.announce()
        return reader

    def drop(self, reader: Reader | None, writer: Writer | None) -> None:
        """Close endpoints and take them out of the graph."""
        with self._lock:
            if reader in self.readers:
                self.readers.remove(reader)
            if writer in self.writers:
                self.writers.remove(writer)
        for endpoint in (reader, writer):
            if endpoint is not None:
                endpoint.close()
        if not self._destroyed:
            self.context.announcer.announce()

    def destroy_subscription(self, subscription: Subscription) -> bool:
        """Leave a topic."""
        self.drop(subscription._reader, None)
        return True

    # -- log and time

    def get_logger(self) -> Logger:
        """The node's logger."""
        return self._logger

    def get_clock(self) -> Clock:
        """The node's clock."""
        return self._clock

    def now_ns(self) -> int:
        """The node's time: system time, or /clock with use_sim_time; nanoseconds."""
        return self._clock.now_ns()

    def _publish_log(self, severity: int, name: str, text: str, function: str, line: int) -> None:
        if self._rosout is not None and not self._destroyed:
            self._rosout.publish(
                message("rcl_interfaces/msg/Log")(
                    stamp=to_msg(self.now_ns()),
                    level=severity,
                    name=name,
                    msg=text,
                    function=function,
                    line=line,
                )
            )

    def _use_sim_time(self, wanted: Any) -> None:
        if not isinstance(wanted, bool):
            raise ConfigError(f"parameter use_sim_time: must be a bool, got {wanted!r}")
        self._clock.simulated = wanted
        if wanted and self._clock_subscription is None:
            self._clock_subscription = self.create_subscription(
                message("rosgraph_msgs/msg/Clock"),
                "/clock",
                lambda clock: self._clock.set(to_ns(clock.clock)),
                qos.CLOCK,
            )

    # -- parameters

    @property
    def fixed_parameters(self) -> str:
        """Why parameters that aren't dynamic can't be changed now; "": they can."""
        return ros_parameters.READ_ONLY

    def on_parameters(self, new: Any) -> None:
        """Called with the validated parameters after a dynamic one changed, before it is shown.

        A ConfigError refuses the change.
        """

    def _read_parameters(self) -> Mapping[str, Any]:
        return {**ros_parameters.values(self.parameters), "use_sim_time": self._clock.simulated}

    def _write_parameters(self, changes: Mapping[str, Any]) -> None:
        own = {name: value for name, value in changes.items() if name != "use_sim_time"}
        new = self.parameters
        if own:
            new = ros_parameters.change(self.parameters, own, fixed=self.fixed_parameters)
        if "use_sim_time" in changes:
            self._use_sim_time(changes["use_sim_time"])
        if own:
            self.on_parameters(new)
            self.parameters = new

    # -- end

    def end(self) -> None:
        """Destroy the node even if it was made in part only, whose own clean-up may fail."""
        try:
            self.destroy_node()
        except Exception as error:
            self._logger.debug(f"the node's own clean-up failed: {error!r}")
            Node.destroy_node(self)

    def destroy_node(self) -> None:
        """Leave the graph; callbacks end. Subclasses close their workers and call this."""
        with self._lock:
            if self._destroyed:
                return
            self._destroyed = True
        for timer in self._timers:
            timer.cancel()
        for client in self._clients:
            client.destroy()
        for endpoint in (*self.readers, *self.writers):
            endpoint.close()
        self.readers.clear()
        self.writers.clear()
        if self in self.context.nodes:
            self.context.nodes.remove(self)
        if not self.context.closed:
            self.context.announcer.announce()


def _profile(given: QoSProfile | int) -> QoSProfile:
    return QoSProfile(depth=given) if isinstance(given, int) else given
