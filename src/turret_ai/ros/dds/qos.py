# SPDX-License-Identifier: Apache-2.0
"""QoS profiles with rclpy's names, and their translation to Cyclone DDS."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from cyclonedds.core import Policy, Qos
from cyclonedds.util import duration

MAX_BLOCKING = 0.1
"""Seconds that a reliable write may wait for a reader that lags behind, before it is given up."""

MAX_BLOCKING_LATEST = 0.03
"""Likewise for depth <= 2 (images, commands): there the next sample is worth more than this one."""


class ReliabilityPolicy(IntEnum):
    """Whether lost samples are sent again."""

    RELIABLE = 1
    BEST_EFFORT = 2


class DurabilityPolicy(IntEnum):
    """Whether late joiners get what was sent before."""

    TRANSIENT_LOCAL = 1
    VOLATILE = 2


class HistoryPolicy(IntEnum):
    """How many samples wait for their reader."""

    KEEP_LAST = 1
    KEEP_ALL = 2


def seconds(value: float) -> int:
    """A duration in the runtime's own type: nanoseconds."""
    return round(value * 1e9)


@dataclass(frozen=True, slots=True)
class QoSProfile:
    """What a publisher offers or a subscription asks for.

    deadline, lifespan: nanoseconds, 0 = none.
    """

    history: HistoryPolicy = HistoryPolicy.KEEP_LAST
    depth: int = 10
    reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE
    deadline: int = 0
    lifespan: int = 0

    @property
    def latched(self) -> bool:
        """Whether late joiners get the last samples."""
        return self.durability is DurabilityPolicy.TRANSIENT_LOCAL


def to_dds(profile: QoSProfile, user_data: str) -> Qos:
    """Cyclone's policies for a reader or writer.

    user_data: "key=value;" pairs; ROS reads the type's hash and the ids of services there.
    """
    latest = profile.depth <= 2 and not profile.latched
    history = (
        Policy.History.KeepAll
        if profile.history is HistoryPolicy.KEEP_ALL
        else Policy.History.KeepLast(profile.depth)
    )
    policies = [
        Policy.Reliability.Reliable(
            duration(seconds=MAX_BLOCKING_LATEST if latest else MAX_BLOCKING)
        )
        if profile.reliability is ReliabilityPolicy.RELIABLE
        else Policy.Reliability.BestEffort,
        history,
        Policy.Durability.TransientLocal if profile.latched else Policy.Durability.Volatile,
        Policy.WriterDataLifecycle(autodispose=False),
        Policy.DataRepresentation(use_cdrv0_representation=True, use_xcdrv2_representation=False),
        Policy.Userdata(user_data.encode()),
    ]
    if profile.latched:
        # What late joiners get is the durability service's history (default 1), not History.
        policies.append(Policy.DurabilityService(0, history, -1, -1, -1))
    if profile.deadline:
        policies.append(Policy.Deadline(profile.deadline))
    if profile.lifespan:
        policies.append(Policy.Lifespan(profile.lifespan))
    return Qos(*policies)


POLICY_NAMES = {
    2: "DURABILITY",
    4: "DEADLINE",
    5: "LATENCY_BUDGET",
    6: "OWNERSHIP",
    8: "LIVELINESS",
    10: "PARTITION",
    11: "RELIABILITY",
    12: "DESTINATION_ORDER",
    13: "HISTORY",
    23: "DATA_REPRESENTATION",
}
"""DDS's numbers of the policies that can differ (DDS 1.4, table 2.2.3; dds_public_qosdefs.h)."""
