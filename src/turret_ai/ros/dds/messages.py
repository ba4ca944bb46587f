# SPDX-License-Identifier: Apache-2.0
"""ROS types without ROS: definitions, message classes with defaults, and CDR.

The type library is rosbags' for ROS 2 Jazzy, completed by `definitions/` and this package's `msg/`.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from turret_ai import share
from turret_ai.errors import InputError

DUMMY = "structure_needs_at_least_one_member"
"""The field that ROS gives to a structure without fields, since CDR has no empty ones."""

ENCAPSULATION = b"\x00\x01\x00\x00"
"""CDR header of little-endian XCDR1, which every ROS 2 middleware reads."""

_lock = threading.RLock()
_NUMPY = {"byte": "uint8", "octet": "uint8", "char": "uint8", "bool": "bool"}


# -- definitions ---------------------------------------------------------------------------------


@cache
def store() -> Typestore:
    """The one type library of the process."""
    types = get_typestore(Stores.ROS2_JAZZY)
    for name in ("Gid", "NodeEntitiesInfo", "ParticipantEntitiesInfo"):
        # rosbags hashes `char` as a character, ROS as an octet: defined anew as octets.
        for table in (types.fielddefs, types.types):
            table.pop(f"rmw_dds_common/msg/{name}", None)  # type: ignore[attr-defined]
    for file in sorted((Path(__file__).parent.parent / "definitions").glob("*.msg")):
        for name, text in re.findall(
            r"^=== (\S+)\n(.*?)(?=^===|\Z)", file.read_text(), re.M | re.S
        ):
            _register(types, name, text)
    for file in sorted(share.path("msg").glob("*.msg")):
        _register(types, f"turret_ai/msg/{file.stem}", file.read_text())
    return types


def _register(types: Typestore, name: str, text: str) -> None:
    package, kind, short = name.split("/")
    if kind == "msg":
        types.register(get_types_from_msg(text, name))
        return
    request, _, response = text.partition("---\n")
    for suffix, part in (("Request", request), ("Response", response)):
        bare = "\n".join(line.split("#")[0] for line in part.splitlines()).strip()
        # the parser knows messages only
        parsed = get_types_from_msg(bare or f"uint8 {DUMMY}", f"{package}/msg/{short}_{suffix}")
        types.register(
            {
                key.replace("/msg/", "/srv/") if key.endswith(f"/{short}_{suffix}") else key: value
                for key, value in parsed.items()
            }
        )


def known(ros_type: str) -> bool:
    """Whether there is a definition of "package/msg/Name"."""
    return ros_type in store().fielddefs


def fields(ros_type: str) -> list[tuple[str, Any]]:
    """(name, description) of each field, in order."""
    return list(store().fielddefs[ros_type][1])


def constants(ros_type: str) -> dict[str, Any]:
    """The type's constants."""
    return {name: value for name, _, value in store().fielddefs[ros_type][0]}


@cache
def type_hash(ros_type: str) -> str:
    """ROS 2's hash of a type (REP-2011), which endpoints announce."""
    return store().hash_rihs01(ros_type)


def describe(ros_type: str) -> tuple[str, str]:
    """(definition text with every nested type, RIHS01 type hash) of a type.

    Raises:
        InputError: it is not known.
    """
    if not known(ros_type):
        raise InputError(f"the message type {ros_type} is unknown")
    text, _ = store().generate_msgdef(ros_type, ros_version=2)
    return text, type_hash(ros_type)


# -- classes -------------------------------------------------------------------------------------


@cache
def message_class(ros_type: str) -> type[Any]:
    """The class of "package/msg/Name": keyword arguments, other fields at their zero.

    Sequences of numbers hold anything array-like until they are sent, and NumPy arrays (read-only
    views of the received bytes) when they arrive.

    Raises:
        InputError: there is no such definition.
    """
    if not known(ros_type):
        raise InputError(f"no message type called {ros_type!r} is known without ROS")
    with _lock:
        members = [
            (_safe(name), Any, dataclasses.field(default_factory=_zero(description)))
            for name, description in fields(ros_type)
        ]
        short = ros_type.rsplit("/", 1)[1]
        made = dataclasses.make_dataclass(
            short,
            members,
            namespace={
                **constants(ros_type),
                "__msgtype__": ros_type,
                "__eq__": _equal,
                "__hash__": None,
                "get_fields_and_field_types": classmethod(_field_types),
            },
            eq=False,
            slots=True,
        )
        made.__module__ = "turret_ai.ros.interfaces"
        made.__doc__ = ros_type
        store().types[ros_type] = made
        store().cache.pop(ros_type, None)
        return made


