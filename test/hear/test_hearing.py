# SPDX-License-Identifier: Apache-2.0
"""Whatever becomes of a stream, what was said in it ends in one transcript."""

from __future__ import annotations

import numpy as np
import pytest

from turret_ai import share
from turret_ai.errors import InputError
from turret_ai.hear import files
from turret_ai.hear.hearing import AudioChunk, Heard, Hearing, Job
from turret_ai.hear.settings import HearSettings, ListenerSettings
from turret_ai.types import FloatArray, Progress, Transcription, TranscriptStatus

RATE = 16_000
SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND
QUIET = ListenerSettings(partial_interval=0.0)
CLIP = files.read(share.path("scenes/audio/woods_0.ogg"))


class Room:
    """A hearing whose recogniser says how many samples it got, and a clock."""

    def __init__(self, settings: HearSettings | None = None) -> None:
        self.told: list[Heard] = []
        self.broken = False
        self.now_ns = T0
        self.hearing = Hearing(
            settings or HearSettings(listener=QUIET),
            self.transcribe,
            lambda text: Progress.NONE,
            self.told.append,
        )

    def transcribe(self, samples: FloatArray) -> Transcription:
        if self.broken:
            raise RuntimeError("no memory")
        return Transcription(TranscriptStatus.FINAL, f"{len(samples)} samples", 1.0)

    def play(self, samples: FloatArray, utterance_id: str | None = None) -> None:
        step = RATE // 20
        for first in range(0, len(samples), step):
            chunk = samples[first : first + step]
            self.hearing.feed(AudioChunk(self.now_ns, chunk, utterance_id=utterance_id))
            self.wait(len(chunk) / RATE)

    def end(self, utterance_id: str) -> None:
        nothing = np.zeros(0, np.float32)
        self.hearing.feed(AudioChunk(self.now_ns, nothing, utterance_id=utterance_id))

    def wait(self, seconds: float, step: float = 0.05) -> None:
        for _ in range(round(seconds / step)):
            self.now_ns += round(step * SECOND)
            self.hearing.tick(self.now_ns)


def test_a_stream_that_breaks_in_mid_sentence_ends_it_by_the_clock() -> None:
    room = Room()
    room.play(CLIP[: 2 * RATE])
    room.wait(1.9)
    assert not room.told
    room.wait(0.3)
    assert [heard.transcription.status for heard in room.told] == [TranscriptStatus.FINAL]
    room.wait(300.0)
    room.play(np.zeros(RATE, np.float32))
    assert len(room.told) == 1


def test_a_marked_utterance_whose_end_is_lost_ends_by_the_clock_too() -> None:
    room = Room()
    room.play(CLIP, "u1")
    room.wait(2.2)
    assert [heard.utterance_id for heard in room.told] == ["u1"]


def test_a_process_that_stood_still_does_not_take_that_for_silence() -> None:
    room = Room()
    room.play(CLIP[: 2 * RATE])
    room.now_ns += 60 * SECOND  # the machine was asleep: one tick, then the audio goes on
    room.hearing.tick(room.now_ns)
    assert room.hearing.under_way and not room.told


def test_a_marked_utterance_is_told_in_part_only_while_somebody_speaks_it() -> None:
    settings = HearSettings(listener=ListenerSettings(partial_interval=0.8))
    room = Room(settings)
    room.wait(0.1)
    room.play(CLIP[: 2 * RATE], "spoken")
    room.end("spoken")
    statuses = [heard.transcription.status for heard in room.told]
    assert statuses == [TranscriptStatus.PARTIAL] * 2 + [TranscriptStatus.FINAL]
    assert {heard.utterance_id for heard in room.told} == {"spoken"}
    assert room.told[-1].transcription.text == f"{2 * RATE} samples"
    for start_ns in (room.now_ns - 2 * SECOND, room.now_ns):  # a file that is sent at once
        room.told.clear()
        name = f"file {start_ns}"
        for first in range(0, 2 * RATE, RATE):
            stamp_ns = start_ns + first * SECOND // RATE
            chunk = AudioChunk(stamp_ns, CLIP[first : first + RATE], utterance_id=name)
            room.hearing.feed(chunk)
        room.end(name)
        last = room.told[-1].transcription
        assert last.status is TranscriptStatus.FINAL
        assert len(room.told) <= 2


