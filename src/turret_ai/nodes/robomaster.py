# SPDX-License-Identifier: Apache-2.0
"""The RoboMaster node: gimbal commands in; joint states, pictures and sound of the robot out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from turret_ai.act.loop import LoopThread
from turret_ai.act.robomaster.driver import Driver
from turret_ai.act.robomaster.media import AUDIO_RATE
from turret_ai.act.robomaster.settings import EP_VERTICAL_FOV, DriverSettings
from turret_ai.aim.camera import Camera
from turret_ai.aim.frames import CAMERA_OPTICAL_FRAME, PITCH_JOINT, YAW_JOINT
from turret_ai.hear import utterance_frame
from turret_ai.nodes import convert, frames
from turret_ai.nodes.image_publisher import ImagePublisher
from turret_ai.nodes.stage import Stage
from turret_ai.ros import audio, topics
from turret_ai.ros.interfaces import (
    Engagement,
    GimbalCommand,
    JointState,
    TurretState,
)
from turret_ai.ros.tf import Broadcaster, StaticBroadcaster
from turret_ai.types import ImageArray

HEARTBEAT_SECONDS = 1.5
"""Without a word of the controller for so long, a moving gimbal is stopped."""


class RoboMasterParameters(DriverSettings):
    """How the robot is reached, and its camera."""

    vertical_fov: float = Field(
        EP_VERTICAL_FOV, gt=0.0, lt=math.pi, description="rad, of the robot's camera"
    )


class RoboMaster(Stage):
    """A robot as this package's turret."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("robomaster", RoboMasterParameters, overrides)
        p = self.parameters
        self.driver = Driver(p, self)
        self._loop = LoopThread(self.driver.run, "robomaster", self._on_loop_error)
        self._camera: Camera | None = None
        self._controller_seen = 0.0
        self._joints = topics.JOINT_STATES.advertise(self)
        self._images = ImagePublisher(self, "camera/image_raw")
        self._infos = topics.CAMERA_INFO.advertise(self)
        self._tf = Broadcaster(self)
        StaticBroadcaster(self).send(frames.fixed(self.now_ns()))
        if p.audio:
            self._audio = topics.AUDIO.advertise(self)
            self._info = topics.AUDIO_INFO.advertise(self)
            self._info.publish(audio.info(AUDIO_RATE))
        topics.TURRET_COMMAND.subscribe(self, self._on_command)
        topics.TURRET_STATE.subscribe(self, self._on_state)
        topics.ENGAGEMENT.subscribe(self, self._on_engagement)
        self.create_timer(0.2, self._watch)
        self._loop.start()

    def describe(self) -> Mapping[str, object]:
        status, driver = self.driver.status, self.driver
        return {
            "robot": status.address if status.connected else "not connected",
            "mode": status.mode,
            "battery": "unknown" if status.battery is None else f"{status.battery} %",
            "links": status.links,
            "mode losses": status.mode_losses,
            "attitudes": status.pushes,
            "unreadable pushes": status.unreadable,
            "pictures": driver.video.decoder.frames,
            "video errors": driver.video.decoder.errors,
            "video": driver.video.problem or "fine",
            "audio errors": driver.audio.decoder.errors,
            "yaw limited": driver.motion.yaw_limited,
            "pitch limited": driver.motion.pitch_limited,
            "signals": status.signals,
        }

    def reset(self) -> None:
        self._loop.call(self.driver.stop)

    # -- to the robot ----------------------------------------------------------------------------

    def _on_command(self, message: GimbalCommand) -> None:
        if not self.receive():
            return
        now = time.monotonic()
        order = convert.message_to_order(message, now, self.now_ns())
        if order is None:
            self.health.count("refused")
            return
        self._controller_seen = now
        self._loop.call(self.driver.order, order)

    def _on_state(self, message: TurretState) -> None:
        self._controller_seen = time.monotonic()
        self._loop.call(self.driver.controller_says, bool(message.armed) and self.active)

    def _on_engagement(self, message: Engagement) -> None:
        if message.outcome == Engagement.AIMED and self.active:
            self._loop.call(self.driver.signal, message.utterance_id)

    def _watch(self) -> None:
        """The controller's state is the heartbeat of the command stream."""
        silent = time.monotonic() - self._controller_seen > HEARTBEAT_SECONDS
        if silent and self.driver.motion.active and not self.driver.motion.settled:
            self.get_logger().warning("no word of the controller: the gimbal is stopped")
            self._loop.call(self.driver.stop)
        motion = self.driver.motion
        self.health.problem = self.driver.status.problem or motion.problem

    # -- from the robot; called in the loop's thread ---------------------------------------------

    def on_attitude(self, yaw: float, pitch: float, at: float) -> None:
        """Publish the joints."""
        stamp_ns = self.stamp_of(at)
        self._joints.publish(
            JointState(
                header=convert.header(stamp_ns),
                name=[YAW_JOINT, PITCH_JOINT],
                position=[yaw, pitch],
                velocity=[],
                effort=[],
            )
        )
        self._tf.send(frames.moving(stamp_ns, yaw, pitch))

    def on_image(self, image: ImageArray, at: float) -> None:
        """Publish a picture and the camera that took it."""
        height, width = image.shape[:2]
        camera = self._camera
        if camera is None or (camera.width, camera.height) != (width, height):
            camera = Camera.from_fov(width, height, self.parameters.vertical_fov)
            self._camera = camera
        stamp_ns = self.stamp_of(at)
        frame = CAMERA_OPTICAL_FRAME
        self._infos.publish(convert.camera_to_message(camera, stamp_ns, frame))
        self._images.publish(image, stamp_ns, frame)

    def on_audio(self, samples: NDArray[np.int16], at: float) -> None:
        """Publish a chunk of the continuous stream."""
        frame = utterance_frame.MICROPHONE
        self._audio.publish(audio.to_message(samples, self.stamp_of(at), frame))

    def _on_loop_error(self, error: BaseException) -> None:
        self.driver.status.problem = f"the driver ended: {error}"
        self.get_logger().error(self.driver.status.problem)

    def destroy_node(self) -> None:
        self._loop.stop(2.0)
        super().destroy_node()
