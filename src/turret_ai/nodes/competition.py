# SPDX-License-Identifier: Apache-2.0
"""The competition node: speech and pictures from the finals server, and a virtual turret."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from turret_ai.act.competition.cases import CAMERA_PITCH
from turret_ai.act.competition.client import Client
from turret_ai.act.competition.report import TurnReport
from turret_ai.act.competition.settings import ClientSettings
from turret_ai.act.loop import LoopThread
from turret_ai.aim import frames as names
from turret_ai.aim.camera import Camera
from turret_ai.aim.limits import Limits
from turret_ai.errors import ConfigError, InputError
from turret_ai.hear.edge import Resampler, to_float
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.nodes import convert
from turret_ai.nodes.image_publisher import ImagePublisher
from turret_ai.nodes.registry import STAGES
from turret_ai.nodes.roster import Roster
from turret_ai.nodes.stage import Stage
from turret_ai.nodes.virtual_turret import VirtualTurret
from turret_ai.ros import audio, topics
from turret_ai.ros.interfaces import (
    Engagement,
    TargetBBox,
    Transcript,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.tf import StaticBroadcaster, transform
from turret_ai.ros.time import to_ns
from turret_ai.see import images as pictures
from turret_ai.simulate.turret import TurretLimits, TurretMotion
from turret_ai.types import ImageArray, LocationStatus, TranscriptStatus
from turret_ai.understand import Understander, UnderstandSettings
from turret_ai.units import seconds_to_ns

CHUNK_SECONDS = 1.0


class CompetitionParameters(ClientSettings):
    """The server, the turns, and how the virtual turret moves."""

    yaw_rate: float = Field(
        math.radians(60.0), gt=0.0, le=20.0, description="rad/s, speed of the virtual turret's yaw"
    )
    acceleration: float = Field(
        200.0, gt=0.0, le=1000.0, description="rad/s^2, of the virtual turret, which has no mass"
    )
    joint_rate: float = Field(100.0, ge=20.0, le=500.0, description="joint states a second")
    report: str = Field("", description="file that gets a JSON line for every turn; empty: none")
    pictures: str = Field("", description="folder that gets every turn's snapshot; empty: none")
    play_for_points: bool = Field(
        True, description="answer the likeliest value for a field that was not understood"
    )
    exit_when_done: bool = Field(False, description="end this process when the server ends the run")
    wait_for: list[str] = Field(
        list(STAGES),
        description="stages or nodes that must be active before the server is called",
    )
    ready_timeout: float = Field(120.0, ge=0.0, le=3600.0, description="s to wait for them")


class Competition(Stage):
    """Speech, pictures and joint states out; what the chain makes of them goes to the server."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("competition", CompetitionParameters, overrides)
        p = self.parameters
        top = math.radians(540.0)
        self.motion = TurretMotion(
            TurretLimits(
                joints=Limits(-100.0, 100.0, -math.pi / 2, math.pi / 2),  # round and round
                yaw_rate=p.yaw_rate,
                pitch_rate=top,
                yaw_acceleration=p.acceleration,
                pitch_acceleration=p.acceleration,
            )
        )
        self.client = Client(p, self)
        self._loop = LoopThread(self.client.run, "competition", self._on_loop_error)
        self._guesser: Understander | None = None
        if p.play_for_points:
            self._guesser = Understander(UnderstandSettings(fill=True))
            self._guesser.parse("warm up")
        self._started = False
        self._roster = Roster(self)
        self._report = _ready(p.report, "report", lambda path: path.write_text("", "utf-8"))
        self._pictures = _ready(
            p.pictures, "pictures", lambda path: path.mkdir(parents=True, exist_ok=True)
        )
        self._stepped = time.monotonic()
        self._begun = self._stepped
        self._audio = topics.AUDIO.advertise(self)
        info = topics.AUDIO_INFO.advertise(self)
        info.publish(audio.info(SAMPLE_RATE))
        self._info = info
        self._images = ImagePublisher(self, "camera/image_raw")
        self._infos = topics.CAMERA_INFO.advertise(self)
        self._turret = VirtualTurret(self, self.motion, self.now_ns())
        StaticBroadcaster(self).send(_fixed_frames(self.now_ns()))
        topics.TRANSCRIPT.subscribe(self, self._on_transcript)
        topics.COMMAND.subscribe(self, self._on_understood)
        topics.TURRET_STATE.subscribe(self, self._on_state)
        topics.TARGET_BBOX.subscribe(self, self._on_box)
        topics.ENGAGEMENT.subscribe(self, self._on_engagement)
        self.create_timer(1.0 / p.joint_rate, self._advance)

    def describe(self) -> Mapping[str, object]:
        client = self.client
        return {
            "server": self.parameters.server,
            "team link": "open" if client.team.connected else "closed",
            "robot link": "open" if client.robot.connected else "closed",
            "health checks": client.health_checks,
            "unasked snapshots": client.snapshots.unasked,
        }

    def reset(self) -> None:
        self.motion.hold()

    # -- the virtual turret ----------------------------------------------------------------------

    def _advance(self) -> None:
        now = time.monotonic()
        dt, self._stepped = now - self._stepped, now
        self._turret.advance(self.now_ns(), dt)
        self.client.yaw = self.motion.yaw
        if not self._started:
            self._start_when_ready(now)

    def _start_when_ready(self, now: float) -> None:
        """Call the server only when the chain can answer: its first turn would be lost."""
        p = self.parameters
        missing = self._roster.missing(p.wait_for)
        if missing and now - self._begun < p.ready_timeout:
            return
        if missing:
            self.get_logger().warning(f"starting although {self._roster.told(missing)}")
        self._started = True
        self._loop.start()

    # -- from the chain to the server ------------------------------------------------------------

    def _on_transcript(self, message: Transcript) -> None:
        if message.status == TranscriptStatus.PARTIAL:
            return
        text = "" if message.status == TranscriptStatus.EMPTY else message.text
        self._loop.call(self.client.heard, message.utterance_id, text)

    def _on_understood(self, message: TurretCommand) -> None:
        if not message.partial:
            fields = (message.heading, message.tool, message.target)
            guesses = ("", "", "") if all(fields) else self._guess(message)
            self._loop.call(self.client.understood, message.utterance_id, *fields, guesses)

    def _guess(self, message: TurretCommand) -> tuple[str, str, str]:
        """What to answer for open fields: an empty one scores nothing. Nobody acts on it."""
        if self._guesser is None:
            return "", "", ""
        told = self._guesser.parse(message.transcript)
        return told.heading.value, told.tool.value, told.target.value

    def _on_state(self, message: TurretState) -> None:
        if message.phase == TurretState.SEARCHING:
            self._loop.call(self.client.searching, message.utterance_id)

    def _on_box(self, message: TargetBBox) -> None:
        report = convert.message_to_report(message)
        status = LocationStatus(report.status)
        scores = {
            "detection": float(message.detection_score),
            "match": float(message.match_score),
            "margin": float(message.margin),
        }
        self._loop.call(
            self.client.located, message.utterance_id, status, report.box, report.reason, scores
        )

    def _on_engagement(self, message: Engagement) -> None:
        aim = (message.aim_yaw, message.aim_pitch)
        self.ledger.ended(message.utterance_id, to_ns(message.header.stamp))
        self._loop.call(self.client.engaged, message.utterance_id, message.reason, aim)

    # -- from the server to the chain; called in the loop's thread -------------------------------

    def on_utterance(
        self, utterance_id: str, samples: NDArray[np.int16], sample_rate: int, at: float
    ) -> None:
        """Publish a whole sentence as marked chunks; it ends at the time of its arrival."""
        if not self.active:
            return
        pcm: NDArray[Any] = samples
        if sample_rate != SAMPLE_RATE:
            try:
                pcm = Resampler(sample_rate)(to_float(samples), last=True)
            except InputError as error:
                self.on_event("warning", f"{utterance_id}: {error}")
        start_ns = self.stamp_of(at) - seconds_to_ns(len(pcm) / SAMPLE_RATE)
        messages = convert.utterance_to_messages(
            pcm, SAMPLE_RATE, start_ns, utterance_id, CHUNK_SECONDS
        )
        for message in messages:
            self._audio.publish(message)
        self.ledger.answered(utterance_id, start_ns)
        self.health.count("utterances")

    def on_snapshot(self, image: ImageArray, camera: Camera, at: float) -> None:
        """Publish a picture and the camera that took it."""
        stamp_ns = self.stamp_of(at)
        frame = names.CAMERA_OPTICAL_FRAME
        self._infos.publish(convert.camera_to_message(camera, stamp_ns, frame))
        self._images.publish(image, stamp_ns, frame)
        self.health.count("snapshots")
        turn = self.client.keeper.running
        if self._pictures is not None and turn is not None:
            file = self._pictures / f"{turn.utterance_id}.jpg"
            asyncio.get_running_loop().run_in_executor(None, _keep, file, image)

    def on_report(self, report: TurnReport) -> None:
        """Log a turn, and write it where it was asked for."""
        end = report.end.value if report.end else "?"
        self.health.count(end)
        text = f"turn {report.number}: {end} in {report.seconds.get('total', math.nan):.2f} s"
        problems = f" ({'; '.join(report.problems)})" if report.problems else ""
        self.get_logger().info(text + problems)
        if self._report is not None:
            with contextlib.suppress(OSError), self._report.open("a", encoding="utf-8") as file:
                file.write(report.as_line() + "\n")

    def on_done(self) -> None:
        """The server ended the run."""
        self.get_logger().info("the server ended the run")
        if self.parameters.exit_when_done:
            os.kill(os.getpid(), signal.SIGINT)

    def _on_loop_error(self, error: BaseException) -> None:
        self.health.problem = str(error)
        self.get_logger().error(f"the competition's client ended: {error}")

    def destroy_node(self) -> None:
        self._loop.stop(2.0)
        super().destroy_node()


