# SPDX-License-Identifier: Apache-2.0
"""What goes over the finals server's two sockets, as text and bytes.

Team socket `/ws/TEAM`: the server sends WAV files (binary) and JSON (text); the team sends answers.
Robot socket `/ws_auto/TEAM`: the team sends the camera's yaw and asks for snapshots; the server
sends JPEG files (binary). Yaw on this wire: degrees, clockwise, -180..180.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote, urlsplit

from turret_ai.errors import ConfigError, InputError
from turret_ai.types import Box
from turret_ai.units import clockwise_deg_to_yaw, wrap, yaw_to_clockwise_deg

MAX_FRAME = 2**24
"""Bytes of the largest frame."""

HEALTHY = '{"health":"ok"}'
DONE = '{"status":"done"}'
SNAPSHOT = '{"type":"snapshot"}'


def addresses(server: str, team: str) -> tuple[str, str]:
    """The two sockets' addresses.

    Args:
        server: `ws://HOST:PORT` (also wss, http, https, or nothing before the host).
        team: any text; it is quoted for the URL.

    Raises:
        ConfigError: not an address, or no team.
    """
    text = server if "://" in server else f"ws://{server}"
    parts = urlsplit(text)
    scheme = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}.get(parts.scheme)
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"the server's port in {server!r} is not a number") from error
    if scheme is None or not parts.hostname:
        raise ConfigError(f"the server's address looks like ws://HOST:8000, not {server!r}")
    if not team:
        raise ConfigError("a team name is needed")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    root = f"{scheme}://{host}:{port or 8000}{parts.path.rstrip('/')}"
    name = quote(team, safe="")
    return f"{root}/ws/{name}", f"{root}/ws_auto/{name}"


class Word(Enum):
    """What a text frame of the team socket means."""

    DONE = "done"
    HEALTH = "health"
    """Every other text, also one that is not JSON: it is answered all the same."""


def parse_word(text: str) -> tuple[Word, str]:
    """Read a text frame of the team socket.

    Returns:
        (meaning, what was wrong with it, "" if nothing).
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Word.HEALTH, f"the server sent a text that is not JSON ({error})"
    if isinstance(value, dict) and value.get("status") == "done":
        return Word.DONE, ""
    return Word.HEALTH, ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the team says about one utterance; "" and None for what it does not know."""

    transcript: str = ""
    heading: str = ""
    tool: str = ""
    target: str = ""
    box: Box | None = None

    def to_text(self) -> str:
        """For the team socket; a missing box is all zeros, others are whole pixels."""
        box = [0, 0, 0, 0] if self.box is None else [round(v) for v in self.box.as_list()]
        nlp = {"heading": self.heading, "tool": self.tool, "target": self.target}
        return json.dumps({"asr": self.transcript, "nlp": nlp, "vlm": box}, ensure_ascii=False)


def parse_answer(text: str) -> Answer:
    """The server's side of `Answer.to_text`.

    Raises:
        InputError: not JSON, or a field that is missing or of the wrong type.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the answer is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError("the answer is not a JSON object")
    nlp = value.get("nlp")
    if not isinstance(nlp, dict):
        raise InputError("the answer's nlp is not an object")
    return Answer(
        _text(value, "asr"),
        _text(nlp, "heading"),
        _text(nlp, "tool"),
        _text(nlp, "target"),
        _box(value.get("vlm")),
    )


def _text(record: dict[str, Any], name: str) -> str:
    word = record.get(name)
    if not isinstance(word, str):
        raise InputError(f"the answer's {name} is not a text")
    return word


def is_health(text: str) -> bool:
    """Whether a team's text answers a health check."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("health") == "ok"


def _box(value: Any) -> Box | None:
    if not isinstance(value, list) or len(value) != 4:
        raise InputError("the answer's vlm is not [left, top, width, height]")
    if not all(_is_number(each) for each in value):
        raise InputError("the answer's vlm holds something that is not a finite number")
    left, top, width, height = (float(each) for each in value)
    return Box(left, top, width, height) if width > 0 and height > 0 else None


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) < 1e9
        and math.isfinite(value)
    )


# -- the robot socket ----------------------------------------------------------------------------


def update(yaw: float) -> str:
    """The camera's yaw (radians, REP-103) for the robot socket."""
    degrees = round(yaw_to_clockwise_deg(wrap(yaw)), 3)
    return json.dumps({"type": "update", "yaw": degrees}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Update:
    """The team turns the camera. yaw: radians, REP-103."""

    yaw: float


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """The team wants a picture."""


def parse_robot(text: str) -> Update | SnapshotRequest:
    """The server's side of the robot socket.

    Raises:
        InputError: anything else.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the robot's message is not JSON ({error})") from error
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "snapshot":
        return SnapshotRequest()
    if kind == "update" and _is_number(value.get("yaw")):
        return Update(clockwise_deg_to_yaw(float(value["yaw"])))
    raise InputError("the robot's message is neither an update with a yaw nor a snapshot")
