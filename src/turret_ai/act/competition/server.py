# SPDX-License-Identifier: Apache-2.0
"""Our own finals server, for tests and training: both sockets, pictures, the score of each turn.

The rules follow the competition's: the clock of a turn runs from the audio sent to the answer
received; the true box is the one in the picture that the team was given.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote

from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from turret_ai.act.competition import wire
from turret_ai.act.competition.cases import Case
from turret_ai.act.competition.played import Faults, Played, ServerSettings
from turret_ai.errors import InputError, PeerError
from turret_ai.prove.turns import score_turn
from turret_ai.see import images
from turret_ai.units import heading_to_yaw, wrap
from turret_ai.waiting import within


@dataclass(slots=True)
class _Team:
    """One team's two sockets and what came over them."""

    name: str
    socket: ServerConnection | None = None
    robot: ServerConnection | None = None
    links: int = 0
    yaw: float = 0.0
    seen_yaw: float | None = None
    """Yaw of the last snapshot of this turn."""
    texts: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class CompetitionServer:
    """Use as an asynchronous context manager, then `play`.

    Args:
        cases: the turns, in order.
        on_turn: told of each turn that is over.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        settings: ServerSettings | None = None,
        on_turn: Callable[[Played], None] | None = None,
    ) -> None:
        self.settings = settings or ServerSettings()
        self.faults = Faults()
        self.team: _Team | None = None
        self._cases = list(cases)
        self._case: Case | None = None
        self._on_turn = on_turn
        self._server: SocketServer | None = None
        self._arrived = asyncio.Event()
        self._rendering = asyncio.Lock()
        self._pages: set[asyncio.Task[None]] = set()
        self._problems: list[str] = []

    async def __aenter__(self) -> CompetitionServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen.

        Raises:
            PeerError: the port is taken.
        """
        s = self.settings
        try:
            self._server = await serve(
                self._on_connection,
                s.host,
                s.port,
                process_request=_only_known_paths,
                max_size=wire.MAX_FRAME,
                compression=None,
            )
        except OSError as error:
            raise PeerError(f"can't listen on {s.host}:{s.port} ({error})") from error

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(TimeoutError):
                await within(self._server.wait_closed(), 2.0)
            self._server = None

    @property
    def address(self) -> str:
        """For `--server`."""
        assert self._server is not None
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return f"ws://{host}:{port}"

    async def play(self) -> list[Played]:
        """Wait for a team, run every case with it, and end with `done`.

        Raises:
            PeerError: no team came in time.
        """
        try:
            await within(self._arrived.wait(), self.settings.team_timeout)
        except TimeoutError as error:
            text = f"no team connected in {self.settings.team_timeout:g} s"
            raise PeerError(text) from error
        team = self.team
        assert team is not None
        played = []
        for number, case in enumerate(self._cases):
            if number:
                await asyncio.sleep(self.settings.pause)
            played.append(await self._turn(team, case))
            if self._on_turn is not None:
                self._on_turn(played[-1])
        await self._send(team, wire.DONE)
        return played

    # -- one turn --------------------------------------------------------------------------------

    async def _turn(self, team: _Team, case: Case) -> Played:
        self._case, self._problems = case, []
        team.seen_yaw = None
        if not self.faults.hurried:
            await self._check_health(team)
        heading_yaw = heading_to_yaw(float(case.heading))
        await asyncio.to_thread(case.true_box, heading_yaw)  # loads the world before the clock runs
        pan = abs(wrap(heading_yaw - team.yaw)) / self.settings.pan_speed
        audio = b"RIFF no audio at all" if self.faults.broken_audio else case.audio
        began = time.monotonic()
        answer = await self._ask(team, audio, began)
        seconds = time.monotonic() - began
        seen = heading_yaw if team.seen_yaw is None else team.seen_yaw
        box = await asyncio.to_thread(case.true_box, seen)
        truth = {
            "heading": case.heading,
            "tool": case.tool,
            "target": case.target,
            "vlm": [round(v, 1) for v in box.as_list()] if box else [0, 0, 0, 0],
        }
        if box is None:
            self._problems.append("the target was outside of the picture")
        given = None
        if answer is not None:
            given = {
                "asr": answer.transcript,
                "heading": answer.heading,
                "tool": answer.tool,
                "target": answer.target,
                "vlm": answer.box.as_list() if answer.box else None,
                "seconds": seconds,
            }
        result = score_turn(case.name, given, truth, case.name)
        return Played(case.name, result, given, truth, pan, tuple(self._problems))

    async def _ask(self, team: _Team, audio: bytes, began: float) -> wire.Answer | None:
        """Send the audio, again after each reconnection, until an answer or the end of time."""
        end = began + self.settings.answer_timeout
        asked = -1
        owed = 1  # answers: one for each time that the audio was sent over this link
        while (left := end - time.monotonic()) > 0:
            if team.socket is not None and asked != team.links:
                if asked >= 0:
                    self._problems.append("the team reconnected and was asked again")
                asked, owed = team.links, 1
                sent = await self._send(team, audio)
                if sent and self.faults.repeats > 0:
                    self.faults.repeats -= 1
                    owed += await self._send(team, audio)
                if sent and self.faults.hang_ups > 0:
                    self.faults.hang_ups -= 1
                    transport = team.socket.transport if team.socket else None
                    if transport is not None:
                        transport.abort()
            text = await self._next_text(team, left)
            if text is None or wire.is_health(text):
                continue
            try:
                answer = wire.parse_answer(text)
            except InputError as error:
                self._problems.append(str(error))
                continue
            owed -= 1
            if not owed:
                return answer
        self._problems.append(f"no answer came in {self.settings.answer_timeout:g} s")
        return None

    async def _next_text(self, team: _Team, seconds: float) -> str | None:
        """The next text of the team; None when the link changed or the time is over."""
        team.changed.clear()
        get = asyncio.ensure_future(team.texts.get())
        change = asyncio.ensure_future(team.changed.wait())
        done, pending = await asyncio.wait(
            {get, change}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        return get.result() if get in done else None

    async def _check_health(self, team: _Team) -> None:
        """Ask for health and throw away whatever else still comes from the turn before."""
        end = time.monotonic() + 5.0
        asked = -1
        while (left := end - time.monotonic()) > 0:
            if team.socket is not None and asked != team.links:
                asked = team.links
                await self._send(team, '{"status":"ready"}')
            text = await self._next_text(team, left)
            if text is not None and wire.is_health(text):
                return
            if text is not None:
                self._problems.append("an answer came that nobody had asked for")
        self._problems.append("the health check was not answered")

    async def _send(self, team: _Team, message: str | bytes) -> bool:
        socket = team.socket
        if socket is None:
            return False
        try:
            await within(socket.send(message), 10.0)
        except (ConnectionClosed, OSError):
            return False
        return True

    # -- connections -----------------------------------------------------------------------------

    async def _on_connection(self, socket: ServerConnection) -> None:
        path = socket.request.path if socket.request else ""
        kind, _, name = path.strip("/").partition("/")
        team = self.team
        if team is None or team.name != unquote(name):
            if team is not None and (team.socket or team.robot):
                await socket.close(1008, "another team is playing")
                return
            team = self.team = _Team(unquote(name))
        try:
            if kind == "ws":
                await self._serve_team(team, socket)
            else:
                await self._serve_robot(team, socket)
        except ConnectionClosed:
            return

    async def _serve_team(self, team: _Team, socket: ServerConnection) -> None:
        team.socket = socket
        team.links += 1
        team.changed.set()
        self._arrived.set()
        try:
            async for message in socket:
                if isinstance(message, str):
                    team.texts.put_nowait(message)
        finally:
            if team.socket is socket:
                team.socket = None
                team.changed.set()

    async def _serve_robot(self, team: _Team, socket: ServerConnection) -> None:
        team.robot = socket
        try:
            async for message in socket:
                if not isinstance(message, str):
                    continue
                try:
                    request = wire.parse_robot(message)
                except InputError as error:
                    self._problems.append(str(error))
                    continue
                if isinstance(request, wire.Update):
                    team.yaw = request.yaw
                else:
                    page = asyncio.create_task(self._snapshot(team, socket))
                    self._pages.add(page)
                    page.add_done_callback(self._pages.discard)
        finally:
            if team.robot is socket:
                team.robot = None

    async def _snapshot(self, team: _Team, socket: ServerConnection) -> None:
        case, yaw = self._case, team.yaw
        if case is None or self.faults.no_snapshot:
            return
        if self.faults.robot_hang_ups > 0:
            self.faults.robot_hang_ups -= 1
            socket.transport.abort()
            return
        async with self._rendering:
            await asyncio.sleep(self.faults.snapshot_seconds)
            data = await asyncio.to_thread(self._picture, case, yaw)
        if case is self._case:
            team.seen_yaw = yaw
        if self.faults.broken_snapshot:
            data = data[: len(data) // 2]
        with contextlib.suppress(ConnectionClosed):
            await socket.send(data)
            if self.faults.double_snapshot:
                await socket.send(data)

    def _picture(self, case: Case, yaw: float) -> bytes:
        return images.encode(case.view(yaw), ".jpg", self.settings.jpeg_quality)


def _only_known_paths(connection: ServerConnection, request: Request) -> Response | None:
    kind, _, name = request.path.strip("/").partition("/")
    if kind in ("ws", "ws_auto") and name:
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, "use /ws/TEAM or /ws_auto/TEAM\n")
