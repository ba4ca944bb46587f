# SPDX-License-Identifier: Apache-2.0
"""Resets, switches and deaths in mid-turn: whatever was announced ends, once, with its reason."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any

import numpy as np
from probe import Probe, free_domain, joined, node_process

from turret_ai import share
from turret_ai.hear import files
from turret_ai.ros import audio, qos
from turret_ai.ros.interfaces import (
    AudioDataStamped,
    AudioInfo,
    Engagement,
    SetBool,
    StageState,
    TargetBBox,
    Transcript,
    Trigger,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.time import to_msg

RATE = 16000
CLIP = share.path("scenes/audio/harbour_2.ogg")
SENTENCE = "heading zero three five deploy emp target is blue fighter jet"


class Stand(Probe):
    """Says what the other stages would say, and calls the services."""

    def __init__(self, domain: int) -> None:
        super().__init__(domain)
        self.audio = self.create_publisher(AudioDataStamped, "audio", qos.AUDIO)
        info = self.create_publisher(AudioInfo, "audio_info", qos.LATCHED)
        info.publish(AudioInfo(channels=1, sample_rate=RATE, sample_format="S16LE"))
        self.info = info
        self.states = self.collect(StageState, "stages", qos.STATES)

    def call(self, kind: Any, name: str, request: Any) -> None:
        client = self.create_client(kind, name)
        assert self.until(client.service_is_ready, timeout=30)
        future = client.call_async(request)
        assert self.until(future.done, timeout=30)
        assert future.result().success

    def reset(self, stage: str) -> None:
        self.call(Trigger, f"/{stage}/reset", Trigger.Request())

    def say(self, name: str, share_of_it: float = 1.0) -> None:
        """Play a marked utterance, all at once; one that isn't whole has no end."""
        samples = files.read(CLIP)
        now = self.now_ns()
        for first in range(0, round(len(samples) * share_of_it), RATE // 2):
            stamp = now + first * 1_000_000_000 // RATE
            chunk = samples[first : first + RATE // 2]
            self.audio.publish(audio.to_message(chunk, stamp, f"utterance/{name}"))
        if share_of_it == 1.0:
            nothing = np.zeros(0, np.float32)
            self.audio.publish(audio.to_message(nothing, now, f"utterance/{name}"))

    def in_hand(self, stage: str, name: str) -> bool:
        """Wait until a stage says that it has an utterance in hand."""
        return self.until(
            lambda: any(
                each.utterance_id == name
                for state in self.states
                if state.stage == stage
                for each in state.utterances
            ),
            timeout=30,
        )


stand = joined(Stand)


def test_what_the_transcriber_drops_ends_in_an_empty_transcript(stand):
    transcripts = stand.collect(Transcript, "transcript")
    told = lambda: {t.utterance_id for t in transcripts}  # noqa: E731
    with node_process(free_domain(), "transcriber"):
        assert stand.active("transcriber")
        assert stand.until(stand.audio.get_subscription_count)
        stand.say("half", 0.5)
        assert stand.in_hand("transcriber", "half")
        stand.reset("transcriber")
        assert stand.until(lambda: "half" in told())
        names = [f"u{number}" for number in range(6)]
        for name in names:
            stand.say(name)
        assert stand.in_hand("transcriber", names[-1])
        stand.reset("transcriber")
        assert stand.until(lambda: told() >= set(names), timeout=30)
        stand.call(SetBool, "/transcriber/enable", SetBool.Request(data=False))
        assert stand.until(lambda: stand.states[-1].state == StageState.INACTIVE)
        assert stand.states[-1].reason == "disabled"
        stand.say("unheard")
        stand.until(lambda: False, timeout=2.0)  # a service may overtake what is on its way
        stand.call(SetBool, "/transcriber/enable", SetBool.Request(data=True))
        assert stand.active("transcriber")
        stand.say("heard")
        assert stand.until(lambda: "heard" in told(), timeout=30)
    counts = Counter(t.utterance_id for t in transcripts if t.status != Transcript.PARTIAL)
    assert counts == dict.fromkeys(["half", *names, "heard"], 1)
    dropped = [t for t in transcripts if "reset" in t.reason]
    assert all(t.status == Transcript.EMPTY for t in dropped)
    assert {"half", names[-1]} <= {t.utterance_id for t in dropped}
    last = transcripts[-1]
    assert (last.utterance_id, last.status) == ("heard", Transcript.FINAL)


SLOW_EAR = """\
import time
from turret_ai.hear.hearing import Hearing
from turret_ai.nodes.main import main

end = Hearing._end_marked

def slowly(self, marked):
    time.sleep(2.0)
    end(self, marked)

Hearing._end_marked = slowly
raise SystemExit(main())
"""


def test_a_reset_drops_what_the_chunk_in_hand_has_still_to_submit(stand, tmp_path):
    transcripts = stand.collect(Transcript, "transcript")
    script = tmp_path / "slow_ear.py"
    script.write_text(SLOW_EAR)
    with node_process(free_domain(), "transcriber", script=str(script)):
        assert stand.active("transcriber")
        assert stand.until(stand.audio.get_subscription_count)
        stand.say("u0")
        assert stand.in_hand("transcriber", "u0")
        stand.reset("transcriber")
        assert stand.until(lambda: transcripts, timeout=30)
        stand.until(lambda: len(transcripts) > 1, timeout=2)
    assert [(t.utterance_id, t.status) for t in transcripts] == [("u0", Transcript.EMPTY)]
    assert "reset" in transcripts[0].reason


def test_what_the_commander_drops_ends_in_a_rejected_command(stand):
    commands = stand.collect(TurretCommand, "command")
    transcripts = stand.create_publisher(Transcript, "transcript", qos.STAGE)
    names = [f"u{number}" for number in range(10)]
    with node_process(free_domain(), "commander"):
        assert stand.active("commander")
        assert stand.until(transcripts.get_subscription_count)
        for name in names:
            text = "garbled " * 20 + SENTENCE
            transcripts.publish(Transcript(utterance_id=name, status=Transcript.FINAL, text=text))
        assert stand.in_hand("commander", names[-1])
        stand.reset("commander")
        assert stand.until(lambda: {c.utterance_id for c in commands} == set(names), timeout=30)
        transcripts.publish(
            Transcript(utterance_id="after", status=Transcript.FINAL, text=SENTENCE)
        )
        assert stand.until(lambda: commands[-1].utterance_id == "after", timeout=30)
    assert Counter(c.utterance_id for c in commands) == dict.fromkeys([*names, "after"], 1)
    for command in commands:
        if "reset" in command.reason:
            assert command.status == TurretCommand.REJECTED
    assert (commands[-1].status, commands[-1].heading) == (TurretCommand.OK, "035")


def test_what_the_locator_drops_is_not_found(stand):
    boxes = stand.collect(TargetBBox, "target_bbox")
    commands = stand.create_publisher(TurretCommand, "command", qos.STAGE)
    with node_process(free_domain(), "locator"):
        assert stand.active("locator")
        assert stand.until(commands.get_subscription_count)
        commands.publish(
            TurretCommand(utterance_id="u1", status=TurretCommand.OK, target="red drone")
        )
        assert stand.in_hand("locator", "u1")
        stand.reset("locator")
        assert stand.until(lambda: boxes)
        stand.reset("locator")
        stand.until(lambda: False, timeout=0.5)
    (box,) = boxes
    assert (box.utterance_id, box.status) == ("u1", TargetBBox.NOT_FOUND)
    assert "reset" in box.reason


def test_a_reset_ends_the_turn_once_and_late_words_do_not_begin_it_again(stand):
    ends = stand.collect(Engagement, "engagement")
    phases = stand.collect(TurretState, "turret/state", qos.STATE)
    transcripts = stand.create_publisher(Transcript, "transcript", qos.STAGE)
    with node_process(free_domain(), "controller"):
        assert stand.active("controller")
        assert stand.until(transcripts.get_subscription_count)
        word = Transcript(utterance_id="u1", status=Transcript.PARTIAL, text="heading")
        word.header.stamp = to_msg(stand.now_ns())
        transcripts.publish(word)
        assert stand.until(lambda: phases and phases[-1].utterance_id == "u1")
        stand.reset("controller")
        assert stand.until(lambda: ends)
        word.status = Transcript.FINAL
        transcripts.publish(word)
        stand.until(lambda: False, timeout=0.5)
        assert phases[-1].phase == TurretState.IDLE
    assert [(e.utterance_id, e.outcome, e.reason) for e in ends] == [
        ("u1", Engagement.SUPERSEDED, "reset")
    ]


def test_a_transcriber_and_a_controller_that_die_in_mid_turn_cost_one_engagement_each(stand):
    ends = stand.collect(Engagement, "engagement")
    transcripts = stand.collect(Transcript, "transcript")
    domain = free_domain()
    with node_process(domain, "controller") as controller:
        with node_process(domain, "transcriber") as transcriber:
            assert stand.active("controller", "transcriber")
            assert stand.until(stand.audio.get_subscription_count)
            stand.say("cut", 0.5)
            assert stand.in_hand("transcriber", "cut")
            stand.until(lambda: False, timeout=0.5)
            transcriber.stop(signal.SIGKILL)
        with node_process(domain, "transcriber"):
            assert stand.until(lambda: ends, timeout=60)
            assert (ends[0].utterance_id, ends[0].outcome) == ("cut", Engagement.TIMEOUT)
            assert "transcriber" in ends[0].reason
            assert stand.active("transcriber")
            stand.say("orphan")
            assert stand.until(lambda: any(t.utterance_id == "orphan" for t in transcripts), 30)
            controller.stop(signal.SIGKILL)
            with node_process(domain, "controller"):
                assert stand.until(lambda: len(ends) == 2, timeout=60)
                stand.until(lambda: False, timeout=1.5)
    assert [e.utterance_id for e in ends] == ["cut", "orphan"]
    assert ends[1].outcome == Engagement.TIMEOUT
    assert "controller" in ends[1].reason
    assert ends[1].header.stamp.sec > 0
