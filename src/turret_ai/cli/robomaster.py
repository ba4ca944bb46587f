# SPDX-License-Identifier: Apache-2.0
"""`turret-ai robomaster-emulator`: a robot to try the driver with."""

from __future__ import annotations

from typing import Annotated

import typer


def emulator(
    scene: Annotated[
        str, typer.Option(help="scene that the camera sees; empty: a test pattern")
    ] = "",
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    base_port: Annotated[int, typer.Option(help="the six ports follow it", min=1)] = 40920,
    broadcast: Annotated[str, typer.Option(help="where the robot announces itself")] = "127.0.0.1",
    width: Annotated[int, typer.Option(help="pixels of the video")] = 1280,
    height: Annotated[int, typer.Option(help="pixels of the video")] = 720,
    fps: Annotated[int, typer.Option(help="pictures a second", min=1, max=60)] = 30,
    sound: Annotated[str, typer.Option(help="audio file that the microphone hears, again")] = "",
    noise: Annotated[float, typer.Option(help="degrees, noise of the measured angles")] = 0.0,
) -> None:
    """Emulate a RoboMaster EP: control, pushes, video, audio and announcements on real ports."""
    import asyncio

    from rich.console import Console

    from turret_ai.act.robomaster.emulator import Emulator
    from turret_ai.act.robomaster.emulator_settings import EmulatorSettings
    from turret_ai.act.robomaster.emulator_world import scene_view, sound_file
    from turret_ai.act.robomaster.wire import Ports

    settings = EmulatorSettings(
        host=host, broadcast_address=broadcast, width=width, height=height, fps=fps, noise=noise
    )
    console = Console(stderr=True)
    view = scene_view(scene, width, height) if scene else None
    microphone = sound_file(sound) if sound else None

    async def run() -> None:
        ports = Ports.from_base(base_port)
        async with Emulator(settings, view, microphone, ports) as robot:
            console.print(f"a RoboMaster EP on {host}, ports {ports.video} to {ports.broadcast}")
            console.print("turret-ai launch finals source:=robomaster robot:=" + host)
            last = ""
            while True:
                await asyncio.sleep(0.5)
                gimbal = robot.state.gimbal
                text = f"{gimbal.mode}, pitch {gimbal.pitch.angle:.1f}, yaw {gimbal.yaw.angle:.1f}"
                if text != last:
                    console.print(text)
                last = text

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
