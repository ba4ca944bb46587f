# SPDX-License-Identifier: Apache-2.0
"""The audio source in a process of its own: what it plays, and how fast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from probe import Probe, free_domain, node_process

from turret_ai.hear.listener import Listener, SpeechEnded
from turret_ai.nodes.stage import diagnostic_status
from turret_ai.ros import audio, qos, topics
from turret_ai.ros.interfaces import AudioDataStamped, Clock, DiagnosticArray, StageState
from turret_ai.ros.time import to_msg, to_ns

RATE = 16000
DOMAIN = free_domain()


@pytest.fixture
def probe():
    made = Probe(DOMAIN)
    yield made
    made.close()


def test_files_played_faster_than_spoken_follow_each_other_and_a_bad_one_is_left_out(
    probe: Probe, tmp_path: Path
) -> None:
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", np.full(RATE, 0.1 * (number + 1)), RATE)
    (tmp_path / "1b.wav").write_text("no audio")
    chunks: list[AudioDataStamped] = probe.collect(AudioDataStamped, "audio", qos.AUDIO)
    parameters = {
        "source": "files", "path": tmp_path, "rate": 20.0, "pause": 0.1, "chunk": 0.05,
        "one_at_a_time": "false", "wait_for": "['']", "ready_timeout": 0.0,
    }  # fmt: skip
    with node_process(DOMAIN, "audio_source", **parameters):
        assert probe.until(lambda: len(chunks) >= 66, timeout=60)
    stamps = [to_ns(chunk.header.stamp) for chunk in chunks[:66]]
    steps = np.diff(stamps) / 1e9
    assert steps.min() > 0.049  # no file begins before the one before has ended
    heard = np.concatenate([audio.from_message(chunk) for chunk in chunks[:66]])
    assert {round(float(level), 1) for level in np.unique(heard)} == {0.0, 0.1, 0.2, 0.3}
    listener = Listener()
    events = [
        event
        for chunk, stamp in zip(chunks, stamps, strict=False)
        for event in listener.feed(audio.from_message(chunk), RATE, 1, stamp)
    ]
    assert listener.late_chunks == 0
    assert not [event for event in events if isinstance(event, SpeechEnded)]


@pytest.mark.parametrize(
    ("stage", "awaited"),
    [
        ("transcriber", {"wait_for": "['transcriber']"}),
        ("simulator", {"wait_for": "['audio_source']", "turret": "simulator"}),
    ],
)
def test_nothing_is_said_before_a_stage_itself_says_that_it_is_ready(
    probe: Probe, tmp_path: Path, stage: str, awaited: dict[str, str]
) -> None:
    soundfile.write(tmp_path / "0.wav", np.full(RATE, 0.1), RATE)
    chunks: list[AudioDataStamped] = probe.collect(AudioDataStamped, "audio", qos.AUDIO)
    stages, diagnostics = topics.STAGES.advertise(probe), topics.DIAGNOSTICS.advertise(probe)
    states: list[StageState] = probe.collect(StageState, "stages", qos.STAGE)

    def say(state: int) -> None:
        stages.publish(StageState(stage=stage, node="/there", instance=1, state=state))
        # what others say of a silent node is no report of its own
        status = diagnostic_status(stage, 2, "has never reported", {})
        diagnostics.publish(DiagnosticArray(status=[status]))

    def speaks_while(state: int, seconds: float) -> bool:
        timer = probe.create_wall_timer(0.5, lambda: say(state))
        spoke = probe.until(lambda: bool(chunks), timeout=seconds)
        timer.cancel()
        return spoke

    parameters = {"source": "files", "path": tmp_path, "rate": 0.0, **awaited}
    with node_process(DOMAIN, "audio_source", **parameters):
        ready = (StageState.ACTIVE, "audio_source")
        assert probe.until(lambda: ready in [(s.state, s.stage) for s in states], timeout=60)
        assert not speaks_while(10, 4.0)  # configuring: its model loads
        assert speaks_while(StageState.ACTIVE, 20.0)


def test_nothing_is_said_before_simulated_time_runs(probe: Probe, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "0.wav", np.full(RATE, 0.1), RATE)
    chunks: list[AudioDataStamped] = probe.collect(AudioDataStamped, "audio", qos.AUDIO)
    states: list[StageState] = probe.collect(StageState, "stages", qos.STATES)
    clock = topics.CLOCK.advertise(probe)
    parameters = {
        "source": "files", "path": tmp_path, "rate": 1.0, "wait_for": "['audio_source']",
        "one_at_a_time": "false", "use_sim_time": "true",
    }  # fmt: skip
    with node_process(DOMAIN, "audio_source", **parameters):
        assert probe.until(lambda: any(s.state == StageState.ACTIVE for s in states), timeout=60)
        assert not probe.until(lambda: chunks, timeout=1.5)
        began = now = 1_000 * 1_000_000_000

        def ticked() -> bool:
            nonlocal now
            now += 10_000_000
            clock.publish(Clock(clock=to_msg(now)))
            return bool(chunks)

        assert probe.until(ticked, timeout=30)
    assert to_ns(chunks[0].header.stamp) >= began
