# SPDX-License-Identifier: Apache-2.0
"""A recording made without running anything: a scene, its spoken commands and a turret that obeys.

The operator speaks, the turret slews to the spoken heading and stands; sound, pictures, joints and
the truth go into a bag, stamp by stamp, as fast as the pictures can be rendered. The same scene
gives the same bag.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.aim.camera import Camera
from turret_ai.aim.frames import PITCH_JOINT, YAW_JOINT
from turret_ai.aim.joints import JointSample, SettleDetector
from turret_ai.aim.limits import Goal, reach
from turret_ai.aim.settings import AimSettings
from turret_ai.aim.turn import State
from turret_ai.errors import InputError
from turret_ai.hear import files
from turret_ai.prove.writer import BagWriter
from turret_ai.ros.dds.messages import message_class
from turret_ai.see.images import encode
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.scene import CommandEntry
from turret_ai.simulate.turret import TurretMotion
from turret_ai.simulate.world import World
from turret_ai.units import heading_to_yaw, seconds_to_ns

BEGIN_S = 1_700_000_000.0
"""When the recording begins, so that it doesn't depend on the day it is made."""

_STEP_S = 0.02
_BEFORE_S, _REACTION_S, _STAND_S = 0.5, 0.8, 1.2
"""Silence before a sentence; from its end to the slew; how long the turret stands afterwards."""

