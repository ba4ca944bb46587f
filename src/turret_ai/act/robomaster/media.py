# SPDX-License-Identifier: Apache-2.0
"""Decoders for the robot's two streams: H.264 video and Opus audio, as raw bytes arrive over TCP.

Formats: 1280x720 at 30 frames/s, H.264 byte stream; Opus, 48 kHz mono, 960 samples a packet
(RoboMaster Developer Guide, "Plaintext SDK", streams).
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.types import ImageArray

AUDIO_RATE = 48_000
PACKET_SAMPLES = 960
MAX_ERRORS = 60
"""Undecodable packets in a row after which a decoder starts anew."""


class VideoDecoder:
    """Bytes in, the newest whole picture out. One thread at a time."""

    def __init__(self) -> None:
        self._codec: Any = None
        self._errors_in_a_row = 0
        self.frames = 0
        """Pictures decoded, also those that were too old to be given out."""
        self.errors = 0
        self._reset()

    def feed(self, data: bytes) -> ImageArray | None:
        """Take in bytes of the stream, however cut.

        Returns:
            The newest picture that they completed (RGB, uint8, (H, W, 3)), None without one.
        """
        import av

        newest: Any = None
        try:
            packets = self._codec.parse(data)
        except av.error.FFmpegError:
            self._failed()
            return None
        for packet in packets:
            try:
                for frame in self._codec.decode(packet):
                    newest = frame
                    self.frames += 1
                    self._errors_in_a_row = 0
            except av.error.FFmpegError:
                self._failed()
        if newest is None:
            return None
        image: ImageArray = newest.to_ndarray(format="rgb24")
        return image

    def _failed(self) -> None:
        self.errors += 1
        self._errors_in_a_row += 1
        if self._errors_in_a_row >= MAX_ERRORS:
            self._reset()

    def _reset(self) -> None:
        import av

        av.logging.set_level(av.logging.PANIC)  # a lossy stream would fill the terminal
        self._codec = av.CodecContext.create("h264", "r")
        self._codec.thread_count = 1  # frame threads would hold pictures back
        self._errors_in_a_row = 0


class OpusSplitter:
    """Finds the packets in reads of the audio port.

    Opus packets don't tell their length, and TCP keeps no borders: a read is normally one packet,
    and after a hold-up several. The robot's packets are all of one size, so the usual size
    of reads tells where the borders are.
    """

    def __init__(self) -> None:
        self._sizes: deque[int] = deque(maxlen=50)
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are complete now."""
        if not data:
            return []
        if not self._rest:
            self._sizes.append(len(data))
        size, seen = Counter(self._sizes).most_common(1)[0] if self._sizes else (0, 0)
        if seen < 5 or (len(data) == size and not self._rest):
            return [data]  # not enough is known yet, or this is the usual case
        data = self._rest + data
        whole = len(data) // size * size
        packets = [data[start : start + size] for start in range(0, whole, size)]
        if len({packet[0] for packet in packets}) > 1:  # the first byte is the same in all of them
            self._rest = b""
            self._sizes.clear()
            return []
        self._rest = data[whole:]
        return packets


class OpusDecoder:
    """Packets to samples. One thread at a time."""

    def __init__(self) -> None:
        self.errors = 0
        self._codec: Any = None
        self._reset()

    def decode(self, packet: bytes) -> NDArray[np.int16]:
        """Samples (n,) at 48 kHz of one packet; none where it can't be decoded."""
        import av

        pieces: list[NDArray[np.int16]] = []
        try:
            for frame in self._codec.decode(av.Packet(packet)):
                samples = frame.to_ndarray().reshape(-1)
                if samples.dtype != np.int16:
                    samples = np.clip(samples * 32768.0, -32768, 32767).astype(np.int16)
                pieces.append(samples)
        except (av.error.FFmpegError, ValueError):
            self.errors += 1
            self._reset()
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    def _reset(self) -> None:
        import av

        try:
            self._codec = av.CodecContext.create("libopus", "r")
        except av.error.FFmpegError:
            self._codec = av.CodecContext.create("opus", "r")
        self._codec.sample_rate = AUDIO_RATE
        self._codec.layout = "mono"
