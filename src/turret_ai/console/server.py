# SPDX-License-Identifier: Apache-2.0
"""The web server: the page's files, one WebSocket, in a thread of its own (extra `console`)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol

import uvicorn
from fastapi import FastAPI, WebSocket
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from turret_ai.console.gate import Gate
from turret_ai.console.operator import Operator
from turret_ai.console.requests import MAX_AUDIO
from turret_ai.console.session import House, Session
from turret_ai.console.settings import ConsoleSettings
from turret_ai.console.token import Token
from turret_ai.console.viewers import Viewers
from turret_ai.errors import PeerError

_STOP_S = 3.0
_CLOSE_S = 1
"""Whole seconds that open connections get at the end."""


class Shown(Protocol):
    """The sections of a page, as JSON by name; see `board.Board`."""

    def changes(self) -> Mapping[str, str]:
        """Those that have changed since they were asked for."""

    def everything(self) -> Mapping[str, str]:
        """All, for a page that comes."""


def create_app(house: House, page: Path) -> FastAPI:
    """GET / and its files, and the WebSocket /live.

    page: the folder with the page's files.
    """
    app = FastAPI(title="turret_ai console", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Gate, names=[*house.settings.allowed_hosts, house.settings.host])

    @app.get("/")
    async def index() -> FileResponse:
        return FileResponse(page / "index.html")

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await Session(websocket, house).run()

    app.mount("/page", StaticFiles(directory=page))
    return app


class ConsoleServer:
    """Listens from `start` to `stop`. Its methods are callable from any thread."""

    def __init__(
        self,
        settings: ConsoleSettings,
        operator: Operator,
        token: Token | None,
        shown: Shown,
    ) -> None:
        """
        Args:
            operator: does what pages ask for.
            token: that pages must know; None: none.
            shown: what pages are told. It is asked in the server's thread only: what is asked for
                later is newer, and never overtaken by what was told before.
        """
        self._settings = settings
        self._viewers = Viewers(settings.viewers, settings.stall, settings.frames_in_all)
        self._shown = shown
        self._house = House(settings, operator, self._viewers, token, self._refresh)
        self._stack = contextlib.ExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = settings.port

    @property
    def url(self) -> str:
        """Where the page is."""
        host = self._settings.host
        if host in ("0.0.0.0", "::"):
            host = socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def viewers(self) -> int:
        """How many pages look."""
        return self._viewers.count

    @property
    def stalled(self) -> int:
        """How many pages were dropped, since they took nothing in any more."""
        return self._viewers.stalled

    @property
    def wants_frames(self) -> bool:
        """Whether anybody looks at pictures."""
        return self._viewers.wants_frames

    def start(self) -> None:
        """Listen.

        Raises:
            PeerError: the address can't be had, or the port is taken.
        """
        listener = self._listener()
        self.port = int(listener.getsockname()[1])
        page = self._stack.enter_context(as_file(files("turret_ai.console") / "page"))
        config = uvicorn.Config(
            create_app(self._house, page),
            log_config=None,
            log_level="warning",  # at debug, every message is logged: the one with the token too
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=MAX_AUDIO,
            ws_ping_interval=5.0,
            ws_ping_timeout=15.0,
            ws_per_message_deflate=False,
            server_header=False,
            timeout_graceful_shutdown=_CLOSE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._run, args=(self._server, listener), name="console", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and end the thread."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_S)
        self._server = self._thread = None
        self._stack.close()

    def update(self) -> None:
        """Something has changed: show it."""
        self._soon(lambda: self._viewers.update(self._shown.changes(), self._settings.log_turns))

    def show(self, frame: bytes) -> None:
        """Show a picture; see `viewers.pack`."""
        self._soon(lambda: self._viewers.show(frame))

    def _refresh(self) -> None:
        self._viewers.update(self._shown.everything(), self._settings.log_turns)

    def _soon(self, work: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # closed just now
                loop.call_soon_threadsafe(work)

    def _run(self, server: uvicorn.Server, listener: socket.socket) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            try:
                await server.serve(sockets=[listener])
            finally:
                self._loop = None

        asyncio.run(serve())

    def _listener(self) -> socket.socket:
        host, port = self._settings.host, self._settings.port
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            listener = socket.create_server((host, port), family=family, backlog=64)
        except OSError as error:
            raise PeerError(
                f"the console can't listen on {host}, port {port}: {error.strerror or error}; "
                "set host and port, such as console_port:=8766"
            ) from error
        patience = getattr(socket, "TCP_USER_TIMEOUT", None)
        if patience is not None:  # a peer that stands still is given up by the kernel as well
            listener.setsockopt(socket.IPPROTO_TCP, patience, round(self._settings.stall * 2000))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
