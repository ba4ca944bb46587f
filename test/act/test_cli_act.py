# SPDX-License-Identifier: Apache-2.0
"""The commands of this room: what a user sees when something is wrong, and the whole way once."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sockets import free_port

from turret_ai.act.competition import cases
from turret_ai.act.competition.played import Played, ServerSettings
from turret_ai.act.competition.server import CompetitionServer
from turret_ai.cli.app import main

sys.path.append(str(Path(__file__).resolve().parents[1] / "console"))
from conversation import Conversation

TIL24 = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "til24"


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    return last


def test_compete_refuses_an_address_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    text = error_of(capsys, "compete", "--server", "ftp://x", "--team", "t")
    assert "ws://HOST:8000" in text


def test_compete_refuses_unknown_arguments_of_the_graph(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("compete", "--server", "ws://127.0.0.1:9", "--team", "t", "colour:=red")
    assert "no argument colour" in error_of(capsys, *words)


def test_the_server_names_scenes_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    text = error_of(capsys, "competition-server", "--scenes", "atlantis")
    assert "atlantis" in text and "airfield" in text


def test_the_server_says_when_a_folder_holds_no_scenes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "no scenes in" in error_of(capsys, "competition-server", "--scenes", str(tmp_path))


def test_serve_names_the_services_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastapi")
    assert "stt, extract, cannon, identify" in error_of(capsys, "serve", "laundry")


def test_the_emulator_says_that_its_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        base = str(taken.getsockname()[1] - 3)
        assert "can't listen" in error_of(capsys, "robomaster-emulator", "--base-port", base)


def test_shipped_scenes_can_be_played_as_wav_files() -> None:
    found, left_out = cases.load(["airfield"])
    assert len(found) == 4
    assert not left_out
    assert all(each.audio[:4] == b"RIFF" for each in found)


@pytest.mark.skipif(not TIL24.is_dir(), reason="needs ../shared/data/til24")
def test_the_truth_of_the_kit_s_scenes_is_right_at_350_and_at_185() -> None:
    from turret_ai.aim.camera import aim_at
    from turret_ai.units import heading_to_yaw, pitch_to_elevation_deg, yaw_to_heading

    found, _ = cases.load([TIL24])
    expected = {
        "scene_0/0": ([556, 277, 99, 44], 334.7, 26.5),
        "scene_2/0": ([759, 291, 84, 32], 189.1, 26.6),
    }
    for each in (case for case in found if case.name in expected):
        box, azimuth, elevation = expected[each.name]
        yaw = heading_to_yaw(float(each.heading))
        true = each.true_box(yaw)
        assert true is not None
        assert true.as_list() == pytest.approx(box, abs=1.0)
        aim = aim_at(true, cases.camera(), yaw, cases.CAMERA_PITCH)
        assert yaw_to_heading(aim[0]) == pytest.approx(azimuth, abs=0.1)
        assert pitch_to_elevation_deg(aim[1]) == pytest.approx(elevation, abs=0.1)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(importlib.util.find_spec("fastapi") is None, reason="needs the extra console")
def test_compete_answers_every_turn_of_a_scene_and_shows_it_on_the_console() -> None:
    found, _ = cases.load([TIL24, "airfield"] if TIL24.is_dir() else ["airfield"])
    port = free_port()

    def look() -> Conversation:
        """A page, until every turn is logged on it."""
        with Conversation(f"http://127.0.0.1:{port}", patience=120.0) as page:
            assert page.until(lambda: len(page.log) >= len(found), 300.0)
        return page

    async def play() -> tuple[list[Played], list[dict[str, object]], Conversation]:
        settings = ServerSettings(port=free_port(), team_timeout=180.0)
        async with CompetitionServer(found, settings) as server:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "turret_ai.cli.app", "compete", "--json"),
                *("--server", server.address, "--team", "slow test"),
                *("console:=true", f"console_port:={port}"),
                env={
                    **os.environ,
                    "ROS_DOMAIN_ID": str(10 + os.getpid() % 90),
                    "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
                },
                stdout=subprocess.PIPE,
            )
            looking = asyncio.ensure_future(asyncio.to_thread(look))
            try:
                played = await server.play()
                out, _ = await asyncio.wait_for(process.communicate(), 30.0)
            finally:
                if process.returncode is None:
                    process.kill()
        assert process.returncode == 0
        return played, [json.loads(line) for line in out.decode().splitlines()], await looking

    played, turns, page = asyncio.run(play())
    assert all(each.answer is not None for each in played)
    assert len(turns) == len(found)
    assert all(turn["end"] is not None for turn in turns)
    assert page.frames >= len(found) // 2, "pictures are dropped rather than queued"
    for entry, turn in zip(page.log, played, strict=True):
        assert entry["text"] and entry["turn"]["final"] == entry["text"]
        answer = turn.answer
        assert answer is not None and entry["text"] == answer["asr"]
        if entry["turn"]["found"] is not None:
            assert entry["picture"], "the picture that was searched"
    outcomes = [entry["turn"]["ended"]["outcome"] for entry in page.log]
    assert 2 * outcomes.count("AIMED") >= len(outcomes)  # a busy machine loses some


LATE_EARS = """
import sys, time
time.sleep(20.0)  # as long as a large model takes to load
from turret_ai.nodes.main import main
sys.exit(main(["transcriber"]))
"""


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_compete_answers_every_turn_of_a_hurried_server_with_a_slow_page(tmp_path: Path) -> None:
    """It comes late, sends with the connection, drops, repeats; a picture takes it 8 s."""
    found, _ = cases.load(["airfield"])
    port = free_port()
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(10 + os.getpid() % 90),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }

    async def play() -> tuple[list[Played], list[dict[str, Any]]]:
        ears = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LATE_EARS, env=environment
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "turret_ai.cli.app", "compete", "--json"),
            *("--server", f"ws://127.0.0.1:{port}", "--team", "slow page", "--deadline", "25"),
            *("--output", str(tmp_path), "without:=transcriber"),
            env=environment,
            stdout=subprocess.PIPE,
        )
        await asyncio.sleep(8.0)
        settings = ServerSettings(port=port, team_timeout=200.0)
        try:
            async with CompetitionServer(found, settings) as server:
                server.faults.hurried = True
                server.faults.snapshot_seconds = 8.0
                server.faults.hang_ups = 1
                server.faults.robot_hang_ups = 1
                server.faults.repeats = 2
                played = await server.play()
                out, _ = await asyncio.wait_for(process.communicate(), 60.0)
        finally:
            for each in (process, ears):
                if each.returncode is None:
                    each.kill()
        assert process.returncode == 0
        return played, [json.loads(line) for line in out.decode().splitlines()]

    played, turns = asyncio.run(play())
    assert all(each.answer is not None for each in played)
    assert all(each.answer["asr"] for each in played)  # type: ignore[index]
    answered = [turn for turn in turns if turn["end"] in ("answered", "not found")]
    assert len(answered) >= len(found)
    assert all(turn["seconds"]["snapshot"] > 7.5 for turn in answered)
    assert all(turn["end"] != "no snapshot" for turn in turns)
    assert (tmp_path / "report.html").read_text().count("<figure>") >= len(found)