class Service:
    """A service type: `Request` and `Response` are message classes."""

    Request: type[Any]
    Response: type[Any]
    ros_type: str


@cache
def service_class(ros_type: str) -> type[Service]:
    """The class of "package/srv/Name".

    Raises:
        InputError: there is no such definition.
    """
    if not known(f"{ros_type}_Request"):
        raise InputError(f"no service type called {ros_type!r} is known without ROS")
    return type(
        ros_type.rsplit("/", 1)[1],
        (Service,),
        {
            "Request": message_class(f"{ros_type}_Request"),
            "Response": message_class(f"{ros_type}_Response"),
            "ros_type": ros_type,
        },
    )


def _safe(name: str) -> str:
    from rosbags.typesys.base import normalize_fieldname

    return str(normalize_fieldname(name))


def _zero(description: Any) -> Any:
    """A factory of a field's zero."""
    kind, argument = description
    if kind == Nodetype.BASE:
        name = argument[0]
        if name == "string":
            return str
        return float if name.startswith("float") else bool if name == "bool" else int
    if kind == Nodetype.NAME:
        return message_class(argument)
    inner, count = argument[0], argument[1] if kind == Nodetype.ARRAY else 0
    if inner[0] == Nodetype.BASE and inner[1][0] != "string":
        dtype = np.dtype(_NUMPY.get(inner[1][0], inner[1][0]))
        return lambda: np.zeros(count, dtype)
    make = _zero(inner)
    return lambda: [make() for _ in range(count)]


def _equal(self: Any, other: Any) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    for name in self.__slots__:
        mine, theirs = getattr(self, name), getattr(other, name)
        if isinstance(mine, np.ndarray) or isinstance(theirs, np.ndarray):
            if not np.array_equal(np.asarray(mine), np.asarray(theirs)):
                return False
        elif mine != theirs:
            return False
    return True


_IDL_NAMES = {
    "bool": "boolean",
    "byte": "octet",
    "char": "uint8",
    "float32": "float",
    "float64": "double",
}


def _field_types(cls: Any) -> dict[str, str]:
    def text(description: Any) -> str:
        kind, argument = description
        if kind == Nodetype.BASE:
            if argument[1]:
                return f"string<{argument[1]}>"
            return _IDL_NAMES.get(argument[0], str(argument[0]))
        if kind == Nodetype.NAME:
            return str(argument).replace("/msg/", "/")
        inner = text(argument[0])
        if kind == Nodetype.ARRAY:
            return f"{inner}[{argument[1]}]"
        return f"sequence<{inner}, {argument[1]}>" if argument[1] else f"sequence<{inner}>"

    return {name: text(description) for name, description in fields(cls.__msgtype__)}


# -- CDR -----------------------------------------------------------------------------------------


def to_cdr(message: Any, ros_type: str) -> memoryview:
    """Serialize, with the four bytes of encapsulation in front.

    Raises:
        TypeError: the message is of another type or a field's value doesn't fit; names the field.
    """
    if getattr(message, "__msgtype__", None) != ros_type:
        raise TypeError(f"expected a {ros_type}, got {type(message).__name__}")
    try:
        return store().serialize_cdr(_prepare(message, ros_type), ros_type)
    except Exception as error:
        try:
            told = _complaint(message, ros_type, "")
        except Exception:  # no better words than the serializer's own
            told = ""
        raise TypeError(told or f"{ros_type}: {error}") from error


def from_cdr(raw: bytes | memoryview, ros_type: str) -> Any:
    """Deserialize; sequences of numbers are views of `raw`.

    Raises:
        InputError: the bytes are not a message of this type.
    """
    message_class(ros_type)
    try:
        return store().deserialize_cdr(raw, ros_type)
    except (SerdeError, ValueError, IndexError, OverflowError) as error:
        raise InputError(f"not a {ros_type}: {error}") from error


