# SPDX-License-Identifier: Apache-2.0
"""What the emulated robot answers to each command, and what the command does to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from turret_ai.act.robomaster.gimbal_model import DEFAULT_SPEED, GimbalModel
from turret_ai.act.robomaster.wire import PUSH_RATES

MODES = ("chassis_lead", "gimbal_lead", "free")
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(slots=True)
class RobotState:
    """Everything about the emulated robot that commands change."""

    gimbal: GimbalModel = field(default_factory=GimbalModel)
    sdk: bool = False
    push_rate: int = 0
    """Attitude pushes a second, 0: off."""
    stream: bool = False
    audio: bool = False
    battery: int = 87
    light: tuple[int, int, int, str] = (0, 0, 0, "off")
    forced_mode: str = ""
    """A mode that the robot keeps whatever it is told."""
    refused: str = ""
    """Commands that begin so are answered with an error."""

    def leave_sdk(self) -> None:
        """What `quit` and a lost connection do: all settings go back."""
        self.sdk = False
        self.push_rate = 0
        self.stream = self.audio = False
        self.gimbal.speed(0.0, 0.0)
        self.gimbal.mode = "chassis_lead"


class Bad(Exception):
    """The command can't be carried out; the text is the reply."""


def execute(state: RobotState, command: str) -> tuple[str, bool]:
    """Carry out one command (without terminator and number).

    Returns:
        (reply, whether the reply waits until the gimbal has arrived).
    """
    words = command.split()
    if state.refused and command.startswith(state.refused):
        return "error", False
    try:
        return _execute(state, words), words[:2] in (["gimbal", "moveto"], ["gimbal", "move"])
    except Bad as bad:
        return str(bad), False


def _execute(state: RobotState, words: list[str]) -> str:
    if words == ["command"]:
        already, state.sdk = state.sdk, True
        return "Already in SDK mode" if already else "ok"
    if not state.sdk:
        raise Bad("not in sdk mode")
    match words:
        case ["quit"]:
            state.leave_sdk()
        case ["robot", "mode", "?"]:
            return state.gimbal.mode
        case ["robot", "mode", mode]:
            if mode not in MODES:
                raise Bad("command format error: mode")
            state.gimbal.mode = state.forced_mode or mode
        case ["robot", "battery", "?"]:
            return str(state.battery)
        case ["stream", "on" | "off" as switch]:
            state.stream = switch == "on"
        case ["audio", "on" | "off" as switch]:
            state.audio = switch == "on"
        case ["gimbal", *rest]:
            return _gimbal(state, rest)
        case ["led", "control", *rest]:
            _led(state, rest)
        case _:
            raise Bad("command format error: command parse error")
    return "ok"


def _gimbal(state: RobotState, words: list[str]) -> str:
    gimbal = state.gimbal
    match words:
        case ["attitude", "?"]:
            return f"{gimbal.pitch.angle:.1f} {gimbal.yaw.angle:.1f}"
        case ["push", "attitude", "off"]:
            state.push_rate = 0
        case ["push", "attitude", "on", *rate]:
            state.push_rate = _push_rate(rate)
        case ["suspend"]:
            gimbal.suspended = True
        case ["resume"]:
            gimbal.suspended = False
        case ["recenter"]:
            gimbal.moveto(0.0, 0.0, 90.0, 90.0)
        case ["speed", *rest]:
            values = _pairs(rest, {"p": 450.0, "y": 450.0}, _NUMBER)
            gimbal.speed(values.get("p", 0.0), values.get("y", 0.0))
        case ["moveto", *rest]:
            wide = {"p": 3600.0, "y": 3600.0, "vp": 540.0, "vy": 540.0}
            gimbal.moveto(*_move(_pairs(rest, wide, _INTEGER)))
        case ["move", *rest]:
            near = {"p": 55.0, "y": 55.0, "vp": 540.0, "vy": 540.0}
            gimbal.move(*_move(_pairs(rest, near, _NUMBER)))
        case _:
            raise Bad("command format error: command parse error")
    return "ok"


def _push_rate(words: list[str]) -> int:
    match words:
        case []:
            return 5
        case ["afreq", rate] if rate.isdigit() and int(rate) in PUSH_RATES:
            return int(rate)
    raise Bad("command format error: afreq")


def _move(values: dict[str, float]) -> tuple[float | None, float | None, float, float]:
    if "p" not in values and "y" not in values:
        raise Bad("command format error: nothing to move")
    vp, vy = values.get("vp", DEFAULT_SPEED), values.get("vy", DEFAULT_SPEED)
    return values.get("p"), values.get("y"), vp, vy


def _pairs(words: list[str], limits: dict[str, float], form: re.Pattern[str]) -> dict[str, float]:
    """`p 10 y -20` to numbers; names once each, sizes up to the limits."""
    if not words or len(words) % 2:
        raise Bad("command format error: missing value")
    values: dict[str, float] = {}
    for name, text in zip(words[::2], words[1::2], strict=True):
        if name not in limits or name in values or not form.fullmatch(text):
            raise Bad(f"command format error: {name}")
        values[name] = float(text)
        if abs(values[name]) > limits[name] or (name[0] == "v" and values[name] < 0):
            raise Bad(f"command format error: {name} out of range")
    return values


def _led(state: RobotState, words: list[str]) -> None:
    match words:
        case ["comp", _, "r", r, "g", g, "b", b, "effect", effect]:
            if all(c.isdigit() and int(c) <= 255 for c in (r, g, b)):
                state.light = (int(r), int(g), int(b), effect)
                return
    raise Bad("command format error: led")
