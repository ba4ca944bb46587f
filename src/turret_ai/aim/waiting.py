# SPDX-License-Identifier: Apache-2.0
"""What a turn waits for, how long, and what to say when that does not come."""

from __future__ import annotations

from collections.abc import Callable

from turret_ai.aim.settings import AimSettings
from turret_ai.aim.slewing import Slewing
from turret_ai.aim.turn import State, Turn
from turret_ai.units import ns_to_seconds, seconds_to_ns

_RECORDED_SLEW_S = 60.0
"""The recorded system heard, understood and turned in its own time; a newer turn ends the wait."""
_SPEECH_S = 30.0
"""The operator still speaks: the longest wait covers it, and each partial renews it."""
_OTHER_CLOCK_S = 86_400.0
"""An age that no command can have."""

_TURRETS = ("simulator", "competition", "robomaster", "robomaster_ros", "gazebo_gimbal")
"""Stages without which there is neither turret nor camera."""


class Waiting:
    """The deadline of the running turn's present step."""

    def __init__(self, settings: AimSettings) -> None:
        self._settings = settings
        self._deadline_ns = 0

    def over(self, now_ns: int) -> bool:
        """Whether the wait has lasted too long."""
        return now_ns >= self._deadline_ns

    def for_speech(self, now_ns: int) -> None:
        """Wait for the end of the sentence and its command."""
        self._wait(self._settings.deadlines.command + _SPEECH_S, now_ns)

    def for_command(self, now_ns: int) -> None:
        """Wait for the command of a whole transcript."""
        self._wait(self._settings.deadlines.command, now_ns)

    def for_camera(self, now_ns: int) -> None:
        """Wait until the camera stands at the heading."""
        patience = _RECORDED_SLEW_S if self._settings.recorded_joints else 0.0
        self._wait(max(self._settings.deadlines.slew, patience), now_ns)

    def for_box(self, now_ns: int) -> None:
        """Wait for the locator."""
        self._wait(self._settings.deadlines.see, now_ns)

    def for_aim(self, now_ns: int) -> None:
        """Wait until the turret stands at the target."""
        self._wait(self._settings.deadlines.aim, now_ns)

    def _wait(self, seconds: float, now_ns: int) -> None:
        self._deadline_ns = now_ns + seconds_to_ns(seconds)


def waits_for(turn: Turn, stage: str) -> bool:
    """Whether a turn can't go on without a stage."""
    if stage in _TURRETS:
        return True
    return {
        "audio_source": not turn.heard_ns,
        "transcriber": not turn.heard_ns,
        "commander": bool(turn.heard_ns) and turn.command is None,
        "locator": turn.command is not None and turn.report is None,
    }.get(stage, False)


def too_late(turn: Turn, limit_s: float, now_ns: int) -> str:
    """Why a command is not acted on any more, "" while it is.

    Args:
        limit_s: s after the end of its speech.
    """
    age = ns_to_seconds(now_ns - turn.stamp_ns) - turn.speech_seconds
    if turn.stamp_ns <= 0 or age <= limit_s:
        return ""
    reason = f"it came {age:.0f} s after it was said: too late to act on"
    if age > _OTHER_CLOCK_S:
        reason += " (or the clocks differ: use_sim_time?)"
    return reason


def missing(
    turn: Turn,
    state: State,
    slewing: Slewing,
    recorded: bool,
    now_ns: int,
    why_absent: Callable[[str], str],
) -> str:
    """What a turn has waited for in vain.

    Args:
        recorded: the joint states are a recording's.
        why_absent: what is known to be the matter with a stage, "": nothing.
    """
    if state is State.HEARD:
        what, stage = "command", "commander"
        if not turn.heard_ns:
            what, stage = "final transcript", "transcriber"
        why = why_absent(stage)
        told = f"the {stage} {why}" if why else f"is the {stage} running?"
        return f"no {what} came: {told}"
    if state is State.SEARCHING and turn.report is not None:
        return "no camera_info has come: is the camera running?"
    command = turn.command
    if recorded and command is not None and slewing.joints.latest is not None:
        where = f"at heading {command.heading.value}" if command.heading.value else "still"
        return f"the recorded camera never stood {where}"
    if not slewing.connected(now_ns):
        if state is State.SEARCHING:
            return "neither joint states nor a box come: are turret and locator running?"
        return "no joint states come: is the turret connected?"
    if state is State.SEARCHING:
        why = why_absent("locator")
        if why:
            return f"no target box came: the locator {why}"
        return "no target box came: are the locator and the camera running?"
    return "the turret did not reach its goal in time"
