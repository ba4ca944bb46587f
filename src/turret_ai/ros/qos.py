# SPDX-License-Identifier: Apache-2.0
"""Quality of service: the profiles of this package, by what they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turret_ai.ros.choice import RUNTIME

if TYPE_CHECKING or RUNTIME == "dds":
    from turret_ai.ros.dds.qos import (
        DurabilityPolicy,
        HistoryPolicy,
        QoSProfile,
        ReliabilityPolicy,
        seconds,
    )
else:
    from rclpy.duration import Duration
    from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

    def seconds(value: float) -> Duration:
        """A duration in the runtime's own type."""
        return Duration(nanoseconds=round(value * 1e9))


def _profile(depth: int, *, reliable: bool = True, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


IMAGE_PUB = _profile(2)
"""Images, publisher: reliable, so that every kind of subscriber matches."""
IMAGE_SUB = _profile(1, reliable=False)
"""Images, subscriber: the latest wins."""
STAGE = _profile(10)
"""What one stage tells the next; nothing may be lost."""
COMMAND = _profile(1)
"""Gimbal commands: only the newest counts; they carry the time until which they are valid."""
LATCHED = _profile(1, latched=True)
"""Information that late joiners need: audio_info, labels."""
STATE = _profile(1, latched=True)
"""State that changes: the newest is kept for late joiners."""
STATES = _profile(100, latched=True)
"""The states of many nodes on one topic, subscriber: a short history would hold some of them."""
AUDIO = _profile(100)
"""Audio chunks: nothing may be lost."""
SENSOR = _profile(5, reliable=False)
"""Measurements at a rate: joint states, imu."""
CLOCK = _profile(1, reliable=False)
"""/clock."""
TF = _profile(100)
"""/tf."""
TF_STATIC = _profile(1, latched=True)
"""/tf_static."""
PARAMETER_EVENTS = _profile(1000)
"""/parameter_events."""
ROSOUT = _profile(1000, latched=True)
"""/rosout."""

__all__ = [
    "AUDIO",
    "CLOCK",
    "COMMAND",
    "IMAGE_PUB",
    "IMAGE_SUB",
    "LATCHED",
    "PARAMETER_EVENTS",
    "ROSOUT",
    "SENSOR",
    "STAGE",
    "STATE",
    "STATES",
    "TF",
    "TF_STATIC",
    "DurabilityPolicy",
    "HistoryPolicy",
    "QoSProfile",
    "ReliabilityPolicy",
    "seconds",
]
