# SPDX-License-Identifier: Apache-2.0
"""The robot's video and audio connections: kept open while the link holds, decoded off the loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from turret_ai.act.backoff import Backoff
from turret_ai.act.robomaster.control import Control
from turret_ai.act.robomaster.media import AUDIO_RATE, OpusDecoder, OpusSplitter, VideoDecoder
from turret_ai.act.robomaster.settings import DriverSettings
from turret_ai.types import ImageArray
from turret_ai.waiting import within

READ_LIMIT = 1 << 22
"""Bytes taken at once: what has piled up is decoded in one go, and only its newest is given out."""


class _Stream(ABC):
    """A connection that is opened anew whenever it stalls or breaks."""

    name = ""

    def __init__(self, settings: DriverSettings, port: int) -> None:
        self._settings = settings
        self._port = port
        self.problem = ""
        self.openings = 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"robomaster-{self.name}")

    async def run(self, host: str, control: Control) -> None:
        """Read until cancelled; ends by itself only with the control link.

        Raises:
            PeerError: the control link is lost.
        """
        backoff = Backoff(limit=self._settings.retry_limit)
        while True:
            began = time.monotonic()
            try:
                await self._read(host)
            except OSError as error:
                self.problem = f"no {self.name} from the robot ({error or 'it stalls'})"
            else:
                self.problem = f"the robot closed its {self.name} stream"
            if time.monotonic() - began > 10.0:
                backoff.reset()
            await asyncio.sleep(backoff.next())
            for switch in ("off", "on"):
                await control.ask(f"{self._switch} {switch}", self._settings.timeout)

    def close(self) -> None:
        """Let the decoder's thread end."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    @property
    @abstractmethod
    def _switch(self) -> str:
        """The command that turns the stream on and off."""

    @abstractmethod
    def _take(self, data: bytes, at: float) -> Callable[[], None] | None:
        """Decode, in the worker's thread; returns what is to be called in the loop."""

    async def _read(self, host: str) -> None:
        timeout = self._settings.timeout
        reader, writer = await within(
            asyncio.open_connection(host, self._port, limit=READ_LIMIT), timeout
        )
        self.openings += 1
        loop = asyncio.get_running_loop()
        try:
            while True:
                data = await within(reader.read(READ_LIMIT), self._settings.stall)
                if not data:
                    return
                deliver = await loop.run_in_executor(
                    self._worker, self._take, data, time.monotonic()
                )
                if deliver is not None:
                    self.problem = ""
                    deliver()
        finally:
            writer.close()
            with contextlib.suppress(Exception):
                await within(writer.wait_closed(), 0.5)


class VideoStream(_Stream):
    """Pictures of the camera."""

    name = "video"

    def __init__(
        self,
        settings: DriverSettings,
        port: int,
        deliver: Callable[[ImageArray, float], None],
    ) -> None:
        super().__init__(settings, port)
        self._deliver = deliver
        self.decoder = VideoDecoder()

    @property
    def _switch(self) -> str:
        return "stream"

    def _take(self, data: bytes, at: float) -> Callable[[], None] | None:
        image = self.decoder.feed(data)
        if image is None:
            return None
        return lambda: self._deliver(image, at)


class AudioStream(_Stream):
    """Sound of the microphone."""

    name = "audio"

    def __init__(
        self,
        settings: DriverSettings,
        port: int,
        deliver: Callable[[NDArray[np.int16], float], None],
    ) -> None:
        super().__init__(settings, port)
        self._deliver = deliver
        self._splitter = OpusSplitter()
        self.decoder = OpusDecoder()

    @property
    def _switch(self) -> str:
        return "audio"

    def _take(self, data: bytes, at: float) -> Callable[[], None] | None:
        pieces = [self.decoder.decode(packet) for packet in self._splitter.feed(data)]
        samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
        if not len(samples):
            return None
        first = at - len(samples) / AUDIO_RATE
        return lambda: self._deliver(samples, first)
