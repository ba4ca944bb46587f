# SPDX-License-Identifier: Apache-2.0
"""Between audio_common_msgs/AudioDataStamped (S16LE, mono) and float samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.ros.images import set_data
from turret_ai.ros.interfaces import AudioData, AudioDataStamped, AudioInfo, Header
from turret_ai.ros.time import to_msg
from turret_ai.types import FloatArray

FULL_SCALE = 32768.0
"""The sample of S16LE that stands for 1.0."""


def to_message(samples: NDArray[Any], stamp_ns: int, frame_id: str) -> AudioDataStamped:
    """A chunk of audio.

    Args:
        samples: mono, shape (n,); float in [-1, 1] (clipped beyond) or int16. May be empty.
        stamp_ns: time of the first sample, nanoseconds.
        frame_id: the microphone's frame, or "utterance/<id>".

    Raises:
        InputError: another shape or type, or NaN.
    """
    if samples.ndim != 1:
        raise InputError(f"audio must be mono, shape (n,), got {samples.shape}")
    if samples.dtype == np.int16:
        pcm = samples.astype("<i2", copy=False)
    elif samples.dtype.kind == "f":
        if not np.isfinite(samples).all():
            raise InputError("the audio holds NaN or infinite samples")
        scaled = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
        pcm = scaled.astype("<i2")
    else:
        raise InputError(f"audio samples must be float or int16, got {samples.dtype}")
    audio = AudioData()
    set_data(audio, np.ascontiguousarray(pcm).view(np.uint8))
    return AudioDataStamped(header=Header(stamp=to_msg(stamp_ns), frame_id=frame_id), audio=audio)


def info(sample_rate: int) -> AudioInfo:
    """For `audio_info`: what the chunks of `to_message` are."""
    return AudioInfo(
        channels=1, sample_rate=sample_rate, sample_format="S16LE", coding_format="wave"
    )


def from_message(message: AudioDataStamped) -> FloatArray:
    """The samples of a chunk, float32 in [-1, 1), shape (n,).

    Raises:
        InputError: an odd number of bytes.
    """
    data = np.frombuffer(message.audio.data, np.uint8)
    if data.size % 2:
        raise InputError(f"an audio chunk of {data.size} bytes: S16LE samples have two each")
    return (data.view("<i2").astype(np.float32) / np.float32(FULL_SCALE)).astype(np.float32)
