# SPDX-License-Identifier: Apache-2.0
"""The driver against the emulated robot, over sockets."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from sockets import until

from turret_ai.act.robomaster.driver import Driver
from turret_ai.act.robomaster.emulator import Emulator
from turret_ai.act.robomaster.emulator_settings import EmulatorSettings
from turret_ai.act.robomaster.settings import DriverSettings, MotionSettings
from turret_ai.act.robomaster.wire import Ports
from turret_ai.aim.order import Mode, Order

FAST = EmulatorSettings(time_scale=20.0, width=320, height=180, fps=20)


@dataclass
class Ear:
    """Collects what the driver hands on."""

    attitudes: list[tuple[float, float, float]] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    sound: list[np.ndarray] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)

    def on_attitude(self, yaw: float, pitch: float, at: float) -> None:
        self.attitudes.append((yaw, pitch, at))

    def on_image(self, image: np.ndarray, at: float) -> None:
        self.images.append(image)

    def on_audio(self, samples: np.ndarray, at: float) -> None:
        self.sound.append(samples)

    def on_event(self, level: str, text: str) -> None:
        self.events.append((level, text))

    def said(self, part: str) -> bool:
        return any(part in text for _, text in self.events)


def settings(**changes: object) -> DriverSettings:
    base: dict[str, object] = {
        "address": "127.0.0.1",
        "video": False,
        "timeout": 1.0,
        "retry_limit": 0.1,
        "motion": MotionSettings(reaction=0.02, yaw_rate=math.radians(540)),
    }
    return DriverSettings(**{**base, **changes})  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def pair(
    ports: Ports, emulated: EmulatorSettings = FAST, **changes: object
) -> AsyncIterator[tuple[Emulator, Driver, Ear]]:
    ear = Ear()
    async with Emulator(emulated, ports=ports) as robot:
        driver = Driver(settings(**changes), ear, ports)
        task = asyncio.create_task(driver.run())
        try:
            assert await until(lambda: driver.status.connected and driver.status.pushes)
            yield robot, driver, ear
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def aim(yaw_deg: float, pitch_deg: float, seconds: float = 5.0) -> Order:
    """An order in degrees of REP-103."""
    until_then = time.monotonic() + seconds
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    return Order(Mode.ABSOLUTE, yaw, pitch, until=until_then)


async def aims(ports: Ports, count: int) -> None:
    chance = random.Random(1)
    async with pair(ports) as (robot, driver, _):
        for _ in range(count):
            yaw, pitch = chance.uniform(-250, 250), chance.uniform(-30, 20)
            driver.order(aim(yaw, pitch))
            assert await until(lambda: driver.motion.settled), driver.motion.problem
            wanted = (math.radians(yaw), math.radians(pitch))
            assert robot.angles == pytest.approx(wanted, abs=math.radians(0.2))
            assert driver.listener.attitudes[-1][:2] == pytest.approx(  # type: ignore[attr-defined]
                wanted, abs=math.radians(0.2)
            )


def test_random_aims_end_within_a_fifth_of_a_degree(ports: Ports) -> None:
    asyncio.run(aims(ports, 60))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_random_aims_end_within_a_fifth_of_a_degree(ports: Ports) -> None:
    asyncio.run(aims(ports, 1000))


async def test_aims_beyond_the_limits_are_clamped_and_said(ports: Ports) -> None:
    async with pair(ports) as (robot, driver, _):
        driver.order(aim(300, -60))
        assert (driver.motion.yaw_limited, driver.motion.pitch_limited) == (True, True)
        assert await until(lambda: driver.motion.settled)
        assert robot.angles == pytest.approx(
            (math.radians(250), math.radians(-30)), abs=math.radians(0.2)
        )
        driver.order(aim(0, 60))
        assert await until(lambda: driver.motion.settled)
        assert robot.angles[1] == pytest.approx(math.radians(20), abs=math.radians(0.2))


async def cuts(ports: Ports, count: int) -> None:
    async with pair(ports, retry_limit=0.05) as (robot, driver, ear):
        for number in range(count):
            driver.order(aim(number % 100 - 50, 0))
            robot.cut()
            assert await until(lambda: not driver.status.connected)
            assert await until(lambda: driver.status.connected)
            assert await until(lambda: driver.motion.settled), driver.motion.problem
        assert driver.status.links == count + 1
        assert ear.said("link")


def test_the_link_comes_back_after_every_cut(ports: Ports) -> None:
    asyncio.run(cuts(ports, 10))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_link_comes_back_after_a_hundred_cuts(ports: Ports) -> None:
    asyncio.run(cuts(ports, 100))


async def test_a_robot_that_falls_back_to_chassis_lead_is_noticed(ports: Ports) -> None:
    async with pair(ports) as (robot, driver, ear):
        robot.state.forced_mode = robot.state.gimbal.mode = "chassis_lead"
        driver.order(aim(90, 0))
        assert await until(lambda: ear.said("chassis_lead"))
        assert driver.status.mode == "chassis_lead"
        assert not driver.motion.settled
        robot.state.forced_mode = ""
        driver.order(aim(90, 0))
        assert await until(lambda: driver.status.mode == "free")
        assert await until(lambda: driver.motion.settled)


async def test_an_order_whose_time_is_over_stops_the_gimbal(ports: Ports) -> None:
    slow = EmulatorSettings(time_scale=1.0)
    async with pair(ports, slow) as (robot, driver, _):
        driver.order(aim(200, 0, seconds=0.15))
        assert await until(lambda: "gimbal speed p 0 y 0" in robot.counters.commands)
        assert not driver.motion.active
        assert await until(lambda: "time was over" in driver.motion.problem)


async def test_the_loss_of_the_command_stream_stops_a_turning_gimbal(ports: Ports) -> None:
    async with pair(ports, EmulatorSettings()) as (robot, driver, _):
        driver.order(Order(Mode.RATE, yaw_rate=0.5))
        assert await until(lambda: robot.angles[0] > 0.05)
        assert await until(lambda: not driver.motion.active, 2.0)
        assert await until(lambda: robot.state.gimbal.yaw.rate == 0.0)


async def test_a_turning_gimbal_halts_at_its_limit(ports: Ports) -> None:
    async with pair(ports) as (robot, driver, _):
        end = time.monotonic() + 3.0
        while time.monotonic() < end and not driver.motion.pitch_limited:
            driver.order(Order(Mode.RATE, pitch_rate=math.radians(10)))
            await asyncio.sleep(0.05)
        assert driver.motion.pitch_limited
        assert await until(lambda: robot.state.gimbal.pitch.rate == 0.0)


async def test_shutdown_leaves_the_robot_at_rest_and_out_of_sdk_mode(ports: Ports) -> None:
    ear = Ear()
    async with Emulator(FAST, ports=ports) as robot:
        driver = Driver(settings(), ear, ports)
        task = asyncio.create_task(driver.run())
        assert await until(lambda: driver.status.connected)
        driver.order(Order(Mode.RATE, yaw_rate=1.0))
        task.cancel()
        began = time.monotonic()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < 2.0
        assert list(robot.counters.commands)[-5] == "gimbal speed p 0 y 0"
        assert robot.counters.commands[-1] == "quit"
        assert not robot.state.sdk


@pytest.mark.parametrize(
    "fault", ["dribble", "unterminated", "line_ends", "no_seq", "garbage_pushes"]
)
async def test_odd_firmware_is_understood(ports: Ports, fault: str) -> None:
    ear = Ear()
    async with Emulator(FAST, ports=ports) as robot:
        setattr(robot.faults, fault, True)
        driver = Driver(settings(), ear, ports)
        task = asyncio.create_task(driver.run())
        assert await until(lambda: driver.status.connected)
        driver.order(aim(40, 5))
        assert await until(lambda: driver.motion.settled), driver.motion.problem
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_attitudes_are_asked_for_when_no_pushes_come(ports: Ports) -> None:
    async with pair(ports) as (robot, driver, ear):
        robot.faults.no_pushes = True
        await asyncio.sleep(0.1)
        seen = len(ear.attitudes)
        assert await until(lambda: len(ear.attitudes) > seen + 3)
        assert driver.status.connected


async def test_a_robot_that_falls_silent_is_reported(ports: Ports) -> None:
    async with pair(ports, timeout=0.3) as (robot, driver, ear):
        robot.faults.silent = True
        assert await until(lambda: not driver.status.connected)
        assert await until(lambda: ear.said("did not answer"))
        robot.faults.silent = False
        assert await until(lambda: driver.status.connected)


async def test_a_robot_that_refuses_is_reported(ports: Ports) -> None:
    async with pair(ports) as (robot, driver, _):
        robot.state.refused = "gimbal move"
        driver.order(aim(90, 0))
        assert await until(lambda: "refused" in driver.motion.problem)


async def test_a_robot_that_refuses_the_sdk_mode_is_never_called_connected(ports: Ports) -> None:
    ear = Ear()
    async with Emulator(FAST, ports=ports) as robot:
        robot.state.refused = "command"
        driver = Driver(settings(), ear, ports)
        task = asyncio.create_task(driver.run())
        assert await until(lambda: ear.said("refused 'command'"))
        assert not driver.status.connected
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_without_a_robot_the_driver_says_so_and_keeps_trying(ports: Ports) -> None:
    ear = Ear()
    driver = Driver(settings(), ear, ports)
    task = asyncio.create_task(driver.run())
    assert await until(lambda: ear.said("no robot at"))
    async with Emulator(FAST, ports=ports):
        assert await until(lambda: driver.status.connected)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_station_mode_finds_the_robot_by_its_announcement(ports: Ports) -> None:
    async with pair(ports, address="station", discovery_address="127.0.0.1") as (_, driver, _e):
        assert driver.status.address == "127.0.0.1"


async def test_the_newest_picture_arrives_and_shows_where_the_camera_looks(ports: Ports) -> None:
    async with pair(ports, video=True) as (_, driver, ear):
        assert await until(lambda: len(ear.images) > 2)
        assert ear.images[-1].shape == (180, 320, 3)
        before = ear.images[-1].copy()
        driver.order(aim(5.6, 0))
        assert await until(lambda: driver.motion.settled)
        seen = len(ear.images)
        assert await until(lambda: len(ear.images) > seen + 4)
        assert np.abs(before.astype(int) - ear.images[-1]).mean() > 5.0


@pytest.mark.parametrize("fault", ["stall_video", "garbage_video"])
async def test_video_that_stalls_or_is_noise_comes_back(ports: Ports, fault: str) -> None:
    async with pair(ports, video=True, stall=0.4) as (robot, driver, ear):
        assert await until(lambda: ear.images)
        setattr(robot.faults, fault, True)
        await asyncio.sleep(0.8)
        setattr(robot.faults, fault, False)
        seen = len(ear.images)
        assert await until(lambda: len(ear.images) > seen + 5)
        assert driver.status.connected


def test_sound_arrives_as_samples_of_48_khz(ports: Ports) -> None:
    async def story() -> None:
        phase = 0

        def tone() -> np.ndarray:
            nonlocal phase
            time_s = (np.arange(960) + phase) / 48_000
            phase += 960
            return (np.sin(2 * np.pi * 440 * time_s) * 8000).astype(np.int16)

        ear = Ear()
        async with Emulator(FAST, sound=tone, ports=ports):
            driver = Driver(settings(audio=True), ear, ports)
            task = asyncio.create_task(driver.run())
            assert await until(lambda: sum(len(s) for s in ear.sound) > 24_000)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        sound = np.concatenate(ear.sound)[-16_384:].astype(float)
        peak = np.abs(np.fft.rfft(sound)).argmax() * 48_000 / 16_384
        assert peak == pytest.approx(440, abs=5)

    asyncio.run(story())


async def test_the_lights_blink_only_while_armed(ports: Ports) -> None:
    async with pair(ports, signal_seconds=0.05) as (robot, driver, _):
        assert not driver.signal("one")
        driver.controller_says(False)
        assert not driver.signal("one")
        driver.controller_says(True)
        assert driver.signal("one")
        assert not driver.signal("one")

        def lights() -> list[str]:
            return [c for c in robot.counters.commands if c.startswith("led")]

        assert await until(lambda: len(lights()) == 2)
        assert lights()[0].endswith("effect blink") and lights()[1].endswith("effect off")
        driver.stop()
        assert not driver.signal("two")


async def test_the_link_may_be_cut_at_every_byte_of_the_greeting(ports: Ports) -> None:
    """A robot that sends so many bytes of its replies and then hangs up."""
    replies = b"ok seq 1;ok seq 2;free seq 3;ok seq 4;"

    for length in range(len(replies) + 1):
        ear = Ear()

        async def half(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int = length
        ) -> None:
            await reader.read(100)
            writer.write(replies[:length])
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(half, "127.0.0.1", ports.control)
        driver = Driver(settings(timeout=0.5), ear, ports)
        task = asyncio.create_task(driver.run())
        assert await until(lambda ear=ear: any(level == "warning" for level, _ in ear.events))
        assert not driver.status.connected
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        server.close()
