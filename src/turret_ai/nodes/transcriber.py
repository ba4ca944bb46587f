# SPDX-License-Identifier: Apache-2.0
"""The transcriber node: audio chunks in, transcripts out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from turret_ai.errors import InputError
from turret_ai.hear import recogniser, utterance_frame
from turret_ai.hear.hearing import AudioChunk, Heard, Hearing, Job
from turret_ai.hear.settings import SAMPLE_RATE, HearSettings
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage, is_on_cpu
from turret_ai.ros import audio, topics
from turret_ai.ros.interfaces import AudioDataStamped, AudioInfo
from turret_ai.ros.time import to_ns
from turret_ai.types import FloatArray, Transcription, TranscriptStatus
from turret_ai.understand.completeness import Completeness
from turret_ai.units import ns_to_seconds


class Transcriber(Stage):
    """Listens in one worker, recognises in another: listening never waits for the model."""

    adjustable = True
    late_imports = (
        "scipy.signal",
        "turret_ai.hear.pair",
        "turret_ai.hear.whisper",
        "turret_ai.hear.ctc",
        "faster_whisper",
    )

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("transcriber", HearSettings, overrides)
        self.recogniser: recogniser.Recogniser | None = None
        self._cold = False
        self.hearing = self._make_hearing()
        self._sample_rate, self._channels = SAMPLE_RATE, 1
        self._listening = self.create_worker(_call, self._on_chunk_error, capacity=2000)
        self._recognising = self.create_worker(
            self._recognise, self._on_error, on_drop=self._on_drop
        )
        self.health.gauges["late chunks"] = lambda: self.hearing.late_chunks
        self.health.gauges["cancelled chunks"] = lambda: self.hearing.cancelled_chunks
        self.health.gauges["gaps"] = lambda: self.hearing.gaps
        self._transcripts = topics.TRANSCRIPT.advertise(self)
        topics.AUDIO_INFO.subscribe(self, self._on_info)
        topics.AUDIO.subscribe(self, self._on_audio)
        self.create_timer(0.1, self._on_tick)
        self.follow_engagements()

    def _make_hearing(self) -> Hearing:
        return Hearing(
            self.parameters,
            self._transcribe,
            Completeness(),
            self._publish,
            submit=self._submit,
            busy=lambda: self._recognising.busy,
            glance=self._glance,
            phones=self._phones,
        )

    def on_configure(self) -> None:
        self.doing = "loading the speech model"
        loaded = recogniser.load(self.parameters.recogniser)
        self._cold = is_on_cpu(loaded.describe())
        if not self._cold:
            self.doing = "warming up"
            loaded.warm_up()
        self.hearing = self._make_hearing()
        self.recogniser = loaded

    def on_activate(self) -> None:
        if self._cold:
            self._recognising.put(None)

    def on_cleanup(self) -> None:
        self.recogniser = None

    def describe(self) -> Mapping[str, object]:
        return self.recogniser.describe() if self.recogniser is not None else {}

    def reset(self) -> None:
        self._listening.clear()
        self._recognising.clear()
        self._listening.put(self._forget)

    def _forget(self) -> None:
        """Reset, after the chunk that was being listened to: what that one has submitted, too."""
        self._recognising.clear()
        self.hearing.reset()

    def _on_info(self, message: AudioInfo) -> None:
        if message.sample_format not in ("", "S16LE") or message.coding_format not in ("", "wave"):
            self.health.problem = (
                f"audio is {message.coding_format} {message.sample_format}: only plain S16LE works"
            )
            return
        self._sample_rate = message.sample_rate or SAMPLE_RATE
        self._channels = message.channels or 1

    # -- listening -------------------------------------------------------------------------------

    def _on_audio(self, message: AudioDataStamped) -> None:
        if self.receive():
            self._listening.put(partial(self._listen, message))

    def _on_tick(self) -> None:
        self._listening.put(partial(self.hearing.tick, self.now_ns()))

    def _listen(self, message: AudioDataStamped) -> None:
        stamp_ns = to_ns(message.header.stamp) or self.now_ns()
        utterance_id = utterance_frame.utterance_of(message.header.frame_id)
        if utterance_id is not None and len(message.audio.data):
            self.ledger.working(utterance_id, stamp_ns)
        try:
            samples = audio.from_message(message)
        except InputError as error:
            if utterance_id is not None:
                self.hearing.abandon(utterance_id, stamp_ns, f"failed to transcribe: {error}")
            raise
        before = self.hearing.cancelled_chunks
        self.hearing.feed(
            AudioChunk(stamp_ns, samples, self._sample_rate, self._channels, utterance_id)
        )
        if self.hearing.cancelled_chunks and not before:
            self.get_logger().warning(
                "the audio's channels cancel each other: only the loudest is heard"
            )

    def _on_chunk_error(self, error: Exception, _work: Callable[[], None]) -> None:
        self.health.count("bad chunks")
        self.get_logger().error(f"audio chunk: {error}")

    # -- recognising -----------------------------------------------------------------------------

    def _submit(self, job: Job) -> None:
        if job.ahead is None and not job.partial:
            self.ledger.working(job.utterance_id, job.stamp_ns)
        self._recognising.put(job)

    def _recognise(self, job: Job | None) -> None:
        """Work of the worker; None: warm up."""
        if job is not None:
            self.hearing.recognise(job)
        else:
            self._engine.warm_up()
            self._cold = False

    def _transcribe(self, samples: FloatArray) -> Transcription:
        return self._engine.transcribe(samples)

    def _glance(self, samples: FloatArray) -> Transcription:
        return self._engine.glance(samples)

    def _phones(self, samples: FloatArray) -> FloatArray | None:
        return None if self.recogniser is None else self.recogniser.phone_times(samples)

    @property
    def _engine(self) -> recogniser.Recogniser:
        if self.recogniser is None:
            raise InputError("there is no speech model: the node is not configured")
        return self.recogniser

    def _publish(self, heard: Heard) -> None:
        found = heard.transcription
        partial_only = found.status is TranscriptStatus.PARTIAL
        if self._recognising.stale:
            if partial_only:
                return
            found = Transcription(
                TranscriptStatus.EMPTY,
                speech_seconds=found.speech_seconds,
                reason="dropped: reset",
            )
        note = self.ledger.working if partial_only else self.ledger.answered
        note(heard.utterance_id, heard.stamp_ns)
        self._transcripts.publish(
            convert.transcription_to_message(
                found,
                heard.utterance_id,
                heard.stamp_ns,
                heard.seconds,
                utterance_frame.MICROPHONE,
            )
        )
        self.health.count(found.status.name)
        share = heard.seconds / max(found.speech_seconds, 1e-3)
        self.health.values["real_time_factor"] = f"{share:.3f}"
        if found.status is not TranscriptStatus.PARTIAL:
            age = ns_to_seconds(self.now_ns() - heard.stamp_ns) - found.speech_seconds
            text = found.text or f"nothing ({found.reason})"
            self.get_logger().info(f"{heard.utterance_id}: {text!r} {age:.2f} s after its end")

    def _on_error(self, error: Exception, job: Job | None) -> None:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        if job is None:
            self.get_logger().error(f"warming up failed: {kind}{error}")
            return
        self.get_logger().error(f"{job.utterance_id}: {kind}{error}")
        self.hearing.fail(job, f"failed to transcribe: {error}")

    def _on_drop(self, job: Job | None, why: str) -> None:
        if job is not None:
            self.hearing.fail(job, f"dropped: {why}")


def _call(work: Callable[[], None]) -> None:
    work()
