# SPDX-License-Identifier: Apache-2.0
"""The driver: keeps a link to the robot, carries out orders, and hands on what comes back.

One asyncio program. Everything that is called from outside runs in its loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.act.backoff import Backoff
from turret_ai.act.robomaster import wire
from turret_ai.act.robomaster.arming import Arming
from turret_ai.act.robomaster.axes import from_sdk
from turret_ai.act.robomaster.control import Control
from turret_ai.act.robomaster.discovery import resolve
from turret_ai.act.robomaster.motion import Motion
from turret_ai.act.robomaster.robot_events import RobotEvents, Status
from turret_ai.act.robomaster.settings import DriverSettings
from turret_ai.act.robomaster.streams import AudioStream, VideoStream
from turret_ai.act.robomaster.wire import Attitude, Ports
from turret_ai.aim.order import Order
from turret_ai.errors import PeerError
from turret_ai.types import ImageArray
from turret_ai.units import seconds_to_ns
from turret_ai.waiting import cancel

MODE_PERIOD = 1.0
BATTERY_PERIOD = 10.0
FAREWELL = (wire.STOP, "stream off", "audio off", "gimbal push attitude off", "quit")
DISCOVERY_SECONDS = 5.0


class Driver:
    """The link to one robot.

    Args:
        ports: only for tests; else they follow from the settings.
    """

    def __init__(
        self, settings: DriverSettings, listener: RobotEvents, ports: Ports | None = None
    ) -> None:
        self.settings = settings
        self.listener = listener
        self.ports = ports or Ports.from_base(settings.base_port)
        self.motion = Motion(settings.motion)
        self.arming = Arming()
        self.status = Status()
        self.video = VideoStream(settings, self.ports.video, self._image)
        self.audio = AudioStream(settings, self.ports.audio, self._sound)
        self._control: Control | None = None
        self._last_push = 0.0
        self._background: set[asyncio.Task[None]] = set()

    # -- from outside, in the loop's thread ------------------------------------------------------

    def order(self, order: Order) -> None:
        """Carry out an order from now on; without a link it waits for one, while it is valid."""
        commands = self.motion.on_order(order, time.monotonic())
        if self.motion.problem:
            self.listener.on_event("warning", self.motion.problem)
        self._drive(commands)

    def stop(self) -> None:
        """Bring the gimbal to rest and close the signal's gate: reset."""
        self.arming.disarm()
        self._drive(self.motion.stop())

    def controller_says(self, armed: bool) -> None:
        """The controller's state message."""
        self.arming.on_state(armed, seconds_to_ns(time.monotonic()))

    def signal(self, utterance_id: str) -> bool:
        """Let the lights blink, if the gate is open.

        Returns:
            Whether they do.
        """
        if self._control is None:
            return False
        if not self.arming.request(utterance_id, seconds_to_ns(time.monotonic())):
            return False
        self.status.signals += 1
        self._spawn(self._blink(self._control))
        return True

    async def run(self) -> None:
        """Hold the link until cancelled; the robot is left at rest."""
        backoff = Backoff(limit=self.settings.retry_limit)
        try:
            while True:
                try:
                    await self._session(backoff)
                except PeerError as error:
                    if self.status.problem != str(error):
                        self.listener.on_event("warning", str(error))
                    self.status.problem = str(error)
                await asyncio.sleep(backoff.next())
        finally:
            for task in self._background:
                task.cancel()
            self.video.close()
            self.audio.close()

    # -- one link --------------------------------------------------------------------------------

    async def _session(self, backoff: Backoff) -> None:
        """Make a link and keep it; always ends in an exception."""
        s = self.settings
        host = await resolve(
            s.address, s.discovery_address, self.ports.broadcast, DISCOVERY_SECONDS
        )
        control = await Control.connect(host, self.ports.control, s.timeout)
        tasks: list[asyncio.Task[None]] = []
        transport: asyncio.DatagramTransport | None = None
        try:
            transport = await self._listen(control)
            await self._enter(control)
            self._linked(control, host)
            backoff.reset()
            jobs: list[Coroutine[Any, Any, None]] = [
                self._watch(control),
                self._tick(),
                self._poll(control),
            ]
            if s.video:
                jobs.append(self.video.run(host, control))
            if s.audio:
                jobs.append(self.audio.run(host, control))
            tasks = [asyncio.create_task(job) for job in jobs]
            ends: set[asyncio.Future[Any]] = {control.lost, *tasks}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and (error := task.exception()) is not None:
                    raise PeerError(str(error)) from error
            raise PeerError(control.lost.result() if control.lost.done() else "the link ended")
        finally:
            self._control = None
            self.status.connected = False
            self.arming.on_link(False)
            await cancel(tasks)
            if transport is not None:
                transport.close()
            await control.close(FAREWELL)

    async def _listen(self, control: Control) -> asyncio.DatagramTransport:
        """Open the port for pushes, on the interface that leads to the robot."""
        local, peer = control.endpoints
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Pushes(self, peer), local_addr=(local, self.ports.push)
            )
        except OSError as error:
            raise PeerError(
                f"can't listen for pushes on port {self.ports.push}: {error}"
            ) from error
        return transport

    async def _enter(self, control: Control) -> None:
        timeout = self.settings.timeout
        await control.demand("command", timeout)
        await control.demand("robot mode free", timeout)
        self.status.mode = (await control.demand("robot mode ?", timeout)).text
        await control.demand(f"gimbal push attitude on afreq {self.settings.push_rate}", timeout)
        if self.settings.video:
            await control.demand("stream on", timeout)
        if self.settings.audio:
            await control.demand("audio on", timeout)

    def _linked(self, control: Control, host: str) -> None:
        self._control = control
        self._last_push = time.monotonic()
        self.arming.on_link(True)
        status = self.status
        status.connected, status.address, status.problem = True, host, ""
        status.links += 1
        self.listener.on_event("info", f"connected with the robot at {host}")
        self._judge_mode(status.mode)
        self._drive(self.motion.on_link(time.monotonic()))

    # -- what runs during a link -----------------------------------------------------------------

    async def _watch(self, control: Control) -> None:
        """See to it that the robot stays in mode free, and read its battery."""
        battery_due = 0.0
        while True:
            now = time.monotonic()
            if now >= battery_due:
                reply = await control.ask("robot battery ?", self.settings.timeout)
                numbers = reply.numbers(1)
                self.status.battery = round(numbers[0]) if numbers else None
                battery_due = now + BATTERY_PERIOD
            reply = await control.ask("robot mode ?", self.settings.timeout)
            self.motion.mode_in_doubt = False
            if not self._judge_mode(reply.text):
                await control.ask("robot mode free", self.settings.timeout)
            end = time.monotonic() + MODE_PERIOD
            while time.monotonic() < end and not self.motion.mode_in_doubt:
                await asyncio.sleep(0.05)

    def _judge_mode(self, mode: str) -> bool:
        """Whether the gimbal obeys in this mode; says so when that changes."""
        status = self.status
        free = mode == "free"
        text = f"the robot is in mode {mode}: its gimbal ignores yaw; setting it free again"
        if not free and mode in ("chassis_lead", "gimbal_lead"):
            if status.mode == "free" or status.problem != text:
                self.listener.on_event("error", text)
            status.mode_losses += 1
            status.problem = text
        elif free and "is in mode" in status.problem:
            status.problem = ""
            self.listener.on_event("info", "the robot is in mode free again")
        status.mode = mode
        return free

    async def _tick(self) -> None:
        while True:
            self._drive(self.motion.on_tick(time.monotonic()))
            await asyncio.sleep(0.02)

    async def _poll(self, control: Control) -> None:
        """Ask for the attitude while no pushes come."""
        while True:
            await asyncio.sleep(0.1)
            if time.monotonic() - self._last_push < 1.0:
                continue
            asked = time.monotonic()
            reply = await control.ask("gimbal attitude ?", self.settings.timeout)
            attitude = wire.parse_attitude(reply)
            if attitude is not None:
                # The measurement lies between question and answer.
                self._measured(attitude, (asked + time.monotonic()) / 2.0)
            if int(asked * 10) % 10 == 0:
                rate = self.settings.push_rate
                await control.ask(f"gimbal push attitude on afreq {rate}", self.settings.timeout)

    def _pushed(self, data: bytes) -> None:
        now = time.monotonic()
        attitudes, unreadable = wire.parse_pushes(data)
        self.status.unreadable += unreadable
        for attitude in attitudes:
            self._last_push = now
            self.status.pushes += 1
            self._measured(attitude, now - self.settings.attitude_latency)

    def _measured(self, attitude: Attitude, at: float) -> None:
        self.listener.on_attitude(*from_sdk(attitude), at)
        before = self.motion.problem
        self._drive(self.motion.on_attitude(attitude, time.monotonic()))
        if self.motion.problem and self.motion.problem != before:
            self.listener.on_event("warning", self.motion.problem)

    def _drive(self, commands: list[str]) -> None:
        control = self._control
        if control is None:
            return
        for command in commands:
            control.send(command).add_done_callback(self._answered)

    def _answered(self, future: asyncio.Future[wire.Reply]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        self._drive(self.motion.on_reply(future.result(), time.monotonic()))

    async def _blink(self, control: Control) -> None:
        with contextlib.suppress(PeerError):
            await control.ask(wire.led(255, 0, 0, "blink"), self.settings.timeout)
            await asyncio.sleep(self.settings.signal_seconds)
            await control.ask(wire.led(0, 0, 0, "off"), self.settings.timeout)

    def _image(self, image: ImageArray, at: float) -> None:
        self.listener.on_image(image, at - self.settings.video_latency)

    def _sound(self, samples: NDArray[np.int16], at: float) -> None:
        self.listener.on_audio(samples, at)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


class _Pushes(asyncio.DatagramProtocol):
    """Takes pushes of the connected robot only."""

    def __init__(self, driver: Driver, peer: str) -> None:
        self._driver, self._peer = driver, peer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[0] == self._peer:
            self._driver._pushed(data)
