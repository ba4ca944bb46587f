# SPDX-License-Identifier: Apache-2.0
"""One page's conversation: who it is, what it asks for, what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from turret_ai.console import requests
from turret_ai.console.operator import Operator
from turret_ai.console.settings import ConsoleSettings
from turret_ai.console.speech import Talk
from turret_ai.console.token import Token
from turret_ai.console.viewers import StalledError, Viewer, Viewers
from turret_ai.errors import InputError, TurretError
from turret_ai.waiting import cancel, within

UNKNOWN, STALLED, FULL, RUDE = 4401, 4408, 4429, 4400
"""Codes with which a connection is closed: no token, no acknowledgements, no room, nonsense."""
_HELLO_S = 5.0
_WRONG_TOKEN_S = 1.0
"""Seconds that a wrong token costs."""
_STRANGERS = 8
"""Connections that may be without a token at the same time."""
_PER_SECOND, _BURST = 150.0, 300.0
"""Requests of one page; a talk has 25 a second, and each picture is acknowledged."""
_FAULTS = 20
"""Requests that were refused until a page is sent away."""
_CLOSE_S = 1.0


@dataclass(slots=True)
class House:
    """What all sessions share. talk: who speaks now."""

    settings: ConsoleSettings
    operator: Operator
    viewers: Viewers
    token: Token | None
    refresh: Callable[[], None]
    """Makes sure that what is shown is up to date, for a page that comes."""
    strangers: int = 0
    talk: Talk | None = None
    talker: Session | None = None


@dataclass(slots=True)
class _Allowance:
    """A bucket that fills again with time."""

    left: float = _BURST
    since: float = field(default_factory=time.monotonic)

    def spend(self) -> bool:
        """False: too many."""
        now = time.monotonic()
        self.left = min(_BURST, self.left + (now - self.since) * _PER_SECOND) - 1.0
        self.since = now
        return self.left >= 0.0


class Session:
    """One WebSocket, from hello to the end."""

    def __init__(self, socket: WebSocket, house: House) -> None:
        self._socket, self._house = socket, house
        self._viewer = Viewer(self._send)
        self._allowance = _Allowance()
        self._faults = 0
        self._waiting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until the page goes away, stalls or is sent away."""
        house = self._house
        if house.strangers >= _STRANGERS:
            await self._socket.close(1013)
            return
        await self._socket.accept()
        house.strangers += 1
        try:
            known = await self._is_known()
        finally:
            house.strangers -= 1
        if not known:
            await self._close(UNKNOWN)
            return
        if house.viewers.full:
            await self._close(FULL)
            return
        code = await self._converse()
        if code:
            await self._close(code)

    async def _is_known(self) -> bool:
        """Whether the first word holds the token, where one is demanded."""
        try:
            text = await within(self._socket.receive_text(), _HELLO_S)
            hello = requests.parse(text)
        except (TimeoutError, WebSocketDisconnect, KeyError, InputError):
            return False
        token = self._house.token
        if not isinstance(hello, requests.Hello):
            return False
        if token is not None and not token.matches(hello.token):
            await asyncio.sleep(_WRONG_TOKEN_S)
            return False
        return True

    async def _converse(self) -> int:
        """The code with which to close, 0 where the page is gone."""
        house = self._house
        house.refresh()
        with house.viewers.joined(self._viewer):
            tasks = [
                asyncio.ensure_future(house.viewers.feed(self._viewer)),
                asyncio.ensure_future(self._listen()),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in [*tasks, self._waiting]:
                    if task is not None:
                        task.cancel()
                self._release()
        ended = next((task for task in tasks if task.done() and not task.cancelled()), None)
        error = ended.exception() if ended is not None else None
        await cancel(tasks)
        if isinstance(error, StalledError):
            return STALLED
        if isinstance(error, InputError):
            return RUDE
        if error is not None and not isinstance(error, (WebSocketDisconnect, OSError)):
            raise error
        return 0

    async def _listen(self) -> None:
        """Raises InputError for a page that only talks nonsense, or too much."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code") or 1005)
            if not self._allowance.spend():
                raise InputError("too many requests")
            try:
                if message.get("bytes") is not None:
                    self._on_audio(message["bytes"])
                else:
                    self._on_request(requests.parse(message.get("text") or ""))
            except TurretError as error:
                if isinstance(error, InputError):
                    self._faults += 1
                self._tell("problem", text=str(error))
                if self._faults > _FAULTS:
                    raise InputError("too many requests that can't be used") from error

    def _on_request(self, request: requests.AnyRequest) -> None:
        operator = self._house.operator
        match request:
            case requests.Acknowledge():
                self._viewer.acknowledge(request.count)
            case requests.AskTime():
                self._tell("time", sent=request.sent, server=time.time() * 1e3)
            case requests.Look():
                self._viewer.wants_frames = request.frames
                self._viewer.wake.set()
            case requests.Stop():
                self._stop()
            case requests.Talk():
                self._press(request.rate)
            case requests.TalkEnd():
                self._release()
            case requests.Say():
                operator.say(request.text)
                self._tell("done", what="say", text="sent")
            case requests.Pick():
                operator.pick(request.search, request.candidate)
                self._tell("done", what="pick", text="aiming at the chosen candidate")
            case requests.Arm():
                self._wait_for("arm", lambda: operator.arm(request.armed))
            case requests.Reset():
                self._wait_for("reset", operator.reset_stages)
            case requests.Hello():
                raise InputError("hello was said already")

    # -- acts ------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """At once, whatever else waits."""
        house = self._house
        talk, house.talk = house.talk, None
        talker, house.talker = house.talker, None
        talks = [(talk.utterance_id, talk.stamp_ns)] if talk is not None and talk.stamp_ns else []
        house.operator.stop(talks)
        if talk is not None:
            house.operator.hear(talk.utterance_id, talk.end())
        if talker is not None:
            talker._tell("talk", on=False, text="stopped")
        self._tell("done", what="stop", text="stop was sent")

    def _press(self, rate: int) -> None:
        house = self._house
        if house.talker is self:
            return
        if house.talker is not None:
            self._tell("talk", on=False, text="somebody else speaks")
            return
        operator = house.operator
        utterance_id = operator.new_id("talk")
        house.talk = Talk(utterance_id, rate, operator.audio_format(), house.settings.longest_talk)
        house.talker = self
        self._tell("talk", on=True, text="")

    def _on_audio(self, data: bytes) -> None:
        house = self._house
        talk = house.talk
        if talk is None or house.talker is not self:
            return  # what was on its way when the talk was ended here
        try:
            chunks = talk.feed(data, house.operator.now_ns())
        except InputError:
            self._release()
            raise
        house.operator.hear(talk.utterance_id, chunks)
        if talk.ended:
            house.talk = house.talker = None
            self._tell("talk", on=False, text="that was long enough")

    def _release(self) -> None:
        house = self._house
        talk = house.talk
        if talk is None or house.talker is not self:
            return
        house.talk = house.talker = None
        house.operator.hear(talk.utterance_id, talk.end())
        self._tell("talk", on=False, text="")

    def _wait_for(self, what: str, work: Callable[[], str]) -> None:
        """Do what takes time beside the conversation: STOP must not wait for it."""
        if self._waiting is not None and not self._waiting.done():
            self._tell("problem", text="the request before is still under way")
            return

        async def wait() -> None:
            try:
                text = await asyncio.to_thread(work)
                self._tell("done", what=what, text=text)
            except TurretError as error:
                self._tell("problem", text=str(error))

        self._waiting = asyncio.ensure_future(wait())

    # -- the socket ------------------------------------------------------------------------------

    def _tell(self, kind: str, **words: Any) -> None:
        self._viewer.tell({"type": kind, **words})

    async def _send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self._socket.send_text(message)
        else:
            await self._socket.send_bytes(message)

    async def _close(self, code: int) -> None:
        with contextlib.suppress(Exception):
            await within(self._socket.close(code), _CLOSE_S)
