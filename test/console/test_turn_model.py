# SPDX-License-Identifier: Apache-2.0
"""What the page is told of turns, stages and times, without ROS and without a server."""

from __future__ import annotations

import base64
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.console.board import Board, TurretReport
from turret_ai.console.pictures import shrink
from turret_ai.console.settings import ConsoleSettings
from turret_ai.console.turn import Ended, Found, Turn
from turret_ai.see import images
from turret_ai.types import (
    Box,
    Command,
    CommandField,
    CommandStatus,
    Hypothesis,
    Source,
    Transcription,
    TranscriptStatus,
)

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND
COMMAND = Command(
    CommandStatus.OK,
    CommandField("065", 0.98, Source.RULES),
    CommandField("EMP", 0.9, Source.REPAIR),
    CommandField("grey fighter jet", 0.7, Source.REPAIR),
)
SECONDS = {"hear": 0.5, "understand": 0.02, "slew": 0.6, "see": 0.3, "aim": 0.2, "total": 1.6}
AIMED = Ended("AIMED", "", "heading zero six five", "065", "EMP", "grey jet", (0.1, -0.2), SECONDS)


def at(seconds: float) -> int:
    return T0 + round(seconds * SECOND)


def heard(status: TranscriptStatus, text: str) -> Transcription:
    readings = (Hypothesis(text, -0.1), Hypothesis("heading nine six five", -2.0))
    return Transcription(status, text, 0.9, readings, 2.5, "" if text else "no speech")


def state(phase: str, utterance_id: str = "u1", **words: object) -> TurretReport:
    return TurretReport(utterance_id, phase, 0.0, 0.0, -math.pi / 2, -0.1, **words)  # type: ignore[arg-type]


class Watched:
    """A board with a clock of its own, and what the page would have."""

    def __init__(self, **settings: object) -> None:
        self.now_s = 0.0
        self.board = Board(ConsoleSettings(**settings), clock=lambda: self.now_s)  # type: ignore[arg-type]
        self.page: dict[str, object] = {}

    def section(self, name: str) -> object:
        self.page |= {key: json.loads(text) for key, text in self.board.changes().items()}
        return self.page.get(name)

    def play(self, utterance_id: str = "u1") -> None:
        board = self.board
        board.on_transcript(utterance_id, T0, heard(TranscriptStatus.PARTIAL, "heading"), at(1.0))
        board.on_transcript(utterance_id, T0, heard(TranscriptStatus.FINAL, "heading 065"), at(3.0))
        board.on_command(utterance_id, T0, COMMAND, False, "heading 065", at(3.1))
        for phase, second in (("SLEWING", 3.1), ("SEARCHING", 3.8)):
            board.on_turret(state(phase, utterance_id), at(second))
        found = Found("FOUND", at(3.9), Box(10, 10, 20, 10), "grey jet", 0.9, 0.8, 3.0)
        board.on_found(utterance_id, found, at(4.2))
        board.on_turret(state("AIMING", utterance_id), at(4.2))


def test_a_turn_is_told_step_by_step_with_times_since_its_first_sample() -> None:
    watched = Watched()
    watched.play()
    watched.board.on_ended("u1", T0, AIMED, at(4.5))
    turn = watched.section("turn")
    assert isinstance(turn, dict)
    assert [(step["name"], step["at"]) for step in turn["steps"]] == [
        ("LISTENING", 1.0),
        ("HEARD", 3.0),
        ("UNDERSTOOD", 3.1),
        ("SLEWING", 3.1),
        ("SEARCHING", 3.8),
        ("FOUND", 4.2),
        ("AIMING", 4.2),
        ("AIMED", 4.5),
    ]
    assert turn["final"] == "heading 065" and turn["confidence"] == 0.9
    assert turn["readings"] == [{"text": "heading nine six five", "share": 0.135}]
    assert turn["command"]["fields"]["heading"] == {
        "value": "065",
        "confidence": 0.98,
        "source": "RULES",
    }
    assert turn["ended"]["seconds"]["total"] == 1.6


