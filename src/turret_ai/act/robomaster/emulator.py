# SPDX-License-Identifier: Apache-2.0
"""An emulated RoboMaster EP on real sockets: control, pushes, video, audio, events, broadcast."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

from turret_ai.act.robomaster.axes import from_sdk
from turret_ai.act.robomaster.emulator_commands import RobotState, execute
from turret_ai.act.robomaster.emulator_media import (
    OpusEncoder,
    Sound,
    VideoEncoder,
    View,
    silence,
    test_pattern,
)
from turret_ai.act.robomaster.emulator_settings import Counters, EmulatorSettings, Faults
from turret_ai.act.robomaster.wire import Attitude, CommandSplitter, Ports
from turret_ai.errors import PeerError
from turret_ai.types import ImageArray
from turret_ai.waiting import cancel

_SEQ_WORD = " seq "


@dataclass(slots=True)
class _Pending:
    """A reply that waits until the gimbal has arrived."""

    writer: asyncio.StreamWriter
    seq: str


class Emulator:
    """The robot. Use as an asynchronous context manager.

    Args:
        view: what the camera sees; None: a test pattern.
        sound: what the microphone hears; None: silence.
        ports: where it listens; `push` is the client's port that it sends to.
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        view: View | None = None,
        sound: Sound | None = None,
        ports: Ports | None = None,
    ) -> None:
        self.settings = settings or EmulatorSettings()
        self.ports = ports or Ports()
        self.state = RobotState()
        self.faults = Faults()
        self.counters = Counters()
        s = self.settings
        self._view = view or test_pattern(s.width, s.height)
        self._sound = sound or silence
        self._noise = np.random.default_rng(s.seed)
        self._writers: set[asyncio.StreamWriter] = set()
        self._control: asyncio.StreamWriter | None = None
        self._pending: list[_Pending] = []
        self._servers: list[asyncio.Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._udp: asyncio.DatagramTransport | None = None
        self._born = 0.0

    async def __aenter__(self) -> Emulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open the ports.

        Raises:
            PeerError: one of them is taken.
        """
        loop = asyncio.get_running_loop()
        self._born = loop.time()
        handlers = (
            (self.ports.control, self._on_control),
            (self.ports.video, self._on_video),
            (self.ports.audio, self._on_audio),
            (self.ports.event, self._on_event),
        )
        try:
            for port, handler in handlers:
                server = await asyncio.start_server(self._guard(handler), self.settings.host, port)
                self._servers.append(server)
            self._udp, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol,
                local_addr=(self.settings.host, 0),
                allow_broadcast=True,
            )
        except OSError as error:
            await self.stop()
            raise PeerError(
                f"the emulator can't listen on {self.settings.host}: {error}"
            ) from error
        jobs = (self._move(), self._push(), self._broadcast())
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def stop(self) -> None:
        """Close everything."""
        await cancel(self._tasks)
        self._tasks = []
        for server in self._servers:
            server.close()
        self.cut()
        self._servers = []
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Drop every link at once, as a robot does that goes out of reach."""
        for writer in list(self._writers):
            transport = writer.transport
            with contextlib.suppress(Exception):
                transport.abort()

    @property
    def angles(self) -> tuple[float, float]:
        """True (yaw, pitch) of the gimbal, radians REP-103."""
        self._advance()
        gimbal = self.state.gimbal
        return from_sdk(Attitude(gimbal.pitch.angle, gimbal.yaw.angle))

    # -- connections -----------------------------------------------------------------------------

    def _guard(
        self, handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            try:
                if not self.faults.refuse_links:
                    await handler(reader, writer)
            except (OSError, asyncio.CancelledError):
                pass
            finally:
                self._writers.discard(writer)
                with contextlib.suppress(Exception):
                    writer.close()

        return guarded

    async def _on_control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._control is not None:
            return  # the robot has one master
        self._control = writer
        self.counters.links += 1
        splitter = CommandSplitter()
        try:
            while data := await reader.read(4096):
                for command in splitter.feed(data):
                    await self._obey(command, writer)
        finally:
            self._control = None
            self._pending.clear()
            self.state.leave_sdk()

    async def _obey(self, text: str, writer: asyncio.StreamWriter) -> None:
        command, separator, number = text.rpartition(_SEQ_WORD)
        if not separator or not number.isdigit():
            command, number = text, ""
        self.counters.commands.append(command)
        self._advance()
        if command.startswith(("gimbal move", "gimbal speed", "gimbal recenter")):
            await self._answer_pending(everyone=True)  # the new motion takes the old one's place
        reply, waits = execute(self.state, command)
        if self.faults.silent:
            return
        if waits and reply == "ok" and self.settings.moveto_blocks:
            self._pending.append(_Pending(writer, number))
        else:
            await self._reply(writer, reply, number)

    async def _reply(self, writer: asyncio.StreamWriter, text: str, seq: str) -> None:
        if seq and not self.faults.no_seq:
            text += f" seq {seq}"
        end = "" if self.faults.unterminated else "\r\n" if self.faults.line_ends else ";"
        data = f"{text}{end}".encode("ascii")
        pieces = [data[i : i + 1] for i in range(len(data))] if self.faults.dribble else [data]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if self.faults.dribble:
                await asyncio.sleep(0.001)

    async def _answer_pending(self, everyone: bool = False) -> None:
        if self._pending and (everyone or self.state.gimbal.arrived):
            waiting, self._pending = self._pending, []
            for each in waiting:
                with contextlib.suppress(OSError):
                    await self._reply(each.writer, "ok", each.seq)

    async def _on_event(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(1024):  # nothing ever happens to the emulated armour
            pass

    async def _on_video(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        s = self.settings
        encoder = VideoEncoder(s.width, s.height, s.fps)
        last: tuple[float, float] | None = None
        image: ImageArray | None = None
        while True:
            began = asyncio.get_running_loop().time()
            if self.state.stream and not self.faults.stall_video:
                angles = self.angles
                if (
                    image is None
                    or last is None
                    or max(abs(a - b) for a, b in zip(angles, last, strict=True)) > 1e-4
                ):
                    image, last = await asyncio.to_thread(self._view, *angles), angles
                data = await asyncio.to_thread(encoder.encode, image)
                if self.faults.garbage_video:
                    data = self._noise.bytes(len(data))
                writer.write(data)
                await writer.drain()
                self.counters.frames += 1
            elif writer.is_closing():
                return
            spent = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(0.001, 1.0 / s.fps - spent))

    async def _on_audio(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        encoder = OpusEncoder()
        due = asyncio.get_running_loop().time()
        while not writer.is_closing():
            if self.state.audio:
                for packet in encoder.encode(self._sound()):
                    writer.write(packet)
                await writer.drain()
            due += 0.02
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

    # -- what happens by itself ------------------------------------------------------------------

    def _advance(self) -> None:
        now = asyncio.get_running_loop().time() - self._born
        self.state.gimbal.advance(now * self.settings.time_scale)

    async def _move(self) -> None:
        while True:
            self._advance()
            await self._answer_pending()
            await asyncio.sleep(max(0.002, 0.01 / self.settings.time_scale))

    async def _push(self) -> None:
        count = 0
        while True:
            rate = self.state.push_rate
            await asyncio.sleep(1.0 / ((rate or 50) * self.settings.time_scale))
            control = self._control
            if not rate or control is None or self._udp is None or self.faults.no_pushes:
                continue
            count += 1
            peer = control.get_extra_info("peername")
            if peer is None:
                continue
            self._advance()
            gimbal = self.state.gimbal
            noise = (
                self._noise.normal(0.0, self.settings.noise, 2) if self.settings.noise else (0, 0)
            )
            text = (
                f"gimbal push attitude {gimbal.pitch.angle + noise[0]:.1f} "
                f"{gimbal.yaw.angle + noise[1]:.1f} ;;"
            )
            data = text.encode("ascii")
            if self.faults.garbage_pushes and count % 2:
                data = self._noise.bytes(int(self._noise.integers(1, 64)))
            if self.faults.lost_pushes and self._noise.random() < self.faults.lost_pushes:
                continue
            self._udp.sendto(data, (peer[0], self.ports.push))
            self.counters.pushes += 1

    async def _broadcast(self) -> None:
        s = self.settings
        while True:
            if self._control is None and self._udp is not None:
                with contextlib.suppress(OSError):
                    self._udp.sendto(
                        f"robot ip {s.host}".encode("ascii"),
                        (s.broadcast_address, self.ports.broadcast),
                    )
            await asyncio.sleep(2.0 / s.time_scale)
