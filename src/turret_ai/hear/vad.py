# SPDX-License-Identifier: Apache-2.0
"""Silero voice activity detection, the ONNX model that faster-whisper carries.

https://github.com/snakers4/silero-vad (MIT). Run through ONNX Runtime directly, so that its state
goes on from chunk to chunk of a stream.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from turret_ai.errors import ModelError
from turret_ai.execution import ExecutionSettings, Session
from turret_ai.hear.level import dbfs, to_level
from turret_ai.types import FloatArray

BLOCK = 512
"""Samples that are judged at once: 32 ms at 16 kHz."""
_CONTEXT = 64


LEVEL_DBFS = -20.0
"""Where the detector is at its best; radio speech lies 10 to 20 dB below."""
_START_DBFS, _FLOOR_DBFS = -32.0, -50.0
_FALL_DB_PER_BLOCK = 0.1
"""How fast the level of speech is forgotten: 3 dB a second."""


_SHORTEST_RUN = 5
_FORGET_BLOCKS = 32
"""About a second after one detector forgets, the other one does."""


@cache
def _session() -> Session:
    from faster_whisper.utils import get_assets_path

    found = sorted(Path(get_assets_path()).glob("silero_vad*.onnx"))
    if not found:
        raise ModelError("faster-whisper carries no Silero VAD here: reinstall it")
    return Session(found[-1], ExecutionSettings(provider="cpu", threads=1))


class SpeechDetector:
    """Speech probabilities of successive blocks of 512 samples at 16 kHz."""

    def __init__(self) -> None:
        self._session = _session()
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._h = np.zeros((1, 1, 128), dtype=np.float32)
        self._c = np.zeros((1, 1, 128), dtype=np.float32)
        self._context = np.zeros(_CONTEXT, dtype=np.float32)

    def __call__(self, blocks: FloatArray) -> FloatArray:
        """Probability that each block holds speech: shape (n, 512) to (n,)."""
        tails = np.vstack([self._context, blocks[:-1, -_CONTEXT:]])
        given = np.concatenate([tails, blocks], axis=1)
        out, self._h, self._c = self._session(given, self._h, self._c)
        self._context = blocks[-1, -_CONTEXT:]
        return np.asarray(out, dtype=np.float32).reshape(-1)


class StreamDetector:
    """Speech probabilities of a stream of unknown level that never ends.

    Two things that the bare detector lacks. The loudest of late is brought to the level where it is
    at its best. And two detectors take turns in forgetting, since the recurrent state of one can
    stay deaf to narrow-band speech after a pause; the higher probability counts.
    """

    def __init__(self) -> None:
        self._detectors = (SpeechDetector(), SpeechDetector())
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        for detector in self._detectors:
            detector.reset()
        self._level = _START_DBFS
        self._count = 0

    def __call__(self, block: FloatArray) -> float:
        """Probability that the block, shape (512,), holds speech."""
        fallen = max(self._level - _FALL_DB_PER_BLOCK, _FLOOR_DBFS)
        self._level = max(fallen, dbfs(block))
        gain = np.float32(10 ** ((LEVEL_DBFS - self._level) / 20))
        loud = np.clip(block * gain, -1.0, 1.0)
        turn, place = divmod(self._count, _FORGET_BLOCKS)
        if place == 0:
            self._detectors[turn % 2].reset()
        self._count += 1
        return max(float(detector(loud[None])[0]) for detector in self._detectors)


def probabilities(samples: FloatArray) -> FloatArray:
    """Speech probability of each 32 ms of an utterance; the last block is filled with zeros."""
    samples = np.clip(to_level(samples, LEVEL_DBFS), -1.0, 1.0)
    count = -(-len(samples) // BLOCK)
    padded = np.pad(samples, (0, count * BLOCK - len(samples))).astype(np.float32)
    blocks = padded.reshape(count, BLOCK)
    best = np.zeros(count, dtype=np.float32)
    detector = SpeechDetector()
    for shift in (0, _FORGET_BLOCKS):  # as in a stream: two that forget in turns
        for start in range(-shift, count, 2 * _FORGET_BLOCKS):
            first, last = max(0, start), min(count, start + 2 * _FORGET_BLOCKS)
            if first < last:
                detector.reset()
                best[first:last] = np.maximum(best[first:last], detector(blocks[first:last]))
    return best


def speech_seconds(samples: FloatArray, threshold: float, sample_rate: int = 16000) -> float:
    """Seconds of an utterance whose speech probability reaches the threshold.

    Only stretches of at least 160 ms count: in noise, single blocks look like speech now and then.
    """
    total = run = 0
    for above in (*(probabilities(samples) >= threshold), False):
        if above:
            run += 1
        else:
            total += run if run >= _SHORTEST_RUN else 0
            run = 0
    return total * BLOCK / sample_rate
