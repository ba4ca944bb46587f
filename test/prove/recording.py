# SPDX-License-Identifier: Apache-2.0
"""Makes small recordings whose every answer is known, and stages simple enough to trust."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from turret_ai.aim.camera import Camera, angles_to_direction, directions_to_pixels
from turret_ai.prove.writer import BagWriter
from turret_ai.ros import audio, images
from turret_ai.ros.interfaces import (
    AudioInfo,
    CameraInfo,
    GroundTruth,
    Header,
    JointState,
    TruthBox,
    TurretCommand,
    TurretState,
    type_name,
)
from turret_ai.ros.time import to_msg
from turret_ai.types import (
    Box,
    Command,
    CommandField,
    CommandStatus,
    FloatArray,
    Hypothesis,
    ImageArray,
    Location,
    LocationStatus,
    Progress,
    Source,
    Transcription,
    TranscriptStatus,
)
from turret_ai.units import heading_to_yaw, seconds_to_ns

CAMERA = Camera.from_fov(320, 240, math.radians(70.0))
PITCH = math.radians(-15.0)
BEGIN_NS = seconds_to_ns(1_700_000_000.0)


@dataclass(frozen=True)
class Spoken:
    """One turn of the recording: the craft stands `off` rad (yaw, pitch) from the camera's axis."""

    heading: str
    tool: str
    target: str
    off: tuple[float, float] = (0.2, -0.1)

    @property
    def sentence(self) -> str:
        return f"heading {self.heading} deploy {self.tool} at {self.target}"

    @property
    def direction(self) -> tuple[float, float]:
        return heading_to_yaw(float(self.heading)) + self.off[0], PITCH + self.off[1]


SPOKEN = (
    Spoken("065", "EMP", "red drone"),
    Spoken("350", "machine gun", "red helicopter", (-0.3, 0.05)),
)


def truth_box(spoken: Spoken, camera_yaw: float) -> Box:
    direction = angles_to_direction(*spoken.direction)
    x, y = directions_to_pixels(direction, CAMERA, camera_yaw, PITCH)
    return Box(float(x) - 15.0, float(y) - 10.0, 30.0, 20.0)


def picture(spoken: Spoken, camera_yaw: float) -> ImageArray:
    image = np.full((CAMERA.height, CAMERA.width, 3), (120, 160, 210), np.uint8)
    box = truth_box(spoken, camera_yaw)
    if math.isfinite(box.left):
        left, top = max(0, round(box.left)), max(0, round(box.top))
        right, bottom = max(0, round(box.left + 30)), max(0, round(box.top + 20))
        image[top:bottom, left:right] = (250, 10, 10)
    return image


@dataclass
class Making:
    """What a recording shall hold; the tests of bad recordings leave things out or spoil them."""

    spoken: tuple[Spoken, ...] = SPOKEN
    without: frozenset[str] = frozenset()
    unspoken: frozenset[int] = frozenset()
    untold: frozenset[int] = frozenset()
    storage: str = "mcap"
    zero_stamps: bool = False
    jump_back: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def make(path: Path, making: Making | None = None) -> Path:
    """One turn every six seconds: 2 s of speech, then the slew, then two seconds of standing."""
    making = making or Making()
    entries: list[tuple[int, str, Any]] = []

    def put(topic: str, log_ns: int, message: Any) -> None:
        if topic not in making.without:
            entries.append((log_ns, f"/{topic}", message))

    def stamp(ns: int) -> Any:
        if making.jump_back and ns > BEGIN_NS + seconds_to_ns(6.0):
            ns -= seconds_to_ns(100.0)
        return to_msg(0 if making.zero_stamps else ns)

    put("audio_info", BEGIN_NS, AudioInfo(channels=1, sample_rate=16000, sample_format="S16LE"))
    yaw = 0.0
    for number, spoken in enumerate(making.spoken):
        start = BEGIN_NS + seconds_to_ns(6.0 * number)
        goal = yaw + math.remainder(heading_to_yaw(float(spoken.heading)) - yaw, 2 * math.pi)
        told = dict(zip(("heading", "tool", "target"), spoken.__dict__.values(), strict=False))
        true = TurretCommand(header=Header(stamp=to_msg(start)), transcript=spoken.sentence, **told)
        if number not in making.untold:
            put("ground_truth/command", start, true)
        for i in range(0 if number in making.unspoken else 41):
            samples = np.zeros(800 if i < 40 else 0, np.int16)
            samples[:1] = 100 * (number + 1)
            chunk = audio.to_message(samples, 0, f"utterance/u{number}")
            at = start + seconds_to_ns(0.05 * i)
            chunk.header.stamp = stamp(at)
            put("audio", at + 1000, chunk)
        for i in range(120):  # joints at 20 Hz: still, moving from 2.2 to 3.2 s, still
            at = start + seconds_to_ns(0.05 * i)
            share = min(1.0, max(0.0, (i * 0.05 - 2.2) / 1.0))
            now = yaw + share * (goal - yaw)
            moving = 0.0 < share < 1.0
            rate = goal - yaw if moving else 0.0
            joints = JointState(
                header=Header(stamp=stamp(at), frame_id="gimbal_base_link"),
                name=["gimbal_joint", "blaster_joint"],
                position=[now, PITCH],
                velocity=[rate, 0.0],
            )
            put("joint_states", at + 2000, joints)
            state = TurretState(
                header=Header(stamp=stamp(at)),
                utterance_id=f"u{number}" if i >= 42 else "",
                phase=TurretState.SEARCHING if i >= 66 else TurretState.SLEWING,
                yaw=now,
            )
            put("turret/state", at + 2500, state)
            if i % 4 == 0:
                put_picture(put, stamp(at), at, spoken, now)
        yaw = goal
    with BagWriter(path, making.storage, **making.options) as bag:
        for log_ns, topic, message in sorted(entries, key=lambda entry: entry[0]):
            bag.write_message(topic, log_ns, message, type_name(type(message)))
    return path


