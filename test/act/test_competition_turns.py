# SPDX-License-Identifier: Apache-2.0
"""The turns' state machine: each WAV is answered exactly once, whatever happens."""

from __future__ import annotations

import io
import json
import random

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from test_competition_wire import wav

from turret_ai.act.competition import turns
from turret_ai.act.competition.actions import (
    Action,
    Fetch,
    Report,
    Send,
    Speak,
    TurnSettings,
)
from turret_ai.act.competition.report import TurnEnd
from turret_ai.act.competition.turns import TurnKeeper
from turret_ai.types import Box, LocationStatus

BOX = Box(10, 20, 30, 40)


def audio(seed: int) -> bytes:
    return wav(np.random.default_rng(seed).integers(-99, 99, 32).astype(np.int16))


@pytest.fixture
def keeper() -> TurnKeeper:
    made = TurnKeeper(TurnSettings())
    made.on_link(True, 0.0)
    return made


def speak(actions: list[Action]) -> str:
    (found,) = [a.utterance_id for a in actions if isinstance(a, Speak)]
    return found


def sent(actions: list[Action]) -> list[dict[str, object]]:
    return [json.loads(a.text) for a in actions if isinstance(a, Send)]


def ends(actions: list[Action]) -> list[TurnEnd | None]:
    return [a.report.end for a in actions if isinstance(a, Report)]


