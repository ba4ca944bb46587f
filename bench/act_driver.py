# SPDX-License-Identifier: Apache-2.0
"""Aim an emulated RoboMaster."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import statistics
import time

from bench.common import Row


def run(quick: bool) -> list[Row]:
    count = 40 if quick else 400
    errors, plain, lost = asyncio.run(_aims(count, 10 if quick else 50))
    note = f"{count} random aims, after settling; emulator at 20 times the speed"
    return [
        Row(
            "aim error of the RoboMaster driver, median",
            statistics.median(errors),
            "deg",
            "plain gimbal moveto (whole degrees)",
            statistics.median(plain),
            note=note,
        ),
        Row(
            "aim error of the RoboMaster driver, largest",
            max(errors),
            "deg",
            "plain gimbal moveto (whole degrees)",
            max(plain),
            note=note,
        ),
        Row(
            "RoboMaster link back after a cut, largest of all cuts",
            max(lost) * 1e3,
            "ms",
            note=f"{len(lost)} cuts; the first retry waits 200 ms",
        ),
    ]


async def _aims(count: int, cuts: int) -> tuple[list[float], list[float], list[float]]:
    """(errors of the driver, errors of a rounded moveto, seconds without link), degrees and s."""
    import socket

    from turret_ai.act.robomaster import wire
    from turret_ai.act.robomaster.driver import Driver
    from turret_ai.act.robomaster.emulator import Emulator
    from turret_ai.act.robomaster.emulator_settings import EmulatorSettings
    from turret_ai.act.robomaster.motion import Mode, Order
    from turret_ai.act.robomaster.settings import DriverSettings, MotionSettings

    class Deaf:
        """Takes what the driver hands on, and does nothing with it."""

        def on_attitude(self, yaw: float, pitch: float, at: float) -> None: ...
        def on_image(self, image: object, at: float) -> None: ...
        def on_audio(self, samples: object, at: float) -> None: ...
        def on_event(self, level: str, text: str) -> None: ...

    async def until(condition: object, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():  # type: ignore[operator]
            if time.monotonic() > end:
                raise TimeoutError
            await asyncio.sleep(0.002)

    def free(kind: int) -> int:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
    ports = wire.Ports(*(free(kind) for kind in (tcp, tcp, tcp, udp, tcp, udp)))
    motion = MotionSettings(reaction=0.02, yaw_rate=math.radians(540))
    settings = DriverSettings(address="127.0.0.1", video=False, motion=motion)
    chance = random.Random(3)
    errors, plain, lost = [], [], []
    async with Emulator(EmulatorSettings(time_scale=20.0), ports=ports) as robot:
        driver = Driver(settings, Deaf(), ports)
        task = asyncio.create_task(driver.run())
        try:
            await until(lambda: driver.status.connected and driver.status.pushes)
            for _ in range(count):
                yaw, pitch = chance.uniform(-4.3, 4.3), chance.uniform(-0.52, 0.34)
                driver.order(Order(Mode.ABSOLUTE, yaw, pitch))
                await until(lambda: driver.motion.settled)
                found = robot.angles
                errors.append(math.degrees(max(abs(found[0] - yaw), abs(found[1] - pitch))))
                exact = (math.degrees(pitch), math.degrees(yaw))
                plain.append(max(abs(round(angle) - angle) for angle in exact))
            for _ in range(cuts):
                began = time.monotonic()
                robot.cut()
                await until(lambda: not driver.status.connected)
                await until(lambda: driver.status.connected)
                lost.append(time.monotonic() - began)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return errors, plain, lost
