# SPDX-License-Identifier: Apache-2.0
"""Messages with something in every field, alike in both runtimes, and their plain form."""

from __future__ import annotations

import re
from typing import Any

from turret_ai.ros import RUNTIME, interfaces

_SEQUENCE = re.compile(r"sequence<(.+?)(?:, *(\d+))?>\Z")
_ARRAY = re.compile(r"(.+)\[(\d+)\]\Z")


def names() -> list[str]:
    """Every message type that the seam exports."""
    return [f"{p}/msg/{name}" for p, short in interfaces.MESSAGES.items() for name in short]


def fill(ros_type: str, seed: int = 1) -> Any:
    """A message whose fields follow from the seed; floats are exact in 32 bits."""
    made = interfaces.message(ros_type)()
    for index, (name, kind) in enumerate(made.get_fields_and_field_types().items()):
        setattr(made, name, _value(kind, seed + index))
    return made


def _value(kind: str, seed: int) -> Any:
    if found := _ARRAY.match(kind):
        return [_value(found[1], seed + i) for i in range(int(found[2]))]
    if found := _SEQUENCE.match(kind):
        count = 1 + seed % 3
        if found[2]:
            count = min(count, int(found[2]))
        return [_value(found[1], seed + i) for i in range(count)]
    if "/" in kind:
        return fill(kind.replace("/", "/msg/"), seed)
    if kind.startswith("string"):
        return f"text {seed} äß€"
    if kind == "boolean":
        return seed % 2 == 1
    if kind in ("float", "double"):
        return seed / 4.0
    if kind == "octet":
        return bytes([seed % 256]) if RUNTIME == "rclpy" else seed % 256
    return seed % 100


def plain(value: Any) -> Any:
    """A message of either runtime as dictionaries, lists, numbers and text."""
    if hasattr(value, "get_fields_and_field_types"):
        return {name: plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    if isinstance(value, bytes):
        return value[0] if len(value) == 1 else list(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value
