# SPDX-License-Identifier: Apache-2.0
"""A WebSocket that is opened again and again until it is no longer wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException

from turret_ai.act.backoff import Backoff
from turret_ai.act.competition.wire import MAX_FRAME
from turret_ai.errors import ConfigError
from turret_ai.waiting import within

OPEN_SECONDS = 5.0
SEND_SECONDS = 5.0
"""How long a peer may refuse to read before the connection is given up."""
PING_SECONDS = 10.0
STEADY_SECONDS = 5.0
"""A connection that held so long was a good one: the next is tried for at once."""


class Link:
    """One address, at most one open connection to it.

    Args:
        on_message: called with each whole frame, text or bytes; must not block.
        on_change: called with True when the connection is open, with False when it is gone.
        on_event: called with (level, text) for people.
    """

    def __init__(
        self,
        address: str,
        on_message: Callable[[str | bytes], None],
        on_change: Callable[[bool], None],
        on_event: Callable[[str, str], None],
        retry_limit: float = 5.0,
    ) -> None:
        self.address = address
        self._on_message = on_message
        self._on_change = on_change
        self._on_event = on_event
        self._backoff = Backoff(limit=retry_limit)
        self._socket: ClientConnection | None = None
        self.openings = 0
        self._last_event = ""

    @property
    def connected(self) -> bool:
        """Whether a frame may be sent now."""
        return self._socket is not None

    async def run(self) -> None:
        """Keep the connection until cancelled.

        Raises:
            ConfigError: the address can't be one of a WebSocket.
        """
        while True:
            try:
                await self._hold()
            except InvalidURI as error:
                raise ConfigError(f"not a WebSocket address: {self.address}") from error
            except InvalidStatus as error:
                code = error.response.status_code
                self._tell("warning", f"{self.address} refuses (HTTP status {code})")
            except (OSError, WebSocketException, TimeoutError, asyncio.TimeoutError) as error:
                text = str(error) or type(error).__name__
                self._tell("warning", f"no connection with {self.address} ({text})")
            await asyncio.sleep(self._backoff.next())

    async def send(self, text: str) -> bool:
        """Send a text frame.

        Returns:
            False where there is no connection, or it broke, or the peer does not read.
        """
        socket = self._socket
        if socket is None:
            return False
        try:
            await within(socket.send(text), SEND_SECONDS)
        except (OSError, WebSocketException):
            if socket.transport is not None:
                socket.transport.abort()
            return False
        return True

    async def _hold(self) -> None:
        async with connect(
            self.address,
            max_size=MAX_FRAME,
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=0.5,
            compression=None,
            proxy=None,
        ) as socket:
            self._socket = socket
            self.openings += 1
            opened = time.monotonic()
            self._tell("info", f"connected with {self.address}")
            self._on_change(True)
            try:
                async for message in socket:
                    self._backoff.reset()
                    try:
                        self._on_message(message)
                    except Exception as error:  # a fault of ours must not close the connection
                        name = type(error).__name__
                        self._on_event("error", f"a frame of {self.address}: {name}: {error}")
            finally:
                self._socket = None
                if time.monotonic() - opened > STEADY_SECONDS:
                    self._backoff.reset()
                self._on_change(False)
        self._tell("warning", f"{self.address} closed the connection")

    def _tell(self, level: str, text: str) -> None:
        """Say it once, not at every try."""
        if text != self._last_event:
            self._on_event(level, text)
        self._last_event = text
