# SPDX-License-Identifier: Apache-2.0
"""The microphone, through PortAudio (extra `microphone`)."""

from __future__ import annotations

import queue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.extras import require

QUEUE_SECONDS = 5.0
"""How much audio may wait to be read before the oldest is dropped."""


class MicrophoneStream:
    """Mono int16 chunks from a recording device. Use as a context manager."""

    def __init__(self, device: str = "", chunk_seconds: float = 0.05) -> None:
        """Open the device; it records from `__enter__` on.

        Args:
            device: PortAudio's name (or a part of it) or number; "" for the default one.

        Raises:
            MissingExtraError: sounddevice isn't installed, or PortAudio isn't there.
            InputError: there is no such recording device; the text lists those that are.
        """
        try:
            sounddevice = require("sounddevice", extra="microphone")
        except OSError as error:  # the module is there, the library libportaudio2 isn't
            raise InputError(f"{error}: apt install libportaudio2") from error
        chosen: Any = int(device) if device.isdigit() else (device or None)
        self.dropped = 0
        self._chunks: queue.Queue[NDArray[np.int16]] = queue.Queue(
            maxsize=max(1, round(QUEUE_SECONDS / chunk_seconds))
        )
        try:
            info = sounddevice.query_devices(chosen, "input")
            self.sample_rate = int(info["default_samplerate"])
            self._stream = sounddevice.InputStream(
                device=chosen,
                channels=1,
                samplerate=self.sample_rate,
                dtype="int16",
                blocksize=max(1, round(chunk_seconds * self.sample_rate)),
                callback=self._on_block,
            )
        except (sounddevice.PortAudioError, ValueError) as error:
            known = [d["name"] for d in sounddevice.query_devices() if d["max_input_channels"]]
            raise InputError(
                f"no microphone {device or '(default)'!r}: {error}; "
                f"recording devices here: {', '.join(known) or 'none'}"
            ) from error

    def __enter__(self) -> MicrophoneStream:
        self._stream.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, timeout: float) -> NDArray[np.int16] | None:
        """The next chunk, shape (n,); None when the time (seconds) is over."""
        try:
            return self._chunks.get(timeout=timeout)
        except queue.Empty:
            return None

    def _on_block(self, block: NDArray[np.int16], _frames: int, _time: Any, _status: Any) -> None:
        if self._chunks.full():
            self.dropped += 1
            self._chunks.get_nowait()
        self._chunks.put_nowait(block[:, 0].copy())
