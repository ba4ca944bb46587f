# SPDX-License-Identifier: Apache-2.0
"""A recording in which everything happens that the chain must answer the same way, live or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from stub_models import spoken

from turret_ai.aim.camera import Camera
from turret_ai.prove.writer import BagWriter
from turret_ai.ros import audio, images
from turret_ai.ros.interfaces import AudioInfo, CameraInfo, Header, JointState, type_name
from turret_ai.ros.time import to_msg
from turret_ai.types import FloatArray
from turret_ai.units import heading_to_yaw, seconds_to_ns

RATE = 16_000
CHUNK_S = 0.05
CAMERA = Camera.from_fov(320, 240, math.radians(70.0))
PITCH = math.radians(-15.0)
BEGIN_S = 1_700_000_000.0
_REACTION_S, _SLEW_S, _STAND_S = 1.5, 1.0, 3.0
_WAIT_S = 8.0
"""How long it stands where there are no pictures: longer than the tests wait for them."""


@dataclass(frozen=True)
class Turn:
    """What happens around one sentence.

    clip: number of the sentence. marked: as a whole utterance, in a turn without microphone.
    ends: a marked one is ended. share: of the sentence after which the stream breaks off for 4 s.
    after: number of a sentence whose first 1.5 s follow, as other words would; -1: none.
    patches: red patches in the pictures; -1: no pictures. obeys: the turret takes the heading.
    """

    clip: int
    marked: bool = False
    ends: bool = True
    share: float = 1.0
    after: int = -1
    patches: int = 1
    obeys: bool = True


EVERYTHING = (
    Turn(0, after=1),
    Turn(1, marked=True, patches=2),
    Turn(2, patches=-1),
    Turn(3, obeys=False),
    Turn(0, share=0.4),
    Turn(2, marked=True, ends=False),
    Turn(3, patches=0),
)


class Tape:
    """Writes a recording turn by turn."""

    def __init__(self, bag: BagWriter) -> None:
        self._bag = bag
        self._steps = 0
        self._yaw = self._rate = 0.0

    @property
    def _now_s(self) -> float:
        return self._steps * CHUNK_S

    def _put(self, topic: str, message: Any, later_ns: int = 0) -> None:
        log_ns = seconds_to_ns(BEGIN_S) + seconds_to_ns(self._now_s) + later_ns
        self._bag.write_message(topic, log_ns, message, type_name(type(message)))

    def _header(self, frame: str) -> Header:
        stamp_ns = seconds_to_ns(BEGIN_S) + seconds_to_ns(self._now_s)
        return Header(stamp=to_msg(stamp_ns), frame_id=frame)

    def begin(self) -> None:
        """What late joiners would get."""
        info = AudioInfo(channels=1, sample_rate=RATE, sample_format="S16LE")
        self._put("/audio_info", info)

    def play(self, number: int, turn: Turn) -> None:
        """One turn, second by second."""
        command, clip = spoken()[turn.clip]
        sound = [faint(0.5), clip[: round(turn.share * len(clip))]]
        if turn.after >= 0:
            # A pause in which a complete command is over, and another one would go on.
            more = spoken()[turn.after][1]
            sound = [faint(0.5), voiced(clip), faint(0.5), voiced(more)[: round(1.5 * RATE)]]
        if turn.marked:
            sound = sound[1:]
        said = np.concatenate(sound)
        goal = heading_to_yaw(float(command.heading)) if turn.obeys else self._yaw
        goal = self._yaw + math.remainder(goal - self._yaw, 2 * math.pi)
        start_s, start_yaw = len(said) / RATE + _REACTION_S, self._yaw
        stand_s = _STAND_S if turn.patches >= 0 else _WAIT_S
        steps = round((start_s + _SLEW_S + stand_s) / CHUNK_S)
        for step in range(steps):
            share = min(1.0, max(0.0, (step * CHUNK_S - start_s) / _SLEW_S))
            self._yaw = start_yaw + share * (goal - start_yaw)
            self._rate = (goal - start_yaw) / _SLEW_S if 0.0 < share < 1.0 else 0.0
            self._write_joints()
            self._write_sound(step, said, number, turn)
            if turn.patches >= 0 and step % 4 == 2:
                self._write_picture(turn.patches)
            self._steps += 1

    def rest(self, seconds: float) -> None:
        """Nothing but the turret and a silent microphone."""
        for _ in range(round(seconds / CHUNK_S)):
            self._write_joints()
            self._write_chunk(faint(CHUNK_S), "microphone")
            self._steps += 1

    def _write_sound(self, step: int, said: FloatArray, number: int, turn: Turn) -> None:
        size = round(CHUNK_S * RATE)
        chunk = said[step * size : (step + 1) * size]
        over = len(said) // size + 1
        if turn.marked:
            if len(chunk) or (turn.ends and step == over):
                self._write_chunk(chunk, f"utterance/marked_{number}")
        elif turn.share == 1.0 or len(chunk) or step > over + 4.0 / CHUNK_S:
            silence = faint((size - len(chunk)) / RATE)
            self._write_chunk(np.concatenate([chunk, silence]), "microphone")

    def _write_chunk(self, samples: FloatArray, frame: str) -> None:
        message = audio.to_message(samples, 0, frame)
        message.header = self._header(frame)
        self._put("/audio", message, 1000)

    def _write_joints(self) -> None:
        message = JointState(
            header=self._header("gimbal_base_link"),
            name=["gimbal_joint", "blaster_joint"],
            position=[self._yaw, PITCH],
            velocity=[self._rate, 0.0],
        )
        self._put("/joint_states", message)

    def _write_picture(self, patches: int) -> None:
        picture = np.full((CAMERA.height, CAMERA.width, 3), (120, 160, 210), np.uint8)
        for number in range(patches):
            left = 120 + 60 * number
            picture[90:110, left : left + 30] = (250, 10, 10)
        header = self._header("camera_optical_frame")
        message = images.to_message(picture, 0, "camera_optical_frame")
        message.header = header
        k = CAMERA.as_k()
        info = CameraInfo(header=header, width=CAMERA.width, height=CAMERA.height, k=k)
        self._put("/camera/camera_info", info, 2000)
        self._put("/camera/image_raw", message, 3000)


def make(path: Path, turns: tuple[Turn, ...] = EVERYTHING) -> Path:
    """Write the recording; it ends when every turn had time to end."""
    with BagWriter(path) as bag:
        tape = Tape(bag)
        tape.begin()
        for number, turn in enumerate(turns):
            tape.play(number, turn)
        tape.rest(4.0)
    return path


def voiced(clip: FloatArray) -> FloatArray:
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(clip) > 0.05)
    return clip[loud[0] : loud[-1] + 1]


def faint(seconds: float) -> FloatArray:
    """A silent room."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal(round(seconds * RATE)) * 1e-4).astype(np.float32)
