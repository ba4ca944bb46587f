# SPDX-License-Identifier: Apache-2.0
"""A page without a browser: one WebSocket, and all that it was told."""

from __future__ import annotations

import contextlib
import json
import struct
import time
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect


class Conversation:
    """Use as a context manager. Every wait has a limit, in seconds."""

    def __init__(self, url: str, patience: float = 30.0) -> None:
        self.sections: dict[str, Any] = {}
        self.words: list[dict[str, Any]] = []
        self.header: dict[str, Any] = {}
        self.frames = 0
        self._count = 0
        self._patience = patience
        self._stack = contextlib.ExitStack()
        self._socket = self._join(url)
        self.say(type="hello", token="")

    def _join(self, url: str) -> ClientConnection:
        end = time.monotonic() + self._patience
        while True:
            try:
                address = url.replace("http", "ws") + "/live"
                return self._stack.enter_context(connect(address, origin=url))  # type: ignore[arg-type]
            except OSError:  # the server still starts
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def say(self, **request: object) -> None:
        """Send a request."""
        self._socket.send(json.dumps(request))

    def hear(self, audio: bytes) -> None:
        """Send audio."""
        self._socket.send(audio)

    def until(self, condition: Callable[[], object], seconds: float = 0.0) -> bool:
        """Take in what comes until a condition holds."""
        end = time.monotonic() + (seconds or self._patience)
        while not condition():
            left = end - time.monotonic()
            if left <= 0.0:
                return False
            try:
                self._take(self._socket.recv(timeout=left))
            except TimeoutError:
                return False
            except ConnectionClosed as error:
                raise AssertionError(f"the server closed it: {error}") from error
        return True

    def _take(self, message: str | bytes) -> None:
        self._count += 1
        self.say(type="ack", count=self._count)
        if isinstance(message, bytes):
            self.frames += 1
            (length,) = struct.unpack_from("<I", message)
            self.header = json.loads(message[4 : 4 + length])
            return
        told = json.loads(message)
        self.sections |= told.get("sections", {})
        if "type" in told:
            self.words.append(told)

    @property
    def turn(self) -> dict[str, Any]:
        """The turn that is shown."""
        return dict(self.sections.get("turn") or {})

    @property
    def turret(self) -> dict[str, Any]:
        """The turret as it is shown."""
        return dict(self.sections.get("turret") or {})

    def ended(self, kind: str) -> Callable[[], bool]:
        """Whether a turn of a kind is logged as ended; `outcome` tells how."""
        return lambda: self.outcome(kind) != ""

    @property
    def log(self) -> list[dict[str, Any]]:
        """The turns that are logged, the oldest first."""
        names = [name for name in self.sections if name.startswith("log:")]
        return [self.sections[name] for name in sorted(names, key=lambda name: int(name[4:]))]

    def outcome(self, kind: str) -> str:
        """How the last turn of a kind ended, "" if none has."""
        for entry in reversed(self.log):
            if entry["turn"]["kind"] == kind:
                return str(entry["turn"]["ended"]["outcome"])
        return ""
