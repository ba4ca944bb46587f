"""Audio files: WAV, FLAC, OGG and whatever else libsndfile reads."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.hear.settings import SAMPLE_RATE
from turret_ai.types import FloatArray

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au")
MAX_SECONDS = 3600.0
MAX_CHANNELS = 64


def _read(path: Path) -> tuple[FloatArray, int]:
    if not path.is_file():
        raise InputError(f"there is no audio file {path}")
    return _decode(path, str(path))


def _decode(source: Path | io.BytesIO, path: str) -> tuple[FloatArray, int]:
    try:
        with soundfile.SoundFile(source) as file:
            if file.frames > MAX_SECONDS * file.samplerate:
                raise InputError(f"{path} is longer than {MAX_SECONDS:.0f} s")
            if file.channels > MAX_CHANNELS:
                raise InputError(f"{path} has {file.channels} channels: {MAX_CHANNELS} at most")
            samples = file.read(dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except (OSError, RuntimeError) as error:  # libsndfile's errors are RuntimeErrors
        raise InputError(f"{path} is not an audio file that can be read: {error}") from error
    if samples.size == 0:
        raise InputError(f"{path} holds no samples")
    if not np.isfinite(samples).all():
        raise InputError(f"{path} holds samples that are not numbers (NaN or infinite)")
    return samples.mean(axis=1), rate


def decode(data: bytes, name: str = "the audio") -> tuple[FloatArray, int]:
    """A whole file's bytes: mono float32 (n,) at the file's own rate, and that rate in Hz.

    Raises:
        InputError: see `read`; the text begins with `name`.
    """
    return _decode(io.BytesIO(data), name)


def read(path: str | Path) -> FloatArray:
    """Mono float32 in [-1, 1], shape (n,), at 16 kHz; channels are averaged.

    Raises:
        InputError: missing, not audio, empty, too long, or samples that aren't finite.
    """
    samples, rate = _read(Path(path))
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, rate, SAMPLE_RATE)
    if samples.size == 0:
        raise InputError(f"{path} is shorter than one sample at {SAMPLE_RATE} Hz")
    return np.asarray(samples, dtype=np.float32)


def read_pcm(path: str | Path) -> tuple[NDArray[np.int16], int]:
    """Mono int16 samples at the file's own rate, and that rate in Hz.

    Raises:
        InputError: see `read`.
    """
    samples, rate = _read(Path(path))
    return np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16), rate
