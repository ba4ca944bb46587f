# SPDX-License-Identifier: Apache-2.0
"""Types of the messages for type checkers, made from the definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rosbags.interfaces import Nodetype

from turret_ai.ros.dds import messages
from turret_ai.ros.interfaces import MESSAGES, SERVICES

TARGET = Path(__file__).parent.parent / "interfaces.pyi"

_HEAD = '''# SPDX-License-Identifier: Apache-2.0
"""Types of the messages and services; made by scripts/write_interfaces, do not edit."""

from collections.abc import Sequence
from typing import Any, ClassVar

MESSAGES: dict[str, tuple[str, ...]]
SERVICES: dict[str, tuple[str, ...]]

def message(ros_type: str) -> type[Any]: ...
def service(ros_type: str) -> type[Any]: ...
def type_name(interface: type[Any]) -> str: ...
'''


def stubs() -> str:
    """The text of interfaces.pyi."""
    exported = {
        f"{package}/msg/{name}": name for package, names in MESSAGES.items() for name in names
    }
    parts = [_HEAD]
    for ros_type, name in sorted(exported.items(), key=lambda pair: pair[1]):
        parts.append(_message(name, ros_type, exported, ""))
    for package, names in sorted(SERVICES.items()):
        for name in names:
            halves = [
                _message(half, f"{package}/srv/{name}_{half}", exported, "    ")
                for half in ("Request", "Response")
            ]
            parts.append(f"class {name}:\n{chr(10).join(halves)}")
    return "\n".join(parts)


def _message(name: str, ros_type: str, exported: dict[str, str], indent: str) -> str:
    lines = [f"{indent}class {name}:"]
    for constant, value in messages.constants(ros_type).items():
        lines.append(f"{indent}    {constant}: ClassVar[{type(value).__name__}]")
    fields = [
        (field, _annotation(description, exported))
        for field, description in messages.fields(ros_type)
        if field != messages.DUMMY
    ]
    lines += [f"{indent}    {field}: {kind}" for field, kind in fields]
    if fields:
        lines += [f"{indent}    def __init__(", f"{indent}        self,", f"{indent}        *,"]
        lines += [f"{indent}        {field}: {kind} = ...," for field, kind in fields]
        lines.append(f"{indent}    ) -> None: ...")
    else:
        lines.append(f"{indent}    def __init__(self) -> None: ...")
    return "\n".join(lines) + "\n"


def _annotation(description: Any, exported: dict[str, str]) -> str:
    kind, argument = description
    if kind == Nodetype.BASE:
        name = argument[0]
        if name in ("byte", "octet"):
            return "Any"  # bytes on rclpy, a number without it
        if name == "string":
            return "str"
        return "float" if name.startswith("float") else "bool" if name == "bool" else "int"
    if kind == Nodetype.NAME:
        return exported.get(argument, "Any")
    inner = argument[0]
    if inner[0] == Nodetype.NAME:
        return f"Sequence[{exported.get(inner[1], 'Any')}]"
    # numbers: a list, an array.array or a NumPy array, depending on who made the message
    return "Sequence[str]" if inner[1][0] == "string" else "Any"
