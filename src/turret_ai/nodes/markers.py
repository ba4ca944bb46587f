# SPDX-License-Identifier: Apache-2.0
"""The markers node: where the turret aims, drawn for RViz and Foxglove while somebody looks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from turret_ai.aim.camera import angles_to_direction
from turret_ai.aim.frames import BLASTER_HEIGHT, GIMBAL_BASE_LINK
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import topics
from turret_ai.ros.interfaces import (
    ColorRGBA,
    Marker,
    MarkerArray,
    Point,
    TargetBBox,
    TurretState,
    Vector3,
)
from turret_ai.ros.time import to_ns
from turret_ai.settings import Settings

_COLOURS = {
    TurretState.IDLE: (0.6, 0.6, 0.6),
    TurretState.HEARD: (0.9, 0.9, 0.3),
    TurretState.SLEWING: (0.2, 0.6, 1.0),
    TurretState.SEARCHING: (1.0, 0.6, 0.1),
    TurretState.AIMING: (0.1, 0.9, 0.2),
    TurretState.FOLLOWING: (0.9, 0.2, 0.9),
}
_NAMES = {
    TurretState.IDLE: "idle",
    TurretState.HEARD: "heard",
    TurretState.SLEWING: "slewing",
    TurretState.SEARCHING: "searching",
    TurretState.AIMING: "aiming",
    TurretState.FOLLOWING: "following",
}


class MarkersParameters(Settings):
    """How the aim is drawn."""

    length: float = Field(2.0, gt=0.0, le=10000.0, description="m, length of the aim's arrow")
    size: float = Field(0.1, gt=0.0, le=100.0, description="m, height of the text")


class Markers(Stage):
    """An arrow along the commanded aim and a word about the phase on `debug/aim_marker`."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("markers", MarkersParameters, overrides)
        self._caption = ("", "")
        self._markers = topics.AIM_MARKER.advertise(self)
        topics.TURRET_STATE.subscribe(self, self._on_state)
        topics.TARGET_BBOX.subscribe(self, self._on_box)

    def _on_box(self, message: TargetBBox) -> None:
        self._caption = (message.utterance_id, message.caption)

    def _on_state(self, message: TurretState) -> None:
        if not self.receive() or not self._markers.get_subscription_count():
            return
        angles = (message.yaw_goal, message.pitch_goal)
        if not all(math.isfinite(v) for v in angles):
            return  # no joint states yet
        served, caption = self._caption
        words = [_NAMES.get(message.phase, "")]
        if caption and served == message.utterance_id:
            words.append(caption)
        stamp_ns = to_ns(message.header.stamp)
        arrow, text = aim_markers(
            stamp_ns, angles, self.parameters.length, self.parameters.size, ": ".join(words)
        )
        red, green, blue = _COLOURS.get(message.phase, (0.6, 0.6, 0.6))
        arrow.color = ColorRGBA(r=red, g=green, b=blue, a=0.8)
        text.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        self._markers.publish(MarkerArray(markers=[arrow, text]))


def aim_markers(
    stamp_ns: int, angles: tuple[float, float], length: float, size: float, words: str
) -> tuple[Marker, Marker]:
    """An arrow from the pitch axis along (yaw, pitch) in radians, and a text at its end."""
    x, y, z = (float(v) * length for v in angles_to_direction(*angles))
    foot = Point(x=0.0, y=0.0, z=BLASTER_HEIGHT)
    tip = Point(x=x, y=y, z=BLASTER_HEIGHT + z)
    arrow = Marker(
        header=convert.header(stamp_ns, GIMBAL_BASE_LINK),
        ns="aim",
        id=0,
        type=Marker.ARROW,
        action=Marker.ADD,
        points=[foot, tip],
        scale=Vector3(x=0.02, y=0.05, z=0.1),
    )
    text = Marker(
        header=convert.header(stamp_ns, GIMBAL_BASE_LINK),
        ns="aim",
        id=1,
        type=Marker.TEXT_VIEW_FACING,
        action=Marker.ADD,
        scale=Vector3(x=0.0, y=0.0, z=size),
        text=words,
    )
    text.pose.position = tip
    for marker in (arrow, text):
        marker.pose.orientation.w = 1.0
    return arrow, text
