# SPDX-License-Identifier: Apache-2.0
"""The message types that recordings hold: those that the plain runtime knows."""

from __future__ import annotations

from rosbags.typesys.store import Typestore

from turret_ai.errors import InputError


def store() -> Typestore:
    """ROS's common types, vision, audio, and this package's msg/*.msg."""
    from turret_ai.ros.dds.types import store as types

    return types()


def describe(kind: str) -> tuple[str, str]:
    """(definition text with every nested type, RIHS01 type hash) of a type.

    Raises:
        InputError: it is not known.
    """
    if kind not in store().fielddefs:
        raise InputError(f"the message type {kind} is unknown")
    text, _ = store().generate_msgdef(kind, ros_version=2)
    return text, store().hash_rihs01(kind)
