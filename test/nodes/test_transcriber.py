# SPDX-License-Identifier: Apache-2.0
"""The transcriber in a process of its own hears what the command hears, and ends turns in time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from probe import Probe, free_domain, joined, node_process

from turret_ai import share
from turret_ai.cli.app import main
from turret_ai.hear import files
from turret_ai.hear.settings import ListenerSettings
from turret_ai.ros import audio, qos
from turret_ai.ros.interfaces import AudioDataStamped, AudioInfo, Transcript
from turret_ai.types import FloatArray

RATE = 16000
SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND
CLIPS = [share.path(f"scenes/audio/{name}.ogg") for name in ("woods_0", "city_1", "harbour_2")]


class Radio(Probe):
    """Plays audio to the transcriber and keeps what comes back."""

    def __init__(self, domain: int) -> None:
        super().__init__(domain)
        self.audio = self.create_publisher(AudioDataStamped, "audio", qos.AUDIO)
        self.info = self.create_publisher(AudioInfo, "audio_info", qos.LATCHED)
        self.transcripts = self.collect(Transcript, "transcript", qos.STAGE)

    def ready(self) -> bool:
        self.info.publish(AudioInfo(channels=1, sample_rate=RATE, sample_format="S16LE"))
        heard = self.until(lambda: self.audio.get_subscription_count() > 0, timeout=60)
        return heard and self.active("transcriber")

    def play(self, samples: FloatArray, frame_id: str, start: int = T0) -> None:
        """In chunks of 100 ms, faster than real time: the stamps tell the time."""
        step = RATE // 10
        for first in range(0, len(samples), step):
            chunk = samples[first : first + step]
            stamp = start + first * SECOND // RATE
            self.audio.publish(audio.to_message(chunk, stamp, frame_id))
            self.until(lambda: False, timeout=0.002)

    def heard(self, count: int) -> list[Transcript]:
        """That many transcripts that are not partial."""

        def whole() -> list[Transcript]:
            return [t for t in self.transcripts if t.status != Transcript.PARTIAL]

        assert self.until(lambda: len(whole()) >= count, timeout=60)
        return whole()


radio = joined(Radio)


def faint(seconds: float) -> FloatArray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal(round(seconds * RATE)) * 1e-4).astype(np.float32)


def test_the_node_hears_word_for_word_what_the_command_hears(
    radio: Radio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waves = []
    for clip in CLIPS:
        waves.append(tmp_path / f"{clip.stem}.wav")
        soundfile.write(waves[-1], files.read(clip), RATE, subtype="PCM_16")
    assert main(["transcribe", *map(str, waves)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    with node_process(free_domain(), "transcriber"):
        assert radio.ready()
        for wave in waves:
            radio.play(files.read(wave), f"utterance/{wave.stem}")
            radio.audio.publish(audio.to_message(faint(0.0), T0, f"utterance/{wave.stem}"))
        heard = radio.heard(len(waves))
    assert [h.utterance_id for h in heard] == [wave.stem for wave in waves]
    assert [h.text for h in heard] == [line["transcript"] for line in told]
    confidences = [line["confidence"] for line in told]
    assert [h.confidence for h in heard] == pytest.approx(confidences, abs=1e-3)


def test_a_stream_becomes_commands_and_what_is_said_right_after_one_is_none(radio: Radio) -> None:
    first, second = (files.read(clip) for clip in CLIPS[:2])
    scrap = second[: round(1.2 * RATE)]
    stream = np.concatenate([faint(0.5), first, faint(0.1), scrap, faint(1.2), second, faint(1.2)])
    with node_process(free_domain(), "transcriber"):
        assert radio.ready()
        radio.play(stream, "microphone")
        heard = radio.heard(3)
    told = [(h.utterance_id, h.text, h.reason) for h in heard]
    assert [h.status for h in heard] == [Transcript.FINAL, Transcript.EMPTY, Transcript.FINAL], told
    assert heard[0].utterance_id in heard[1].reason
    # Both clips begin with some of the radio's noise: 0.35 and 0.3 s.
    onsets = [0.5 + 0.35, None, 0.5 + len(first) / RATE + 0.1 + 1.2 + 1.2 + 0.3]
    for message, onset in zip(heard, onsets, strict=True):
        if onset is not None:
            stamp = message.header.stamp
            at = stamp.sec + stamp.nanosec / SECOND - T0 / SECOND
            assert at == pytest.approx(onset - ListenerSettings().pre_roll, abs=0.1)
