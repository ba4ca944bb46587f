# SPDX-License-Identifier: Apache-2.0
"""Every other protocol, cut at every byte: nothing breaks or hangs, and the next one works."""

from __future__ import annotations

import asyncio
import contextlib
import time

import numpy as np
import pytest
from sockets import until
from test_competition_client import CASES, view
from websockets.asyncio.client import connect

from turret_ai.act.competition import wire as finals
from turret_ai.act.competition.played import ServerSettings
from turret_ai.act.competition.server import CompetitionServer
from turret_ai.act.competition.snapshots import Snapshot, Snapshots
from turret_ai.act.robomaster.emulator import Emulator
from turret_ai.act.robomaster.emulator_media import OpusEncoder, VideoEncoder, test_pattern
from turret_ai.act.robomaster.emulator_settings import EmulatorSettings
from turret_ai.act.robomaster.media import OpusDecoder, OpusSplitter, VideoDecoder
from turret_ai.act.robomaster.wire import Ports
from turret_ai.see import images

test_pattern.__test__ = False  # type: ignore[attr-defined]
JPEG = images.encode(view(0.3)[:16, :16])


def stream(pictures: int) -> bytes:
    encoder = VideoEncoder(64, 64, 10)
    pattern = test_pattern(64, 64)
    return b"".join(encoder.encode(pattern(i / 5, 0.0)) for i in range(pictures))


async def fetched(frame: bytes) -> Snapshot:
    """What becomes of a snapshot for which these bytes come."""

    async def send(text: str) -> bool:
        if "snapshot" in text:
            snapshots.on_frame(frame)
        return True

    snapshots = Snapshots(send, patience=0.01)
    return await snapshots.fetch(0.0, until=time.monotonic() + 0.02)


@pytest.mark.parametrize("length", range(len(JPEG)))
def test_a_snapshot_cut_at_any_byte_is_no_picture(length: int) -> None:
    found = asyncio.run(fetched(JPEG[:length]))
    assert found.image is None
    assert len(found.problems) == 1


def test_a_whole_snapshot_is_a_picture() -> None:
    found = asyncio.run(fetched(JPEG))
    assert found.image is not None
    assert found.problems == []


def test_video_that_comes_byte_by_byte_gives_the_same_pictures() -> None:
    data = stream(4)
    whole, single = VideoDecoder(), VideoDecoder()
    whole.feed(data)
    for i in range(len(data)):
        single.feed(data[i : i + 1])
    assert single.frames == whole.frames == 3
    assert single.errors == 0


def test_video_that_lacks_its_beginning_at_any_byte_recovers_at_the_next_key_picture() -> None:
    data = stream(12)
    for cut in range(1, 600, 7):
        decoder = VideoDecoder()
        decoder.feed(data[cut:])
        assert decoder.frames > 0


def test_opus_packets_cut_at_any_byte_never_break_the_decoder() -> None:
    encoder = OpusEncoder()
    tone = (np.sin(np.arange(960) / 9) * 9000).astype(np.int16)
    packets = [packet for _ in range(6) for packet in encoder.encode(tone)]
    decoder = OpusDecoder()
    for length in range(len(packets[0])):
        decoder.decode(packets[0][:length])
    assert len(decoder.decode(packets[1])) == 960


@pytest.mark.parametrize("cut", range(1, 80, 3))
def test_opus_reads_cut_anywhere_are_put_together_again(cut: int) -> None:
    encoder = OpusEncoder()
    tone = (np.sin(np.arange(960) / 9) * 9000).astype(np.int16)
    packets = [packet for _ in range(12) for packet in encoder.encode(tone)]
    splitter = OpusSplitter()
    found = [each for packet in packets[:8] for each in splitter.feed(packet)]
    late = b"".join(packets[8:])
    found += splitter.feed(late[: 80 + cut])
    found += splitter.feed(late[80 + cut :])
    assert found == packets


async def test_commands_to_the_emulator_cut_at_any_byte_leave_it_working(ports: Ports) -> None:
    commands = b"command seq 1;robot mode free seq 2;gimbal moveto p 1 y 2 vp 9 vy 9 seq 3;"

    settings = EmulatorSettings(time_scale=50.0)
    async with Emulator(settings, ports=ports) as robot:
        for length in range(len(commands) + 1):
            assert await until(lambda: robot._control is None)
            reader, writer = await asyncio.open_connection("127.0.0.1", ports.control)
            writer.write(commands[:length])
            await writer.drain()
            writer.close()
            with contextlib.suppress(OSError):
                await asyncio.wait_for(reader.read(), 1.0)
        assert await until(lambda: robot._control is None)
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.control)
        writer.write(b"command;")
        assert await asyncio.wait_for(reader.read(10), 1.0) == b"ok;"
        writer.close()


async def test_frames_to_our_server_cut_at_any_byte_leave_it_working() -> None:
    answer = finals.Answer("a", "065", "b", "c").to_text().encode()
    frame = b"\x81" + bytes([0x80 | len(answer)]) + bytes(4) + answer
    assert len(answer) < 126

    async with CompetitionServer(CASES[:1], ServerSettings(port=0)) as server:
        for length in range(len(frame)):
            async with connect(f"{server.address}/ws/t", proxy=None) as socket:
                socket.transport.write(frame[:length])
                await asyncio.sleep(0)
                socket.transport.abort()
        playing = asyncio.create_task(server.play())
        async with connect(f"{server.address}/ws/t", proxy=None) as socket:
            async for message in socket:
                if isinstance(message, bytes):
                    await socket.send(answer.decode())
                elif message == finals.DONE:
                    break
                else:
                    await socket.send(finals.HEALTHY)
        (played,) = await asyncio.wait_for(playing, 5.0)
        assert played.answer is not None