@cache
def _plan(ros_type: str) -> list[tuple[str, str, Any]]:
    """What must be looked at before serializing: (field, "array" | "one" | "many", detail)."""
    steps: list[tuple[str, str, Any]] = []
    for name, (kind, argument) in fields(ros_type):
        if kind == Nodetype.NAME:
            if _plan(argument):
                steps.append((_safe(name), "one", argument))
        elif kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
            inner = argument[0]
            if inner[0] == Nodetype.NAME:
                if _plan(inner[1]):
                    steps.append((_safe(name), "many", inner[1]))
            elif inner[1][0] != "string":
                dtype = np.dtype(_NUMPY.get(inner[1][0], inner[1][0]))
                steps.append((_safe(name), "array", dtype))
    return steps


def _prepare(message: Any, ros_type: str) -> Any:
    """Turn lists, bytes and other arrays of numbers into the arrays that the serializer takes."""
    for name, kind, detail in _plan(ros_type):
        value = getattr(message, name)
        if kind == "one":
            _prepare(value, detail)
        elif kind == "many":
            for item in value:
                _prepare(item, detail)
        else:
            setattr(message, name, _as_array(value, detail))
    return message


def _as_array(value: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == dtype and value.flags.c_contiguous:
        return value if value.ndim == 1 else value.reshape(-1)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return np.frombuffer(value, dtype)
    array = np.asarray(value)
    if array.size and not np.can_cast(array.dtype, dtype, "same_kind"):
        info = np.iinfo(dtype) if dtype.kind in "iu" else None
        if info is None or array.dtype.kind not in "iu":
            raise TypeError(f"{array.dtype} can't become {dtype}")
        if array.min() < info.min or array.max() > info.max:
            raise TypeError(f"a value is out of the range of {dtype}")
    return np.ascontiguousarray(array.reshape(-1), dtype)


_PYTHON = {
    "string": str,
    "bool": (bool, np.bool_),
    "float32": (float, int),
    "float64": (float, int),
}


def _complaint(message: Any, ros_type: str, prefix: str) -> str:
    """Which field doesn't fit, for the error's text; "" if none can be told."""
    for name, (kind, argument) in fields(ros_type):
        value, path = getattr(message, _safe(name)), f"{prefix}{name}"
        if kind == Nodetype.NAME:
            if getattr(value, "__msgtype__", None) != argument:
                return f"{ros_type} {path}: expected {argument}, got {type(value).__name__}"
            if found := _complaint(value, argument, f"{path}."):
                return found
        elif kind == Nodetype.BASE:
            wanted = _PYTHON.get(argument[0], (int, np.integer))
            if argument[0].startswith("float"):
                wanted = (float, int, np.floating, np.integer)
            if not isinstance(value, wanted):  # type: ignore[arg-type]
                return f"{ros_type} {path}: expected {argument[0]}, got {value!r}"
            if isinstance(value, (int, np.integer)) and argument[0].lstrip("u").startswith("int"):
                info = np.iinfo(argument[0])
                if not info.min <= value <= info.max:
                    return f"{ros_type} {path}: {value} is out of the range of {argument[0]}"
        else:
            if not hasattr(value, "__len__"):
                return f"{ros_type} {path}: expected a sequence, got {value!r}"
            if kind == Nodetype.ARRAY and len(value) != argument[1]:
                return f"{ros_type} {path}: expected {argument[1]} values, got {len(value)}"
            inner = argument[0]
            if inner[0] == Nodetype.NAME:
                for index, item in enumerate(value):
                    if getattr(item, "__msgtype__", None) != inner[1]:
                        return f"{ros_type} {path}[{index}]: expected {inner[1]}"
                    if found := _complaint(item, inner[1], f"{path}[{index}]."):
                        return found
            elif inner[1][0] == "string":
                for index, item in enumerate(value):
                    if not isinstance(item, str):
                        return f"{ros_type} {path}[{index}]: expected string, got {item!r}"
            else:
                try:
                    _as_array(value, np.dtype(_NUMPY.get(inner[1][0], inner[1][0])))
                except (TypeError, ValueError) as error:
                    return f"{ros_type} {path}: {error}"
    return ""
