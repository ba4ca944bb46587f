# SPDX-License-Identifier: Apache-2.0
"""A stream of audio in, utterances out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.hear import phone_evidence
from turret_ai.hear.edge import Resampler, to_float, to_mono
from turret_ai.hear.level import dbfs
from turret_ai.hear.phone_evidence import PhoneTimes
from turret_ai.hear.settings import SAMPLE_RATE, ListenerSettings
from turret_ai.hear.vad import BLOCK, StreamDetector
from turret_ai.types import FloatArray, Progress
from turret_ai.units import ns_to_seconds, seconds_to_ns

_LATE_S = 0.05
"""How far a stamp may lie before what is expected; timers and clocks are not better."""
_LOOK_BACK_S = 2.0
"""How far before the detector's first sign the first sound is searched."""
_HISTORY_S = 3.0
"""How long before it the noise is measured."""
_BELOW_SPEECH_DB, _ABOVE_NOISE_DB = 24.0, 6.0
"""A sound is this little below the speech and this much above the median of the noise."""
_BRIDGE_BLOCKS, _BRIDGE_DOUBT_BLOCKS = 10, 3
"""Sounds this close (320 ms) to what follows belong to it: plosives have pauses. So does what the
detector at least doubts, if it is closer."""
_LEAST_NOISE = 4
"""Blocks from which the noise can be measured."""
_DOUBT = 0.1
"""Speech probability that is not nothing: the detector rises late on weak consonants."""
_RESTART_S = 5.0
"""A stamp so far back means that the source began anew, not that a chunk is late."""
_SEARCH_S = 2.0
"""The end of a too long utterance in which its quietest place is searched."""
_WATCH_BLOCKS, _WATCHED_BLOCKS = 15, 60
"""In silence phones are looked for every 0.48 s, in the last 1.92 s."""
_BEFORE_SILENCE_S = 2.5
"""What is given to the phone model before a silence, so that it hears what the silence follows."""
_SETTLING_S = 4.0
"""Of an utterance, after which it is known well enough where it began."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak. stamp_ns: of the first sample, pre-roll included, as far as can be
    told yet; the events that follow may say it better, and then all say the same."""

    stamp_ns: int


@dataclass(frozen=True, slots=True)
class SpeechPartial:
    """What was said so far: mono float32, 16 kHz."""

    samples: FloatArray
    stamp_ns: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Nobody has spoken for `post_roll`. Unless somebody speaks on, this is the utterance:
    `SpeechEnded` will hold the same samples."""

    samples: FloatArray
    stamp_ns: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A whole utterance.

    samples: mono float32 in [-1, 1], shape (n,), 16 kHz, pre- and post-roll included.
    stamp_ns, end_ns: time of the first and after the last sample.
    speech_seconds: how much of it is speech.
    cause: "silence", "complete" (a shorter silence, and nothing was missing), "length" (it was
        cut), "gap" (the stream broke off) or "flush".
    """

    samples: FloatArray
    stamp_ns: int
    end_ns: int
    speech_seconds: float
    cause: str


@dataclass(frozen=True, slots=True)
class SpeechDropped:
    """What began was too short to be speech: there is no utterance."""

    stamp_ns: int


ListenEvent = SpeechStarted | SpeechPartial | SpeechPaused | SpeechEnded | SpeechDropped