_SLEW_LIMIT_S = 20.0
_CAMERA_FRAME = "camera_optical_frame"


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How a sample is made. image_rate: Hz; jpeg_quality: 1..100."""

    scene: str = "airfield"
    image_rate: float = 1.0
    jpeg_quality: int = 88
    width: int = 1520
    height: int = 870
    vertical_fov: float = math.radians(70.0)


def make_sample(
    path: Path, settings: SampleSettings, advance: Callable[[int, int], None] = lambda *_: None
) -> Path:
    """Write the bag.

    Args:
        advance: called with (pictures made, pictures expected).

    Raises:
        InputError: the bag exists, the scene is unknown or has no spoken commands.
    """
    scene = scenes.load(settings.scene)
    commands = [command for command in scene.commands if command.audio is not None]
    if not commands:
        raise InputError(f"scene {settings.scene!r} has no spoken commands")
    with BagWriter(path) as bag:
        _Maker(bag, settings, World(scene), TurretMotion(scene.turret)).make(commands, advance)
    return path


class _Maker:
    """Advances the little world step by step; `_now` is seconds since the begin."""

    def __init__(
        self, bag: BagWriter, settings: SampleSettings, world: World, motion: TurretMotion
    ) -> None:
        self._bag = bag
        self._settings = settings
        self._world = world
        self._motion = motion
        self._camera = Camera.from_fov(settings.width, settings.height, settings.vertical_fov)
        self._aim = AimSettings()
        self._steps = 0
        self._pictures = 0
        self._utterance = ""
        self._phase = State.IDLE
        self._goal: Goal | None = None
        self._settle = SettleDetector(self._aim.settle)
        self._sound: NDArray[np.int16] = np.zeros(0, np.int16)
        self._rate = 16_000

    def make(self, commands: list[CommandEntry], advance: Callable[[int, int], None]) -> None:
        clips = [files.read(str(command.audio)) for command in commands]
        pcm = [np.rint(np.clip(c, -1.0, 1.0) * 32767.0).astype(np.int16) for c in clips]
        length = sum(len(clip) / self._rate + 4.0 for clip in pcm)
        expected = round(length * self._settings.image_rate)
        self._write_info()
        for number, (command, clip) in enumerate(zip(commands, pcm, strict=True)):
            for _ in self._turn(number, command, clip):
                advance(self._pictures, max(expected, self._pictures))

    def _turn(self, number: int, command: CommandEntry, clip: NDArray[np.int16]) -> Iterator[None]:
        """One command: speak, react, slew, stand."""
        self._utterance, self._phase = "", State.IDLE
        yield from self._run(_BEFORE_S)
        self._write_command(command)
        self._sound = clip
        yield from self._run(len(clip) / self._rate + _REACTION_S)
        self._utterance = f"sample_{number}"
        direction = (heading_to_yaw(float(command.heading)), self._aim.search_pitch)
        self._goal = reach(direction, self._motion.yaw, self._aim.limits.to_limits())
        self._settle.restart()
        self._phase = State.SLEWING
        self._motion.go(self._goal.yaw, self._goal.pitch)
        limit = self._steps + round(_SLEW_LIMIT_S / _STEP_S)
        while self._phase is State.SLEWING and self._steps < limit:
            yield from self._run(_STEP_S)
        yield from self._run(_STAND_S)

    @property
    def _now_ns(self) -> int:
        return seconds_to_ns(BEGIN_S) + seconds_to_ns(self._steps * _STEP_S)

    def _run(self, seconds: float) -> Iterator[None]:
        for _ in range(max(1, round(seconds / _STEP_S))):
            self._steps += 1
            self._motion.step(_STEP_S)
            self._write_joints()
            if self._steps % 5 == 0:
                self._write_state()
            self._write_sound()
            period = max(1, round(1.0 / self._settings.image_rate / _STEP_S))
            if self._steps % period == 0:
                self._write_picture()
                yield

    # -- messages --------------------------------------------------------------------------------

    def _write(self, topic: str, kind: str, **fields: Any) -> None:
        message = message_class(kind)(**fields)
        self._bag.write_message(topic, self._now_ns, message, kind)

    def _header(self, stamp_ns: int, frame: str) -> Any:
        stamp = message_class("builtin_interfaces/msg/Time")(
            sec=stamp_ns // 1_000_000_000, nanosec=stamp_ns % 1_000_000_000
        )
        return message_class("std_msgs/msg/Header")(stamp=stamp, frame_id=frame)

    def _write_info(self) -> None:
        self._write(
            "/audio_info",
            "audio_common_msgs/msg/AudioInfo",
            channels=1,
            sample_rate=self._rate,
            sample_format="S16LE",
            coding_format="wave",
        )

    def _write_command(self, command: CommandEntry) -> None:
        self._write(
            "/ground_truth/command",
            "turret_ai/msg/TurretCommand",
            header=self._header(self._now_ns, "microphone"),
            heading=command.heading,
            tool=command.tool,
            target=command.target,
            transcript=command.text,
        )

    def _write_sound(self) -> None:
        """The samples of this step: speech while there is some, then the microphone's silence."""
        count = round(_STEP_S * self._rate)
        chunk = np.zeros(count, "<i2")
        taken = self._sound[:count]
        chunk[: len(taken)] = taken
        self._sound = self._sound[count:]
        start_ns = self._now_ns - seconds_to_ns(_STEP_S)
        self._write(
            "/audio",
            "audio_common_msgs/msg/AudioDataStamped",
            header=self._header(start_ns, "microphone"),
            audio=message_class("audio_common_msgs/msg/AudioData")(data=chunk.view(np.uint8)),
        )

    def _write_joints(self) -> None:
        motion = self._motion
        self._write(
            "/joint_states",
            "sensor_msgs/msg/JointState",
            header=self._header(self._now_ns, ""),
            name=[YAW_JOINT, PITCH_JOINT],
            position=[motion.yaw, motion.pitch],
            velocity=[motion.yaw_rate, motion.pitch_rate],
        )
        if self._goal is None or self._phase is not State.SLEWING:
            return
        sample = JointSample(
            self._now_ns, motion.yaw, motion.pitch, motion.yaw_rate, motion.pitch_rate
        )
        if self._settle.update(sample, self._goal):
            self._phase = State.SEARCHING
            self._write_state()

    def _write_state(self) -> None:
        motion, goal = self._motion, self._goal
        self._write(
            "/turret/state",
            "turret_ai/msg/TurretState",
            header=self._header(self._now_ns, "gimbal_base_link"),
            utterance_id=self._utterance,
            phase=int(self._phase),
            connected=True,
            moving=motion.moving,
            at_goal=self._phase is State.SEARCHING,
            yaw=motion.yaw,
            pitch=motion.pitch,
            yaw_goal=goal.yaw if goal else motion.yaw,
            pitch_goal=goal.pitch if goal else motion.pitch,
        )

    def _write_picture(self) -> None:
        seconds, motion, camera = self._steps * _STEP_S, self._motion, self._camera
        image = self._world.render(camera, motion.yaw, motion.pitch, seconds)
        header = self._header(self._now_ns, _CAMERA_FRAME)
        self._write(
            "/camera/camera_info",
            "sensor_msgs/msg/CameraInfo",
            header=header,
            width=camera.width,
            height=camera.height,
            distortion_model="plumb_bob",
            k=np.array(camera.as_k()),
        )
        self._write(
            "/camera/image_raw/compressed",
            "sensor_msgs/msg/CompressedImage",
            header=header,
            format="jpeg",
            data=np.frombuffer(encode(image, ".jpg", self._settings.jpeg_quality), np.uint8),
        )
        boxes = [
            message_class("turret_ai/msg/TruthBox")(
                caption=each.caption,
                left=each.box.left,
                top=each.box.top,
                width=each.box.width,
                height=each.box.height,
                yaw=each.yaw,
                pitch=each.pitch,
                visible=each.visible,
            )
            for each in self._world.truth(camera, motion.yaw, motion.pitch, seconds)
        ]
        self._write(
            "/ground_truth",
            "turret_ai/msg/GroundTruth",
            header=header,
            image_width=camera.width,
            image_height=camera.height,
            boxes=boxes,
        )
        self._pictures += 1
