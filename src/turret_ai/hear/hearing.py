# SPDX-License-Identifier: Apache-2.0
"""Audio in, what was said out: all of hearing but the thread that the recogniser runs in.

The transcriber node gives the recogniser a worker, an evaluation calls it in line: both hear by
this class, so that a figure of the one is a figure of the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from turret_ai.errors import InputError
from turret_ai.hear.edge import Resampler, to_float, to_mono
from turret_ai.hear.listener import (
    Listener,
    ListenEvent,
    SpeechDropped,
    SpeechEnded,
    SpeechPartial,
    SpeechPaused,
)
from turret_ai.hear.phone_evidence import PhoneTimes
from turret_ai.hear.settings import SAMPLE_RATE, HearSettings
from turret_ai.types import FloatArray, Progress, Transcription, TranscriptStatus
from turret_ai.units import ns_to_seconds

_AHEAD_LIMIT_S = 2.0
"""How long the end of an utterance waits for a slow engine before silence alone decides."""
_LIVE_S = 0.5
"""How far the end of a chunk may be from the present where somebody speaks just now: files that are
sent at once have no partial transcripts."""
_LONGEST_TICK_S = 0.5
"""A tick counts as that much silence at most: a process that stood still has heard nothing."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of a stream.

    stamp_ns: time of the first sample. samples: in [-1, 1], shape (n,), channels interleaved.
    utterance_id: of a marked utterance, which a chunk without samples ends; None: of a stream.
    """

    stamp_ns: int
    samples: FloatArray
    rate: int = SAMPLE_RATE
    channels: int = 1
    utterance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript. seconds: what recognising took, of the machine's time."""

    utterance_id: str
    stamp_ns: int
    transcription: Transcription
    seconds: float


@dataclass(frozen=True, slots=True)
class _Result:
    transcription: Transcription
    seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """Something to recognise. length: s from the first sample to the end of the speech."""

    utterance_id: str
    samples: FloatArray
    stamp_ns: int
    length: float
    partial: bool = False
    follows: str = ""
    """The complete command after which this was said so soon that it belongs to it."""
    ahead: Future[_Result] | None = None
    """Where the result goes instead of being told: the utterance has perhaps not ended."""


@dataclass(slots=True)
class _Marked:
    """A marked utterance while its chunks come in; samples at the stream's own rate."""

    utterance_id: str
    stamp_ns: int
    rate: int
    chunks: list[FloatArray]
    told_s: float = 0.0
    """Seconds of it that partial transcripts were asked for."""

    @property
    def seconds(self) -> float:
        """What has come so far."""
        return sum(len(chunk) for chunk in self.chunks) / self.rate


