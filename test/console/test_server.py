# SPDX-License-Identifier: Apache-2.0
"""The server over real sockets: who gets in, what reaches the graph, and what does not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from turret_ai.console.gate import HEADERS
from turret_ai.console.server import ConsoleServer
from turret_ai.console.session import FULL, RUDE, STALLED, UNKNOWN
from turret_ai.console.settings import ConsoleSettings
from turret_ai.console.speech import Chunk, Format
from turret_ai.console.token import Token
from turret_ai.console.viewers import pack
from turret_ai.errors import InputError, PeerError

SECRET = "a secret of 26 letters, say"


class Recorder:
    """An operator that notes what it was asked for."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.answer = threading.Event()
        self.chunks: list[Chunk] = []

    def now_ns(self) -> int:
        return time.time_ns()

    def new_id(self, kind: str) -> str:
        return f"console_{kind}_1"

    def audio_format(self) -> Format:
        return Format()

    def hear(self, utterance_id: str, chunks: Sequence[Chunk]) -> None:
        self.chunks += chunks

    def say(self, text: str) -> None:
        self.done.append(("say", text))

    def pick(self, search: int, candidate: int) -> None:
        if candidate:
            raise InputError("that candidate is of an earlier search")
        self.done.append(("pick", search))

    def stop(self, talks: Sequence[tuple[str, int]]) -> None:
        self.done.append(("stop", [name for name, _ in talks]))

    def arm(self, armed: bool) -> str:
        self.answer.wait(10.0)
        if not armed:
            raise PeerError("the controller does not answer")
        self.done.append(("arm", armed))
        return "armed"

    def reset_stages(self) -> str:
        self.done.append("reset")
        return "every stage was reset"


class Sections:
    """What is shown: a number that only grows."""

    def __init__(self) -> None:
        self.number = 1

    def changes(self) -> Mapping[str, str]:
        return self.everything()

    def everything(self) -> Mapping[str, str]:
        number = self.number
        time.sleep(0.002)  # as long as much JSON takes
        return {"turn": f'{{"id":"u{number}"}}'}


@contextlib.contextmanager
def serving(
    token: Token | None = None, shown: Sections | None = None, **settings: object
) -> Iterator[tuple[ConsoleServer, Recorder]]:
    recorder = Recorder()
    made = ConsoleSettings(port=0, **settings)  # type: ignore[arg-type]
    server = ConsoleServer(made, recorder, token, shown or Sections())
    server.start()
    try:
        yield server, recorder
    finally:
        recorder.answer.set()
        server.stop()


class Page:
    """A WebSocket that behaves like the page."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.count = 0
        self.frames = 0

    async def say(self, **request: object) -> None:
        await self.socket.send(json.dumps(request))

    async def next(self) -> dict[str, object]:
        """The next message that is no picture."""
        while True:
            message = await asyncio.wait_for(self.socket.recv(), 10.0)
            self.count += 1
            await self.say(type="ack", count=self.count)
            if isinstance(message, str):
                return dict(json.loads(message))
            self.frames += 1

    async def until(self, kind: str) -> dict[str, object]:
        while True:
            message = await self.next()
            if message.get("type") == kind:
                return message


@contextlib.asynccontextmanager
async def page(server: ConsoleServer, token: str = "", origin: str | None = None):
    origin = server.url if origin is None else origin
    address = server.url.replace("http", "ws") + "/live"
    async with connect(address, origin=origin, compression=None) as joined:  # type: ignore[arg-type]
        made = Page(joined)
        await made.say(type="hello", token=token)
        yield made


async def closed(made: Page) -> int:
    """The code with which the server ends it."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            await made.next()
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=10
        ) as got:
            return got.status, dict(got.headers), got.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_the_page_is_served_with_headers_that_keep_others_out() -> None:
    with serving() as (server, _):
        for path in ("/", "/page/main.js", "/page/style.css", "/page/talk-worklet.js"):
            status, headers, body = fetch(server.url + path)
            assert status == 200 and body
            given = {name.lower(): value for name, value in headers.items()}
            assert HEADERS.items() <= given.items()
            assert "server" not in given
        assert "script-src 'self'" in HEADERS["content-security-policy"]
        assert b"<script>" not in fetch(server.url)[2] and b"style=" not in fetch(server.url)[2]
        for path in ("/page/../server.py", "/page/%2e%2e/server.py", "/docs", "/openapi.json"):
            assert fetch(server.url + path)[0] == 404


async def test_a_foreign_host_and_a_foreign_origin_are_refused() -> None:
    with serving() as (server, recorder):
        assert fetch(server.url, Host="evil.example")[0] == 403
        assert fetch(server.url, Origin="http://evil.example")[0] == 403

        for origin in (
            "http://evil.example",
            "null",
            server.url.replace("127.0.0.1", "localhost"),
        ):
            with pytest.raises(InvalidStatus) as refused:
                async with page(server, origin=origin):
                    pass
            assert refused.value.response.status_code == 403
        assert not recorder.done


