# SPDX-License-Identifier: Apache-2.0
"""Audio files: WAV, FLAC, OGG and whatever else libsndfile reads."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.hear import streamed
from turret_ai.hear.edge import RATES, to_mono
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.types import FloatArray

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au")
HEADERLESS = (".raw", ".pcm", ".s16", ".s16le", ".sw")
MAX_SECONDS = 3600.0
MAX_CHANNELS = 64
BLOCK = 1 << 16
"""Frames read at a time."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What an audio file holds.

    samples: mono float32 (n,), full scale 1. sample_rate: Hz. remark: what people should know
    although the file could be read, else "".
    """

    samples: FloatArray
    sample_rate: int
    remark: str = ""

    def at_16_khz(self) -> FloatArray:
        """The samples resampled, float32 (n,); maybe none."""
        if self.sample_rate == SAMPLE_RATE:
            return self.samples
        resampled = soxr.resample(self.samples, self.sample_rate, SAMPLE_RATE)
        return np.asarray(resampled, dtype=np.float32)

    def as_pcm(self) -> NDArray[np.int16]:
        """The samples as int16 (n,), at their own rate."""
        pcm = np.rint(np.clip(self.samples, -1.0, 1.0) * np.float32(32768.0))
        return np.asarray(np.minimum(pcm, 32767.0), dtype=np.int16)


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Read from the beginning to the end, without seeking.

    GSM 6.10, G.721, DWVW, and FLAC of unknown length can't be sought in.
    """

    def seekable(self) -> bool:
        """False: soundfile then leaves the position to libsndfile."""
        return False


def decode(data: bytes, name: str = "the audio", longest: float = MAX_SECONDS) -> Sound:
    """Read a whole file's bytes.

    Args:
        name: what the error's text begins with.
        longest: s; longer audio is refused.

    Raises:
        InputError: see `load`.
    """
    return _decode(io.BytesIO(data), name, longest)


def load(path: str | Path) -> Sound:
    """Read a file; several channels become one.

    Raises:
        InputError: missing, not audio, without a header, empty, too long, a rate that no speech
            has, or samples that aren't finite.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no audio file {path}")
    try:
        with path.open("rb") as file:
            return _decode(file, str(path), MAX_SECONDS)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}") from error
    except InputError as error:
        if path.suffix.lower() in HEADERLESS:
            raise InputError(
                f"{path} has no header that tells its rate and sample format: make a WAV file of "
                f"it, as by `sox -t raw -r 16000 -e signed -b 16 -c 1 IN.raw OUT.wav`"
            ) from error
        raise


def read(path: str | Path) -> FloatArray:
    """Mono float32 in [-1, 1], shape (n,), at 16 kHz; channels are averaged.

    Raises:
        InputError: see `load`.
    """
    samples = load(path).at_16_khz()
    if samples.size == 0:
        raise InputError(f"{path} is shorter than one sample at {SAMPLE_RATE} Hz")
    return samples


def _decode(source: BinaryIO, name: str, longest: float) -> Sound:
    try:
        with _Forward(streamed.mended(source)) as file:
            rate = int(file.samplerate)
            if not RATES[0] <= rate <= RATES[1]:
                raise InputError(f"{name} has a sample rate of {rate} Hz")
            if file.channels > MAX_CHANNELS:
                raise InputError(f"{name} has {file.channels} channels: {MAX_CHANNELS} at most")
            samples = _blocks(file, round(longest * rate))
    except soundfile.LibsndfileError as error:
        reason = error.error_string.strip().rstrip(".")
        raise InputError(f"{name} is not an audio file that can be read: {reason}") from error
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"{name} is not an audio file that can be read") from error
    if samples is None:
        raise InputError(f"{name} is longer than {longest:.0f} s")
    if samples.size == 0:
        raise InputError(f"{name} holds no samples")
    if not np.isfinite(samples).all():
        raise InputError(f"{name} holds samples that are not numbers (NaN or infinite)")
    mono, cancelled = to_mono(samples, samples.shape[1])
    remark = "its channels cancel each other: only the loudest is heard" if cancelled else ""
    return Sound(mono, rate, remark)


def _blocks(file: Any, most: int) -> FloatArray | None:
    """All frames, (n, channels); None for more than `most`.

    What the header says of their number is not trusted: a stream's is unknown or too large.
    """
    blocks, count = [], 0
    while True:
        block = file.read(BLOCK, dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block)
        count += len(block)
        if count > most:
            return None
    return np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)
