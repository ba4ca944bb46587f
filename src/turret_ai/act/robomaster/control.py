# SPDX-License-Identifier: Apache-2.0
"""The control connection: commands out, each matched with its reply, every wait limited."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict

from turret_ai.act.robomaster.wire import Kind, Reply, Splitter, encode, parse_reply
from turret_ai.errors import PeerError
from turret_ai.waiting import cancel, within

QUIET_SECONDS = 0.05
"""Silence after which an unterminated reply counts as complete."""


class Control:
    """An open control connection. Made by `connect`; once it fails, it stays failed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: OrderedDict[int, asyncio.Future[Reply]] = OrderedDict()
        self._seq = 0
        self.unmatched = 0
        """Replies that nobody waited for."""
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done, with the reason, as soon as the connection is gone."""
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, host: str, port: int, timeout: float) -> Control:
        """Open the connection.

        Raises:
            PeerError: nobody answers there in time.
        """
        try:
            pair = await within(asyncio.open_connection(host, port), timeout)
        except OSError as error:
            text = str(error) or "no answer"
            raise PeerError(f"no robot at {host}:{port} ({text})") from error
        return cls(*pair)

    @property
    def endpoints(self) -> tuple[str, str]:
        """(our address, the robot's)."""
        ours, theirs = (self._writer.get_extra_info(n) for n in ("sockname", "peername"))
        if ours is None or theirs is None:
            raise PeerError("the robot's link broke at once")
        return ours[0], theirs[0]

    def send(self, command: str) -> asyncio.Future[Reply]:
        """Send without waiting; the future gets the reply, or PeerError when the link is lost."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self.lost.done():
            future.set_exception(PeerError(self.lost.result()))
            return future
        self._seq = self._seq % 999_999 + 1
        self._waiting[self._seq] = future
        while len(self._waiting) > 64:  # a robot that never answers must not fill the memory
            self._waiting.popitem(last=False)[1].cancel()
        try:
            self._writer.write(encode(command, self._seq))
        except (OSError, RuntimeError) as error:
            self._fail(f"the robot's link broke ({error})")
        return future

    async def ask(self, command: str, timeout: float) -> Reply:
        """Send and wait for the reply, which may be an error.

        Raises:
            PeerError: no reply in time, or the link is lost.
        """
        future = self.send(command)
        try:
            return await within(future, timeout)
        except TimeoutError as error:
            raise PeerError(f"the robot did not answer {command!r} in {timeout:g} s") from error

    async def demand(self, command: str, timeout: float) -> Reply:
        """As `ask`, where an error won't do.

        Raises:
            PeerError: as `ask`, or the robot refused.
        """
        reply = await self.ask(command, timeout)
        if reply.kind is Kind.ERROR:
            raise PeerError(f"the robot refused {command!r}: {reply.text}")
        return reply

    async def close(self, farewell: tuple[str, ...] = (), timeout: float = 0.5) -> None:
        """Send the last commands, give them a moment, and close."""
        with contextlib.suppress(PeerError):
            for command in farewell:
                await self.ask(command, timeout / max(1, len(farewell)))
        await cancel([self._task])
        self._fail("the connection was closed")
        self._writer.close()
        with contextlib.suppress(Exception):
            await within(self._writer.wait_closed(), timeout)

    async def _read(self) -> None:
        splitter = Splitter()
        pending: asyncio.Task[bytes] | None = None
        try:
            while True:
                pending = pending or asyncio.create_task(self._reader.read(4096))
                done, _ = await asyncio.wait({pending}, timeout=QUIET_SECONDS)
                if not done:
                    texts = splitter.flush()
                else:
                    data, pending = pending.result(), None
                    if not data:
                        self._fail("the robot closed the link")
                        return
                    texts = splitter.feed(data)
                for text in texts:
                    self._match(parse_reply(text))
        except OSError as error:
            self._fail(f"the robot's link broke ({error})")
        finally:
            if pending is not None:
                pending.cancel()

    def _match(self, reply: Reply) -> None:
        """By number where the robot echoes it, else in the order of asking."""
        if reply.seq is not None:
            future = self._waiting.pop(reply.seq, None)
        else:
            future = self._waiting.popitem(last=False)[1] if self._waiting else None
        if future is None:
            self.unmatched += 1
        elif not future.done():
            future.set_result(reply)

    def _fail(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(PeerError(self.lost.result()))
                future.exception()  # nobody may be waiting for it any more
        self._waiting.clear()
