# SPDX-License-Identifier: Apache-2.0
"""The simulator node: a turret with a camera in an embedded world, and the truth about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from turret_ai.aim.camera import Camera
from turret_ai.aim.frames import CAMERA_OPTICAL_FRAME
from turret_ai.nodes import convert, frames
from turret_ai.nodes.image_publisher import ImagePublisher
from turret_ai.nodes.stage import Stage
from turret_ai.nodes.virtual_turret import VirtualTurret
from turret_ai.ros import topics
from turret_ai.ros.interfaces import (
    Clock,
    Trigger,
)
from turret_ai.ros.tf import StaticBroadcaster
from turret_ai.ros.time import to_msg
from turret_ai.settings import Settings
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.turret import TurretMotion
from turret_ai.simulate.world import World
from turret_ai.units import ns_to_seconds, seconds_to_ns


class CameraParameters(Settings):
    """The simulated camera; the defaults are the competition's."""

    width: int = Field(1520, ge=16, le=4096, description="pixels")
    height: int = Field(870, ge=16, le=4096, description="pixels")
    vertical_fov: float = Field(
        math.radians(70.0), gt=0.0, lt=math.pi, description="rad, vertical field of view"
    )
    rate: float = Field(5.0, gt=0.0, le=120.0, description="images per second of simulated time")


class ClockParameters(Settings):
    """Whose time it is."""

    mode: Literal["wall", "sim", "step"] = Field(
        "wall",
        description="wall: the machine's time; sim: publish /clock at `speed`; step: publish "
        "/clock and advance by one image only when ~/step is called",
    )
    speed: float = Field(1.0, gt=0.0, le=100.0, description="simulated seconds per second")


class SimulatorParameters(Settings):
    """The world and the turret in it."""

    scene: str = Field("airfield", description="a shipped scene, a YAML file or a case folder")
    camera: CameraParameters = CameraParameters()
    clock: ClockParameters = ClockParameters()
    joint_rate: float = Field(
        50.0, ge=20.0, le=500.0, description="joint states per second of simulated time"
    )


@dataclass(frozen=True, slots=True)
class _Exposure:
    """What an image needs to be rendered: when, and where the camera looked."""

    stamp_ns: int
    yaw: float
    pitch: float


class Simulator(Stage):
    """Joint states and images out, gimbal commands in. It is itself the source of time."""

    late_imports = ("scipy.interpolate", "scipy.spatial", "scipy.special")

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("simulator", SimulatorParameters, overrides)
        p = self.parameters
        scene = scenes.load(p.scene)
        self.world = World(scene)
        self.camera = Camera.from_fov(p.camera.width, p.camera.height, p.camera.vertical_fov)
        self.motion = TurretMotion(scene.turret)
        self._start_ns = self.now_ns()
        self._sim_ns = self._start_ns
        self._next_image_ns = self._start_ns
        self._worker = self.create_worker(self._render, self._on_error, latest_wins=True)
        self._images = ImagePublisher(self, "camera/image_raw")
        self._infos = topics.CAMERA_INFO.advertise(self)
        self._truth = topics.GROUND_TRUTH.advertise(self)
        self._turret = VirtualTurret(self, self.motion, self._start_ns)
        StaticBroadcaster(self).send(frames.fixed(self.now_ns()))
        period = 1.0 / p.joint_rate
        self._step_ns = seconds_to_ns(period)
        if p.clock.mode != "wall":
            self._clock_publisher = topics.CLOCK.advertise(self)
        if p.clock.mode == "step":
            self.create_service(Trigger, "~/step", self._on_step)
            self.create_timer(0.5, self._publish_clock)
        else:
            self.create_timer(period / p.clock.speed, self._advance)

    def describe(self) -> Mapping[str, object]:
        return {"scene": self.parameters.scene, "yaw": f"{self.motion.yaw:.3f}"}

    def reset(self) -> None:
        self.motion.hold()

    # -- time ------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """One step of the turret, and an image when one is due."""
        if self.parameters.clock.mode == "wall":
            now = self.now_ns()
        else:
            now = self._sim_ns + self._step_ns
        dt = ns_to_seconds(max(0, now - self._sim_ns))
        self._sim_ns = now
        if self.parameters.clock.mode != "wall":
            self._publish_clock()
        self._turret.advance(now, dt)
        if now >= self._next_image_ns:
            period_ns = seconds_to_ns(1.0 / self.parameters.camera.rate)
            self._next_image_ns = max(self._next_image_ns + period_ns, now)
            if self.active:
                self._worker.put(_Exposure(now, self.motion.yaw, self.motion.pitch))

    def _on_step(self, _request: Any, response: Any) -> Any:
        images_before = self._next_image_ns
        while self._next_image_ns == images_before:
            self._advance()
        response.success = True
        response.message = f"{ns_to_seconds(self._sim_ns - self._start_ns):.3f} s"
        return response

    def _publish_clock(self) -> None:
        self._clock_publisher.publish(Clock(clock=to_msg(self._sim_ns)))

    # -- the camera ------------------------------------------------------------------------------

    def _render(self, exposure: _Exposure) -> None:
        time_s = ns_to_seconds(exposure.stamp_ns - self._start_ns)
        stamp_ns, yaw, pitch = exposure.stamp_ns, exposure.yaw, exposure.pitch
        rgb = self.world.render(self.camera, yaw, pitch, time_s)
        truth = self.world.truth(self.camera, yaw, pitch, time_s)
        self._infos.publish(convert.camera_to_message(self.camera, stamp_ns, CAMERA_OPTICAL_FRAME))
        self._images.publish(rgb, stamp_ns, CAMERA_OPTICAL_FRAME)
        self._truth.publish(
            convert.truth_to_message(truth, self.camera, stamp_ns, CAMERA_OPTICAL_FRAME)
        )
        self.health.count("images")

    def _on_error(self, error: Exception, _exposure: _Exposure) -> None:
        self.health.problem = f"rendering failed: {error}"
        self.get_logger().error(self.health.problem)
