# SPDX-License-Identifier: Apache-2.0
"""The seam between nodes and ROS 2: rclpy where it imports, else Cyclone DDS in the same format.

The names and calls are rclpy's own. TURRET_AI_RUNTIME=dds or =rclpy forces one of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from turret_ai.ros import qos
from turret_ai.ros.choice import RUNTIME
from turret_ai.ros.parameters import NoParameters

if TYPE_CHECKING or RUNTIME == "dds":
    from turret_ai.ros.dds.context import Context
    from turret_ai.ros.dds.node import Node
    from turret_ai.ros.dds.run import run, spin_until, spinning
else:
    from turret_ai.ros.rclpy_runtime import Context, Node, run, spin_until, spinning

__all__ = [
    "RUNTIME",
    "Context",
    "NoParameters",
    "Node",
    "qos",
    "run",
    "spin_until",
    "spinning",
]
