# SPDX-License-Identifier: Apache-2.0
"""The page beside sources that are no simulator: a recording, and an (emulated) robot.

The nodes are processes with the parameters of the launched graph; ears and eyes are simple ones.
The competition's is in test_cli_act.py, the simulator's in test_browser.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from turret_ai.graph import GRAPHS

sys.path += [str(Path(__file__).resolve().parents[1] / room) for room in ("nodes", "act")]
import stub_models
import tape
from conversation import Conversation
from probe import free_domain, node_process


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def launched(
    more: dict[str, dict[str, Any]], without: tuple[str, ...] = (), **arguments: str
) -> Iterator[str]:
    """The finals graph with a console, and its address. more: parameters by node."""
    port = free_port()
    plan = GRAPHS["finals"].plan({**arguments, "console": "true", "console_port": str(port)})
    with contextlib.ExitStack() as stack:
        for entry in plan.nodes:
            name = entry.executable
            if name in without:
                continue
            given = {**entry.parameters, **more.get(name, {})}
            values = {key.replace(".", "__"): _word(value) for key, value in given.items()}
            simple = stub_models.__file__ if name in ("transcriber", "locator") else ""
            stack.enter_context(node_process(free_domain(), name, script=simple, **values))
        yield f"http://127.0.0.1:{port}"


def _word(value: object) -> object:
    """As it is written on a command line."""
    return str(value).lower() if isinstance(value, bool) else value


def active(page: Conversation) -> set[str]:
    """The stages that the page shows as active."""
    stages = page.sections.get("stages", [])
    return {each["stage"] for each in stages if each["state"] == "active"}


def test_a_replayed_recording_is_shown_turn_by_turn(tmp_path: Path) -> None:
    bag = tape.make(tmp_path / "bag", [tape.Turn(1)])
    command, _ = stub_models.spoken()[1]
    with (
        launched({}, source="recording", use_sim_time="true") as url,
        Conversation(url, patience=60.0) as page,
        node_process(free_domain(), "player", bag=bag, rate=1.0, wait=60.0, end_delay=1.0),
    ):
        assert page.until(lambda: page.frames and page.turn.get("final"))
        said = page.turn["final"]
        assert command.text.endswith(said) and command.target in said
        assert page.until(lambda: page.header["boxes"]), (
            "what was found is shown while it is in view"
        )
        assert page.header["size"] == [320, 240]
        assert page.until(page.ended("heard"))
        (entry,) = page.log
        wanted = (command.heading, command.tool, command.target)
        assert (entry["heading"], entry["tool"], entry["target"]) == wanted
        assert entry["turn"]["ended"]["outcome"] == "AIMED"
        assert entry["picture"] and entry["turn"]["found"]["status"] == "FOUND"
        assert page.turret["goal"]["heading"] == pytest.approx(float(command.heading), abs=40.0)


def test_an_emulated_robot_is_shown_and_commanded() -> None:
    from test_nodes_act import Background

    from turret_ai.act.robomaster.emulator import Emulator
    from turret_ai.act.robomaster.emulator_settings import EmulatorSettings
    from turret_ai.act.robomaster.wire import Ports

    base = free_port() - 1
    settings = EmulatorSettings(time_scale=3.0, width=320, height=180, fps=10)
    emulator = Emulator(settings, ports=Ports.from_base(base))

    async def run() -> None:
        async with emulator:
            await asyncio.sleep(170)

    background = Background(run)
    robot = {"base_port": base}
    try:
        with (
            launched({"robomaster": robot}, source="robomaster", robot="127.0.0.1") as url,
            Conversation(url, patience=60.0) as page,
        ):
            wanted = {"transcriber", "commander", "locator", "controller", "robomaster"}
            assert page.until(lambda: wanted <= active(page) and page.turret.get("connected"))
            assert page.until(lambda: page.frames >= 3)
            assert page.header["size"] == [320, 180]
            page.say(
                type="say", text="Heading is zero four five, tool is EMP, target is red drone."
            )
            # Not "SLEWING": at thrice the speed a busy machine may show nothing of the slew.
            north_east = pytest.approx(45.0, abs=0.5)
            assert page.until(lambda: (page.turret["goal"] or {}).get("heading") == north_east)
            assert page.until(lambda: page.turn.get("command"))  # the heading is acted on earlier
            fields = page.turn["command"]["fields"]
            assert [fields[name]["value"] for name in ("heading", "tool", "target")] == [
                "045",
                "EMP",
                "red drone",
            ]
            assert page.until(page.ended("typed"))
            (entry,) = page.log
            steps = [each["name"] for each in entry["turn"]["steps"]]
            assert "SEARCHING" in steps, "the robot's gimbal has arrived"
            assert entry["turn"]["found"] is not None
            page.say(type="stop")
            assert page.until(page.ended("stop"))
    finally:
        background.stop()
