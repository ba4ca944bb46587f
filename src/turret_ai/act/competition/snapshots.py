# SPDX-License-Identifier: Apache-2.0
"""Asking the robot socket for pictures: one for each question, or the reason why there is none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from turret_ai.act.competition import wire
from turret_ai.errors import InputError, PeerError
from turret_ai.see import images
from turret_ai.types import ImageArray
from turret_ai.waiting import within

PAUSE_SECONDS = 0.25
"""Between a question that could not be sent, or got no whole picture, and the next."""
_SLACK = 1.5
"""A page is asked again when it takes so many times longer than it ever did."""


@dataclass(slots=True)
class Snapshot:
    """What came of the question. at: `time.monotonic()` when it was asked."""

    image: ImageArray | None = None
    at: float = 0.0
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        """Say a problem once."""
        if problem not in self.problems:
            self.problems.append(problem)


class Snapshots:
    """Matches pictures with questions.

    The protocol numbers neither. A frame that comes while nothing was asked is dropped, and so is
    one that equals the picture before although the camera has turned in between: the late second
    answer where two simulator pages are connected. Where an earlier question has had no answer, a
    frame that comes much sooner than this page ever answered is taken for that answer.

    Args:
        send: sends a text frame of the robot socket; False where that failed.
        patience: s after which a page that nothing is known of is asked again.
    """

    def __init__(self, send: Callable[[str], Awaitable[bool]], patience: float) -> None:
        self._send = send
        self._patience = patience
        self._waiting: asyncio.Future[bytes] | None = None
        self._before: tuple[bytes, float] = (b"", 0.0)
        self._yaw = 0.0
        self._first_asked = self._last_asked = 0.0
        self._one_at_a_time = asyncio.Lock()
        self._open = 0
        """Questions of this link that have had no answer."""
        self._older = 0
        """How many of them are of an earlier fetch."""
        self._fastest = self._slowest = 0.0
        self.questions = 0
        """How often a picture was asked for."""
        self.unasked = 0
        """Frames that were dropped because nobody had asked."""

    def on_frame(self, data: bytes) -> None:
        """A binary frame of the robot socket."""
        self._open = max(0, self._open - 1)
        waiting = self._waiting
        if waiting is None or waiting.done():
            self._older = min(self._older, self._open)
            self.unasked += 1
            return
        frame, yaw = self._before
        took = time.monotonic() - self._first_asked
        late = self._older > 0 and took < self._fastest / 2
        if late or (data == frame and abs(yaw - self._yaw) > 1e-6):
            self._older = max(0, self._older - 1)
            self.unasked += 1
            return
        waiting.set_result(data)

    def on_link(self, connected: bool) -> None:
        """The robot socket comes or goes: what was asked on a lost one is never answered."""
        if connected:
            return
        self._open = self._older = 0
        waiting = self._waiting
        if waiting is not None and not waiting.done():
            waiting.set_exception(PeerError("the robot socket broke before the snapshot came"))

    async def fetch(self, yaw: float, until: float) -> Snapshot:
        """Ask until a whole picture comes, or the time is over.

        An answer to an earlier question of the same fetch is as good as one to the last.

        Args:
            yaw: the camera's, radians.
            until: `time.monotonic()` at which to give up.
        """
        found = Snapshot()
        began = time.monotonic()
        async with self._one_at_a_time:
            if time.monotonic() - self._last_asked > 2 * self._again():
                self._open = 0  # what has had no answer for so long gets none any more
            self._yaw, self._older, self._first_asked = yaw, self._open, 0.0
            try:
                while (left := until - time.monotonic()) > 0:
                    if self._waiting is None:
                        self._waiting = asyncio.get_running_loop().create_future()
                    if await self._asked(found, min(left, self._again())):
                        return found
            finally:
                self._waiting = None
        if not found.problems or self._first_asked:
            waited = time.monotonic() - began
            found.note(f"no snapshot came in {waited:.1f} s: is a simulator page connected?")
        return found

    def _again(self) -> float:
        """s to wait before the same question is asked once more."""
        return max(self._patience, _SLACK * self._slowest)

    async def _asked(self, found: Snapshot, seconds: float) -> bool:
        """Ask once and wait; whether a whole picture came."""
        assert self._waiting is not None
        at = time.monotonic()
        # The yaw goes first and on the same socket: the picture can't be older than it.
        sent = await self._send(wire.update(self._yaw)) and await self._send(wire.SNAPSHOT)
        if not sent:
            found.note("the robot socket is not connected")
            await asyncio.sleep(min(PAUSE_SECONDS, seconds))
            return False
        self._open += 1
        self.questions += 1
        self._last_asked = at
        self._first_asked = self._first_asked or at
        try:
            data = await within(asyncio.shield(self._waiting), seconds)
        except TimeoutError:
            return False
        except PeerError as error:
            found.note(str(error))
            self._waiting, self._first_asked = None, 0.0
            await asyncio.sleep(min(PAUSE_SECONDS, seconds))  # for the link to come back
            return False
        took = time.monotonic() - self._first_asked
        self._fastest = min(self._fastest or took, took)
        self._slowest = max(self._slowest, took)
        try:
            found.image = await asyncio.to_thread(images.decode, data, "the snapshot")
        except InputError as error:
            found.note(str(error))
            self._waiting, self._first_asked = None, 0.0
            await asyncio.sleep(min(PAUSE_SECONDS, seconds))
            return False
        found.at = self._first_asked
        self._before = (data, self._yaw)
        return True
