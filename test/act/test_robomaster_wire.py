# SPDX-License-Identifier: Apache-2.0
"""The robot's bytes: every message, cut anywhere, and what is not one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.act.robomaster import wire
from turret_ai.act.robomaster.axes import from_sdk, rates_to_sdk, to_sdk, within
from turret_ai.act.robomaster.emulator_commands import RobotState, execute
from turret_ai.act.robomaster.wire import Attitude, Kind, Splitter, parse_pushes, parse_reply
from turret_ai.aim.limits import Limits

STREAM = b"ok seq 1;Already in SDK mode seq 2;-10.5 20 seq 3; error seq 4;chassis_lead;"
MESSAGES = [
    "ok seq 1",
    "Already in SDK mode seq 2",
    "-10.5 20 seq 3",
    "error seq 4",
    "chassis_lead",
]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_replies_survive_a_cut_at_every_byte(cut: int) -> None:
    splitter = Splitter()
    assert splitter.feed(STREAM[:cut]) + splitter.feed(STREAM[cut:]) == MESSAGES


@pytest.mark.parametrize("length", range(len(STREAM) + 1))
def test_a_stream_that_ends_at_any_byte_gives_only_whole_replies(length: int) -> None:
    splitter = Splitter()
    whole = splitter.feed(STREAM[:length])
    assert whole == MESSAGES[: len(whole)]
    late = splitter.flush()
    assert late == [] or STREAM[:length].decode().strip().endswith(late[0])


JOINED = [
    ("okok", ["ok", "ok"]),
    ("ok seq 1ok seq 2", ["ok seq 1", "ok seq 2"]),
    ("okerror", ["ok", "error"]),
    ("errorok", ["error", "ok"]),
    ("errorerror", ["error", "error"]),
    ("ok seq 9-10.5 20 seq 10", ["ok seq 9", "-10.5 20 seq 10"]),
    ("ok seq 1 10.5 20 seq 2", ["ok seq 1", "10.5 20 seq 2"]),
    ("10.5 20ok", ["10.5 20", "ok"]),
    ("87chassis_lead", ["87", "chassis_lead"]),
    ("chassis_leadfree", ["chassis_lead", "free"]),
    ("Already in SDK modeok", ["Already in SDK mode", "ok"]),
    ("gimbal exec errorok", ["gimbal exec error", "ok"]),
    ("not in sdk modenot in sdk mode", ["not in sdk mode", "not in sdk mode"]),
    (
        "command format error: token lost seq 3ok seq 4",
        ["command format error: token lost seq 3", "ok seq 4"],
    ),
    ("ok\nok\r\n\r\n-1 2\0ok", ["ok", "ok", "-1 2", "ok"]),
]


@pytest.mark.parametrize(("stream", "replies"), JOINED)
def test_replies_need_nothing_between_them_at_whatever_byte_they_are_cut(
    stream: str, replies: list[str]
) -> None:
    data = stream.encode()
    for cut in range(len(data) + 1):
        splitter = Splitter()
        found = splitter.feed(data[:cut]) + splitter.feed(data[cut:]) + splitter.flush()
        assert found == replies
    splitter = Splitter()
    found = [text for byte in data for text in splitter.feed(bytes([byte]))]
    assert found + splitter.flush() == replies


@pytest.mark.parametrize(
    "text",
    [
        "command format error: token is not free",
        "error: gimbal not ok, seq 5 lost",
        "command format error: command parse error",
        "version 01.02.0300 ok",
        "10 20 30 things",
    ],
)
def test_a_reply_that_is_terminated_stays_whole(text: str) -> None:
    assert Splitter().feed(f"{text};".encode()) == [text]


@pytest.mark.parametrize(
    ("text", "kind", "seq"),
    [
        ("ok", Kind.OK, None),
        ("ok seq 7", Kind.OK, 7),
        ("Already in SDK mode", Kind.OK, None),
        ("error", Kind.ERROR, None),
        ("fail", Kind.ERROR, None),
        ("not in sdk mode", Kind.ERROR, None),
        ("command format error: command parse error seq 12", Kind.ERROR, 12),
        ("gimbal exec error", Kind.ERROR, None),
        ("free seq 3", Kind.DATA, 3),
        ("-10 20", Kind.DATA, None),
    ],
)
def test_replies_are_told_apart(text: str, kind: Kind, seq: int | None) -> None:
    reply = parse_reply(text)
    assert (reply.kind, reply.seq) == (kind, seq)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_parsers(data: bytes) -> None:
    splitter = Splitter()
    for text in [*splitter.feed(data), *splitter.flush()]:
        parse_reply(text).numbers(2)
    attitudes, unreadable = parse_pushes(data)
    assert unreadable >= 0
    assert all(math.isfinite(a.pitch) and math.isfinite(a.yaw) for a in attitudes)
    wire.parse_broadcast(data)


def test_an_endless_message_is_dropped_and_counted() -> None:
    splitter = Splitter(limit=100)
    assert splitter.feed(b"x" * 1000) == []
    assert splitter.discarded == 1000
    assert splitter.feed(b";ok;") == ["ok"]


def test_pushes_give_pitch_then_yaw() -> None:
    data = b"gimbal push attitude 20.5 -10 ;;chassis push position 1 2 ;;gimbal push attitude 1 2;;"
    assert parse_pushes(data) == ([Attitude(20.5, -10.0), Attitude(1.0, 2.0)], 0)


@pytest.mark.parametrize(
    "data",
    [b"gimbal push attitude nan 3;;", b"gimbal push attitude 3;;", b"gimbal push attitude 1 2 3;;",
     b"gimbal push attitude 99999 1;;", b"\xff\xfe\x00"],
)  # fmt: skip
def test_unreadable_pushes_are_counted(data: bytes) -> None:
    assert parse_pushes(data) == ([], 1)


PUSH = b"gimbal push attitude 20.5 -10.3 ;;"


@pytest.mark.parametrize("length", range(len(PUSH)))
def test_a_push_cut_at_any_byte_is_whole_or_nothing(length: int) -> None:
    attitudes, _ = parse_pushes(PUSH[:length])
    assert all(a.pitch == 20.5 for a in attitudes)


def test_the_announcement_names_an_address() -> None:
    assert wire.parse_broadcast(b"robot ip 192.168.0.115") == "192.168.0.115"
    for other in (b"robot ip 192.168.0", b"robot ip 999.1.1.1", b"printer ip 1.2.3.4", b""):
        assert wire.parse_broadcast(other) is None


@given(
    st.floats(-math.radians(250), math.radians(250)), st.floats(-math.radians(30), math.radians(20))
)
def test_angles_go_to_the_robot_and_back_within_its_resolution(yaw: float, pitch: float) -> None:
    again = from_sdk(to_sdk(yaw, pitch))
    assert again == pytest.approx((yaw, pitch), abs=math.radians(0.0501))


def test_the_signs_are_the_negation_of_both_axes() -> None:
    left_and_down = to_sdk(yaw=math.radians(90), pitch=math.radians(10))
    assert left_and_down == Attitude(pitch=-10.0, yaw=-90.0)
    assert rates_to_sdk(yaw_rate=1.0, pitch_rate=-1.0) == pytest.approx(
        (math.degrees(1.0), -math.degrees(1.0))
    )


def test_what_lies_beyond_the_limits_is_clamped_and_said() -> None:
    goal = within(math.radians(300), math.radians(-40), Limits())
    assert (goal.yaw_limited, goal.pitch_limited) == (True, True)
    assert to_sdk(goal.yaw, goal.pitch) == Attitude(pitch=30.0, yaw=-250.0)


@given(st.floats(-60, 60), st.floats(-300, 300), st.floats(-10, 1000), st.floats(-1000, 1000))
def test_every_motion_command_is_one_that_the_robot_accepts(
    pitch: float, yaw: float, pitch_speed: float, yaw_speed: float
) -> None:
    state = RobotState(sdk=True)
    for command in (
        wire.moveto(pitch, yaw, pitch_speed, yaw_speed),
        wire.move(pitch, yaw, pitch_speed, yaw_speed),
        wire.speed(pitch_speed, yaw_speed),
        wire.STOP,
        wire.led(255, 0, 0, "blink"),
    ):
        assert execute(state, command)[0] == "ok"


@pytest.mark.parametrize(
    "command",
    ["gimbal moveto p 1.5 y 2", "gimbal moveto", "gimbal move p 90", "gimbal move p", "gimbal",
     "robot mode sport", "gimbal push attitude on afreq 7", "dance", "gimbal speed p 1e3 y 0",
     "led control comp all r 300 g 0 b 0 effect solid", "gimbal moveto p 1 p 2"],
)  # fmt: skip
def test_the_emulator_refuses_what_the_protocol_does_not_define(command: str) -> None:
    assert "error" in execute(RobotState(sdk=True), command)[0]


def test_nothing_is_obeyed_before_the_sdk_mode() -> None:
    assert execute(RobotState(), "robot mode free")[0] == "not in sdk mode"


@given(st.text(max_size=80))
def test_no_text_breaks_the_emulator(text: str) -> None:
    reply, _ = execute(RobotState(sdk=True), text)
    assert reply


def test_no_command_of_the_driver_touches_the_launcher() -> None:
    """`blaster fire` drives the gel launcher: it must not even be in the vocabulary."""
    from pathlib import Path

    folder = Path(wire.__file__).parent
    for file in ("wire.py", "driver.py", "motion.py", "control.py", "streams.py", "arming.py"):
        assert "blaster" not in (folder / file).read_text(encoding="utf-8")
