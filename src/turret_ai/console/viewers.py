# SPDX-License-Identifier: Apache-2.0
"""The pages that look: each gets the newest of everything, as fast as it takes it in.

Nothing is queued. For each page only is remembered which version of which section it has, and
whether it has the last picture; what it missed meanwhile it never needs. Pages acknowledge what
they have taken in, and one that does not for too long is dropped: a socket's buffers would hold
seconds of pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from turret_ai.waiting import within

FRAMES_AHEAD = 2
"""Messages that may be unacknowledged when a picture is sent."""
MESSAGES_AHEAD = 8
"""Likewise for sections."""
_PACE_S = 0.05
"""Seconds between two messages of sections to one page."""
_HEARTBEAT_S = 1.0
_FORGIVEN = 0.75
"""Share of the time between two pictures after which the next may come: they are never even."""
_MOST_BYTES = 200_000
"""Of sections in one message."""
_LENGTH = struct.Struct("<I")


def pack(header: Mapping[str, Any], jpeg: bytes) -> bytes:
    """A picture as one binary message: length of the header (4 bytes, little endian), header as
    JSON, JPEG."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return _LENGTH.pack(len(text)) + text + jpeg


class StalledError(Exception):
    """A page no longer takes in what it is sent."""


class Viewer:
    """One page. `send` hands a message to its socket."""

    def __init__(self, send: Callable[[str | bytes], Awaitable[None]]) -> None:
        self.wants_frames = True
        self.wake = asyncio.Event()
        self.has: dict[str, int] = {}
        self.frame = 0
        self.frame_s = -math.inf
        """When it was sent its last picture; s of the monotonic clock."""
        self.dropped = 0
        self._send = send
        self._sent = self._taken = 0
        self._unacknowledged: deque[float] = deque()
        self._words: deque[str] = deque(maxlen=32)

    @property
    def ahead(self) -> int:
        """Messages that are sent and not acknowledged."""
        return len(self._unacknowledged)

    def acknowledge(self, count: int) -> None:
        """The page has taken in `count` messages of this connection."""
        for _ in range(min(count, self._sent) - self._taken):
            self._unacknowledged.popleft()
            self._taken += 1
        self.wake.set()

    def tell(self, message: Mapping[str, Any]) -> None:
        """An answer for this page alone."""
        self._words.append(json.dumps(message, separators=(",", ":")))
        self.wake.set()

    async def send(self, message: str | bytes, patience_s: float) -> None:
        """Raises StalledError where the socket doesn't take it."""
        self._sent += 1
        self._unacknowledged.append(time.monotonic())
        try:
            await within(self._send(message), patience_s)
        except TimeoutError:
            raise StalledError from None

    def check(self, patience_s: float) -> None:
        """Raises StalledError where the oldest message has waited for too long."""
        if self._unacknowledged and time.monotonic() - self._unacknowledged[0] > patience_s:
            raise StalledError

    async def send_words(self, patience_s: float) -> None:
        """The answers that wait."""
        while self._words and self.ahead < 2 * MESSAGES_AHEAD:
            await self.send(self._words.popleft(), patience_s)


class Viewers:
    """All pages and what there is to see. Belongs to the server's event loop."""

    def __init__(self, most: int, patience_s: float, pictures_hz: float = math.inf) -> None:
        """
        Args:
            patience_s: seconds without a sign of life until a page is dropped.
            pictures_hz: how many pictures all pages together are sent a second, in equal shares.
        """
        self.most, self._patience_s = most, patience_s
        self._pictures_hz = pictures_hz
        self._all: set[Viewer] = set()
        self._sections: dict[str, tuple[int, str]] = {}
        self._version = 0
        self._frame = b""
        self._frame_number = 0
        self.stalled = 0

    @property
    def count(self) -> int:
        """How many look."""
        return len(self._all)

    @property
    def full(self) -> bool:
        """Whether no further page fits."""
        return self.count >= self.most

    @property
    def wants_frames(self) -> bool:
        """Whether anybody looks at pictures."""
        return any(each.wants_frames for each in self._all)

    def update(self, sections: Mapping[str, str], most_logged: int) -> None:
        """Sections that have changed, as JSON; of the log the newest ones are kept."""
        for name, text in sections.items():
            if name not in self._sections or self._sections[name][1] != text:
                self._version += 1
                self._sections[name] = (self._version, text)
        logged = sorted(
            (name for name in self._sections if name.startswith("log:")),
            key=lambda name: int(name.removeprefix("log:")),
        )
        for name in logged[: max(0, len(logged) - most_logged)]:
            del self._sections[name]
        if sections:
            self._wake()

    def show(self, frame: bytes) -> None:
        """A new picture, packed; the one before is forgotten."""
        self._frame, self._frame_number = frame, self._frame_number + 1
        self._wake()

    def _wake(self) -> None:
        for each in self._all:
            each.wake.set()

    @contextlib.contextmanager
    def joined(self, viewer: Viewer) -> Any:
        """While this context lasts, the page counts."""
        self._all.add(viewer)
        try:
            yield
        finally:
            self._all.discard(viewer)

    async def feed(self, viewer: Viewer) -> None:
        """Send to one page until it stalls.

        Raises:
            StalledError: it no longer takes anything in.
        """
        last_sections = last_word = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                await within(viewer.wake.wait(), _PACE_S if self._behind(viewer) else 0.5)
            viewer.wake.clear()
            try:
                viewer.check(self._patience_s)
                await viewer.send_words(self._patience_s)
                now = time.monotonic()
                fresh = viewer.wants_frames and viewer.frame != self._frame_number
                turn = now - viewer.frame_s >= _FORGIVEN * self._gap_s
                if fresh and turn and viewer.ahead < FRAMES_AHEAD:
                    viewer.dropped += max(0, self._frame_number - viewer.frame - 1)
                    viewer.frame, viewer.frame_s, last_word = self._frame_number, now, now
                    await viewer.send(self._frame, self._patience_s)
                if now - last_sections >= _PACE_S and viewer.ahead < MESSAGES_AHEAD:
                    text = self._news(viewer)
                    if text or now - last_word >= _HEARTBEAT_S:
                        last_sections = last_word = now
                        await viewer.send('{"sections":{' + text + "}}", self._patience_s)
            except StalledError:
                self.stalled += 1
                raise

    @property
    def _gap_s(self) -> float:
        """Seconds between two pictures to one page."""
        return sum(each.wants_frames for each in self._all) / self._pictures_hz

    def _behind(self, viewer: Viewer) -> bool:
        return any(viewer.has.get(name) != entry[0] for name, entry in self._sections.items())

    def _news(self, viewer: Viewer) -> str:
        """The sections that a page has not, as the inside of a JSON object."""
        found: list[str] = []
        size = 0
        for name in [name for name in viewer.has if name not in self._sections]:
            del viewer.has[name]
        for name, (version, text) in self._sections.items():
            if viewer.has.get(name) == version:
                continue
            if found and size + len(text) > _MOST_BYTES:
                break
            viewer.has[name] = version
            found.append(f"{json.dumps(name)}:{text}")
            size += len(text)
        return ",".join(found)
