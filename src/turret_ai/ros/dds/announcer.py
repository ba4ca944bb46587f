# SPDX-License-Identifier: Apache-2.0
"""Who is there: what we announce about our nodes, and what the others announce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from turret_ai.ros.dds.messages import message_class
from turret_ai.ros.dds.qos import DurabilityPolicy, HistoryPolicy, QoSProfile

if TYPE_CHECKING:
    from turret_ai.ros.dds.context import Context

TOPIC = "ros_discovery_info"
TYPE = "rmw_dds_common/msg/ParticipantEntitiesInfo"
PROFILE = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
READING = QoSProfile(history=HistoryPolicy.KEEP_ALL, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""With a depth, the announcements of several processes would push each other out."""


def _gid(raw: bytes) -> Any:
    return message_class("rmw_dds_common/msg/Gid")(data=np.frombuffer(raw, np.uint8))


class Announcer:
    """Tells which endpoints belong to which node; `ros2 node list|info` reads it."""

    def __init__(self, context: Context) -> None:
        from turret_ai.ros.dds.endpoint import Writer
        from turret_ai.ros.dds.logger import Logger

        self._context = context
        self._held = 0
        self._writer = Writer(context, Logger("turret_ai.graph"), TOPIC, TYPE, PROFILE)

    def __enter__(self) -> Announcer:
        """Hold back until many endpoints have been made."""
        self._held += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._held -= 1
        self.announce()

    def announce(self) -> None:
        """Publish the present nodes and endpoints."""
        if self._held:
            return
        entities = message_class("rmw_dds_common/msg/NodeEntitiesInfo")
        self._writer.write(
            message_class(TYPE)(
                gid=_gid(self._context.participant.get_guid().bytes),
                node_entities_info_seq=[
                    entities(
                        node_namespace=node.get_namespace(),
                        node_name=node.get_name(),
                        reader_gid_seq=[_gid(each.gid) for each in node.readers],
                        writer_gid_seq=[_gid(each.gid) for each in node.writers],
                    )
                    for node in self._context.nodes
                ],
            )
        )

    def close(self) -> None:
        """Leave the graph."""
        self._writer.close()
