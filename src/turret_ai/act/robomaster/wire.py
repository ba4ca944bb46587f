# SPDX-License-Identifier: Apache-2.0
"""The plaintext protocol's bytes: what is sent, and what comes back. No sockets here.

Source of every command and reply: RoboMaster Developer Guide, "Plaintext SDK"
(https://robomaster-dev.readthedocs.io/en/latest/text_sdk/protocol_api.html). Angles in this module
are the SDK's own: degrees, pitch + up, yaw + clockwise.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from enum import Enum

DIRECT_ADDRESS = "192.168.2.1"
USB_ADDRESS = "192.168.42.2"
PUSH_RATES = (1, 5, 10, 20, 30, 50)
MAX_PENDING = 4096
"""Bytes without a terminator after which a stream counts as garbage."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The robot's ports. `push` is bound by the client: the robot sends there."""

    video: int = 40921
    audio: int = 40922
    control: int = 40923
    push: int = 40924
    event: int = 40925
    broadcast: int = 40926

    @classmethod
    def from_base(cls, base: int) -> Ports:
        """The six ports after `base`; the robot's own base is 40920."""
        return cls(*(base + offset for offset in range(1, 7)))


class Kind(Enum):
    """What a reply means."""

    OK = "ok"
    ERROR = "error"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the control port; `seq` is the number that the command carried, if echoed."""

    text: str
    kind: Kind
    seq: int | None = None

    def numbers(self, count: int) -> list[float] | None:
        """The first `count` numbers of a query's answer, None where they are not there."""
        return _numbers(self.text.split(), count)


_SEQ = re.compile(r"^(.*?)\s*\bseq\s+(\d{1,9})$", re.DOTALL)
_ANSWER = re.compile(r"chassis_lead|gimbal_lead|free|[-+.\d]+(\s+[-+.\d]+)*")
"""What a query may be answered with."""
_ERRORS = ("error", "fail", "not in sdk mode", "command format error")


def parse_reply(text: str) -> Reply:
    """One message of the control port, without its terminator."""
    text = text.strip()
    seq = None
    if found := _SEQ.match(text):
        text, seq = found.group(1).strip(), int(found.group(2))
    lower = text.lower()
    if lower in ("ok", "already in sdk mode"):
        return Reply(text, Kind.OK, seq)
    if lower.startswith(_ERRORS) or lower.endswith("exec error"):
        return Reply(text, Kind.ERROR, seq)
    return Reply(text, Kind.DATA, seq)


_BEGINS = (
    r"(?:ok|already in sdk mode|not in sdk mode|command format error|chassis_lead|gimbal_lead"
    r"|free|error|fail)"
)
_NUMBER = r"[-+]?\d+(?:\.\d*)?"
_JOINED = re.compile(
    rf"(?:ok|already in sdk mode|chassis_lead|gimbal_lead|free"
    rf"|(?:not in sdk mode|command format error|[a-z]+ exec error|error|fail(?:ed)?)"
    # either nothing follows the word, or an explanation up to the number or the end
    rf"(?:(?=\s*(?:{_BEGINS}|seq\s|$))|[:,\s].*?(?=\s*seq\s+\d|$))"
    rf"|{_NUMBER}(?:\s+{_NUMBER})*)"
    rf"(?:\s*seq\s+(?P<seq>\d{{1,9}}))?",
    re.IGNORECASE | re.DOTALL,
)
"""One reply at the beginning of a text that may hold several."""
_NEXT = re.compile(_BEGINS, re.IGNORECASE)
_AFTER_SEQ = re.compile(r"[\d+-]")
_ENDS = re.compile(rb"[;\r\n\0]")


def cut_replies(text: str) -> tuple[list[str], str]:
    """Replies that came without anything between them.

    Returns:
        (those that are whole, since the next one has begun; the rest, which may still go on).
    """
    found: list[str] = []
    while True:
        text = text.lstrip()
        reply = _JOINED.match(text)
        if reply is None:
            return found, text
        rest = text[reply.end() :].lstrip()
        numbered = reply.group("seq") is not None
        if not _NEXT.match(rest) and not (numbered and _AFTER_SEQ.match(rest)):
            return found, text
        found.append(text[: reply.end()].strip())
        text = rest


class Splitter:
    """Cuts the replies out of a byte stream, whatever the pieces in which it arrives.

    A reply ends at `;`, at a line end, or where the next one begins: firmware differs.
    """

    def __init__(self, limit: int = MAX_PENDING) -> None:
        self._limit = limit
        self._pending = b""
        self.discarded = 0

    def feed(self, data: bytes) -> list[str]:
        """The replies that are complete now; empty ones are left out."""
        *whole, last = _ENDS.split(self._pending + data)
        texts: list[str] = []
        for piece in whole:
            found, rest = cut_replies(piece.decode("utf-8", "replace").strip())
            texts += [*found, rest]
        found, rest = cut_replies(last.decode("utf-8", "replace")) if last else ([], "")
        texts += found
        self._pending = rest.encode() if found else last
        if len(self._pending) > self._limit:
            self.discarded += len(self._pending)
            self._pending = b""
        return [text for text in texts if text]

    def flush(self) -> list[str]:
        """What stands unterminated, if it is a whole reply.

        To be called when nothing has come for a while.
        """
        text = self._pending.decode("utf-8", "replace").strip()
        reply = parse_reply(text)
        if reply.kind is Kind.DATA and not _ANSWER.fullmatch(reply.text):
            return []
        self._pending = b""
        return [text]