class Hearing:
    """Cuts, looks ahead, recognises. `feed`, `tick`, `reset` belong to one thread, `recognise`
    and `fail` to another or the same one.

    Every utterance that was announced, by its marks or by a partial transcript, ends in exactly
    one transcript that is not partial.
    """

    def __init__(
        self,
        settings: HearSettings,
        transcribe: Callable[[FloatArray], Transcription],
        progress: Callable[[str], Progress],
        tell: Callable[[Heard], None],
        submit: Callable[[Job], None] | None = None,
        busy: Callable[[], bool] = lambda: False,
        glance: Callable[[FloatArray], Transcription] | None = None,
        phones: PhoneTimes | None = None,
    ) -> None:
        """
        Args:
            transcribe: the recogniser; mono float32 at 16 kHz, shape (n,).
            progress: how much of an order a text holds.
            tell: takes every transcript, in the recogniser's thread.
            submit: has `recognise` called with a job, in the order of the jobs; None: at once.
            busy: whether the recogniser has no time for a partial transcript.
            glance: a cheaper recogniser for partial transcripts; None: the same.
            phones: tells phones, in the thread of `feed`; see `Listener`.
        """
        self.settings = settings
        self._transcribe, self._glance = transcribe, glance or transcribe
        self._progress = progress
        self._tell = tell
        self._submit = submit or self._in_line
        self._busy = busy
        self._listener = Listener(settings.listener, self._progress_of, phones)
        self._marked_cancelled = 0
        self._forget()

    def _forget(self) -> None:
        self._ahead: Job | None = None
        self._early: SpeechEnded | None = None
        self._marked: _Marked | None = None
        self._announced = ""  # told in part, and not ended
        self._dropped = ""  # marked, and ended before its end
        self._quiet_s = 0.0
        self._ticked_ns: int | None = None

    @property
    def late_chunks(self) -> int:
        """Chunks that came out of order and were left out."""
        return self._listener.late_chunks

    @property
    def gaps(self) -> int:
        """Places where chunks were missing."""
        return self._listener.gaps

    @property
    def cancelled_chunks(self) -> int:
        """Chunks whose channels cancel each other; of these only the loudest is heard."""
        return self._listener.cancelled_chunks + self._marked_cancelled

    @property
    def under_way(self) -> bool:
        """Whether somebody is in mid-sentence."""
        return self._marked is not None or self._listener.speaking

    # -- listening -------------------------------------------------------------------------------

    def feed(self, chunk: AudioChunk) -> None:
        """Take in one chunk.

        Raises:
            InputError: samples, channels or rate that make no sense; nothing of the chunk is
                used, and a marked utterance has ended with that reason.
        """
        self._quiet_s = 0.0
        if chunk.utterance_id is None:
            events = self._listener.feed(chunk.samples, chunk.rate, chunk.channels, chunk.stamp_ns)
            self._take(events)
            return
        try:
            self._gather(chunk.utterance_id, chunk)
        except InputError as error:
            self.abandon(chunk.utterance_id, chunk.stamp_ns, f"failed to transcribe: {error}")
            raise

    def tick(self, now_ns: int) -> None:
        """Time passes; to be called some ten times a second.

        A stream that breaks off in mid-sentence ends its utterance after `stream_timeout`.
        """
        before, self._ticked_ns = self._ticked_ns, now_ns
        if before is not None:
            self._quiet_s += min(max(0.0, ns_to_seconds(now_ns - before)), _LONGEST_TICK_S)
        if self._quiet_s > self.settings.stream_timeout:
            self.flush()

    def flush(self) -> None:
        """No more audio comes: what was being said is an utterance."""
        if self._marked is not None:
            self._end_marked(self._marked)
        if self._listener.speaking:
            self._take(self._listener.flush())

    def reset(self) -> None:
        """Drop what is being said; what was announced ends in an EMPTY transcript."""
        marked, announced = self._marked, self._announced
        stamp_ns = self._listener.began_ns
        self._listener.restart()
        self._forget()
        if marked is not None:
            self.abandon(marked.utterance_id, marked.stamp_ns, "dropped: reset")
            self._dropped = marked.utterance_id
        if announced:
            self.abandon(announced, stamp_ns, "dropped: reset")

    def abandon(self, utterance_id: str, stamp_ns: int, reason: str) -> None:
        """End an utterance of which nothing can be heard."""
        if self._marked is not None and self._marked.utterance_id == utterance_id:
            self._marked = None
        nothing = Job(utterance_id, np.zeros(0, np.float32), stamp_ns, 0.0)
        self._tell_nothing(nothing, reason)

    def _take(self, events: list[ListenEvent]) -> None:
        for event in events:
            if isinstance(event, SpeechEnded):
                self._announced = ""
                self._submit(self._ended(event))
            elif isinstance(event, SpeechPaused):
                self._look_ahead(event)
            elif isinstance(event, SpeechPartial) and not self._busy():
                if self._follows(event.stamp_ns):
                    continue  # perhaps the end of the command before, whose turn is under way
                name = self._announced = _name(event.stamp_ns)
                length = len(event.samples) / SAMPLE_RATE
                self._submit(Job(name, event.samples, event.stamp_ns, length, True))
            elif isinstance(event, SpeechDropped) and self._announced:
                name, self._announced = self._announced, ""
                self.abandon(name, event.stamp_ns, "too short to be speech")

    def _ended(self, event: SpeechEnded) -> Job:
        settings = self.settings.listener
        length = len(event.samples) / SAMPLE_RATE
        if event.cause in ("silence", "complete"):
            length = max(0.0, length - settings.post_roll)
        follows = self._follows(event.stamp_ns)
        self._early = None
        if event.cause == "complete":
            self._early = event
        name = _name(event.stamp_ns)
        return Job(name, event.samples, event.stamp_ns, length, follows=follows)

    def _follows(self, stamp_ns: int) -> str:
        """The complete command that ended so shortly before that these words belong to it."""
        settings, before = self.settings.listener, self._early
        if before is None:
            return ""
        pause = ns_to_seconds(stamp_ns - before.end_ns)
        soon = pause + settings.pre_roll + settings.post_roll < settings.end_silence
        return _name(before.stamp_ns) if soon else ""

    def _look_ahead(self, paused: SpeechPaused) -> Future[_Result]:
        """Recognise in the pause what will be the utterance if nobody speaks on."""
        job = self._ahead
        if job is None or job.ahead is None or not _same(job, paused.stamp_ns, paused.samples):
            future: Future[_Result] = Future()
            name = _name(paused.stamp_ns)
            job = Job(name, paused.samples, paused.stamp_ns, 0.0, ahead=future)
            self._ahead = job
            self._submit(job)
            return future
        return job.ahead

    def _progress_of(self, paused: SpeechPaused) -> Progress:
        """How much of an order was said."""
        try:
            heard = self._look_ahead(paused).result(timeout=_AHEAD_LIMIT_S)
        except Exception:  # it is told when the utterance itself is recognised
            return Progress.NONE
        return self._progress(heard.transcription.text)

    def _gather(self, utterance_id: str, chunk: AudioChunk) -> None:
        """A chunk of a marked utterance; one without samples ends it."""
        if utterance_id == self._dropped:
            return
        marked = self._marked
        if marked is not None and marked.utterance_id != utterance_id:
            self._end_marked(marked)  # its end was lost
            marked = None
        if marked is None:
            marked = self._marked = _Marked(utterance_id, chunk.stamp_ns, chunk.rate, [])
        mono, cancelled = to_mono(to_float(chunk.samples), chunk.channels)
        self._marked_cancelled += cancelled
        marked.chunks.append(mono)
        if not len(chunk.samples) or marked.seconds > self.settings.marked_limit:
            self._end_marked(marked)
        else:
            self._tell_marked_so_far(marked)

    def _tell_marked_so_far(self, marked: _Marked) -> None:
        """A partial transcript of a marked utterance that is being spoken just now."""
        interval, seconds = self.settings.listener.partial_interval, marked.seconds
        if not interval or seconds - marked.told_s < interval or self._ticked_ns is None:
            return
        late_s = ns_to_seconds(self._ticked_ns - marked.stamp_ns) - seconds
        if abs(late_s) > _LIVE_S or self._busy():
            return
        marked.told_s = seconds
        samples = _at_16_khz(marked)
        self._submit(Job(marked.utterance_id, samples, marked.stamp_ns, seconds, partial=True))

    def _end_marked(self, marked: _Marked) -> None:
        self._marked = None
        length = marked.seconds
        self._submit(Job(marked.utterance_id, _at_16_khz(marked), marked.stamp_ns, length))

    # -- recognising -----------------------------------------------------------------------------

    def _in_line(self, job: Job) -> None:
        try:
            self.recognise(job)
        except Exception as error:
            self.fail(job, f"failed to transcribe: {error}")

    def recognise(self, job: Job) -> None:
        """Do a job that was submitted; whatever it raises is to be handed to `fail`."""
        if job.ahead is not None:
            try:
                job.ahead.set_result(self._measured(job))
            except Exception as error:
                job.ahead.set_exception(error)
            return
        found = self._known(job) or self._measured(job)
        heard = found.transcription
        if job.follows and self._progress(heard.text) is not Progress.COMPLETE:
            # "Over." Without the early end it would have been the last words of that command.
            reason = f"said right after {job.follows}, and no command: {heard.text!r}"
            heard = Transcription(TranscriptStatus.EMPTY, reason=reason)
        if job.partial:
            if heard.status is TranscriptStatus.EMPTY:
                return
            heard = replace(heard, status=TranscriptStatus.PARTIAL)
        heard = replace(heard, speech_seconds=job.length)
        self._tell(Heard(job.utterance_id, job.stamp_ns, heard, found.seconds))

    def fail(self, job: Job, reason: str) -> None:
        """Say of a job that it was not done, and why."""
        if job.ahead is not None:
            if not job.ahead.done():
                job.ahead.set_exception(InputError(reason))
        elif not job.partial:
            self._tell_nothing(job, reason)

    def _tell_nothing(self, job: Job, reason: str) -> None:
        nothing = Transcription(TranscriptStatus.EMPTY, speech_seconds=job.length, reason=reason)
        self._tell(Heard(job.utterance_id, job.stamp_ns, nothing, 0.0))

    def _measured(self, job: Job) -> _Result:
        started = time.perf_counter()
        heard = (self._glance if job.partial else self._transcribe)(job.samples)
        return _Result(heard, time.perf_counter() - started)

    def _known(self, job: Job) -> _Result | None:
        """What was recognised ahead, if that was this utterance."""
        before = self._ahead
        if before is None or before.ahead is None or not before.ahead.done():
            return None
        if before.ahead.exception() or not _same(before, job.stamp_ns, job.samples):
            return None
        return before.ahead.result()


def _at_16_khz(marked: _Marked) -> FloatArray:
    whole = np.concatenate(marked.chunks)
    return whole if marked.rate == SAMPLE_RATE else Resampler(marked.rate)(whole, last=True)


def _same(job: Job, stamp_ns: int, samples: FloatArray) -> bool:
    return job.stamp_ns == stamp_ns and len(job.samples) == len(samples)


def _name(stamp_ns: int) -> str:
    """The id of an utterance of a continuous stream: when it began, in milliseconds."""
    return f"u{stamp_ns // 1_000_000}"
