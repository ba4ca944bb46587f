# SPDX-License-Identifier: Apache-2.0
"""Our client against our server, over sockets, with a chain that answers by heart."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from sockets import free_port, until
from test_competition_turns import audio
from websockets.asyncio.server import ServerConnection, serve

from turret_ai.act.competition.actions import TurnSettings
from turret_ai.act.competition.cases import Case
from turret_ai.act.competition.client import Client
from turret_ai.act.competition.played import Played, ServerSettings
from turret_ai.act.competition.report import TurnEnd, TurnReport
from turret_ai.act.competition.server import CompetitionServer
from turret_ai.act.competition.settings import ClientSettings
from turret_ai.aim.camera import Camera
from turret_ai.errors import PeerError
from turret_ai.types import Box, ImageArray, LocationStatus
from turret_ai.units import heading_to_yaw

WIDTH, HEIGHT = 160, 92


def view(yaw: float) -> ImageArray:
    """A picture whose colour tells the yaw."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = round((math.cos(yaw) + 1) * 120)
    image[..., 1] = round((math.sin(yaw) + 1) * 120)
    return image


def case(number: int, heading: str) -> Case:
    box = Box(20 + number, 30, 40, 20)
    return Case(f"case{number}", audio(number), heading, "EMP", "red drone", view, lambda _: box)


CASES = [case(0, "360"), case(1, "180"), case(2, "185"), case(3, "175"), case(4, "090")]


@dataclass
class Chain:
    """Knows the cases by heart; stands for recogniser, commander, turret and locator."""

    cases: list[Case]
    deaf: bool = False
    pictures: list[tuple[ImageArray, Camera]] = field(default_factory=list)
    reports: list[TurnReport] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    client: Client = field(init=False)
    done: bool = False
    heading: str = "360"
    current: str = ""
    heard: list[str] = field(default_factory=list)

    def on_utterance(self, utterance_id: str, samples: np.ndarray, rate: int, at: float) -> None:
        assert rate == 16_000
        self.heard.append(utterance_id)
        if self.deaf:
            return
        (known,) = [c for c in self.cases if c.audio[44:] == samples.astype("<i2").tobytes()]
        self.current = utterance_id
        self.heading = known.heading
        self.box = known.true_box(0.0)
        asyncio.get_running_loop().call_later(0.01, self._go_on, utterance_id, known)

    def _go_on(self, utterance_id: str, known: Case) -> None:
        self.client.heard(utterance_id, "words")
        self.client.understood(utterance_id, known.heading, known.tool, known.target)
        self.client.yaw = heading_to_yaw(float(known.heading))
        self.client.searching(utterance_id)

    def on_snapshot(self, image: ImageArray, camera: Camera, at: float) -> None:
        self.pictures.append((image, camera))
        want = view(heading_to_yaw(float(self.heading)))
        assert np.abs(image.astype(int) - want).max() < 12, "a picture of another direction"
        self.client.located(self.current, LocationStatus.FOUND, self.box, "")
        self.client.engaged(self.current, "", (0.0, -0.3))

    def on_report(self, report: TurnReport) -> None:
        self.reports.append(report)

    def on_done(self) -> None:
        self.done = True

    def on_event(self, level: str, text: str) -> None:
        self.events.append(text)


def client_settings(server: str, **changes: object) -> ClientSettings:
    base: dict[str, object] = {
        "server": server,
        "team": "a team/1",
        "snapshot_timeout": 0.5,
        "retry_limit": 0.05,
        "turns": TurnSettings(deadline=5.0, grace=0.2),
    }
    return ClientSettings(**{**base, **changes})  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def playing(client: Client) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def match(
    fault: dict[str, object] | None = None,
    chain: Chain | None = None,
    meanwhile: Callable[[CompetitionServer], Coroutine[Any, Any, None]] | None = None,
    **changes: object,
) -> tuple[list[Played], Chain]:
    """A whole run with the cases."""
    chain = chain or Chain(CASES)

    async def story() -> list[Played]:
        settings = ServerSettings(port=0, pause=0.02, answer_timeout=6.0, team_timeout=5.0)
        async with CompetitionServer(chain.cases, settings) as server:
            for name, value in (fault or {}).items():
                setattr(server.faults, name, value)
            chain.client = Client(client_settings(server.address, **changes), chain)
            chain.client.yaw = 0.0
            async with playing(chain.client):
                task = asyncio.create_task(meanwhile(server)) if meanwhile else None
                played = await server.play()
                if task is not None:
                    await task
                assert await until(lambda: chain.done)
                assert await until(lambda: len(chain.reports) >= len(chain.cases))
                return played

    return asyncio.run(story()), chain


def test_all_turns_are_answered_and_score_full_marks() -> None:
    played, chain = match()
    assert [p.result.nlp for p in played] == [1.0] * 5
    assert [p.result.vlm for p in played] == [1.0] * 5
    assert all(p.result.score > 0.98 for p in played)
    assert [r.end for r in chain.reports] == [TurnEnd.ANSWERED] * 5
    assert all(not p.problems for p in played)
    assert chain.client.health_checks == 5


