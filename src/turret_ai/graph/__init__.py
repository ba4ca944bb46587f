# SPDX-License-Identifier: Apache-2.0
"""The launchable graphs by name."""

from turret_ai.graph.description import Argument, Graph, NodeEntry, Plan
from turret_ai.graph.finals import FINALS
from turret_ai.graph.gazebo import GAZEBO

GRAPHS: dict[str, Graph] = {graph.name: graph for graph in (FINALS, GAZEBO)}

__all__ = ["GRAPHS", "Argument", "Graph", "NodeEntry", "Plan"]
