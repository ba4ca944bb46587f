"""The transcriber node: audio chunks in, transcripts out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from turret_ai.errors import InputError
from turret_ai.hear import recogniser
from turret_ai.hear.edge import Resampler
from turret_ai.hear.listener import Listener, SpeechEnded, SpeechPartial
from turret_ai.hear.settings import SAMPLE_RATE, ListenerSettings, RecogniserSettings
from turret_ai.nodes import convert, utterance_frame
from turret_ai.nodes.stage import Stage
from turret_ai.ros import audio, qos
from turret_ai.ros.interfaces import AudioDataStamped, AudioInfo, Transcript
from turret_ai.ros.time import to_ns
from turret_ai.types import FloatArray, Transcription, TranscriptStatus
from turret_ai.units import ns_to_seconds


class TranscriberParameters(BaseModel):
    """How the stream is cut, and how it is recognised."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listener: ListenerSettings = ListenerSettings()
    recogniser: RecogniserSettings = RecogniserSettings()
    marked_limit: float = Field(
        60.0, gt=0.0, le=3600.0, description="s after which a marked utterance is taken as it is"
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """Something to recognise. length: s from the first sample to the end of the speech."""

    utterance_id: str
    samples: FloatArray
    stamp_ns: int
    length: float
    partial: bool = False


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
        self._listener = Listener(self.parameters.listener)
        self._marked: _Marked | None = None
        self._sample_rate, self._channels = SAMPLE_RATE, 1
        self._listening = self.create_worker(self._listen, self._on_chunk_error, capacity=2000)
        self._recognising = self.create_worker(self._recognise, self._on_error)
        self.health.gauges["late chunks"] = lambda: self._listener.late_chunks
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
        for event in self._listener.feed(samples, self._sample_rate, self._channels, stamp_ns):
            if isinstance(event, SpeechEnded):
                length = len(event.samples) / SAMPLE_RATE
                if event.cause == "silence":
                    length = max(0.0, length - self.parameters.listener.post_roll)
                self._recognising.put(
                    _Job(_name(event.stamp_ns), event.samples, event.stamp_ns, length)
                )
            elif isinstance(event, SpeechPartial) and not self._recognising.busy:
                length = len(event.samples) / SAMPLE_RATE
                job = _Job(_name(event.stamp_ns), event.samples, event.stamp_ns, length, True)
                self._recognising.put(job)

    def _gather(self, utterance_id: str, samples: FloatArray, stamp_ns: int) -> None:
        """A chunk of a marked utterance; one without samples ends it."""
        marked = self._marked
        if marked is not None and marked.utterance_id != utterance_id:
            self._end_marked(marked)  # its end was lost
            marked = None
        if marked is None:
            marked = self._marked = _Marked(utterance_id, stamp_ns, self._sample_rate, [])
        if self._channels > 1:
            samples = samples.reshape(-1, self._channels).mean(axis=1)
        marked.chunks.append(samples)
        if not len(samples) or marked.seconds > self.parameters.marked_limit:
            self._end_marked(marked)

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
        started = time.perf_counter()
        heard = self.recogniser.transcribe(job.samples)
        seconds = time.perf_counter() - started
        if job.partial:
            if heard.status is TranscriptStatus.EMPTY:
                return
            heard = replace(heard, status=TranscriptStatus.PARTIAL)
        self._publish(job, heard, seconds)
        self.health.values["real_time_factor"] = f"{seconds / max(job.length, 1e-3):.3f}"

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


def _name(stamp_ns: int) -> str:
    """The id of an utterance of a continuous stream: when it began, in milliseconds."""
    return f"u{stamp_ns // 1_000_000}"
