# SPDX-License-Identifier: Apache-2.0
"""The controller node: commands, boxes and joint states in; gimbal commands and summaries out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from turret_ai.aim.engagement import Engagement
from turret_ai.aim.frames import GIMBAL_BASE_LINK
from turret_ai.aim.joints import pick
from turret_ai.aim.limits import Goal
from turret_ai.aim.settings import AimSettings
from turret_ai.aim.turn import Action, Move, State, Stop
from turret_ai.nodes import convert
from turret_ai.nodes.follower import Follower
from turret_ai.nodes.roster import Roster
from turret_ai.nodes.stage import Stage
from turret_ai.nodes.unserved import Unserved
from turret_ai.ros import topics
from turret_ai.ros.interfaces import (
    CameraInfo,
    GimbalCommand,
    JointState,
    PoseStamped,
    SetBool,
    StageState,
    TargetBBox,
    Transcript,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.units import seconds_to_ns

_NEW_S = 10.0
"""Seconds during which a controller counts as one that was started in mid-turn."""


class Controller(Stage):
    """Slews to the heading, aims at the box, and says how each utterance ended."""

    adjustable = True

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("controller", AimSettings, overrides)
        self.engagement = Engagement(self.parameters)
        self.roster = Roster(self, self._on_lost, self._on_report)
        self._unserved = self._follow()
        self._active_since = 0.0
        self.armed = False
        self._box: TargetBBox | None = None
        self._last_state: tuple[object, ...] = ()
        self._last_state_ns = 0
        self._gimbal = topics.TURRET_COMMAND.advertise(self)
        self.follower = Follower(self, self._gimbal, self._on_unlocked)
        self._pose = topics.TURRET_POSE.advertise(self)
        self._state = topics.TURRET_STATE.advertise(self)
        self._summary = topics.ENGAGEMENT.advertise(self)
        topics.TRANSCRIPT.subscribe(self, self._on_transcript)
        topics.COMMAND.subscribe(self, self._on_command)
        topics.TARGET_BBOX.subscribe(self, self._on_box)
        topics.PICK.subscribe(self, self._on_pick)
        topics.JOINT_STATES.subscribe(self, self._on_joints)
        topics.CAMERA_INFO.subscribe(self, self._on_camera)
        self.create_service(SetBool, "~/arm", self._on_arm)
        self.create_timer(0.1, self._on_tick)
        self.create_wall_timer(0.2, self._give_up)  # /clock may have stopped

    def on_configure(self) -> None:
        self.follower.configure(self.parameters)
        # The parameters may be others than before. What has ended stays ended.
        if self.parameters is not self.engagement.settings:
            ended = self.engagement.ended
            self.engagement = Engagement(self.parameters)
            for utterance_id, stamp_ns in ended:
                self.engagement.recall(utterance_id, stamp_ns)
            self._unserved = self._follow()

    def on_activate(self) -> None:
        self._active_since = time.monotonic()

    def describe(self) -> Mapping[str, object]:
        connected = self.engagement.connected(self.now_ns())
        return {
            "state": self.engagement.state.name.lower(),
            "turret": "connected" if connected else "no joint states",
            "camera_info": "known" if self.engagement.camera else "none yet",
            "armed": self.armed,
            "following": self.follower.utterance_id or "nothing",
        }

    def reset(self) -> None:
        self.follower.stand("reset")
        self._act(self.engagement.reset(self.now_ns()))

    # -- the other stages ------------------------------------------------------------------------

    def _follow(self) -> Unserved:
        engagement = self.engagement
        engagement.why_absent = self.roster.why
        return Unserved(
            lambda name: name == engagement.utterance_id or engagement.is_over(name, self.now_ns()),
            engagement.recall,
        )

    def _on_report(self, report: StageState) -> None:
        if report.node != self.get_fully_qualified_name():
            self._unserved.take(report)

    def _on_lost(self, stage: str, node: str, why: str) -> None:
        abandoned = self._unserved.lost(node)
        if not self.active:
            return
        now = self.now_ns()
        self._act(self.engagement.on_lost(stage, why, now))
        for utterance_id, stamp_ns in abandoned:
            reason = f"the {stage} {why} in mid-turn"
            self._act(self.engagement.give_up(utterance_id, stamp_ns, reason, now))

    def _give_up(self) -> None:
        """End what was announced and is not served; others wait for its engagement."""
        if not self.active:
            return
        reason = "nobody works on it any more: a message was lost"
        if time.monotonic() - self._active_since < _NEW_S:
            reason = "the controller was not there when it was said"
        for utterance_id, stamp_ns in self._unserved.due():
            self._act(self.engagement.give_up(utterance_id, stamp_ns, reason, self.now_ns()))

    # -- inputs ----------------------------------------------------------------------------------

    def _on_transcript(self, message: Transcript) -> None:
        if self.receive():
            heard = convert.message_to_transcription(message)
            actions = self.engagement.on_transcript(
                message.utterance_id,
                heard.status,
                message.text,
                to_ns(message.header.stamp),
                message.speech_duration,
                self.now_ns(),
                heard.reason,
            )
            self._act(actions)

    def _on_command(self, message: TurretCommand) -> None:
        if self.receive():
            self._act(
                self.engagement.on_command(
                    message.utterance_id,
                    convert.message_to_command(message),
                    message.partial,
                    to_ns(message.header.stamp),
                    self.now_ns(),
                )
            )

    def _on_box(self, message: TargetBBox) -> None:
        if self.receive():
            self._box = message
            report = convert.message_to_report(message)
            self._act(self.engagement.on_box(message.utterance_id, report, self.now_ns()))

    def _on_pick(self, message: TargetBBox) -> None:
        if self.receive():
            self._box = message
            report = convert.message_to_report(message)
            name, what = message.utterance_id, message.caption
            self._act(self.engagement.on_pick(name, report, what, self.now_ns()))

    def _on_joints(self, message: JointState) -> None:
        angles = pick(message.name, message.position, message.velocity)
        if angles is None:
            return
        stamp_ns = to_ns(message.header.stamp) or self.now_ns()
        self._act(self.engagement.on_joints(stamp_ns, *angles, self.now_ns()))
        latest = self.engagement.joints.latest
        if latest is not None and self.active:
            self.follower.on_joints(latest)
        self._publish_state()

    def _on_camera(self, message: CameraInfo) -> None:
        camera = self.read_camera(message)
        if camera is not None:
            self._act(self.engagement.on_camera(camera, self.now_ns()))

    def _on_arm(self, request: Any, response: Any) -> Any:
        self.armed = bool(request.data)
        self.get_logger().warning("armed" if self.armed else "disarmed")
        self._publish_state()
        response.success = True
        response.message = "armed" if self.armed else "disarmed"
        return response

    def _on_tick(self) -> None:
        self._act(self.engagement.on_tick(self.now_ns()))
        if not self.engagement.connected(self.now_ns()):
            self._publish_state()

    # -- outputs ---------------------------------------------------------------------------------

    def _act(self, actions: Sequence[Action]) -> None:
        engagement = self.engagement
        self.follower.on_state(engagement.utterance_id, engagement.state)
        for action in actions:
            self.follower.on_action(action, engagement.state)
            if isinstance(action, Move):
                self._send(action)
                continue
            if isinstance(action, Stop):
                self._stop(action)
                continue
            self.ledger.ended(action.utterance_id, action.stamp_ns)
            box = self._box
            if box is not None and box.utterance_id != action.utterance_id:
                box = None
            self._summary.publish(convert.finish_to_message(action, box))
            self.health.count(action.outcome.name)
            text = f"{action.utterance_id}: {action.outcome.name} {action.reason}".rstrip()
            self.get_logger().info(text)
        if actions:
            self._publish_state()

    def _send(self, move: Move) -> None:
        goal, settings = move.goal, self.engagement.settings
        limit = max(settings.deadlines.slew, settings.deadlines.aim)
        self._gimbal.publish(
            GimbalCommand(
                header=convert.header(move.stamp_ns, GIMBAL_BASE_LINK),
                utterance_id=move.utterance_id,
                mode=GimbalCommand.ABSOLUTE,
                yaw=goal.yaw,
                pitch=goal.pitch,
                yaw_rate=settings.yaw_rate,
                pitch_rate=settings.pitch_rate,
                valid_until=to_msg(self.now_ns() + seconds_to_ns(limit)),
                yaw_limited=goal.yaw_limited,
                pitch_limited=goal.pitch_limited,
            )
        )
        if self.engagement.state is State.AIMING:
            self._pose.publish(_pose(goal, move.stamp_ns))

    def _stop(self, stop: Stop) -> None:
        """Stand still and disarm: only `~/arm` allows the signal again."""
        if not stop.for_now:
            self.armed = False
        self._gimbal.publish(
            GimbalCommand(
                header=convert.header(stop.stamp_ns, GIMBAL_BASE_LINK),
                utterance_id=stop.utterance_id,
                mode=GimbalCommand.RATE,
            )
        )
        done = "stopped until all is said" if stop.for_now else "stopped and disarmed"
        self.get_logger().warning(f"{stop.utterance_id}: called off, {done}")

    def _on_unlocked(self, utterance_id: str, reason: str) -> None:
        self.get_logger().info(f"{utterance_id}: no longer followed: {reason}")
        self._publish_state()

    def _publish_state(self) -> None:
        """At every change at once, else ten times a second."""
        engagement = self.engagement
        now = self.now_ns()
        latest, goal = engagement.joints.latest, engagement.goal
        name, phase, at_goal = engagement.utterance_id, int(engagement.state), engagement.at_goal
        if engagement.state is State.IDLE and self.follower.utterance_id:
            name, phase, at_goal = self.follower.utterance_id, TurretState.FOLLOWING, False
            goal = self.follower.goal or goal
        moving = latest is not None and latest.speed > engagement.settings.settle.rate
        wanted = None if phase == TurretState.FOLLOWING else goal  # that changes all the time
        key = (name, phase, engagement.connected(now), moving, at_goal, self.armed, wanted)
        if key == self._last_state and 0 <= now - self._last_state_ns < seconds_to_ns(0.1):
            return
        self._last_state, self._last_state_ns = key, now
        yaw, pitch = (latest.yaw, latest.pitch) if latest else (math.nan, math.nan)
        self._state.publish(
            TurretState(
                header=convert.header(latest.stamp_ns if latest else now, GIMBAL_BASE_LINK),
                utterance_id=name,
                phase=phase,
                connected=engagement.connected(now),
                moving=moving,
                at_goal=at_goal,
                armed=self.armed,
                yaw_limited=bool(goal and goal.yaw_limited),
                pitch_limited=bool(goal and goal.pitch_limited),
                yaw=yaw,
                pitch=pitch,
                yaw_goal=goal.yaw if goal else yaw,
                pitch_goal=goal.pitch if goal else pitch,
            )
        )


def _pose(goal: Goal, stamp_ns: int) -> PoseStamped:
    """The aim as a pose in the base frame: rotation about z by yaw, then about y by pitch."""
    cy, sy = math.cos(goal.yaw / 2), math.sin(goal.yaw / 2)
    cp, sp = math.cos(goal.pitch / 2), math.sin(goal.pitch / 2)
    message = PoseStamped(header=convert.header(stamp_ns, GIMBAL_BASE_LINK))
    orientation = message.pose.orientation
    orientation.w, orientation.x = cy * cp, -sy * sp
    orientation.y, orientation.z = cy * sp, sy * cp
    return message
