# SPDX-License-Identifier: Apache-2.0
"""What public sources show of real robots: the driver and the emulator must both fit to it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sockets import until
from test_robomaster_driver import FAST, Ear, aim, pair, settings

from turret_ai.act.robomaster import wire
from turret_ai.act.robomaster.control import Control
from turret_ai.act.robomaster.driver import Driver
from turret_ai.act.robomaster.emulator import Emulator
from turret_ai.act.robomaster.emulator_commands import RobotState, execute
from turret_ai.act.robomaster.emulator_media import VideoEncoder
from turret_ai.act.robomaster.emulator_settings import EmulatorSettings
from turret_ai.act.robomaster.media import VideoDecoder
from turret_ai.act.robomaster.wire import Kind, Ports

FILE = Path(__file__).with_name("robomaster_dialogues.yaml")
SHOWN = yaml.safe_load(FILE.read_text(encoding="utf-8"))
DIALOGUES = {dialogue["name"]: dialogue["exchanges"] for dialogue in SHOWN["dialogues"]}
ENDS = {"semicolon": ";", "nothing": "", "line end": "\r\n", "both": ";\n", "two": ";;"}


def test_every_dialogue_names_its_source() -> None:
    told = [*SHOWN["dialogues"], *SHOWN["only_read"], *SHOWN["pushes"], *SHOWN["announcements"]]
    assert {each["source"] for each in told} <= set(SHOWN["sources"])


@pytest.mark.parametrize("name", DIALOGUES)
def test_the_emulator_answers_as_the_robot(name: str) -> None:
    state = RobotState()
    for exchange in DIALOGUES[name]:
        reply, _ = execute(state, exchange["in"])
        assert reply == exchange["out"]


async def talk(exchanges: list[dict[str, Any]], end: str, seq: bool, pieces: int) -> None:
    """Our control connection against a robot that says what is written, in this firmware's way."""

    async def robot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter = wire.CommandSplitter()
        left = list(exchanges)
        with contextlib.suppress(OSError):
            while left and (data := await reader.read(4096)):
                for command in splitter.feed(data):
                    exchange = left.pop(0)
                    asked, _, number = command.rpartition(" seq ")
                    assert asked == exchange["in"]
                    text = exchange["out"] + (f" seq {number}" if seq else "") + end
                    for start in range(0, len(text), pieces):
                        writer.write(text[start : start + pieces].encode())
                        await writer.drain()

    server = await asyncio.start_server(robot, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    control = await Control.connect("127.0.0.1", port, 2.0)
    try:
        # All at once: replies without anything between them follow each other at once.
        futures = [control.send(exchange["in"]) for exchange in exchanges]
        replies = await asyncio.wait_for(asyncio.gather(*futures), 5.0)
    finally:
        await control.close()
        server.close()
    for reply, exchange in zip(replies, exchanges, strict=True):
        assert reply.text == exchange["out"]
        assert reply.kind is Kind(exchange["kind"])
        if "numbers" in exchange:
            assert reply.numbers(exchange["numbers"]) is not None
    assert control.unmatched == 0


@pytest.mark.parametrize("name", DIALOGUES)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("seq", [True, False])
@pytest.mark.parametrize("pieces", [1, 1000])
def test_the_driver_understands_the_robot(name: str, end: str, seq: bool, pieces: int) -> None:
    ambiguous = end == "nothing" and not seq and name in ("values that the robot refuses",)
    if ambiguous or (end == "nothing" and name == "where the gimbal looks"):
        pytest.skip("an explanation, or numbers, that run into the next reply can't be told apart")
    asyncio.run(talk(DIALOGUES[name], ENDS[end], seq, pieces))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("shown", SHOWN["only_read"], ids=lambda shown: shown["out"])
def test_what_other_clients_met_is_understood(shown: dict[str, Any], end: str) -> None:
    splitter = wire.Splitter()
    found = splitter.feed((shown["out"] + ENDS[end]).encode())
    (text,) = found or splitter.flush()
    reply = wire.parse_reply(text)
    assert reply.kind is Kind(shown["kind"])
    if "numbers" in shown:
        assert reply.numbers(len(shown["numbers"])) == shown["numbers"]


@pytest.mark.parametrize("shown", SHOWN["pushes"], ids=lambda shown: shown["source"])
def test_pushes_are_read_as_a_robot_sends_them(shown: dict[str, Any]) -> None:
    attitudes, unreadable = wire.parse_pushes(shown["datagram"].encode())
    assert [[each.pitch, each.yaw] for each in attitudes] == shown["attitudes"]
    assert unreadable == 0


def test_announcements_are_read_as_a_robot_sends_them() -> None:
    for shown in SHOWN["announcements"]:
        assert wire.parse_broadcast(shown["datagram"].encode()) == shown["address"]


async def test_aims_end_where_they_should_although_most_pushes_are_lost(ports: Ports) -> None:
    lossy = EmulatorSettings(**{**FAST.model_dump(), "seed": 3})
    async with pair(ports, lossy) as (robot, driver, _):
        robot.faults.lost_pushes = 0.7
        for yaw in (40, -90, 120):
            driver.order(aim(yaw, 5))
            assert await until(lambda: driver.motion.settled), driver.motion.problem
            assert robot.angles[0] == pytest.approx(np.radians(yaw), abs=np.radians(0.3))


@pytest.mark.parametrize("end", ["", "\r\n"])
async def test_the_whole_driver_runs_on_other_firmware(ports: Ports, end: str) -> None:
    async with Emulator(FAST, ports=ports) as robot:
        robot.faults.unterminated, robot.faults.line_ends = not end, bool(end)
        robot.faults.no_seq = True
        driver = Driver(settings(), Ear(), ports)
        task = asyncio.create_task(driver.run())
        try:
            assert await until(lambda: driver.status.connected)
            driver.order(aim(-30, 5))
            assert await until(lambda: driver.motion.settled), driver.motion.problem
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def units(stream: bytes) -> list[bytes]:
    """The NAL units of an H.264 byte stream, each with its start code."""
    starts = [i for i in range(len(stream) - 3) if stream[i : i + 4] == b"\0\0\0\1"]
    return [stream[a:b] for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)]


@pytest.mark.parametrize("spoil", ["lost", "cut", "flipped", "swapped", "noise"])
def test_spoilt_video_units_cost_pictures_and_nothing_else(spoil: str) -> None:
    chance = random.Random(spoil)
    encoder, decoder = VideoEncoder(160, 96, 30), VideoDecoder()
    seen = 0
    for number in range(150):
        picture = np.full((96, 160, 3), 40 + number, np.uint8)
        for unit in units(encoder.encode(picture)):
            damaged = bytearray(unit)
            if 30 <= number < 90 and chance.random() < 0.5:
                if spoil == "lost":
                    continue
                if spoil == "cut":
                    damaged = damaged[: len(damaged) // 2]
                elif spoil == "flipped":
                    for _ in range(8):
                        damaged[chance.randrange(4, len(damaged))] ^= 0xFF
                elif spoil == "swapped":
                    damaged = damaged[len(damaged) // 2 :] + damaged[: len(damaged) // 2]
                else:
                    damaged = bytearray(chance.randbytes(len(damaged)))
            image = decoder.feed(bytes(damaged))
            if image is not None and number >= 120:
                seen += 1
                assert image.shape == (96, 160, 3)
    assert seen > 15
