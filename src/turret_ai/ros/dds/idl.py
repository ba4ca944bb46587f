# SPDX-License-Identifier: Apache-2.0
"""Cyclone's view of a ROS type: a structure for discovery whose samples carry ready CDR bytes.

cyclonedds-python turns every byte of an array into a Python object and back. The samples here keep
the bytes as they are, so an image costs three copies and no work per byte.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cyclonedds.idl import make_idl_struct
from cyclonedds.idl import types as idl
from rosbags.interfaces import Nodetype

from turret_ai.ros.dds import messages

_BASE: dict[str, Any] = {
    "bool": bool,
    "byte": idl.uint8,
    "octet": idl.uint8,
    "char": idl.uint8,
    "string": str,
    **{
        f"{sign}int{bits}": getattr(idl, f"{sign}int{bits}")
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    "float32": idl.float32,
    "float64": idl.float64,
}


@cache
def raw_struct(ros_type: str, service: bool = False) -> Any:
    """The structure whose samples hold CDR in `.raw`.

    service: with the two fields that rmw_cyclonedds puts before each request and response.
    """
    members: dict[str, Any] = {"client_guid": idl.uint64, "sequence": idl.int64} if service else {}
    made = _struct(ros_type, members)
    # Patched after creation: Cyclone's metaclass doesn't take them from a base class.
    made.serialize = _serialize
    made.deserialize = classmethod(_deserialize)
    return made


def sample(struct: Any, raw: bytes) -> Any:
    """A sample of a raw structure."""
    made = struct.__new__(struct)
    made.raw = raw
    return made


@cache
def plain_struct(ros_type: str) -> Any:
    """The structure that cyclonedds-python itself serializes."""
    return _struct(ros_type, {})


def _struct(ros_type: str, members: dict[str, Any]) -> Any:
    package, kind, name = ros_type.split("/")
    for field, description in messages.fields(ros_type):
        members[field] = _idl_type(description)
    return make_idl_struct(f"{name}_", f"{package}.{kind}.dds_.{name}_", members)


def _idl_type(description: Any) -> Any:
    kind, argument = description
    if kind == Nodetype.BASE:
        name, limit = argument
        return idl.bounded_str[limit] if name == "string" and limit else _BASE[name]
    if kind == Nodetype.NAME:
        return plain_struct(argument)
    inner = _idl_type(argument[0])
    if kind == Nodetype.ARRAY:
        return idl.array[inner, argument[1]]
    return idl.sequence[inner, argument[1]] if argument[1] else idl.sequence[inner]


def _serialize(
    self: Any, buffer: Any = None, endianness: Any = None, use_version_2: Any = None
) -> bytes:
    raw: bytes = self.raw
    return raw


def _deserialize(cls: Any, data: bytes, has_header: bool = True, use_version_2: Any = None) -> Any:
    return sample(cls, data)