def first_sound(levels: Sequence[float], probabilities: Sequence[float], surely: int) -> int:
    """Which block the speech began in. The detector rises late, most of all over a narrow band.

    Args:
        levels: dBFS of successive blocks.
        probabilities: of speech in each of them.
        surely: how many of the last ones are speech.
    """
    first = len(levels) - surely
    noise = sorted(level for level in levels[:first] if level > -100.0)
    enough = max(levels[first:]) - _BELOW_SPEECH_DB
    if len(noise) >= _LEAST_NOISE:
        enough = max(enough, noise[len(noise) // 2] + _ABOVE_NOISE_DB)
    loud = [level >= enough for level in levels]
    earliest = max(0, first - round(_LOOK_BACK_S * SAMPLE_RATE / BLOCK))
    for i in range(first - 1, earliest - 1, -1):
        if first - i > _BRIDGE_BLOCKS:
            break
        # A click fills one block, a sound of speech two in a row or in three.
        sound = loud[i] and sum(loud[max(0, i - 1) : i + 2]) > 1
        doubt = probabilities[i] >= _DOUBT and first - i <= _BRIDGE_DOUBT_BLOCKS
        if sound or doubt:
            first = i
    return first


class Listener:
    """Cuts a stream into utterances by voice activity. Not thread-safe."""

    def __init__(
        self,
        settings: ListenerSettings | None = None,
        progress: Callable[[SpeechPaused], Progress] | None = None,
        phones: PhoneTimes | None = None,
    ) -> None:
        """An idle listener.

        Args:
            phones: a phone model that helps the voice activity detector; see `phone_evidence`.
            progress: how much of an order was said so far. It is asked after `early_silence` and
                after `end_silence` and may take its time: the answer, not the clock, decides.
        """
        self.settings = settings or ListenerSettings()
        self._progress = progress
        self._phones = phones if self.settings.phones else None
        self.late_chunks = 0
        """Chunks that came out of order and were left out."""
        self.cancelled_chunks = 0
        """Chunks whose channels cancel each other; of these only the loudest is heard."""
        self.gaps = 0
        """Places where chunks were missing."""
        self._detector = StreamDetector()
        self._resampler: Resampler | None = None
        self.restart()

    def restart(self) -> None:
        """Forget the stream so far, and what was being said."""
        self._detector.reset()
        self._resampler = None
        self._expected_ns: int | None = None
        self._anchor = (0, 0)  # (index of a sample at 16 kHz, its stamp)
        self._fed = 0.0  # samples at 16 kHz that the chunks so far amount to
        self._waiting = np.zeros(0, dtype=np.float32)
        self._index = 0  # of the first waiting sample
        self._before: deque[tuple[FloatArray, float]] = deque()  # with the probability
        self._run_up = self._unwatched = 0
        self._spoken: list[FloatArray] | None = None
        self._lead: list[FloatArray] = []  # what came before, until the start is settled
        self._start = 0
        self._speech = self._silence = self._since_partial = 0
        self._deaf = False  # the detector, to what is being said
        self._open = False  # an order that was begun: this pause may be longer

    def feed(
        self, samples: NDArray[Any], sample_rate: int, channels: int, stamp_ns: int
    ) -> list[ListenEvent]:
        """Take one chunk.

        Args:
            samples: int16, int32, uint8 or float32; (n,) interleaved, or (n, channels).
            sample_rate: Hz; a change ends the utterance.
            stamp_ns: time of the first sample.

        Raises:
            InputError: samples, channels or rate that make no sense; nothing of the chunk is used.
        """
        mono, cancelled = to_mono(to_float(np.asarray(samples)), channels)
        self.cancelled_chunks += cancelled
        events: list[ListenEvent] = []
        if self._resampler is not None and self._resampler.sample_rate != sample_rate:
            events += self._break("gap")
        resampler = self._resampler or Resampler(sample_rate)
        if mono.size == 0:
            return events
        if self._expected_ns is not None:
            ahead = ns_to_seconds(stamp_ns - self._expected_ns)
            if ahead < -_RESTART_S:
                events += self._break("gap")
                resampler = Resampler(sample_rate)
            elif ahead < -_LATE_S:
                self.late_chunks += 1
                return events
            elif ahead > self.settings.gap_bridged:
                self.gaps += 1
                events += self._break("gap")
                resampler = Resampler(sample_rate)
            elif ahead > _LATE_S:
                self.gaps += 1
                mono = np.concatenate([np.zeros(round(ahead * sample_rate), np.float32), mono])
                stamp_ns = self._expected_ns
        self._resampler = resampler
        self._anchor = (round(self._fed), stamp_ns)
        self._fed += len(mono) * SAMPLE_RATE / sample_rate
        self._expected_ns = stamp_ns + seconds_to_ns(len(mono) / sample_rate)
        return events + self._take(resampler(mono))

    @property
    def speaking(self) -> bool:
        """Whether somebody is in mid-sentence."""
        return self._spoken is not None

    @property
    def began_ns(self) -> int:
        """The stamp of the first sample of what is being said; without meaning in silence."""
        return self._stamp(self._start)

    def flush(self) -> list[ListenEvent]:
        """The stream has ended: what was being said is an utterance."""
        events: list[ListenEvent] = []
        if self._resampler is not None and self._resampler.sample_rate != SAMPLE_RATE:
            events += self._take(self._resampler(np.zeros(0, dtype=np.float32), last=True))
        return events + self._break("flush")

    def _break(self, cause: str) -> list[ListenEvent]:
        events: list[ListenEvent] = []
        if self._spoken is not None:
            if self._waiting.size:
                self._spoken.append(self._waiting)
            events = self._end(cause)
        self.restart()
        return events

    def _stamp(self, index: int) -> int:
        anchor_index, anchor_ns = self._anchor
        return anchor_ns + seconds_to_ns((index - anchor_index) / SAMPLE_RATE)

    def _take(self, samples: FloatArray) -> list[ListenEvent]:
        events: list[ListenEvent] = []
        self._waiting = np.concatenate([self._waiting, samples])
        while len(self._waiting) >= BLOCK:
            block, self._waiting = self._waiting[:BLOCK], self._waiting[BLOCK:]
            self._index += BLOCK
            probability = self._detector(block)
            events += (
                self._quiet(block, probability)
                if self._spoken is None
                else self._speaking(block, probability)
            )
        return events

    def _quiet(self, block: FloatArray, probability: float) -> list[ListenEvent]:
        settings = self.settings
        self._before.append((block, probability))
        self._run_up = self._run_up + BLOCK if probability >= settings.threshold else 0
        kept = (settings.pre_roll + _HISTORY_S) * SAMPLE_RATE + self._run_up
        while (len(self._before) - 1) * BLOCK >= kept:
            self._before.popleft()
        blocks = [block for block, _ in self._before]
        if self._run_up >= settings.start_speech * SAMPLE_RATE:
            levels, told = [dbfs(b) for b in blocks], [p for _, p in self._before]
            first = first_sound(levels, told, self._run_up // BLOCK)
            speech, self._deaf = self._run_up, False
        else:
            found = self._unnoticed(blocks)
            if found is None:
                return []
            first = found
            speech, self._deaf = (len(blocks) - first) * BLOCK, True
        kept_from = max(0, first - self._pre_roll_blocks)
        self._lead, self._spoken = blocks[:kept_from], blocks[kept_from:]
        self._start = self._index - BLOCK * len(self._spoken)
        self._speech, self._silence, self._since_partial = speech, 0, 0
        self._before.clear()
        self._run_up = 0
        return [SpeechStarted(self._stamp(self._start))]

    @property
    def _pre_roll_blocks(self) -> int:
        return round(self.settings.pre_roll * SAMPLE_RATE / BLOCK)

    def _phone_times(self, samples: FloatArray) -> FloatArray | None:
        return None if self._phones is None else self._phones(samples)

    def _unnoticed(self, blocks: list[FloatArray]) -> int | None:
        """The block in which speech began that the detector is deaf to."""
        self._unwatched += 1
        if self._unwatched < _WATCH_BLOCKS:
            return None
        self._unwatched = 0
        watched = np.concatenate(blocks[-_WATCHED_BLOCKS:])
        times = self._phone_times(watched) if watched.any() else None
        if times is None:
            return None
        start = phone_evidence.unnoticed(times, len(watched) / SAMPLE_RATE)
        if start is None:
            return None
        return max(0, len(blocks) - _WATCHED_BLOCKS) + int(start * SAMPLE_RATE / BLOCK)

    def _settle(self) -> None:
        """Say for good where what is being said began."""
        assert self._spoken is not None
        lead, self._lead = self._lead, []
        if not lead:
            return
        known = [*lead, *self._spoken]
        suspected = (len(lead) + self._pre_roll_blocks) * BLOCK / SAMPLE_RATE
        heard = len(lead) + round(_SETTLING_S * SAMPLE_RATE / BLOCK)
        times = self._phone_times(np.concatenate(known[:heard]))
        start = None if times is None else phone_evidence.run_start(times, suspected)
        if start is None:
            return
        first = max(0, int(start * SAMPLE_RATE / BLOCK) - self._pre_roll_blocks)
        first = min(first, len(known) - 1)
        self._start += (first - len(lead)) * BLOCK
        self._spoken = known[first:]

    def _silent(self, least: int = 2) -> bool:
        """Whether the phone model hears nothing either since the detector heard the last; if it
        hears that many phones, the silence is only as long as what came after them."""
        assert self._spoken is not None
        before = round(_BEFORE_SILENCE_S * SAMPLE_RATE / BLOCK)
        tail = np.concatenate(self._spoken[-(self._silence // BLOCK + before) :])
        length = len(tail) / SAMPLE_RATE
        times = self._phone_times(tail)
        last = None
        if times is not None:
            last = phone_evidence.last_after(times, length - self._silence / SAMPLE_RATE, least)
        if last is None:
            return True
        silence = int((length - last) * SAMPLE_RATE / BLOCK) * BLOCK
        self._speech += self._silence - silence
        self._silence = silence
        self._deaf, self._open = True, False
        return False

    def _speaking(self, block: FloatArray, probability: float) -> list[ListenEvent]:
        settings = self.settings
        assert self._spoken is not None
        self._spoken.append(block)
        self._since_partial += BLOCK
        if probability >= settings.threshold - settings.release:
            self._speech += BLOCK
            self._silence, self._open = 0, False
        else:
            self._silence += BLOCK
        enough = settings.open_silence if self._open else settings.end_silence
        if self._silence >= enough * SAMPLE_RATE and self._silent():
            if not self._stays_open():
                return self._end("silence")
            self._open = True
        if self._index - self._start >= settings.max_length * SAMPLE_RATE:
            return self._cut()
        events: list[ListenEvent] = []
        pauses = self._reaches(settings.post_roll) and (not self._deaf or self._silent(1))
        if pauses and self._speech_s >= settings.min_speech:
            events.append(self._paused())
        if (
            settings.early_silence
            and self._progress is not None
            and self._reaches(settings.early_silence)
            and self._progress(self._paused()) is Progress.COMPLETE
        ):
            return events + self._end("complete")
        interval = settings.partial_interval * SAMPLE_RATE
        if interval and self._since_partial >= interval and not self._silence:
            self._since_partial = 0
            self._settle()
            events.append(SpeechPartial(np.concatenate(self._spoken), self._stamp(self._start)))
        return events

    def _stays_open(self) -> bool:
        """Whether the pause may last, since an order was begun."""
        return (
            not self._open
            and self.settings.open_silence > self.settings.end_silence
            and self._progress is not None
            and self._speech_s >= self.settings.min_speech
            and self._progress(self._paused()) is Progress.BEGUN
        )

    @property
    def _speech_s(self) -> float:
        return self._speech / SAMPLE_RATE

    def _reaches(self, seconds: float) -> bool:
        """Whether the silence has just become that long."""
        return self._silence - BLOCK < seconds * SAMPLE_RATE <= self._silence

    def _paused(self) -> SpeechPaused:
        samples = self._trimmed()
        return SpeechPaused(samples, self._stamp(self._start))

    def _trimmed(self) -> FloatArray:
        """What was said, with `post_roll` of the silence after it."""
        assert self._spoken is not None
        self._settle()
        samples = np.concatenate(self._spoken)
        surplus = self._silence - round(self.settings.post_roll * SAMPLE_RATE)
        return samples[:-surplus] if surplus > 0 else samples

    def _end(self, cause: str) -> list[ListenEvent]:
        samples = self._trimmed()
        stamp = self._stamp(self._start)
        speech = self._speech_s
        assert self._spoken is not None
        surplus = (self._silence - round(self.settings.post_roll * SAMPLE_RATE)) // BLOCK
        if surplus > 0:  # the run-up to what is said next
            self._before.extend((block, 0.0) for block in self._spoken[-surplus:])
        self._spoken = None
        self._silence, self._open = 0, False
        if speech < self.settings.min_speech:
            return [SpeechDropped(stamp)]
        end = stamp + seconds_to_ns(len(samples) / SAMPLE_RATE)
        return [SpeechEnded(samples, stamp, end, speech, cause)]

    def _cut(self) -> list[ListenEvent]:
        """End a too long utterance where it is quietest; the rest begins the next one."""
        assert self._spoken is not None
        self._settle()
        count = max(2, round(_SEARCH_S * SAMPLE_RATE / BLOCK))
        tail = self._spoken[-count:]
        at = len(self._spoken) - count + int(np.argmin([float(np.square(b).sum()) for b in tail]))
        at = max(1, at)
        first, rest = self._spoken[:at], self._spoken[at:]
        stamp = self._stamp(self._start)
        samples = np.concatenate(first)
        whole = self._index - self._start
        share = len(samples) / whole
        speech = self._speech * share / SAMPLE_RATE
        end = stamp + seconds_to_ns(len(samples) / SAMPLE_RATE)
        self._spoken = rest
        self._start += len(samples)
        self._speech = round(self._speech * (1 - share))
        self._since_partial = 0
        return [
            SpeechEnded(samples, stamp, end, speech, "length"),
            SpeechStarted(self._stamp(self._start)),
        ]
