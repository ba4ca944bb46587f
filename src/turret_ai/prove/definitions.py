"""The message types that bags of this system hold: ROS's own, vision, audio, and msg/*.msg."""

from __future__ import annotations

from functools import cache

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from turret_ai import share
from turret_ai.errors import InputError


@cache
def store() -> Typestore:
    """Every known type."""
    found = get_typestore(Stores.ROS2_JAZZY)
    for file in sorted(share.path("msg").glob("*.msg")):
        found.register(get_types_from_msg(file.read_text("utf-8"), f"turret_ai/msg/{file.stem}"))
    return found


def describe(kind: str) -> tuple[str, str]:
    """(definition text, RIHS01 type hash) of a type.

    Raises:
        InputError: it is not known.
    """
    if kind not in store().fielddefs:
        raise InputError(f"the message type {kind} is unknown")
    text, _ = store().generate_msgdef(kind, ros_version=2)
    return text, store().hash_rihs01(kind)