def test_a_turn_goes_from_audio_to_answer(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    assert keeper.on_transcript(name, "heading is ...", 0.1) == []
    assert keeper.on_command(name, "065", "EMP", "red drone", 0.2) == []
    assert keeper.on_searching(name, 1.0) == [Fetch(name)]
    assert keeper.on_searching(name, 1.1) == []
    assert keeper.on_snapshot(name, [], True, 1.2) == []
    (answer,) = sent(keeper.on_box(name, LocationStatus.FOUND, BOX, "", 1.4))
    assert answer["vlm"] == [10, 20, 30, 40]
    actions = keeper.on_engagement(name, "", (0.1, -0.2), 1.6)
    assert ends(actions) == [TurnEnd.ANSWERED]
    (report,) = [a.report for a in actions if isinstance(a, Report)]
    assert report.seconds == pytest.approx(
        {"total": 1.4, "hear": 0.1, "understand": 0.1, "pan": 0.8, "snapshot": 0.2, "see": 0.2}
    )


def test_the_deadline_sends_what_is_known(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_transcript(name, "words", 0.1)
    keeper.on_command(name, "065", "", "red drone", 0.2)
    assert keeper.on_tick(19.9) == []
    (answer,) = sent(keeper.on_tick(20.0))
    assert answer["nlp"] == {"heading": "065", "tool": "", "target": "red drone"}
    assert keeper.on_box(name, LocationStatus.FOUND, BOX, "", 21.0) == []


def test_audio_that_is_none_is_answered_at_once(keeper: TurnKeeper) -> None:
    actions = keeper.on_wav(b"RIFFnothing", 0.0)
    assert len(sent(actions)) == 1
    assert ends(actions) == [TurnEnd.BAD_AUDIO]


def test_without_a_snapshot_the_rest_is_answered(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_transcript(name, "words", 0.1)
    keeper.on_command(name, "065", "EMP", "red drone", 0.2)
    keeper.on_searching(name, 1.0)
    actions = keeper.on_snapshot(name, ["no snapshot came"], False, 7.0)
    assert len(sent(actions)) == 1
    assert ends(keeper.on_engagement(name, "no target box came", None, 11.0)) == [
        TurnEnd.NO_SNAPSHOT
    ]


def test_a_command_without_target_is_answered_before_the_turret_moves(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_transcript(name, "words", 0.1)
    assert len(sent(keeper.on_command(name, "065", "EMP", "", 0.2))) == 1


def test_the_next_audio_closes_the_turn_before(keeper: TurnKeeper) -> None:
    keeper.on_wav(audio(1), 0.0)
    actions = keeper.on_wav(audio(2), 1.0)
    assert len(sent(actions)) == 1
    assert ends(actions) == [TurnEnd.SUPERSEDED]
    assert isinstance(actions[-1], Speak)


def test_the_same_audio_after_a_reconnection_is_the_same_turn(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_link(False, 0.5)
    keeper.on_link(True, 0.7)
    assert keeper.on_wav(audio(1), 0.8) == []
    (answer,) = sent(keeper.on_transcript(name, "", 1.0))
    assert answer["asr"] == ""


def test_an_answer_that_could_not_be_sent_goes_out_when_asked_again(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_link(False, 0.5)
    (send,) = keeper.on_transcript(name, "", 1.0)
    keeper.on_send_failed(name)
    assert keeper.on_tick(2.0) == []
    keeper.on_link(True, 3.0)
    assert keeper.on_wav(audio(1), 3.1) == [send]
    assert sent(keeper.on_tick(9.0)) == []


def test_an_answer_that_could_not_be_sent_goes_out_unasked_after_a_while(
    keeper: TurnKeeper,
) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_link(False, 0.5)
    keeper.on_transcript(name, "", 1.0)
    keeper.on_send_failed(name)
    keeper.on_link(True, 3.0)
    assert keeper.on_tick(3.5) == []
    assert len(sent(keeper.on_tick(4.1))) == 1
    assert sent(keeper.on_tick(4.2)) == []


def test_another_audio_after_a_reconnection_means_that_the_answer_is_lost(
    keeper: TurnKeeper,
) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_link(False, 0.5)
    keeper.on_transcript(name, "", 1.0)
    keeper.on_send_failed(name)
    keeper.on_link(True, 3.0)
    actions = keeper.on_wav(audio(2), 3.1)
    assert sent(actions) == []
    assert ends(actions) == [TurnEnd.LINK_LOST]


def test_the_same_audio_on_the_same_link_is_a_new_turn(keeper: TurnKeeper) -> None:
    first = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_transcript(first, "", 0.5)
    assert speak(keeper.on_wav(audio(1), 1.0)) != first


def test_the_same_audio_long_after_its_answer_is_a_new_turn(keeper: TurnKeeper) -> None:
    first = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_transcript(first, "", 0.5)
    keeper.on_link(False, 60.0)
    keeper.on_link(True, 61.0)
    assert speak(keeper.on_wav(audio(1), 62.0)) != first


def story(seed: int) -> None:
    """Random events in random order: count what comes out."""
    chance = random.Random(seed)
    keeper = TurnKeeper(TurnSettings(deadline=5.0))
    keeper.on_link(True, 0.0)
    now = 0.0
    spoken: list[str] = []
    answers: dict[str, int] = {}
    reports: dict[str, int] = {}

    def take(actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Speak):
                spoken.append(action.utterance_id)
            elif isinstance(action, Send):
                answers[action.utterance_id] = answers.get(action.utterance_id, 0) + 1
            elif isinstance(action, Report):
                name = action.report.utterance_id
                assert action.report.end is not None
                reports[name] = reports.get(name, 0) + 1

    for number in range(60):
        now += chance.random()
        name = chance.choice(spoken) if spoken else "nobody"
        match chance.randrange(8):
            case 0:
                take(keeper.on_wav(audio(number), now))  # the same twice is asked again
            case 1:
                take(keeper.on_transcript(name, chance.choice(["", "words"]), now))
            case 2:
                words = [chance.choice(["", "065"]), "EMP", chance.choice(["", "drone"])]
                take(keeper.on_command(name, *words, now))
            case 3:
                take(keeper.on_searching(name, now))
            case 4:
                take(keeper.on_snapshot(name, [], chance.random() < 0.5, now))
            case 5:
                status = chance.choice(list(LocationStatus))
                take(keeper.on_box(name, status, chance.choice([None, BOX]), "", now))
            case 6:
                take(keeper.on_engagement(name, "", None, now))
            case _:
                take(keeper.on_tick(now))
    take(keeper.on_tick(now + 10.0))
    take(keeper.on_done(now + 10.0))
    assert set(answers) == set(spoken) == set(reports)
    assert all(count == 1 for count in answers.values())
    assert all(count == 1 for count in reports.values())


@given(st.integers(0, 2**32))
def test_every_utterance_is_answered_and_reported_exactly_once(seed: int) -> None:
    story(seed)


def test_gsm_and_whatever_else_a_radio_records_is_heard(keeper: TurnKeeper) -> None:
    tone = (np.sin(np.arange(16000) / 6) * 9000).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, tone, 8000, format="WAV", subtype="GSM610")
    (spoken,) = [a for a in keeper.on_wav(file.getvalue(), 0.0) if isinstance(a, Speak)]
    assert spoken.sample_rate == 8000
    assert len(spoken.samples) == pytest.approx(16000, abs=400)


def test_a_reader_that_fails_in_an_unknown_way_costs_only_its_turn(
    keeper: TurnKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_data: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(turns, "read_wav", fail)
    actions = keeper.on_wav(audio(1), 0.0)
    assert len(sent(actions)) == 1
    assert ends(actions) == [TurnEnd.BAD_AUDIO]
    monkeypatch.undo()
    assert speak(keeper.on_wav(audio(2), 1.0))


def test_a_fault_in_mid_turn_is_answered_with_what_is_known(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_transcript(name, "words", 0.1)
    (answer,) = sent(keeper.on_failure(name, "failed: it", 0.2))
    assert answer["asr"] == "words"
    assert keeper.on_failure(name, "failed: it", 0.3) == []
    assert keeper.on_failure("another", "failed: it", 0.3) == []


def test_a_guess_is_answered_at_once_and_not_searched_for(keeper: TurnKeeper) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    keeper.on_transcript(name, "deploy something", 1.0)
    (answer,) = sent(keeper.on_command(name, "180", "EMP", "grey drone", 1.1, searched=False))
    assert answer["nlp"] == {"heading": "180", "tool": "EMP", "target": "grey drone"}
    assert keeper.on_searching(name, 1.2) == []


def test_audio_that_comes_twice_over_one_link_is_one_turn_with_two_answers(
    keeper: TurnKeeper,
) -> None:
    name = speak(keeper.on_wav(audio(1), 0.0))
    assert keeper.on_wav(audio(1), 0.1) == []
    keeper.on_transcript(name, "words", 0.2)
    answers = sent(keeper.on_command(name, "065", "EMP", "", 0.3))
    assert [each["asr"] for each in answers] == ["words", "words"]
    assert speak(keeper.on_wav(audio(1), 1.0)) != name  # answered: it is another turn
