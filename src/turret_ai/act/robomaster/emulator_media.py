# SPDX-License-Identifier: Apache-2.0
"""Encoders for the emulated robot's streams."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.act.robomaster.media import AUDIO_RATE, PACKET_SAMPLES
from turret_ai.types import ImageArray

View = Callable[[float, float], ImageArray]
"""What the camera sees at (yaw, pitch), radians REP-103: an RGB image of the stream's size."""
Sound = Callable[[], NDArray[np.int16]]
"""The next 960 samples of 48 kHz mono."""

OPUS_BIT_RATE = 32_000


class VideoEncoder:
    """Pictures to an H.264 byte stream without delay."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        import av

        self._av = av
        self._codec: Any = av.CodecContext.create("libx264", "w")
        self._codec.width, self._codec.height = width, height
        self._codec.pix_fmt = "yuv420p"
        self._codec.time_base = Fraction(1, fps)
        self._codec.framerate = Fraction(fps)
        self._codec.gop_size = fps
        self._codec.thread_count = 1
        self._codec.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "20"}
        self._count = 0

    def encode(self, image: ImageArray) -> bytes:
        """The stream's bytes for one picture."""
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = self._count
        self._count += 1
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


class OpusEncoder:
    """Samples to Opus packets of one size."""

    def __init__(self) -> None:
        import av

        self._av = av
        self._codec: Any = av.CodecContext.create("libopus", "w")
        self._codec.sample_rate = AUDIO_RATE
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.bit_rate = OPUS_BIT_RATE
        self._codec.time_base = Fraction(1, AUDIO_RATE)
        self._codec.options = {"vbr": "off", "application": "voip", "frame_duration": "20"}
        self._count = 0

    def encode(self, samples: NDArray[np.int16]) -> list[bytes]:
        """The packets for 960 samples."""
        frame = self._av.AudioFrame.from_ndarray(
            samples.reshape(1, PACKET_SAMPLES), format="s16", layout="mono"
        )
        frame.sample_rate = AUDIO_RATE
        frame.pts = self._count
        self._count += PACKET_SAMPLES
        return [bytes(packet) for packet in self._codec.encode(frame)]


def test_pattern(width: int, height: int) -> View:
    """A view without a scene: bars that wander with the gimbal."""
    columns = np.arange(width)
    rows = np.arange(height)[:, None]

    def view(yaw: float, pitch: float) -> ImageArray:
        shift = round(yaw * 400.0)
        tilt = round(pitch * 400.0)
        image = np.empty((height, width, 3), np.uint8)
        image[..., 0] = ((columns + shift) // 40 % 2 * 160 + 40).astype(np.uint8)
        image[..., 1] = ((rows + tilt) // 40 % 2 * 160 + 40).astype(np.uint8)
        image[..., 2] = 90
        return image

    return view


def silence() -> NDArray[np.int16]:
    """A sound source without sound."""
    return np.zeros(PACKET_SAMPLES, np.int16)
