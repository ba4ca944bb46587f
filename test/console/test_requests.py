# SPDX-License-Identifier: Apache-2.0
"""What a page may say, who may be a page, and the token."""

from __future__ import annotations

import contextlib
import json
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.console import requests, token
from turret_ai.console.gate import allowed_host, same_origin
from turret_ai.console.settings import ConsoleSettings
from turret_ai.console.speech import Format, Talk
from turret_ai.errors import ConfigError, InputError

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND
GOOD = [
    {"type": "hello", "token": "x"},
    {"type": "ack", "count": 3},
    {"type": "look", "frames": False},
    {"type": "time", "sent": 1.7e12},
    {"type": "talk", "rate": 48000},
    {"type": "talk_end"},
    {"type": "say", "text": "heading zero six five"},
    {"type": "pick", "search": 1, "candidate": 0},
    {"type": "arm", "armed": True, "confirmed": True},
    {"type": "stop"},
    {"type": "reset"},
]
BAD = [
    {"type": "arm", "armed": True},
    {"type": "arm", "armed": True, "confirmed": False},
    {"type": "arm", "armed": 1, "confirmed": True},
    {"type": "say", "text": ""},
    {"type": "say", "text": "\u0000\n"},
    {"type": "say", "text": "x" * 301},
    {"type": "say", "text": ["x"]},
    {"type": "talk", "rate": 1},
    {"type": "talk", "rate": 1e9},
    {"type": "pick", "search": -1, "candidate": 0},
    {"type": "pick", "search": 1, "candidate": "0"},
    {"type": "ack", "count": -1},
    {"type": "time", "sent": "now"},
    {"type": "stop", "really": True},
    {"type": "shoot"},
    {"type": "hello", "token": "x" * 300},
    {},
    [],
    None,
    "stop",
]


@pytest.mark.parametrize("message", GOOD, ids=lambda m: m["type"])
def test_every_request_is_understood(message: dict[str, object]) -> None:
    assert requests.parse(json.dumps(message)).model_dump() == message


@pytest.mark.parametrize("message", BAD, ids=json.dumps)
def test_anything_else_is_refused_in_one_line(message: object) -> None:
    with pytest.raises(InputError) as refused:
        requests.parse(json.dumps(message))
    assert "\n" not in str(refused.value)


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
    ).map(lambda data: json.dumps({"type": "say", "text": data}))
)
def test_whatever_is_sent_it_is_a_request_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        requests.parse(text)


def test_a_large_request_is_refused_before_it_is_read() -> None:
    with pytest.raises(InputError, match="4096 bytes"):
        requests.parse(json.dumps({"type": "say", "text": "x" * 5000}))


def test_a_typed_sentence_loses_what_cannot_be_printed() -> None:
    found = requests.parse(json.dumps({"type": "say", "text": " heading\u202e\t005 \n now "}))
    assert isinstance(found, requests.Say) and found.text == "heading 005 now"


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("localhost:8765", True),
        ("127.0.0.1:8765", True),
        ("[::1]:8765", True),
        ("192.168.2.7", True),
        ("turret.example:8765", True),
        ("TURRET.example", True),
        ("evil.example:8765", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost:8765@evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_it_answers_to_addresses_and_to_its_own_names_only(host: str, fits: bool) -> None:
    assert allowed_host(host, ["turret.example"]) is fits


def test_a_page_of_somebody_else_is_told_by_its_origin() -> None:
    host = "127.0.0.1:8765"
    assert same_origin("http://127.0.0.1:8765", host)
    for origin in ("", "null", "http://127.0.0.1", "http://127.0.0.1:8766", "http://evil.example"):
        assert not same_origin(origin, host)


def test_loopback_needs_no_token_and_the_rest_of_the_world_does(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv(token.VARIABLE, raising=False)
    assert token.find(ConsoleSettings()) is None
    assert token.find(ConsoleSettings(host="::1")) is None
    made = token.find(ConsoleSettings(host="0.0.0.0"))
    file = tmp_path / "turret_ai" / "console_token"
    secret = file.read_text().strip()
    assert made is not None and made.matches(secret) and not made.matches(secret + "x")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret not in repr(made)
    again = token.find(ConsoleSettings(host="0.0.0.0"))
    assert again is not None and again.matches(secret)


def test_a_token_of_the_user_is_demanded_on_loopback_too(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(token.VARIABLE, "sixteen letters or more")
    found = token.find(ConsoleSettings())
    assert found is not None and found.matches("sixteen letters or more")
    monkeypatch.setenv(token.VARIABLE, "short")
    with pytest.raises(ConfigError, match="16 characters") as refused:
        token.find(ConsoleSettings())
    assert "short" not in str(refused.value)
    with pytest.raises(ConfigError, match="can't be read"):
        token.find(ConsoleSettings(token_file=str(tmp_path / "none")))


def spoken(talk: Talk, seconds: float, rate: int, step_s: float = 0.04):
    """Chunks of a tone, fed as time passes."""
    found, fed = [], 0
    while fed < round(seconds * rate):
        n = round(step_s * rate)
        samples = (8000 * np.sin(np.arange(fed, fed + n) * 0.2)).astype("<i2")
        fed += n
        found += talk.feed(samples.tobytes(), T0 + round(fed / rate * SECOND))
    return found


@pytest.mark.parametrize(("rate", "target"), [(16000, 16000), (48000, 16000), (16000, 44100)])
def test_a_talk_becomes_one_utterance_without_gaps_at_the_listeners_rate(
    rate: int, target: int
) -> None:
    talk = Talk("u1", rate, Format(target, 2), 25.0)
    chunks = [*spoken(talk, 2.0, rate), *talk.end()]
    assert talk.end() == [] and len(chunks[-1].samples) == 0
    begin = chunks[0].stamp_ns
    given_samples = 0
    for chunk in chunks:
        assert chunk.stamp_ns == pytest.approx(begin + given_samples / target * SECOND, abs=2)
        given_samples += len(chunk.samples) // 2
    assert given_samples / target == pytest.approx(2.0, abs=0.01)
    assert np.array_equal(chunks[0].samples[::2], chunks[0].samples[1::2])


def test_a_key_that_is_never_released_counts_as_released() -> None:
    talk = Talk("u1", 16000, Format(), 3.0)
    chunks = spoken(talk, 5.0, 16000)
    assert talk.ended and len(chunks[-1].samples) == 0
    assert sum(len(chunk.samples) for chunk in chunks) == pytest.approx(3.0 * 16000, abs=1000)


def test_audio_that_is_none_or_comes_faster_than_speech_is_refused() -> None:
    talk = Talk("u1", 16000, Format(), 25.0)
    for data in (b"", b"123", bytes(70_000)):
        with pytest.raises(InputError, match="S16LE"):
            talk.feed(data, T0)
    with pytest.raises(InputError, match="faster"):
        for _ in range(100):
            talk.feed(bytes(8000), T0)


def test_a_key_that_was_only_touched_is_no_utterance() -> None:
    assert Talk("u1", 16000, Format(), 25.0).end() == []