class CommandSplitter:
    """Cuts a byte stream into commands at `;`, as the robot does."""

    def __init__(self, limit: int = MAX_PENDING) -> None:
        self._limit = limit
        self._pending = b""

    def feed(self, data: bytes) -> list[str]:
        """The commands that are complete now; empty ones are left out."""
        *whole, self._pending = (self._pending + data).split(b";")
        if len(self._pending) > self._limit:
            self._pending = b""
        texts = (piece.decode("utf-8", "replace").strip() for piece in whole)
        return [text for text in texts if text]


@dataclass(frozen=True, slots=True)
class Attitude:
    """The gimbal's angles: degrees, SDK signs, relative to where it was at power-on."""

    pitch: float
    yaw: float


def parse_pushes(data: bytes) -> tuple[list[Attitude], int]:
    """One UDP packet of pushes.

    Returns:
        (gimbal attitudes in order, number of messages that could not be read). Pushes of other
        parts of the robot are left out without being counted: `chassis push attitude 1 2 3 ;
        status 0 1 ;`, where what follows without a name belongs to the part before.
    """
    attitudes, unreadable, other = [], 0, False
    for piece in data.split(b";"):
        words = piece.decode("ascii", "replace").split()
        if not words:
            continue
        if "push" in words[1:3]:
            other = words[0] != "gimbal"
        if other:
            continue
        numbers = _numbers(words[3:], 2) if words[:3] == ["gimbal", "push", "attitude"] else None
        if numbers is None or len(words) != 5:
            unreadable += 1
        else:
            attitudes.append(Attitude(*numbers))
    return attitudes, unreadable


def parse_attitude(reply: Reply) -> Attitude | None:
    """The answer to `gimbal attitude ?`: pitch, then yaw."""
    numbers = reply.numbers(2)
    return Attitude(*numbers) if numbers is not None else None


def parse_broadcast(data: bytes) -> str | None:
    """The address in `robot ip A.B.C.D`, None for anything else."""
    words = data.decode("ascii", "replace").strip(" ;\r\n\0").split()
    if words[:2] != ["robot", "ip"] or len(words) != 3:
        return None
    try:
        return str(ipaddress.IPv4Address(words[2]))
    except ValueError:
        return None


def _numbers(words: list[str], count: int) -> list[float] | None:
    """That many finite numbers of a plausible size, None where there are none."""
    try:
        numbers = [float(word) for word in words[:count]]
    except ValueError:
        return None
    if len(numbers) != count or not all(math.isfinite(n) and abs(n) <= 3600.0 for n in numbers):
        return None
    return numbers


# -- commands ------------------------------------------------------------------------------------


def encode(command: str, seq: int | None = None) -> bytes:
    """A command as it goes over the wire, with its number where one is wanted."""
    return (f"{command} seq {seq};" if seq is not None else f"{command};").encode("ascii")


def moveto(pitch: float, yaw: float, pitch_speed: float, yaw_speed: float) -> str:
    """Absolute move. The protocol defines all four as integers, speeds 0..540 deg/s."""
    return (
        f"gimbal moveto p {round(pitch)} y {round(yaw)} "
        f"vp {_speed(pitch_speed)} vy {_speed(yaw_speed)}"
    )


def move(pitch: float, yaw: float, pitch_speed: float, yaw_speed: float) -> str:
    """Relative move in tenths of a degree, at most 55 degrees each way."""
    pitch, yaw = (max(-55.0, min(55.0, angle)) for angle in (pitch, yaw))
    return (
        f"gimbal move p {_tenths(pitch)} y {_tenths(yaw)} "
        f"vp {_speed(pitch_speed)} vy {_speed(yaw_speed)}"
    )


def speed(pitch: float, yaw: float) -> str:
    """Turn at a speed, deg/s, at most 450 each way."""
    pitch, yaw = (max(-450.0, min(450.0, rate)) for rate in (pitch, yaw))
    return f"gimbal speed p {_tenths(pitch)} y {_tenths(yaw)}"


STOP = "gimbal speed p 0 y 0"


def led(red: int, green: int, blue: int, effect: str) -> str:
    """Every light of the robot. effect: off, solid, pulse, blink."""
    return f"led control comp all r {red} g {green} b {blue} effect {effect}"


def _tenths(value: float) -> str:
    text = f"{value:.1f}"
    return "0" if text in ("0.0", "-0.0") else text


def _speed(value: float) -> int:
    """A zero would mean that the gimbal never moves."""
    return max(1, min(540, round(value)))
