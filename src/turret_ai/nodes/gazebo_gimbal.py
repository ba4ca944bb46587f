# SPDX-License-Identifier: Apache-2.0
"""The Gazebo gimbal node: gimbal commands in, angles for Gazebo's two joint controllers out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from turret_ai.aim.joints import pick
from turret_ai.aim.settings import LimitSettings
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import topics
from turret_ai.ros.interfaces import Float64, GimbalCommand, JointState
from turret_ai.settings import Settings
from turret_ai.simulate.gazebo.setpoint import Setpoint
from turret_ai.units import ns_to_seconds


class GazeboGimbalParameters(Settings):
    """The turret in Gazebo."""

    limits: LimitSettings = LimitSettings()
    rate: float = Field(50.0, ge=5.0, le=500.0, description="angles sent per second")


class GazeboGimbal(Stage):
    """Repeats the wished angles, so that a Gazebo that starts late gets them too."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("gazebo_gimbal", GazeboGimbalParameters, overrides)
        self._setpoint = Setpoint(self.parameters.limits.to_limits())
        self._joints: tuple[float, float] | None = None
        self._yaw = topics.YAW_COMMAND.advertise(self)
        self._pitch = topics.PITCH_COMMAND.advertise(self)
        topics.TURRET_COMMAND.subscribe(self, self._on_command)
        topics.JOINT_STATES.subscribe(self, self._on_joints)
        self.create_timer(1.0 / self.parameters.rate, self._send)

    def describe(self) -> Mapping[str, object]:
        return {"gazebo": "no joint states yet" if self._joints is None else "connected"}

    def reset(self) -> None:
        self._setpoint.hold(self._joints)

    def _on_command(self, message: GimbalCommand) -> None:
        if not self.receive():
            return
        now_ns = self.now_ns()
        now = ns_to_seconds(now_ns)
        order = convert.message_to_order(message, now, now_ns)
        refused = "unknown mode"
        if order is not None:
            refused = self._setpoint.give(order, now, self._joints)
        if refused:
            self.health.count(f"refused: {refused}")

    def _on_joints(self, message: JointState) -> None:
        angles = pick(message.name, message.position)
        if angles is not None:
            self._joints = angles[:2]

    def _send(self) -> None:
        angles = self._setpoint.at(ns_to_seconds(self.now_ns()))
        if angles is not None:
            self._yaw.publish(Float64(data=angles[0]))
            self._pitch.publish(Float64(data=angles[1]))
