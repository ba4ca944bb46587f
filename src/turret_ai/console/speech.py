# SPDX-License-Identifier: Apache-2.0
"""A pressed key: audio of a page becomes chunks of one marked utterance, in time and bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from turret_ai.console.requests import MAX_AUDIO
from turret_ai.errors import InputError
from turret_ai.units import ns_to_seconds, seconds_to_ns

_AHEAD_S = 2.0
"""How much more audio than time may come: what was kept before the key, and a network's burst."""

Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Format:
    """What the listeners were told of the stream that they share. rate: Hz."""

    rate: int = 16000
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples, interleaved, shape (n,), and the time of the first; empty: the utterance ends."""

    samples: Pcm
    stamp_ns: int


class Talk:
    """One utterance from key down to key up."""

    def __init__(self, utterance_id: str, rate: int, target: Format, longest_s: float) -> None:
        """
        Args:
            rate: of the page's samples, Hz.
            target: the format in which chunks are given.
            longest_s: after so many seconds of audio the key counts as released.
        """
        self.utterance_id = utterance_id
        self.ended = False
        self._rate, self._target, self._longest_s = rate, target, longest_s
        self._resampler = (
            None if rate == target.rate else soxr.ResampleStream(rate, target.rate, 1, "int16")
        )
        self._start_ns = self._pressed_ns = 0
        self._taken = self._given = 0

    @property
    def stamp_ns(self) -> int:
        """Time of the first sample; 0 before it."""
        return self._start_ns

    def feed(self, data: bytes, now_ns: int) -> list[Chunk]:
        """Take in a piece; what has become of it so far, with the end where it got too long.

        Raises:
            InputError: it is no S16LE, too large, or comes faster than anybody speaks.
        """
        if self.ended:
            return []
        if len(data) % 2 or not data or len(data) > MAX_AUDIO:
            raise InputError(f"a piece of audio of {len(data)} bytes: S16LE, {MAX_AUDIO} at most")
        samples = np.frombuffer(data, "<i2").astype(np.int16)
        if not self._start_ns:
            self._pressed_ns = now_ns
            self._start_ns = now_ns - seconds_to_ns(len(samples) / self._rate)
        self._taken += len(samples)
        seconds = self._taken / self._rate
        if seconds > max(0.0, ns_to_seconds(now_ns - self._pressed_ns)) + _AHEAD_S:
            raise InputError("audio comes faster than it can have been spoken")
        found = self._convert(samples, last=False)
        return [*found, *self.end()] if seconds >= self._longest_s else found

    def end(self) -> list[Chunk]:
        """The key is released: the rest, and the end of the utterance. Nothing where none began."""
        if self.ended:
            return []
        self.ended = True
        if not self._taken:
            return []
        rest = self._convert(np.zeros(0, np.int16), last=True)
        return [*rest, Chunk(np.zeros(0, np.int16), self._at(self._given))]

    def _convert(self, samples: Pcm, last: bool) -> list[Chunk]:
        if self._resampler is not None:
            samples = np.asarray(self._resampler.resample_chunk(samples, last=last), np.int16)
        if not len(samples):
            return []
        stamp_ns = self._at(self._given)
        self._given += len(samples)
        return [Chunk(np.repeat(samples, self._target.channels), stamp_ns)]

    def _at(self, sample: int) -> int:
        return self._start_ns + seconds_to_ns(sample / self._target.rate)