def test_panning_is_bounded_by_the_shortest_way_also_across_south() -> None:
    played, _ = match()
    seconds = [p.pan_seconds for p in played]
    assert seconds == pytest.approx([0.0, 3.0, 5 / 60, 10 / 60, 85 / 60], abs=0.01)


def test_camera_info_has_the_true_field_of_view_and_the_image_s_real_size() -> None:
    _, chain = match()
    camera = chain.pictures[0][1]
    assert (camera.width, camera.height) == (WIDTH, HEIGHT)
    assert camera.fy == pytest.approx(HEIGHT / 2 / math.tan(math.radians(35)))


def test_without_a_simulator_page_all_turns_are_answered_without_a_box() -> None:
    chain = Chain(CASES[:2])
    turns = TurnSettings(deadline=1.0, grace=0.2)
    played, _ = match({"no_snapshot": True}, chain, turns=turns, search_time=0.4)
    assert all(0.5 < p.result.seconds < 1.0 for p in played)
    assert [p.result.nlp for p in played] == [1.0, 1.0]
    assert [p.result.vlm for p in played] == [0.0, 0.0]
    assert [r.end for r in chain.reports] == [TurnEnd.NO_SNAPSHOT] * 2
    assert any("is a simulator page connected" in text for text in chain.events)


def test_half_a_snapshot_is_asked_for_again_and_then_reported() -> None:
    chain = Chain(CASES[:1])
    turns = TurnSettings(deadline=1.5, grace=0.2)
    played, _ = match({"broken_snapshot": True}, chain, turns=turns, search_time=0.5)
    assert played[0].result.nlp == 1.0
    assert chain.reports[0].end is TurnEnd.NO_SNAPSHOT
    assert chain.reports[0].problems[0].startswith("the snapshot is")
    assert chain.client.snapshots.questions > 1


def test_a_slow_page_is_waited_for_and_its_late_answers_go_to_no_other_turn() -> None:
    played, chain = match({"snapshot_seconds": 0.8}, Chain(CASES[:4]), snapshot_timeout=0.3)
    assert [p.result.vlm for p in played] == [1.0] * 4
    assert [r.end for r in chain.reports] == [TurnEnd.ANSWERED] * 4
    assert chain.client.snapshots.questions < 9  # known to be slow, it is not asked over and over


def test_a_page_that_comes_late_is_asked_again() -> None:
    async def page_comes(server: CompetitionServer) -> None:
        await asyncio.sleep(1.0)
        server.faults.no_snapshot = False

    played, chain = match({"no_snapshot": True}, Chain(CASES[:1]), meanwhile=page_comes)
    assert played[0].result.vlm == 1.0
    assert chain.client.snapshots.questions > 1


@dataclass
class Clumsy(Chain):
    """Stumbles at one place in its second turn."""

    over: str = ""

    def _stumble(self, place: str) -> None:
        if self.over == place and len(self.heard) == 2:
            raise ZeroDivisionError("clumsy")

    def on_utterance(self, utterance_id: str, samples: np.ndarray, rate: int, at: float) -> None:
        super().on_utterance(utterance_id, samples, rate, at)
        if self.over == "utterance" and len(self.heard) == 2:
            self.current = ""
            raise ZeroDivisionError("clumsy")

    def _go_on(self, utterance_id: str, known: Case) -> None:
        if self.over != "utterance" or len(self.heard) != 2:
            super()._go_on(utterance_id, known)

    def on_snapshot(self, image: ImageArray, camera: Camera, at: float) -> None:
        self._stumble("snapshot")
        super().on_snapshot(image, camera, at)

    def on_report(self, report: TurnReport) -> None:
        super().on_report(report)
        self._stumble("report")


@pytest.mark.parametrize("over", ["utterance", "snapshot", "report"])
def test_a_fault_of_ours_costs_one_turn_at_most_and_is_told(over: str) -> None:
    played, chain = match(None, Clumsy(CASES, over=over))
    assert len(played) == 5
    assert all(p.answer is not None for p in played)
    assert [p.result.vlm for p in played].count(1.0) >= 4
    assert any("ZeroDivisionError" in text for text in chain.events)
    assert chain.client.team.openings == 1
    if over != "report":
        assert chain.reports[1].end is TurnEnd.INCOMPLETE
        assert "ZeroDivisionError" in " ".join(chain.reports[1].problems)


def test_audio_that_comes_with_the_connection_twice_and_over_a_dropping_link_is_answered() -> None:
    fault = {"hurried": True, "repeats": 2, "hang_ups": 2, "robot_hang_ups": 1}
    played, _ = match(fault)
    assert all(p.answer is not None for p in played)
    assert [p.result.nlp for p in played] == [1.0] * 5


