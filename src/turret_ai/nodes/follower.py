# SPDX-License-Identifier: Apache-2.0
"""The controller's part in a lock: the tracker's estimates become gimbal commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turret_ai.aim.following import Drive, Following
from turret_ai.aim.frames import GIMBAL_BASE_LINK
from turret_ai.aim.joints import JointSample
from turret_ai.aim.limits import Goal
from turret_ai.aim.settings import AimSettings
from turret_ai.aim.turn import Action, Finish, Move, Outcome, State, Stop
from turret_ai.nodes import convert
from turret_ai.ros import Node, topics
from turret_ai.ros.interfaces import GimbalCommand, Lock
from turret_ai.ros.time import to_msg

_BUSY = (State.SLEWING, State.SEARCHING, State.AIMING)
"""The turret obeys a turn."""


class Follower:
    """Follows the target of the last turn that was aimed, until something else is wanted."""

    def __init__(self, node: Node, gimbal: Any, on_end: Callable[[str, str], None]) -> None:
        """
        Args:
            gimbal: the publisher of `turret/command`.
            on_end: called with (utterance id, reason) when a pursuit has ended.
        """
        self._node = node
        self._gimbal = gimbal
        self._on_end = on_end
        self._following: Following | None = None
        self.goal: Goal | None = None
        """Where the target will be when the gimbal acts, within the limits."""
        topics.LOCK.subscribe(node, self._on_lock)

    def configure(self, settings: AimSettings) -> None:
        """Take the controller's settings; what is followed is not followed any more."""
        self.end("configured anew")
        on = settings.tracking == "lock" and not settings.recorded_joints
        self._following = Following(settings.follow, settings.limits.to_limits()) if on else None

    @property
    def utterance_id(self) -> str:
        """Whose target is followed, "" if none."""
        return self._following.utterance_id if self._following else ""

    def on_action(self, action: Action, state: State) -> None:
        """What a turn does: its aim begins a pursuit, its moves end one.

        state: the engagement's, after the action.
        """
        if isinstance(action, Stop):
            self.end("called off")
        elif isinstance(action, Move):
            self.end(f"the turret obeys {action.utterance_id}")
        elif self._following is not None and _aimed(action) and state is State.IDLE:
            self._following.begin(action.utterance_id, self._node.now_ns())

    def on_state(self, utterance_id: str, state: State) -> None:
        """A turn without a move, such as one that names no heading, ends a pursuit as well."""
        if self.utterance_id and state in _BUSY and utterance_id != self.utterance_id:
            self.end(f"the turret obeys {utterance_id}")

    def on_joints(self, sample: JointSample) -> None:
        """Feedback of the joints: the next command, if one is due."""
        following, name = self._following, self.utterance_id
        if following is None or not name:
            return
        drive = following.on_joints(sample, self._node.now_ns())
        if drive is not None:
            self._send(drive)
        elif not following.active:
            self._ended(name, following.reason)

    def end(self, reason: str) -> None:
        """Follow no more; the last order is void within `follow.valid`."""
        following, name = self._following, self.utterance_id
        if following is not None and name:
            following.end(reason)
            self._ended(name, reason)

    def stand(self, reason: str) -> None:
        """Follow no more, and bring the turret to rest at once."""
        name = self.utterance_id
        if name:
            self.end(reason)
            now = self._node.now_ns()
            self._send(Drive(name, now, now, 0.0, 0.0, 0.0, 0.0, False, False))
            self.goal = None

    def _ended(self, name: str, reason: str) -> None:
        self.goal = None
        self._on_end(name, reason)

    def _on_lock(self, message: Lock) -> None:
        following = self._following
        if following is None or not following.active:
            return
        if message.utterance_id != following.utterance_id:
            return
        if message.state == Lock.UNLOCKED:
            self.stand(message.reason or "the tracker has given up")
            return
        estimate = convert.message_to_estimate(message)
        following.on_estimate(message.utterance_id, estimate, self._node.now_ns())

    def _send(self, drive: Drive) -> None:
        self.goal = Goal(drive.yaw, drive.pitch, drive.yaw_limited, drive.pitch_limited)
        until_ns = drive.until_ns
        if not (drive.yaw_rate or drive.pitch_rate):
            until_ns = 0  # to stand still is never void
        self._gimbal.publish(
            GimbalCommand(
                header=convert.header(drive.stamp_ns, GIMBAL_BASE_LINK),
                utterance_id=drive.utterance_id,
                mode=GimbalCommand.RATE,
                yaw=drive.yaw,
                pitch=drive.pitch,
                yaw_rate=drive.yaw_rate,
                pitch_rate=drive.pitch_rate,
                valid_until=to_msg(until_ns),
                yaw_limited=drive.yaw_limited,
                pitch_limited=drive.pitch_limited,
            )
        )


def _aimed(action: Finish) -> bool:
    """Whether a turn ended with the turret on its target."""
    return action.outcome in (Outcome.AIMED, Outcome.AMBIGUOUS) and action.aim is not None
