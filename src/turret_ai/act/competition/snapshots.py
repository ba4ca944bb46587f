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


@dataclass(slots=True)
class Snapshot:
    """What came of the question. at: `time.monotonic()` when it was asked."""

    image: ImageArray | None = None
    at: float = 0.0
    problems: list[str] = field(default_factory=list)


class Snapshots:
    """Matches pictures with questions.

    The protocol numbers neither. So a frame that comes while nothing was asked is dropped, and so
    is one that equals the picture before although the camera has turned in between: the late second
    answer where two simulator pages are connected.

    Args:
        send: sends a text frame of the robot socket; False where that failed.
    """

    def __init__(self, send: Callable[[str], Awaitable[bool]], timeout: float, tries: int) -> None:
        self._send = send
        self._timeout, self._tries = timeout, tries
        self._waiting: asyncio.Future[bytes] | None = None
        self._before: tuple[bytes, float] = (b"", 0.0)
        self._yaw = 0.0
        self.unasked = 0
        """Frames that were dropped because nobody had asked."""

    def on_frame(self, data: bytes) -> None:
        """A binary frame of the robot socket."""
        waiting = self._waiting
        if waiting is None or waiting.done():
            self.unasked += 1
            return
        frame, yaw = self._before
        if data == frame and abs(yaw - self._yaw) > 1e-6:
            self.unasked += 1
            return
        waiting.set_result(data)

    def on_link(self, connected: bool) -> None:
        """The robot socket comes or goes: what was asked on a lost one is never answered."""
        waiting = self._waiting
        if not connected and waiting is not None and not waiting.done():
            waiting.set_exception(PeerError("the robot socket broke before the snapshot came"))

    async def fetch(self, yaw: float) -> Snapshot:
        """Ask until a whole picture comes, as often as allowed. yaw: the camera's, radians."""
        found = Snapshot()
        for attempt in range(self._tries):
            found.at = time.monotonic()
            self._yaw = yaw
            self._waiting = asyncio.get_running_loop().create_future()
            # The yaw goes first and on the same socket: the picture can't be older than it.
            sent = await self._send(wire.update(yaw)) and await self._send(wire.SNAPSHOT)
            try:
                if not sent:
                    found.problems.append("the robot socket is not connected")
                    if attempt + 1 < self._tries:
                        await asyncio.sleep(self._timeout / 2)
                    continue
                data = await asyncio.wait_for(self._waiting, self._timeout)
                found.image = await asyncio.to_thread(images.decode, data, "the snapshot")
            except (TimeoutError, asyncio.TimeoutError):
                text = f"no snapshot came in {self._timeout:g} s: is a simulator page connected?"
                found.problems.append(text)
            except InputError as error:
                found.problems.append(str(error))
            except PeerError as error:
                found.problems.append(str(error))
                await asyncio.sleep(self._timeout / 4)  # for the link to come back
            else:
                self._before = (data, yaw)
                return found
            finally:
                self._waiting = None
        return found
