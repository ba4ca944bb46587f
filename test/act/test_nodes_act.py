# SPDX-License-Identifier: Apache-2.0
"""The two nodes of this room on the plain runtime, against the emulator and our own server."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sockets import free_port
from test_competition_client import CASES

from turret_ai.act.competition.played import Played, ServerSettings
from turret_ai.act.competition.server import CompetitionServer
from turret_ai.act.robomaster.emulator import Emulator
from turret_ai.act.robomaster.emulator_settings import EmulatorSettings
from turret_ai.act.robomaster.wire import Ports
from turret_ai.ros import RUNTIME

pytestmark = [
    pytest.mark.skipif(RUNTIME != "dds", reason="the nodes' tests use the plain runtime"),
    pytest.mark.usefixtures("domain"),
]


class Background:
    """An asyncio program in a thread, for the time of a test."""

    def __init__(self, program: Callable[[], Awaitable[Any]]) -> None:
        self.result: Any = None
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._run(program))
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    async def _run(self, program: Callable[[], Awaitable[Any]]) -> None:
        self.result = await program()

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            return

    def call(self, function: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(function)

    def stop(self) -> None:
        self.call(self._task.cancel)
        self._thread.join(3.0)


@pytest.fixture
def robot() -> Iterator[tuple[Emulator, int]]:
    """An emulated robot that answers on six ports in a row."""
    base = free_port() - 1
    settings = EmulatorSettings(time_scale=10.0, width=320, height=180, fps=10)
    emulator = Emulator(settings, ports=Ports.from_base(base))

    async def run() -> None:
        async with emulator:
            await asyncio.sleep(60)

    background = Background(run)
    yield emulator, base
    background.stop()


def test_the_robomaster_node_aims_a_robot_and_shows_what_it_sees(
    robot: tuple[Emulator, int],
) -> None:
    from turret_ai.nodes.robomaster import RoboMaster
    from turret_ai.ros import Node, qos, spin_until
    from turret_ai.ros.interfaces import (
        CameraInfo,
        Engagement,
        GimbalCommand,
        Image,
        JointState,
        TurretState,
    )
    from turret_ai.ros.time import to_msg, to_ns

    emulator, base = robot
    parameters = {"address": "127.0.0.1", "base_port": base, "signal_seconds": 0.1}
    node = RoboMaster(parameters)
    tester = Node("tester")
    joints: list[JointState] = []
    pictures: list[Image] = []
    infos: list[CameraInfo] = []
    tester.create_subscription(JointState, "joint_states", joints.append, qos.SENSOR)
    tester.create_subscription(Image, "camera/image_raw", pictures.append, qos.IMAGE_SUB)
    tester.create_subscription(CameraInfo, "camera/camera_info", infos.append, qos.IMAGE_SUB)
    commands = tester.create_publisher(GimbalCommand, "turret/command", qos.COMMAND)
    states = tester.create_publisher(TurretState, "turret/state", qos.STATE)
    summaries = tester.create_publisher(Engagement, "engagement", qos.STAGE)
    armed = False
    tester.create_timer(0.1, lambda: states.publish(TurretState(armed=armed)))
    try:
        assert spin_until(lambda: joints and pictures and infos, node, tester)
        assert spin_until(lambda: node.active and commands.get_subscription_count(), node, tester)
        goal = GimbalCommand(
            mode=GimbalCommand.ABSOLUTE,
            yaw=0.7,
            pitch=-0.2,
            valid_until=to_msg(tester.now_ns() + 10**10),
        )
        commands.publish(goal)

        def arrived() -> bool:
            last = joints[-1].position
            return abs(last[0] - 0.7) < 0.0035 and abs(last[1] + 0.2) < 0.0035

        assert spin_until(arrived, node, tester)
        assert emulator.state.gimbal.yaw.angle == pytest.approx(-math.degrees(0.7), abs=0.2)
        assert list(joints[-1].name) == ["gimbal_joint", "blaster_joint"]
        age = tester.now_ns() - to_ns(joints[-1].header.stamp)
        assert 0 <= age < 2 * 10**9
        assert (pictures[-1].width, pictures[-1].encoding) == (320, "rgb8")
        assert infos[-1].k[4] == pytest.approx(627 * 180 / 720)

        def lights() -> list[str]:
            return [c for c in emulator.counters.commands if c.startswith("led")]

        summaries.publish(Engagement(utterance_id="one", outcome=Engagement.AIMED))
        spin_until(lambda: False, node, tester, timeout=0.3)
        assert not lights()
        armed = True
        spin_until(lambda: False, node, tester, timeout=0.4)
        summaries.publish(Engagement(utterance_id="two", outcome=Engagement.NOT_FOUND))
        summaries.publish(Engagement(utterance_id="three", outcome=Engagement.AIMED))
        assert spin_until(lambda: len(lights()) == 2, node, tester)
        status = node.describe()
        assert status["mode"] == "free"
        assert status["battery"] == "87 %"
    finally:
        node.destroy_node()
        tester.destroy_node()
    assert emulator.counters.commands[-1] == "quit"


def test_the_robomaster_node_stops_a_gimbal_whose_controller_is_gone(
    robot: tuple[Emulator, int],
) -> None:
    from turret_ai.nodes.robomaster import RoboMaster
    from turret_ai.ros import Node, qos, spin_until
    from turret_ai.ros.interfaces import GimbalCommand

    emulator, base = robot
    emulator.settings = EmulatorSettings(time_scale=1.0)
    node = RoboMaster({"address": "127.0.0.1", "base_port": base, "video": False})
    tester = Node("tester")
    commands = tester.create_publisher(GimbalCommand, "turret/command", qos.COMMAND)
    try:
        assert spin_until(
            lambda: (
                node.active and node.driver.status.connected and commands.get_subscription_count()
            ),
            node,
            tester,
        )
        slow = GimbalCommand(mode=GimbalCommand.ABSOLUTE, yaw=3.0, yaw_rate=0.2)
        commands.publish(slow)
        assert spin_until(lambda: node.driver.motion.active, node, tester)
        assert spin_until(lambda: not node.driver.motion.active, node, tester, timeout=4.0)
        assert abs(emulator.state.gimbal.yaw.angle) < math.degrees(1.0)
    finally:
        node.destroy_node()
        tester.destroy_node()


def test_the_competition_node_plays_with_the_real_controller(tmp_path: Path) -> None:
    from turret_ai.hear.utterance_frame import utterance_of
    from turret_ai.nodes import convert
    from turret_ai.nodes.competition import Competition
    from turret_ai.nodes.controller import Controller
    from turret_ai.ros import Node, audio, images, qos, spin_until
    from turret_ai.ros.interfaces import (
        AudioDataStamped,
        Image,
        TargetBBox,
        Transcript,
        TurretCommand,
    )
    from turret_ai.types import (
        Command,
        CommandField,
        CommandStatus,
        Location,
        LocationStatus,
        Transcription,
        TranscriptStatus,
    )

    played: list[Played] = []
    port = free_port()
    cases = CASES[:3]

    async def serve() -> list[Played]:
        settings = ServerSettings(port=port, pause=0.5, team_timeout=20.0, answer_timeout=15.0)
        async with CompetitionServer(cases, settings, played.append) as server:
            result = await server.play()
            await asyncio.sleep(0.3)
            return result

    class Oracle(Node):
        """Stands for transcriber, commander and locator: knows the audio by heart."""

        def __init__(self) -> None:
            super().__init__("oracle")
            self.heard = np.zeros(0, np.float32)
            self.utterance = ""
            self.case = cases[0]
            self.transcripts = self.create_publisher(Transcript, "transcript", qos.STAGE)
            self.commands = self.create_publisher(TurretCommand, "command", qos.STAGE)
            self.boxes = self.create_publisher(TargetBBox, "target_bbox", qos.STAGE)
            self.create_subscription(AudioDataStamped, "audio", self.on_audio, qos.AUDIO)
            self.create_subscription(Image, "camera/image_raw", self.on_image, qos.IMAGE_SUB)

        def on_audio(self, message: AudioDataStamped) -> None:
            chunk = audio.from_message(message)
            if len(chunk):
                self.heard = np.concatenate([self.heard, chunk])
                return
            pcm = np.rint(self.heard * 32768).astype("<i2").tobytes()
            self.heard = self.heard[:0]
            (self.case,) = [c for c in cases if c.audio[44:] == pcm]
            self.utterance = utterance_of(message.header.frame_id) or ""
            heard = Transcription(TranscriptStatus.FINAL, "words", 1.0)
            transcript = convert.transcription_to_message(heard, self.utterance, self.now_ns(), 0.0)
            self.transcripts.publish(transcript)
            fields = (self.case.heading, self.case.tool, self.case.target)
            command = Command(CommandStatus.OK, *(CommandField(v, 1.0) for v in fields))
            self.commands.publish(convert.command_to_message(command, transcript, 0.0))

        def on_image(self, message: Image) -> None:
            height, width = images.from_message(message).shape[:2]
            found = Location(LocationStatus.FOUND, self.case.true_box(0.0))
            self.boxes.publish(
                convert.location_to_message(
                    found, self.utterance, self.case.target, message.header, (width, height), 0.0
                )
            )

    background = Background(serve)
    report = tmp_path / "turns.jsonl"
    controller = Controller({"fixed_camera_pitch": math.radians(-15)})
    oracle = Oracle()
    node = Competition(
        {
            "server": f"ws://127.0.0.1:{port}",
            "yaw_rate": 10.0,
            "wait_for": ["controller"],
            "report": str(report),
            "retry_limit": 0.2,
        }
    )
    try:
        assert spin_until(lambda: len(played) == len(cases), node, oracle, controller, timeout=20.0)
        spin_until(
            lambda: len(report.read_text().splitlines()) == 3, node, oracle, controller, timeout=2.0
        )
    finally:
        for each in (node, oracle, controller):
            each.destroy_node()
        background.stop()
    assert [p.result.score > 0.9 for p in played] == [True] * 3
    assert all(not p.problems for p in played)
    turns = [json.loads(line) for line in report.read_text().splitlines()]
    assert [t["end"] for t in turns] == ["answered"] * 3
    assert turns[1]["pan_deg"] == pytest.approx(180, abs=60)
    aims = [t["aim"] for t in turns if t["aim"]]  # a turn may be superseded before it aims
    assert aims and all(aim["elevation_deg"] > 0 for aim in aims)