def test_a_reset_tells_of_a_marked_utterance_once_and_ignores_the_rest_of_it() -> None:
    room = Room()
    room.play(CLIP[:RATE], "u1")
    room.hearing.reset()
    room.play(CLIP[RATE:], "u1")
    room.end("u1")
    room.play(CLIP[:RATE], "u2")
    room.end("u2")
    told = [(heard.utterance_id, heard.transcription.status.name) for heard in room.told]
    assert told == [("u1", "EMPTY"), ("u2", "FINAL")]
    assert "reset" in room.told[0].transcription.reason


def test_what_was_announced_by_a_partial_transcript_ends_at_a_reset() -> None:
    listener = ListenerSettings(partial_interval=0.5)
    room = Room(HearSettings(listener=listener))
    room.play(CLIP[: 3 * RATE])
    assert {heard.transcription.status for heard in room.told} == {TranscriptStatus.PARTIAL}
    room.hearing.reset()
    names = {heard.utterance_id for heard in room.told}
    assert len(names) == 1 and room.told[-1].transcription.status is TranscriptStatus.EMPTY


def test_a_recogniser_that_fails_is_told_as_the_reason() -> None:
    room = Room()
    room.broken = True
    room.play(CLIP, "u1")
    room.end("u1")
    [heard] = room.told
    assert heard.transcription.status is TranscriptStatus.EMPTY
    assert "no memory" in heard.transcription.reason


def test_a_chunk_that_makes_no_sense_ends_its_marked_utterance() -> None:
    room = Room()
    with pytest.raises(InputError):
        room.hearing.feed(AudioChunk(T0, np.array([np.nan], np.float32), utterance_id="u1"))
    [heard] = room.told
    assert (heard.utterance_id, heard.transcription.status.name) == ("u1", "EMPTY")


def test_a_job_that_a_worker_dropped_is_told_with_its_reason() -> None:
    waiting: list[Job] = []
    told: list[Heard] = []
    hearing = Hearing(
        HearSettings(),
        lambda samples: Transcription(TranscriptStatus.FINAL, "never"),
        lambda text: Progress.NONE,
        told.append,
        submit=waiting.append,
    )
    hearing.feed(AudioChunk(T0, CLIP, utterance_id="u1"))
    hearing.feed(AudioChunk(T0, CLIP[:0], utterance_id="u1"))
    [job] = waiting
    hearing.fail(job, "dropped")
    assert [(h.utterance_id, h.transcription.reason) for h in told] == [("u1", "dropped")]


def test_words_right_after_a_command_are_not_told_in_part() -> None:
    """They may belong to it: a partial transcript would supersede the turn that is under way."""
    told: list[Heard] = []
    stamp = T0

    def transcribe(samples: FloatArray) -> Transcription:
        return Transcription(TranscriptStatus.FINAL, "words", 1.0)

    listener = ListenerSettings(partial_interval=0.5, end_silence=2.0)
    hearing = Hearing(
        HearSettings(listener=listener), transcribe, lambda text: Progress.COMPLETE, told.append
    )
    faint = (np.random.default_rng(0).standard_normal(RATE) * 1e-4).astype(np.float32)
    stream = np.concatenate([faint, CLIP, faint[: RATE // 10], CLIP[: 3 * RATE], faint, faint])
    for first in range(0, len(stream), RATE // 50):
        hearing.feed(AudioChunk(stamp, stream[first : first + RATE // 50]))
        stamp += SECOND // 50
    names = list(dict.fromkeys(heard.utterance_id for heard in told))
    assert len(names) >= 2
    partial = {h.utterance_id for h in told if h.transcription.status is TranscriptStatus.PARTIAL}
    assert names[0] in partial
    assert names[1] not in partial
