# SPDX-License-Identifier: Apache-2.0
"""The six services and the topic by which `ros2 param` and others read and set parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from turret_ai.errors import ConfigError
from turret_ai.ros import qos
from turret_ai.ros.interfaces import message, service
from turret_ai.ros.parameters import Kind, Specification, describe, kind_of
from turret_ai.ros.time import to_msg

if TYPE_CHECKING:
    from turret_ai.ros.dds.node import Node

_FIELDS = {
    Kind.BOOL: "bool_value",
    Kind.INTEGER: "integer_value",
    Kind.DOUBLE: "double_value",
    Kind.STRING: "string_value",
    Kind.BYTE_ARRAY: "byte_array_value",
    Kind.BOOL_ARRAY: "bool_array_value",
    Kind.INTEGER_ARRAY: "integer_array_value",
    Kind.DOUBLE_ARRAY: "double_array_value",
    Kind.STRING_ARRAY: "string_array_value",
}
_SERVICES = (
    "describe_parameters",
    "get_parameter_types",
    "get_parameters",
    "list_parameters",
    "set_parameters",
    "set_parameters_atomically",
)


def to_value(value: Any, kind: Kind | None = None) -> Any:
    """A plain value to rcl_interfaces/ParameterValue."""
    found = kind_of(value) if kind is None or value is None else kind
    made = message("rcl_interfaces/msg/ParameterValue")(type=int(found or 0))
    if found:
        setattr(made, _FIELDS[found], value)
    return made


def from_value(value: Any) -> Any:
    """A rcl_interfaces/ParameterValue to a plain value."""
    if value.type == Kind.NOT_SET:
        return None
    try:
        kind = Kind(value.type)
    except ValueError as error:
        raise ConfigError(f"{value.type} is not a parameter type") from error
    found = getattr(value, _FIELDS[kind])
    if kind is Kind.BYTE_ARRAY:
        return bytes(found)
    return found.tolist() if hasattr(found, "tolist") else found


class ParameterServices:
    """Shows a node's parameters, and hands changes to it."""

    def __init__(
        self,
        node: Node,
        specifications: Sequence[Specification],
        read: Callable[[], Mapping[str, Any]],
        write: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """write: takes changes or raises ConfigError."""
        self._node, self._read, self._write = node, read, write
        self._known = {each.name: each for each in specifications}
        self._events = node.create_publisher(
            message("rcl_interfaces/msg/ParameterEvent"), "/parameter_events", qos.PARAMETER_EVENTS
        )
        for snake in _SERVICES:
            camel = "".join(part.capitalize() for part in snake.split("_"))
            interface = service(f"rcl_interfaces/srv/{camel}")
            node.create_service(interface, f"~/{snake}", getattr(self, f"_{snake}"))
        self._publish(new=list(self._known))

    def _value(self, name: str) -> Any:
        known = self._known.get(name)
        return to_value(self._read()[name], known.kind) if known else to_value(None)

    def _publish(self, new: Sequence[str] = (), changed: Sequence[str] = ()) -> None:
        parameter = message("rcl_interfaces/msg/Parameter")
        self._events.publish(
            message("rcl_interfaces/msg/ParameterEvent")(
                stamp=to_msg(self._node.now_ns()),
                node=self._node.get_fully_qualified_name(),
                new_parameters=[parameter(name=name, value=self._value(name)) for name in new],
                changed_parameters=[
                    parameter(name=name, value=self._value(name)) for name in changed
                ],
            )
        )

    def _describe_parameters(self, request: Any, response: Any) -> Any:
        descriptor = message("rcl_interfaces/msg/ParameterDescriptor")
        ranges = (
            message("rcl_interfaces/msg/FloatingPointRange"),
            message("rcl_interfaces/msg/IntegerRange"),
        )
        response.descriptors = [
            describe(self._known[name], descriptor, ranges, self._node.adjustable)
            if name in self._known
            else descriptor(name=name)
            for name in request.names
        ]
        return response

    def _get_parameter_types(self, request: Any, response: Any) -> Any:
        response.types = [int(self._value(name).type) for name in request.names]
        return response

    def _get_parameters(self, request: Any, response: Any) -> Any:
        if all(name in self._known for name in request.names):
            response.values = [self._value(name) for name in request.names]
        else:
            response.values = []  # as rclpy answers when one of them isn't declared
        return response

    def _list_parameters(self, request: Any, response: Any) -> Any:
        depth, prefixes = int(request.depth), list(request.prefixes)

        def wanted(name: str) -> bool:
            if not prefixes:
                return not depth or name.count(".") < depth
            return any(
                name == prefix
                or (
                    name.startswith(f"{prefix}.")
                    and (not depth or name[len(prefix) + 1 :].count(".") < depth)
                )
                for prefix in prefixes
            )

        names = sorted(name for name in self._known if wanted(name))
        response.result = message("rcl_interfaces/msg/ListParametersResult")(
            names=names,
            prefixes=sorted({name.rpartition(".")[0] for name in names if "." in name}),
        )
        return response

    def _set_parameters(self, request: Any, response: Any) -> Any:
        response.results = [self._set([each]) for each in request.parameters]
        return response

    def _set_parameters_atomically(self, request: Any, response: Any) -> Any:
        response.result = self._set(list(request.parameters))
        return response

    def _set(self, parameters: Sequence[Any]) -> Any:
        result = message("rcl_interfaces/msg/SetParametersResult")
        try:
            changes = {each.name: from_value(each.value) for each in parameters}
            for name, value in changes.items():
                known = self._known.get(name)
                if known and kind_of(value) is Kind.INTEGER and known.kind is Kind.DOUBLE:
                    # rclpy refuses it too: a parameter keeps its type
                    raise ConfigError(f"parameter {name}: wrong type, expected double, got integer")
            self._write(changes)
        except ConfigError as error:
            return result(successful=False, reason=str(error))
        self._publish(changed=list(changes))
        return result(successful=True)
