"""The transcriber node: audio chunks in, transcripts out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from turret_ai import vocabulary
from turret_ai.errors import InputError
from turret_ai.hear import recogniser
from turret_ai.hear.edge import Resampler, to_mono
from turret_ai.hear.listener import Listener, SpeechEnded, SpeechPartial, SpeechPaused
from turret_ai.hear.settings import SAMPLE_RATE, ListenerSettings, RecogniserSettings
from turret_ai.nodes import convert, utterance_frame
from turret_ai.nodes.stage import Stage
from turret_ai.ros import audio, qos
from turret_ai.ros.interfaces import AudioDataStamped, AudioInfo, Transcript
from turret_ai.ros.time import to_ns
from turret_ai.types import FloatArray, Transcription, TranscriptStatus
from turret_ai.understand.rules import Rules
from turret_ai.understand.words import split
from turret_ai.units import ns_to_seconds

_AHEAD_LIMIT_S = 2.0
"""How long the end of an utterance waits for a slow engine before silence alone decides."""


class TranscriberParameters(BaseModel):
    """How the stream is cut, and how it is recognised."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listener: ListenerSettings = ListenerSettings()
    recogniser: RecogniserSettings = RecogniserSettings()
    marked_limit: float = Field(
        60.0, gt=0.0, le=3600.0, description="s after which a marked utterance is taken as it is"
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """A result, and how many seconds recognising took."""

    transcription: Transcription
    seconds: float


@dataclass(frozen=True, slots=True)
class _Job:
    """Something to recognise. length: s from the first sample to the end of the speech."""

    utterance_id: str
    samples: FloatArray
    stamp_ns: int
    length: float
    partial: bool = False
    follows: str = ""
    """The complete command after which this was said so soon that it belongs to it."""
    ahead: Future[_Heard] | None = None
    """Where the result goes instead of onto the topic: the utterance has perhaps not ended."""


@dataclass(slots=True)
class _Marked:
    """A marked utterance while its chunks come in; samples at the stream's own rate."""

    utterance_id: str
    stamp_ns: int
    sample_rate: int
    chunks: list[FloatArray]

    @property
    def seconds(self) -> float:
        """What has come so far."""
        return sum(len(chunk) for chunk in self.chunks) / self.sample_rate


class Transcriber(Stage):
    """Listens in one worker, recognises in another: listening never waits for the model."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("transcriber", TranscriberParameters, overrides)
        self.recogniser = recogniser.load(self.parameters.recogniser)
        self.recogniser.warm_up()
        self._rules = Rules(vocabulary.load())
        self._ahead: _Job | None = None
        self._early: SpeechEnded | None = None
        self._listener = Listener(self.parameters.listener, self._is_complete)
        self._marked: _Marked | None = None
        self._sample_rate, self._channels = SAMPLE_RATE, 1
        self._listening = self.create_worker(self._listen, self._on_chunk_error, capacity=2000)
        self._recognising = self.create_worker(self._recognise, self._on_error)
        self.health.gauges["late chunks"] = lambda: self._listener.late_chunks
        self._cancelled = 0
        self.health.gauges["chunks of cancelling channels"] = lambda: self._cancelled
        self.health.gauges["gaps"] = lambda: self._listener.gaps
        self._transcripts = self.create_publisher(Transcript, "transcript", qos.STAGE)
        self.create_subscription(AudioInfo, "audio_info", self._on_info, qos.LATCHED)
        self.create_subscription(AudioDataStamped, "audio", self._on_audio, qos.AUDIO)

    def describe(self) -> Mapping[str, object]:
        return self.recogniser.describe()

    def reset(self) -> None:
        self._listening.clear()
        self._recognising.clear()

    def _on_info(self, message: AudioInfo) -> None:
        if message.sample_format not in ("", "S16LE") or message.coding_format not in ("", "wave"):
            self.health.problem = (
                f"audio is {message.coding_format} {message.sample_format}: only plain S16LE works"
            )
            return
        self._sample_rate = message.sample_rate or SAMPLE_RATE
        self._channels = message.channels or 1

    def _on_audio(self, message: AudioDataStamped) -> None:
        if self.receive():
            self._listening.put(message)

    # -- listening -------------------------------------------------------------------------------

    def _listen(self, message: AudioDataStamped) -> None:
        stamp_ns = to_ns(message.header.stamp) or self.now_ns()
        samples = audio.from_message(message)
        utterance_id = utterance_frame.utterance_of(message.header.frame_id)
        if utterance_id is not None:
            self._gather(utterance_id, samples, stamp_ns)
            return
        before = self._listener.cancelled_chunks
        events = self._listener.feed(samples, self._sample_rate, self._channels, stamp_ns)
        self._tell_cancelled(self._listener.cancelled_chunks > before)
        for event in events:
            if isinstance(event, SpeechEnded):
                self._recognising.put(self._ended(event))
            elif isinstance(event, SpeechPaused):
                self._look_ahead(event)
            elif isinstance(event, SpeechPartial) and not self._recognising.busy:
                length = len(event.samples) / SAMPLE_RATE
                job = _Job(_name(event.stamp_ns), event.samples, event.stamp_ns, length, True)
                self._recognising.put(job)

    def _ended(self, event: SpeechEnded) -> _Job:
        settings = self.parameters.listener
        name = _name(event.stamp_ns)
        length = len(event.samples) / SAMPLE_RATE
        if event.cause in ("silence", "complete"):
            length = max(0.0, length - settings.post_roll)
        before, self._early = self._early, None
        follows = ""
        if before is not None:
            pause = ns_to_seconds(event.stamp_ns - before.end_ns)
            if pause + settings.pre_roll + settings.post_roll < settings.end_silence:
                follows = _name(before.stamp_ns)
        if event.cause == "complete":
            self._early = event
        return _Job(name, event.samples, event.stamp_ns, length, follows=follows)

    def _look_ahead(self, paused: SpeechPaused) -> Future[_Heard]:
        """Recognise in the pause what will be the utterance if nobody speaks on."""
        job = self._ahead
        if job is None or job.ahead is None or not _same(job, paused.stamp_ns, paused.samples):
            future: Future[_Heard] = Future()
            name = _name(paused.stamp_ns)
            job = _Job(name, paused.samples, paused.stamp_ns, 0.0, ahead=future)
            self._ahead = job
            self._recognising.put(job)
            return future
        return job.ahead

    def _is_complete(self, paused: SpeechPaused) -> bool:
        """Whether heading, tool and target were said."""
        try:
            heard = self._look_ahead(paused).result(timeout=_AHEAD_LIMIT_S)
        except Exception:  # it is told when the utterance itself is recognised
            return False
        return self._says_all(heard.transcription)

    def _says_all(self, heard: Transcription) -> bool:
        return self._rules.read(split(heard.text)).complete

    def _gather(self, utterance_id: str, samples: FloatArray, stamp_ns: int) -> None:
        """A chunk of a marked utterance; one without samples ends it."""
        marked = self._marked
        if marked is not None and marked.utterance_id != utterance_id:
            self._end_marked(marked)  # its end was lost
            marked = None
        if marked is None:
            marked = self._marked = _Marked(utterance_id, stamp_ns, self._sample_rate, [])
        mono, cancelled = to_mono(samples, self._channels)
        self._tell_cancelled(cancelled)
        marked.chunks.append(mono)
        if not len(mono) or marked.seconds > self.parameters.marked_limit:
            self._end_marked(marked)

    def _tell_cancelled(self, cancelled: bool) -> None:
        if cancelled and not self._cancelled:
            self.get_logger().warning(
                "the audio's channels cancel each other: only the loudest is heard"
            )
        self._cancelled += cancelled

    def _end_marked(self, marked: _Marked) -> None:
        self._marked = None
        whole = np.concatenate(marked.chunks)
        length = marked.seconds
        if marked.sample_rate != SAMPLE_RATE:
            whole = Resampler(marked.sample_rate)(whole, last=True)
        self._recognising.put(_Job(marked.utterance_id, whole, marked.stamp_ns, length))

    def _on_chunk_error(self, error: Exception, message: AudioDataStamped) -> None:
        self.health.count("bad chunks")
        self.get_logger().error(f"audio chunk: {error}")
        utterance_id = utterance_frame.utterance_of(message.header.frame_id)
        if utterance_id is not None:
            self._marked = None
            self._fail(_Job(utterance_id, np.zeros(0, np.float32), self.now_ns(), 0.0), error)

    # -- recognising -----------------------------------------------------------------------------

    def _recognise(self, job: _Job) -> None:
        if job.ahead is not None:
            try:
                job.ahead.set_result(self._transcribe(job))
            except Exception as error:
                job.ahead.set_exception(error)
            return
        found = self._known(job) or self._transcribe(job)
        heard, seconds = found.transcription, found.seconds
        if job.follows and not self._says_all(heard):
            # "Over." Without the early end it would have been the last words of that command.
            reason = f"said right after {job.follows}, and no command: {heard.text!r}"
            heard = Transcription(TranscriptStatus.EMPTY, reason=reason)
        if job.partial:
            if heard.status is TranscriptStatus.EMPTY:
                return
            heard = replace(heard, status=TranscriptStatus.PARTIAL)
        self._publish(job, heard, seconds)
        self.health.values["real_time_factor"] = f"{seconds / max(job.length, 1e-3):.3f}"

    def _transcribe(self, job: _Job) -> _Heard:
        started = time.perf_counter()
        heard = self.recogniser.transcribe(job.samples)
        return _Heard(heard, time.perf_counter() - started)

    def _known(self, job: _Job) -> _Heard | None:
        """What was recognised ahead, if that was this utterance."""
        before = self._ahead
        if before is None or before.ahead is None or not before.ahead.done():
            return None
        if before.ahead.exception() or not _same(before, job.stamp_ns, job.samples):
            return None
        return before.ahead.result()

    def _publish(self, job: _Job, heard: Transcription, seconds: float) -> None:
        heard = replace(heard, speech_seconds=job.length)
        self._transcripts.publish(
            convert.transcription_to_message(
                heard, job.utterance_id, job.stamp_ns, seconds, utterance_frame.MICROPHONE
            )
        )
        self.health.count(heard.status.name)
        if heard.status is not TranscriptStatus.PARTIAL:
            age = ns_to_seconds(self.now_ns() - job.stamp_ns) - job.length
            text = heard.text or f"nothing ({heard.reason})"
            self.get_logger().info(f"{job.utterance_id}: {text!r} {age:.2f} s after its end")

    def _on_error(self, error: Exception, job: _Job) -> None:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        self.get_logger().error(f"{job.utterance_id}: {kind}{error}")
        if not job.partial:
            self._fail(job, error)

    def _fail(self, job: _Job, error: Exception) -> None:
        reason = f"failed to transcribe: {error}"
        self._publish(job, Transcription(TranscriptStatus.EMPTY, reason=reason), 0.0)


def _same(job: _Job, stamp_ns: int, samples: FloatArray) -> bool:
    return job.stamp_ns == stamp_ns and len(job.samples) == len(samples)


def _name(stamp_ns: int) -> str:
    """The id of an utterance of a continuous stream: when it began, in milliseconds."""
    return f"u{stamp_ns // 1_000_000}"
