# SPDX-License-Identifier: Apache-2.0
"""Between nanoseconds and builtin_interfaces/Time."""

from __future__ import annotations

from typing import Any

from turret_ai.ros.interfaces import Time

SECOND = 1_000_000_000
"""Nanoseconds."""


def to_msg(nanoseconds: int) -> Time:
    """Nanoseconds since the clock's zero to a stamp; a time before zero becomes zero."""
    seconds, rest = divmod(max(0, int(nanoseconds)), SECOND)
    return Time(sec=seconds, nanosec=rest)


def to_ns(stamp: Any) -> int:
    """A Time or Duration message to nanoseconds."""
    return int(stamp.sec) * SECOND + int(stamp.nanosec)