async def test_without_the_token_nothing_is_shown_and_nothing_is_done(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(Token.of(SECRET, "here")) as (server, recorder):
        async with page(server, "wrong") as stranger:
            await stranger.say(type="stop")
            assert await closed(stranger) == UNKNOWN and stranger.count == 0
        async with page(server, SECRET) as friend:
            assert (await friend.next())["sections"] == {"turn": {"id": "u1"}}
        address = server.url.replace("http", "ws") + "/live"
        async with connect(address, origin=server.url) as rude:  # type: ignore[arg-type]
            await rude.send(json.dumps({"type": "stop"}))
            assert await closed(Page(rude)) == UNKNOWN
        assert not recorder.done
    ours = [each for each in caplog.records if not each.name.startswith("websockets.client")]
    text = " ".join(each.getMessage() for each in ours)
    assert SECRET not in text and "wrong" not in text


async def test_requests_reach_the_operator_and_what_fails_is_told() -> None:
    with serving() as (server, recorder):
        async with page(server) as operator:
            await operator.say(type="say", text="heading zero six five")
            assert (await operator.until("done"))["what"] == "say"
            await operator.say(type="pick", search=3, candidate=0)
            await operator.until("done")
            await operator.say(type="pick", search=3, candidate=1)
            assert "earlier search" in str((await operator.until("problem"))["text"])
            await operator.say(type="time", sent=5.0)
            answer = await operator.until("time")
            assert answer["sent"] == 5.0
            assert abs(float(str(answer["server"])) / 1e3 - time.time()) < 5.0
        assert recorder.done == [("say", "heading zero six five"), ("pick", 3)]


async def test_stop_does_not_wait_for_a_request_that_is_under_way() -> None:
    with serving() as (server, recorder):
        async with page(server) as operator:
            await operator.say(type="arm", armed=True, confirmed=True)
            await operator.say(type="stop")
            assert (await operator.until("done"))["what"] == "stop"
            assert recorder.done == [("stop", [])]
            recorder.answer.set()
            assert (await operator.until("done"))["text"] == "armed"
            await operator.say(type="arm", armed=False, confirmed=True)
            assert "does not answer" in str((await operator.until("problem"))["text"])


async def test_a_talk_becomes_audio_and_stop_ends_it_together_with_its_utterance() -> None:
    with serving() as (server, recorder):
        async with page(server) as one, page(server) as other:
            await one.say(type="talk", rate=16000)
            assert (await one.until("talk"))["on"] is True
            await other.say(type="talk", rate=16000)
            assert (await other.until("talk"))["text"] == "somebody else speaks"
            await one.socket.send(bytes(1280))
            await one.say(type="talk_end")
            assert (await one.until("talk"))["on"] is False
            assert [len(chunk.samples) for chunk in recorder.chunks] == [640, 0]
            await one.say(type="talk", rate=16000)
            await one.until("talk")
            await one.socket.send(bytes(1280))
            await asyncio.sleep(0.1)
            await other.say(type="stop")
            assert (await one.until("talk"))["text"] == "stopped"
            assert recorder.done == [("stop", ["console_talk_1"])]
            await one.socket.send(bytes(1280))  # was on its way
            await one.say(type="time", sent=1.0)
            await one.until("time")
            assert [len(chunk.samples) for chunk in recorder.chunks[2:]] == [640, 0]


async def test_a_page_that_goes_away_in_mid_sentence_ends_its_utterance() -> None:
    with serving() as (server, recorder):
        async with page(server) as gone:
            await gone.say(type="talk", rate=16000)
            await gone.until("talk")
            await gone.socket.send(bytes(1280))
        for _ in range(100):
            if len(recorder.chunks) == 2:
                break
            await asyncio.sleep(0.05)
        assert [len(chunk.samples) for chunk in recorder.chunks] == [640, 0]


async def test_nonsense_is_answered_and_a_page_that_talks_nothing_else_is_sent_away() -> None:
    with serving() as (server, recorder):
        async with page(server) as rude:
            await rude.say(type="shoot")
            assert "refused" in str((await rude.until("problem"))["text"])
            for _ in range(30):
                await rude.socket.send("{")
            assert await closed(rude) == RUDE
        async with page(server) as large:
            await large.next()
            with contextlib.suppress(ConnectionClosed):
                await large.socket.send(bytes(1_000_000))
            assert await closed(large) == 1009
        assert not recorder.done


async def test_ten_pages_look_and_one_that_stands_still_is_dropped() -> None:
    frame = pack({"size": [4, 3]}, bytes(80_000))
    with serving(stall=1.0, frames_in_all=1000.0) as (server, _):

        async def watch(made: Page, until: float) -> None:
            while time.monotonic() < until:
                await made.next()

        async with contextlib.AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(page(server)) for _ in range(10)]
            still = await stack.enter_async_context(page(server))
            until = time.monotonic() + 3.0
            watching = [asyncio.ensure_future(watch(each, until)) for each in pages]
            sent = 0
            while time.monotonic() < until - 0.5:
                server.show(frame)
                sent += 1
                await asyncio.sleep(1 / 15)
            await asyncio.gather(*watching)
            assert server.viewers == 10 and server.stalled == 1
            assert min(each.frames for each in pages) >= 0.5 * sent
            still.socket.transport.resume_reading()
            assert await closed(still) == STALLED


async def test_what_a_page_saw_is_never_overtaken_by_something_older() -> None:
    shown = Sections()
    with serving(shown=shown) as (server, _):

        async def grow() -> None:
            for shown.number in range(2, 200):
                server.update()
                await asyncio.sleep(0.001)

        growing = asyncio.ensure_future(asyncio.to_thread(asyncio.run, grow()))
        numbers: list[int] = []
        async with page(server) as first:
            while not numbers or numbers[-1] < 199:
                async with page(server):  # who comes is shown all there is
                    sections = (await first.next()).get("sections") or {}
                if "turn" in sections:  # type: ignore[operator]
                    numbers.append(int(sections["turn"]["id"][1:]))  # type: ignore[index]
            await growing
        assert numbers == sorted(numbers)


async def test_more_pages_than_fit_are_told_so() -> None:
    with serving(viewers=1) as (server, _):
        async with page(server) as first:
            await first.next()
            async with page(server) as second:
                assert await closed(second) == FULL


def test_a_port_that_is_taken_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ConsoleServer(ConsoleSettings(port=port), Recorder(), None, Sections())
        with pytest.raises(PeerError, match=f"port {port}"):
            server.start()
