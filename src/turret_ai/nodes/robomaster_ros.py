# SPDX-License-Identifier: Apache-2.0
"""The robomaster_ros node: our gimbal commands as goals of that driver's action (needs ROS 2)."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from turret_ai.act.robomaster.ros_driver import (
    FREE_MODE,
    Action,
    CancelGoal,
    Drive,
    GoalKeeper,
    SendGoal,
)
from turret_ai.act.robomaster.settings import MotionSettings
from turret_ai.aim.frames import YAW_JOINT
from turret_ai.aim.joints import pick
from turret_ai.errors import ConfigError
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import RUNTIME, qos, topics
from turret_ai.ros.interfaces import GimbalCommand, JointState


class RoboMasterRos(Stage):
    """Turns `turret/command` into `move_gimbal` goals; pictures and joint states need no help."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        messages, actions, client = _imports()
        super().__init__("robomaster_ros", MotionSettings, overrides)
        self.keeper = GoalKeeper(self.parameters)
        self._messages = messages
        self._goal_type = actions.MoveGimbal
        self._handle: Any = None
        self._client = client(self, actions.MoveGimbal, "move_gimbal")
        self._mode = self.create_publisher(messages.Mode, "gimbal/mode", qos.LATCHED)
        self._drive = self.create_publisher(messages.GimbalCommand, "cmd_gimbal", qos.COMMAND)
        topics.TURRET_COMMAND.subscribe(self, self._on_command)
        topics.JOINT_STATES.subscribe(self, self._on_joints)
        self.create_timer(0.1, self._on_tick)
        self.create_timer(2.0, self._set_free)
        self._set_free()

    def describe(self) -> Mapping[str, object]:
        return {"action": "there" if self._client.server_is_ready() else "not there"}

    def reset(self) -> None:
        self._act(self.keeper.stop(time.monotonic()))

    def _set_free(self) -> None:
        """In chassis_lead, robomaster_ros's own default, the gimbal ignores yaw."""
        self._mode.publish(self._messages.Mode(mode=FREE_MODE))

    def _on_command(self, message: GimbalCommand) -> None:
        if not self.receive():
            return
        now = time.monotonic()
        order = convert.message_to_order(message, now, self.now_ns())
        if order is None:
            self.health.count("refused")
        else:
            self._act(self.keeper.on_order(order, now))

    def _on_joints(self, message: JointState) -> None:
        names, angles = list(message.name), pick(message.name, message.position)
        if angles is not None:
            self.keeper.on_joints(*angles[:2])
        elif any(name.endswith(YAW_JOINT) for name in names):
            self.health.problem = (
                f"joint states come as {names}: start robomaster_ros without a tf prefix"
            )

    def _on_tick(self) -> None:
        self._act(self.keeper.on_tick(time.monotonic()))
        self.health.problem = self.keeper.problem

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case SendGoal(yaw, pitch, yaw_speed, pitch_speed, frame):
                    goal = self._goal_type.Goal(
                        yaw=yaw,
                        pitch=pitch,
                        yaw_speed=yaw_speed,
                        pitch_speed=pitch_speed,
                        frame=frame,
                    )
                    self._client.send_goal_async(goal).add_done_callback(self._on_answer)
                case CancelGoal():
                    if self._handle is not None:
                        self._handle.cancel_goal_async()
                case Drive(yaw_speed, pitch_speed):
                    command = self._messages.GimbalCommand(
                        yaw_speed=yaw_speed, pitch_speed=pitch_speed
                    )
                    self._drive.publish(command)

    def _on_answer(self, future: Any) -> None:
        handle = future.result()
        now = time.monotonic()
        if handle is not None and handle.accepted:
            self._handle = handle
            handle.get_result_async().add_done_callback(self._on_result)
            self._act(self.keeper.on_accepted(True, now))
        else:
            self._act(self.keeper.on_accepted(False, now))

    def _on_result(self, future: Any) -> None:
        succeeded = 4  # action_msgs/GoalStatus.STATUS_SUCCEEDED
        self._handle = None
        result = future.result()
        done = result is not None and result.status == succeeded
        self._act(self.keeper.on_finished(done, time.monotonic()))


def _imports() -> tuple[Any, Any, Any]:
    """(robomaster_msgs.msg, robomaster_msgs.action, rclpy's ActionClient).

    Raises:
        ConfigError: ROS 2 or robomaster_msgs is not there.
    """
    if RUNTIME != "rclpy":
        raise ConfigError("robomaster_ros needs ROS 2: source its setup file first")
    try:
        messages = importlib.import_module("robomaster_msgs.msg")
        actions = importlib.import_module("robomaster_msgs.action")
        client = importlib.import_module("rclpy.action").ActionClient
    except ImportError as error:
        text = f"robomaster_ros is not built in this workspace ({error})"
        raise ConfigError(text) from error
    return messages, actions, client