def test_noise_is_logged_and_does_not_hide_the_turn_that_runs() -> None:
    watched = Watched()
    watched.play()
    watched.board.on_transcript("noise", at(4), heard(TranscriptStatus.EMPTY, ""), at(4.3))
    watched.board.on_ended(
        "noise", at(4), Ended("INCOMPLETE", "no speech", "", "", "", "", None, {}), at(4.3)
    )
    turn, logged = watched.section("turn"), watched.section("log:1")
    assert isinstance(turn, dict) and turn["id"] == "u1" and turn["ended"] is None
    assert isinstance(logged, dict) and logged["turn"]["ended"]["outcome"] == "INCOMPLETE"


def test_a_turn_ends_once_and_what_comes_later_changes_nothing() -> None:
    watched = Watched()
    watched.play()
    for _ in range(2):
        watched.board.on_ended("u1", T0, AIMED, at(4.5))
    before = watched.section("turn")
    watched.board.on_transcript("u1", T0, heard(TranscriptStatus.FINAL, "later"), at(9))
    watched.board.on_command("u1", T0, COMMAND, False, "later", at(9))
    assert watched.section("turn") == before
    assert watched.section("log:1") is not None and watched.section("log:2") is None


def test_a_stop_is_shown_though_its_end_overtakes_its_command() -> None:
    watched = Watched()
    watched.play()
    stop = Command(CommandStatus.CANCELLED, reason="called off at the console")
    called_off = Ended("CANCELLED", stop.reason, "", "", "", "", None, SECONDS)
    superseded = Ended("SUPERSEDED", "", "", "065", "EMP", "grey jet", None, SECONDS)
    watched.board.on_ended("console_stop_1", at(4.3), called_off, at(4.31))
    watched.board.on_ended("u1", T0, superseded, at(4.31))
    watched.board.on_command("console_stop_1", at(4.3), stop, False, "", at(4.32))
    turn = watched.section("turn")
    assert (turn["id"], turn["ended"]["outcome"]) == ("console_stop_1", "CANCELLED")
    watched.board.on_turret(state("AIMING"), at(4.33))  # on its way since before
    assert watched.section("turn")["id"] == "console_stop_1"


def test_the_heading_of_an_unfinished_sentence_shows_until_the_whole_command_comes() -> None:
    turn = Turn("u1", T0)
    turn.on_command(Command(CommandStatus.INCOMPLETE, CommandField("065")), True, "h", at(1))
    assert turn.as_data()["command"]["partial"] is True
    turn.on_command(COMMAND, False, "heading 065", at(2))
    turn.on_command(Command(CommandStatus.INCOMPLETE, CommandField("090")), True, "h", at(2.1))
    assert turn.as_data()["command"]["fields"]["heading"]["value"] == "065"
    assert turn.as_data()["command"]["partial"] is False


def test_angles_are_compass_headings_and_elevations_in_degrees() -> None:
    watched = Watched()
    watched.board.on_turret(state("SLEWING", armed=True, yaw_limited=True), at(0))
    turret = watched.section("turret")
    assert isinstance(turret, dict)
    assert turret["goal"] == {"heading": 90.0, "elevation": 5.7}
    assert turret["armed"] is True and turret["limited"] == ["yaw"]
    unknown = TurretReport("", "IDLE", math.nan, math.nan, math.nan, math.nan, connected=False)
    watched.board.on_turret(unknown, at(1))
    turret = watched.section("turret")
    assert isinstance(turret, dict) and turret["now"] is None and turret["goal"] is None


def test_a_logged_turn_has_the_picture_that_was_searched() -> None:
    watched = Watched()
    watched.play()
    rgb = np.full((900, 1600, 3), 90, np.uint8)
    watched.board.pictures.keep(at(3.9), shrink(rgb, 960, 70))
    watched.board.on_ended("u1", T0, AIMED, at(4.5))
    entry = watched.section("log:1")
    assert isinstance(entry, dict)
    small = images.decode(base64.b64decode(entry["picture"]))
    assert small.shape == (180, 320, 3) and entry["size"] == [1600, 900]


