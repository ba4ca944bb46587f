# SPDX-License-Identifier: Apache-2.0
"""A turret that exists in the computer only: gimbal commands in, joint states and frames out."""

from __future__ import annotations

from turret_ai.aim.frames import PITCH_JOINT, YAW_JOINT
from turret_ai.aim.order import Mode
from turret_ai.nodes import convert, frames
from turret_ai.nodes.stage import Stage
from turret_ai.ros import topics
from turret_ai.ros.interfaces import GimbalCommand, JointState
from turret_ai.ros.tf import Broadcaster
from turret_ai.ros.time import to_ns
from turret_ai.simulate.turret import TurretMotion


class VirtualTurret:
    """The topics of a node's simulated joints. The node calls `advance` at its own rate."""

    def __init__(self, node: Stage, motion: TurretMotion, start_ns: int) -> None:
        self.motion = motion
        self._node = node
        self._now_ns = start_ns
        self._rate_until_ns: int | None = None
        self._joints = topics.JOINT_STATES.advertise(node)
        self._tf = Broadcaster(node)
        topics.TURRET_COMMAND.subscribe(node, self.obey)

    def advance(self, now_ns: int, dt: float) -> None:
        """Let `dt` seconds pass up to an instant, and publish where the joints are then."""
        self._now_ns = now_ns
        motion = self.motion
        if self._rate_until_ns is not None and now_ns > self._rate_until_ns:
            self._rate_until_ns = None
            motion.hold()
        motion.step(min(dt, 1.0))
        self._joints.publish(
            JointState(
                header=convert.header(now_ns),
                name=[YAW_JOINT, PITCH_JOINT],
                position=[motion.yaw, motion.pitch],
                velocity=[motion.yaw_rate, motion.pitch_rate],
                effort=[],
            )
        )
        self._tf.send(frames.moving(now_ns, motion.yaw, motion.pitch))

    def obey(self, message: GimbalCommand) -> None:
        """Take a command, unless it is void or makes no sense; the node's health counts those."""
        node, motion = self._node, self.motion
        if not node.receive():
            return
        until_ns = to_ns(message.valid_until)
        if 0 < until_ns < self._now_ns:
            node.health.count("expired")
            return
        order = convert.message_to_order(message, 0.0, self._now_ns)
        if order is None or not order.usable():
            node.health.count("refused")
            return
        self._rate_until_ns = None
        rates = (order.yaw_rate, order.pitch_rate)
        if order.mode is Mode.RATE:
            motion.drive(*rates)
            self._rate_until_ns = until_ns or None
        elif order.mode is Mode.RELATIVE:
            motion.go(motion.yaw + order.yaw, motion.pitch + order.pitch, rates)
        else:
            motion.go(order.yaw, order.pitch, rates)