def _fixed_frames(stamp_ns: int) -> list[Any]:
    """The competition's camera turns with the yaw and looks up at a fixed angle."""
    base = (0.0, 0.0, names.GIMBAL_BASE_HEIGHT)
    camera = (names.CAMERA_FORWARD, 0.0, names.BLASTER_HEIGHT + names.CAMERA_UP)
    optical = names.OPTICAL_ROTATION
    tilt = (0.0, CAMERA_PITCH, 0.0)
    return [
        transform(names.BASE_LINK, names.GIMBAL_BASE_LINK, stamp_ns, base),
        transform(names.GIMBAL_LINK, names.CAMERA_LINK, stamp_ns, camera, tilt),
        transform(names.CAMERA_LINK, names.CAMERA_OPTICAL_FRAME, stamp_ns, rotation=optical),
    ]


def _keep(file: Path, image: ImageArray) -> None:
    with contextlib.suppress(InputError):  # the picture is for looking at: no turn hangs on it
        pictures.save(file, image)


def _ready(name: str, what: str, make: Callable[[Path], object]) -> Path | None:
    """The file or folder that a parameter names, made ready; None where it names none.

    Raises:
        ConfigError: it can't be made.
    """
    if not name:
        return None
    path = Path(name).expanduser()
    try:
        make(path)
    except OSError as error:
        raise ConfigError(f"{what}: {path} can't be made ({error.strerror})") from error
    return path