def test_two_simulator_pages_do_not_mix_up_the_pictures() -> None:
    played, chain = match({"double_snapshot": True})
    assert all(p.result.score > 0.98 for p in played)
    assert chain.client.snapshots.unasked >= 4


def test_a_link_that_drops_after_the_audio_costs_no_turn() -> None:
    played, chain = match({"hang_ups": 3})
    assert [p.result.score > 0.9 for p in played] == [True] * 5
    assert len(chain.heard) == 5
    assert chain.client.team.openings == 4


def test_a_robot_link_that_drops_at_the_question_costs_no_turn() -> None:
    played, chain = match({"robot_hang_ups": 1}, Chain(CASES[:2]))
    assert [p.result.score > 0.9 for p in played] == [True] * 2
    assert "broke before the snapshot" in " ".join(chain.reports[0].problems)


def test_audio_that_is_none_is_answered_with_nothing() -> None:
    chain = Chain(CASES[:1])
    played, _ = match({"broken_audio": True}, chain)
    assert played[0].answer is not None
    assert played[0].result.seconds < 1.0
    assert chain.reports[0].end is TurnEnd.BAD_AUDIO


def test_a_chain_that_says_nothing_is_answered_for_at_the_deadline() -> None:
    chain = Chain(CASES[:1], deaf=True)
    played, _ = match(None, chain, turns=TurnSettings(deadline=0.4, grace=0.1))
    assert played[0].result.seconds == pytest.approx(0.4, abs=0.4)
    assert chain.reports[0].end is TurnEnd.DEADLINE


async def test_a_server_without_a_team_says_so() -> None:
    settings = ServerSettings(port=0, team_timeout=0.1)
    async with CompetitionServer(CASES, settings) as server:
        with pytest.raises(PeerError, match="no team"):
            await server.play()


async def test_updates_come_twenty_times_a_second() -> None:
    settings = ServerSettings(port=0)
    times: list[float] = []

    async def robot(socket: ServerConnection) -> None:
        assert socket.request is not None
        async for _ in socket:
            if socket.request.path.startswith("/ws_auto"):
                times.append(time.monotonic())

    async with serve(robot, "127.0.0.1", settings.port) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        chain = Chain([])
        chain.client = Client(client_settings(f"ws://127.0.0.1:{port}"), chain)
        chain.client.yaw = 1.0
        async with playing(chain.client):
            assert await until(lambda: len(times) > 20)
    assert np.median(np.diff(times)) == pytest.approx(0.05, abs=0.03)


async def test_a_server_gone_in_mid_frame_is_reached_again_after_every_byte() -> None:
    """The first bytes of a frame, then nothing: at each length, for audio and for JSON."""
    payload = audio(1)[:48]
    binary = b"\x82" + bytes([len(payload)]) + payload
    text = b'\x81\x11{"status":"done"}'
    cuts = [frame[:length] for frame in (binary, text) for length in range(len(frame))]

    left = list(cuts)
    finished = asyncio.Event()

    async def gone(socket: ServerConnection) -> None:
        assert socket.request is not None
        if socket.request.path.startswith("/ws_auto"):
            await socket.wait_closed()
            return
        if left:
            socket.transport.write(left.pop())
            await asyncio.sleep(0.002)
            socket.transport.abort()
            return
        await socket.send('{"status":"ready"}')
        assert await socket.recv() == '{"health":"ok"}'
        finished.set()

    async with serve(gone, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        chain = Chain([])
        settings = client_settings(f"ws://127.0.0.1:{port}", retry_limit=0.001)
        chain.client = Client(settings, chain)
        async with playing(chain.client):
            await asyncio.wait_for(finished.wait(), 20.0)
        assert not chain.heard
        assert not chain.done


async def test_a_server_that_comes_late_is_found() -> None:
    port = free_port()
    chain = Chain(CASES[:1])
    chain.client = Client(client_settings(f"ws://127.0.0.1:{port}"), chain)
    async with playing(chain.client):
        await asyncio.sleep(0.2)
        assert any("no connection" in text for text in chain.events)
        settings = ServerSettings(port=port, answer_timeout=5.0)
        async with CompetitionServer(chain.cases, settings) as server:
            played = await server.play()
    assert played[0].result.score > 0.9


def test_a_frame_that_is_too_large_breaks_only_its_connection() -> None:
    async def story() -> None:
        openings = 0

        async def flood(socket: ServerConnection) -> None:
            nonlocal openings
            openings += 1
            with contextlib.suppress(Exception):
                await socket.send(b"x" * (2**24 + 1))
            await socket.wait_closed()

        async with serve(flood, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            chain = Chain([])
            chain.client = Client(client_settings(f"ws://127.0.0.1:{port}"), chain)
            async with playing(chain.client):
                assert await until(lambda: openings >= 4)
            assert not chain.heard

    asyncio.run(story())