def test_the_log_and_the_number_of_nodes_have_a_limit() -> None:
    watched = Watched(log_turns=3)
    for number in range(6):
        watched.play(f"u{number}")
        watched.board.on_ended(f"u{number}", T0, AIMED, at(4.5))
    kept = [name for name in watched.board.everything() if name.startswith("log:")]
    assert sorted(kept) == ["log:4", "log:5", "log:6"]
    for number in range(500):
        watched.board.on_health(f"node_{number}", 0, "x" * 10_000, [("k", "v" * 10_000)] * 100)
    assert len(watched.board.everything()["stages"]) < 1_000_000


def test_a_stage_that_falls_silent_is_told_as_silent_and_comes_back() -> None:
    watched = Watched()

    def word() -> object:
        stages = watched.section("stages")
        assert isinstance(stages, list)
        return stages[0]["state"]

    watched.board.on_stage("/locator", "locator", "active", "")
    watched.board.on_health("locator", 1, "no input for 3 s", [("model", "small")])
    assert word() == "active"
    watched.now_s = 5.0
    watched.board.on_tick()
    assert word() == "silent"
    watched.board.on_stage("/locator", "locator", "active", "")
    assert word() == "active"


def test_latency_is_the_last_turn_and_the_spread_of_all() -> None:
    watched = Watched()
    for number, total in enumerate((1.0, 2.0, 3.0)):
        name = f"u{number}"
        ended = Ended("AIMED", "", "", "", "", "", None, {**SECONDS, "total": total})
        watched.board.on_ended(name, T0, ended, at(4))
    latency = watched.section("latency")
    assert isinstance(latency, dict)
    assert latency["last"]["total"] == 3.0
    assert latency["all"]["total"]["p50"] == 2.0 and latency["all"]["total"]["count"] == 3


_names = st.sampled_from(["u1", "u2", "console_stop_1"])
_events = st.one_of(
    st.tuples(st.just("transcript"), _names, st.sampled_from(TranscriptStatus)),
    st.tuples(st.just("command"), _names, st.booleans()),
    st.tuples(
        st.just("state"), _names, st.sampled_from(["IDLE", "SLEWING", "SEARCHING", "AIMING"])
    ),
    st.tuples(st.just("found"), _names, st.sampled_from(["FOUND", "NOT_FOUND", "AMBIGUOUS"])),
    st.tuples(st.just("ended"), _names, st.sampled_from(["AIMED", "TIMEOUT", "CANCELLED"])),
)


@given(st.lists(_events, max_size=40))
def test_in_whatever_order_things_come_times_rise_and_each_turn_is_logged_once(
    events: list[tuple[str, str, object]],
) -> None:
    watched = Watched()
    board, ended = watched.board, set()
    for number, (kind, name, word) in enumerate(events):
        now = at(number / 10)
        if kind == "transcript":
            board.on_transcript(name, T0, heard(TranscriptStatus(word), "words"), now)
        elif kind == "command":
            board.on_command(name, T0, COMMAND, bool(word), "words", now)
        elif kind == "state":
            board.on_turret(state(str(word), name), now)
        elif kind == "found":
            board.on_found(name, Found(str(word), now, Box(1, 1, 2, 2)), now)
        else:
            ended.add(name)
            board.on_ended(name, T0, Ended(str(word), "", "", "", "", "", None, SECONDS), now)
    sections = {key: json.loads(text) for key, text in board.everything().items()}
    assert sum(key.startswith("log:") for key in sections) == len(ended)
    if "turn" in sections:
        times = [step["at"] for step in sections["turn"]["steps"]]
        assert times == sorted(times)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_are_never_sent_as_such(value: float) -> None:
    watched = Watched()
    found = Found("FOUND", T0, Box(value, 0, 1, 1), "jet", value, value, value)
    watched.board.on_transcript("u1", T0, heard(TranscriptStatus.FINAL, "\ud800"), at(1))
    watched.board.on_found("u1", found, at(2))
    text = watched.board.everything()["turn"]
    assert "NaN" not in text and "Infinity" not in text
    text.encode("utf-8")