def put_picture(put: Any, stamp: Any, at: int, spoken: Spoken, camera_yaw: float) -> None:
    header = Header(stamp=stamp, frame_id="camera_optical_frame")
    message = images.to_message(picture(spoken, camera_yaw), 0, "camera_optical_frame")
    message.header = header
    k = CAMERA.as_k()
    info = CameraInfo(header=header, width=CAMERA.width, height=CAMERA.height, k=k)
    put("camera/camera_info", at + 3000, info)
    put("camera/image_raw", at + 3000, message)
    box = truth_box(spoken, camera_yaw)
    if math.isfinite(box.left):
        yaw, pitch = spoken.direction
        true = TruthBox(
            caption=spoken.target,
            left=box.left,
            top=box.top,
            width=box.width,
            height=box.height,
            yaw=yaw,
            pitch=pitch,
            visible=1.0,
        )
        put(
            "ground_truth",
            at + 3500,
            GroundTruth(
                header=header,
                image_width=CAMERA.width,
                image_height=CAMERA.height,
                boxes=[true],
            ),
        )


class Plain:
    """Stages that read the known sentences and find the red patch."""

    def __init__(self, spoken: tuple[Spoken, ...] = SPOKEN) -> None:
        self._spoken = spoken

    def transcribe(self, samples: FloatArray) -> Transcription:
        number = round(float(samples[0]) * 32768.0 / 100.0) - 1
        text = self._spoken[number].sentence
        alternatives = (Hypothesis(text, -0.1),)
        return Transcription(TranscriptStatus.FINAL, text, 0.9, alternatives, 2.0)

    def glance(self, samples: FloatArray) -> Transcription:
        return self.transcribe(samples)

    def phone_times(self, samples: FloatArray) -> None:
        return None

    def progress(self, text: str) -> Progress:
        return Progress.COMPLETE

    def understand(self, transcription: Transcription) -> Command:
        before, target = transcription.text.split(" at ")
        heading, tool = before.removeprefix("heading ").split(" deploy ")
        fields = (CommandField(v, 1.0, Source.RULES) for v in (heading, tool, target))
        return Command(CommandStatus.OK, *fields)

    def locate(self, image: ImageArray, caption: str) -> Location:
        rows, columns = np.nonzero((image[..., 0] > 200) & (image[..., 1] < 60))
        if not len(rows):
            return Location(LocationStatus.NOT_FOUND, reason="nothing red")
        box = Box(
            float(columns.min()),
            float(rows.min()),
            float(np.ptp(columns) + 1),
            float(np.ptp(rows) + 1),
        )
        return Location(LocationStatus.FOUND, box, 0.9, 0.5, 0.5, "", ((box, 0.9, 0.5),))

    def describe(self) -> Mapping[str, Any]:
        return {"stages": "plain"}
