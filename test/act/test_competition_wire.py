# SPDX-License-Identifier: Apache-2.0
"""The finals server's frames: read, written, cut anywhere."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.act.competition import wire
from turret_ai.act.competition.wire import Answer, Word
from turret_ai.act.wav import read_wav
from turret_ai.errors import ConfigError, InputError
from turret_ai.types import Box

ANSWER = Answer("heading is zero six five", "065", "EMP", "red drone", Box(556.4, 277.2, 99, 44))


def wav(samples: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype=subtype)
    return file.getvalue()


def test_an_answer_has_the_documented_body() -> None:
    assert json.loads(ANSWER.to_text()) == {
        "asr": "heading is zero six five",
        "nlp": {"heading": "065", "tool": "EMP", "target": "red drone"},
        "vlm": [556, 277, 99, 44],
    }


def test_an_answer_without_a_box_is_all_zeros_and_reads_back_as_none() -> None:
    text = Answer("x").to_text()
    assert json.loads(text)["vlm"] == [0, 0, 0, 0]
    assert wire.parse_answer(text) == Answer("x")


def test_an_answer_cut_at_any_byte_is_refused() -> None:
    text = ANSWER.to_text()
    for length in range(len(text)):
        with pytest.raises(InputError):
            wire.parse_answer(text[:length])


@given(st.text(max_size=200))
def test_no_text_breaks_the_parsers(text: str) -> None:
    word, _ = wire.parse_word(text)
    assert word in Word
    wire.is_health(text)
    for parse in (wire.parse_answer, wire.parse_robot):
        try:
            parse(text)
        except InputError:
            continue


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["asr", "nlp", "vlm", "type", "yaw", "status"]), inner),
    max_leaves=12,
))  # fmt: skip
def test_no_json_breaks_the_parsers(value: object) -> None:
    text = json.dumps(value)
    wire.parse_word(text)
    for parse in (wire.parse_answer, wire.parse_robot):
        try:
            parse(text)
        except InputError:
            continue


DONE = '{"status":"done"}'


@pytest.mark.parametrize("length", range(len(DONE)))
def test_half_a_done_is_a_health_check_and_is_complained_about(length: int) -> None:
    word, problem = wire.parse_word(DONE[:length])
    assert word is Word.HEALTH
    assert "not JSON" in problem
    assert wire.parse_word(DONE) == (Word.DONE, "")


def test_deeply_nested_json_is_no_crash() -> None:
    assert wire.parse_word("[" * 100_000)[0] is Word.HEALTH


@given(st.floats(-50, 50))
def test_yaw_goes_out_in_degrees_clockwise_within_a_half_turn(yaw: float) -> None:
    sent = json.loads(wire.update(yaw))["yaw"]
    assert -180.0 <= sent <= 180.0
    again = wire.parse_robot(wire.update(yaw))
    assert isinstance(again, wire.Update)
    assert math.cos(again.yaw - yaw) > 1 - 1e-8


def test_a_quarter_turn_to_the_right_is_plus_ninety() -> None:
    assert json.loads(wire.update(-math.pi / 2))["yaw"] == 90.0


@pytest.mark.parametrize(
    ("server", "team", "expected"),
    [
        ("ws://host:9", "a", "ws://host:9/ws/a"),
        ("host:9", "a/b c", "ws://host:9/ws/a%2Fb%20c"),
        ("http://host", "ü", "ws://host:8000/ws/%C3%BC"),
        ("wss://[::1]:1/x/", "t", "wss://[::1]:1/x/ws/t"),
    ],
)
def test_addresses_are_made_from_what_people_write(server: str, team: str, expected: str) -> None:
    team_address, robot_address = wire.addresses(server, team)
    assert team_address == expected
    assert robot_address == expected.replace("/ws/", "/ws_auto/")


@pytest.mark.parametrize(("server", "team"), [("ftp://x", "t"), ("ws://x:port", "t"), ("x", "")])
def test_addresses_that_are_none_are_refused(server: str, team: str) -> None:
    with pytest.raises(ConfigError):
        wire.addresses(server, team)


def test_a_wav_file_gives_its_samples_and_rate() -> None:
    tone = (np.sin(np.arange(4800) / 10) * 20_000).astype(np.int16)
    sound = read_wav(wav(tone, 48_000))
    assert sound.sample_rate == 48_000
    assert np.array_equal(sound.as_pcm(), tone)
    stereo = read_wav(wav(np.stack([tone, -tone], axis=1)))
    assert np.array_equal(stereo.as_pcm(), tone)
    assert "cancel" in stereo.remark
    floats = read_wav(wav(tone / 32768.0, subtype="FLOAT"))
    assert np.abs(floats.as_pcm().astype(int) - tone).max() <= 1


def test_a_wav_file_cut_at_any_byte_is_read_in_part_or_refused() -> None:
    data = wav((np.arange(40) * 100).astype(np.int16))
    whole = read_wav(data)
    for length in range(len(data)):
        try:
            part = read_wav(data[:length])
        except InputError:
            continue
        assert 0 < len(part.samples) <= len(whole.samples)
        assert part.sample_rate == 16_000


@given(st.binary(max_size=200))
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_wav(data)
