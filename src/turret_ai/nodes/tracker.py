# SPDX-License-Identifier: Apache-2.0
"""The tracker node: pictures and joints in; where the target is and flies out.

It follows what the controller aims at and follows, and nothing else: `turret/state` decides when a
lock begins and ends. It never moves the turret itself.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turret_ai.aim.frames import GIMBAL_BASE_LINK
from turret_ai.aim.joints import pick
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import images, topics
from turret_ai.ros.interfaces import CameraInfo, Image, JointState, TargetBBox, TurretState
from turret_ai.ros.time import to_ns
from turret_ai.track import association
from turret_ai.track.eyes import Eyes, ModelEyes
from turret_ai.track.lock import LockState
from turret_ai.track.pursuit import Glance, Pursuit
from turret_ai.track.settings import TrackSettings
from turret_ai.types import LocationStatus

_TELL_S = 0.1
"""How often the lock is told while nothing changes."""
_RATE_OVER_S = 3.0
"""Over so many seconds searches are counted."""


@dataclass(frozen=True, slots=True)
class _Search:
    """A part of an image to search."""

    plan: Glance
    image: Image


def load(settings: TrackSettings) -> ModelEyes:
    """The models of the settings, warmed up.

    Raises:
        ModelError: a model is missing, broken or of another kind.
    """
    eyes = ModelEyes(settings)
    eyes.warm_up()
    return eyes


class TrackerNode(Stage):
    """Keeps the target of the last aim in sight, at the rate that its detector can hold."""

    adjustable = True

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("tracker", TrackSettings, overrides)
        self.eyes: Eyes | None = None
        self.pursuit = Pursuit(self.parameters)
        self._guard = threading.RLock()  # of the pursuit: callbacks and the worker share it
        self._worker = self.create_worker(self._search, self._on_error, latest_wins=True)
        self._looks: deque[float] = deque(maxlen=1024)
        self._look_seconds = 0.0
        self._told = (LockState.UNLOCKED, "", -1.0)
        self._told_at = 0.0
        self._told_lock = topics.LOCK.advertise(self)
        self._tracks = topics.TRACKS.advertise(self)
        topics.TARGET_BBOX.subscribe(self, self._on_box)
        topics.TURRET_STATE.subscribe(self, self._on_state)
        topics.JOINT_STATES.subscribe(self, self._on_joints)
        topics.CAMERA_INFO.subscribe(self, self._on_camera)
        topics.IMAGE.subscribe(self, self._on_image)
        self.create_timer(0.05, self._on_tick)

    # -- life ------------------------------------------------------------------------------------

    def on_configure(self) -> None:
        self.doing = "loading the detector and the matcher"
        eyes = load(self.parameters)
        association.warm_up()
        with self._guard:
            pursuit = Pursuit(self.parameters)
            pursuit.camera, pursuit.joints = self.pursuit.camera, self.pursuit.joints
            self.pursuit, self.eyes = pursuit, eyes

    def on_cleanup(self) -> None:
        self.eyes = None

    def describe(self) -> Mapping[str, object]:
        told = self.eyes.describe() if isinstance(self.eyes, ModelEyes) else {}
        return {
            **told,
            "lock": self.pursuit.lock.state.name.lower(),
            "look rate": f"{self._look_rate():.1f}",
            "look seconds": f"{self._look_seconds:.3f}",
        }

    def reset(self) -> None:
        self._end("reset")

    # -- inputs ----------------------------------------------------------------------------------

    def _on_box(self, message: TargetBBox) -> None:
        if not self.active:
            return
        report = convert.message_to_report(message)
        if report.box is None or report.status is LocationStatus.NOT_FOUND:
            return
        with self._guard:
            self.pursuit.begin(
                message.utterance_id, message.caption, report.box, report.stamp_ns, self.now_ns()
            )
        self._tell()

    def _on_state(self, message: TurretState) -> None:
        """The controller decides: what it does for another turn, or no more, ends the lock."""
        pursuit = self.pursuit
        if not pursuit.lock.on:
            return
        name, phase = message.utterance_id, message.phase
        if name == pursuit.utterance_id:
            return  # SEARCHING until the controller has the box, too; AIMING; FOLLOWING
        if phase == TurretState.HEARD:
            return  # somebody speaks: nothing is obeyed yet
        if phase == TurretState.IDLE:
            self._end("the controller follows nothing")
        else:
            self._end(f"the turret obeys {name}")

    def _on_joints(self, message: JointState) -> None:
        angles = pick(message.name, message.position, message.velocity)
        if angles is not None:
            with self._guard:
                self.pursuit.joints.add(to_ns(message.header.stamp) or self.now_ns(), *angles)

    def _on_camera(self, message: CameraInfo) -> None:
        camera = self.read_camera(message)
        if camera is not None:
            with self._guard:
                self.pursuit.camera = camera

    def _on_image(self, message: Image) -> None:
        if not self.pursuit.lock.on or not self.receive() or self._worker.busy:
            return  # the next picture is newer than one that would have to wait
        camera = self.pursuit.camera
        if camera is None or (message.width, message.height) != (camera.width, camera.height):
            return
        with self._guard:
            plan = self.pursuit.plan(to_ns(message.header.stamp))
        if plan is not None:
            self._worker.put(_Search(plan, message))

    def _on_tick(self) -> None:
        with self._guard:
            self.pursuit.tick(self.now_ns())
            state, reason = self.pursuit.lock.state, self.pursuit.lock.reason
        changed = (state, reason) != self._told[:2]
        due = state is not LockState.UNLOCKED and time.monotonic() - self._told_at >= _TELL_S
        if changed or due:
            self._tell()

    # -- the search, in the worker ---------------------------------------------------------------

    def _search(self, search: _Search) -> None:
        eyes = self.eyes
        if eyes is None:
            return
        started = time.monotonic()
        plan = search.plan
        seen = eyes.look(images.from_message(search.image), plan.window, plan.caption)
        if self._worker.stale:
            return
        with self._guard:
            wanted = self.pursuit.take(plan, seen, self.now_ns())
            boxes = self.pursuit.boxes(plan.stamp_ns) if wanted else []
        if not wanted:
            return
        self._look_seconds = time.monotonic() - started
        self._looks.append(time.monotonic())
        self.health.count("searched")
        self._tracks.publish(convert.tracks_to_message(boxes, search.image.header))
        self._tell()

    def _on_error(self, error: Exception, _search: _Search) -> None:
        self.get_logger().error(f"a search failed: {error}")
        self.health.count("errors")

    # -- outputs ---------------------------------------------------------------------------------

    def _end(self, reason: str) -> None:
        self._worker.clear()
        with self._guard:
            self.pursuit.end(reason)
        self._tell()

    def _look_rate(self) -> float:
        now = time.monotonic()
        return sum(now - at < _RATE_OVER_S for at in list(self._looks)) / _RATE_OVER_S

    def _tell(self) -> None:
        with self._guard:
            now = self.now_ns()
            report = self.pursuit.report(now)
            message = convert.report_to_message(report, now, GIMBAL_BASE_LINK)
            message.look_rate, message.look_seconds = self._look_rate(), self._look_seconds
            before, self._told = self._told, (report.state, report.reason, 0.0)
            self._told_at = time.monotonic()
            self._told_lock.publish(message)
        if report.state is not before[0]:
            self.health.count(report.state.name)
            text = f"{report.utterance_id}: {report.state.name} {report.reason}".rstrip()
            self.get_logger().info(text)
