# SPDX-License-Identifier: Apache-2.0
"""All that the page shows, as a model without ROS and without a server.

Events go in as they come by; `changes` gives the sections that have changed since, as JSON. Each
section is the whole of what it shows: a page that missed some of them needs the newest only.
"""

from __future__ import annotations

import base64
import json
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from turret_ai import documents
from turret_ai.aim.camera import Camera
from turret_ai.aim.turn import STEPS
from turret_ai.console.pictures import Recent, thumbnail
from turret_ai.console.settings import ConsoleSettings
from turret_ai.console.sight import Lock, Sight
from turret_ai.console.turn import Ended, Found, Turn
from turret_ai.prove.latency import Latency
from turret_ai.types import Box, Command, CommandStatus, Transcription, TranscriptStatus
from turret_ai.units import pitch_to_elevation_deg, yaw_to_heading

_SILENT_S = 4.0
"""Seconds without a word after which a stage counts as gone; it speaks every second."""
_OPEN_TURNS = 16
_NODES, _VALUES, _LETTERS = 64, 24, 300
"""Nodes, values of each one's diagnostics, and characters of each, that are passed on."""


@dataclass(frozen=True, slots=True)
class TurretReport:
    """The turret as the controller tells of it: angles in rad, REP-103; phase: a `State`."""

    utterance_id: str
    phase: str
    yaw: float
    pitch: float
    yaw_goal: float
    pitch_goal: float
    connected: bool = True
    moving: bool = False
    at_goal: bool = False
    armed: bool = False
    yaw_limited: bool = False
    pitch_limited: bool = False


@dataclass(slots=True)
class _Member:
    """A node: what it says on `stages`, and in its diagnostics (level 0 well, 1 warning, 2)."""

    name: str
    stage: str = ""
    state: str = ""
    reason: str = ""
    level: int | None = None
    message: str = ""
    values: tuple[tuple[str, str], ...] = ()
    heard_s: float = 0.0


class Board:
    """The state behind the page. Callable from any thread."""

    def __init__(
        self, settings: ConsoleSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """clock: seconds of real time, for stages that fall silent."""
        self._settings, self._clock = settings, clock
        self._lock = threading.RLock()
        self._sight = Sight(settings.fixed_camera_pitch)
        self._turns: OrderedDict[str, Turn] = OrderedDict()
        self._current = ""
        self._logged: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._number = 0
        self._born = secrets.token_hex(4)
        """Tells this log from that of a console before, whose numbers are the same."""
        self._members: dict[str, _Member] = {}
        self._turret: TurretReport | None = None
        self._latency = Latency(window_s=math.inf, most=500, clock=clock)
        self._last_seconds: dict[str, float] = {}
        self._dirty: set[str] = {"about"}
        self.pictures = Recent()

    # -- the turn --------------------------------------------------------------------------------

    def on_transcript(
        self, utterance_id: str, stamp_ns: int, heard: Transcription, now_ns: int
    ) -> None:
        """From `transcript`. Noise is no turn to look at while another one runs."""
        with self._lock:
            quiet = heard.status is TranscriptStatus.EMPTY
            self._turn(utterance_id, stamp_ns, show=not quiet).on_transcript(heard, now_ns)

    def on_command(
        self,
        utterance_id: str,
        stamp_ns: int,
        command: Command,
        partial: bool,
        text: str,
        now_ns: int,
    ) -> None:
        """From `command`. text: what was understood."""
        with self._lock:
            nothing = command.status is CommandStatus.REJECTED
            turn = self._turn(utterance_id, stamp_ns, show=not nothing)
            turn.on_command(command, partial, text, now_ns)

    def on_turret(self, report: TurretReport, now_ns: int) -> None:
        """From `turret/state`."""
        with self._lock:
            self._turret = report
            self._sight.goal = None
            if math.isfinite(report.yaw_goal) and math.isfinite(report.pitch_goal):
                self._sight.goal = report.yaw_goal, report.pitch_goal
            self._dirty.add("turret")
            name = report.utterance_id
            if name and name in self._turns:
                steps = len(self._turns[name].steps)
                self._turns[name].on_phase(report.phase, now_ns)
                if self._current != name or len(self._turns[name].steps) != steps:
                    self._show(name)

    def on_candidates(self, stamp_ns: int, boxes: Sequence[tuple[Box, float]]) -> None:
        """From `detections`: (box, score) of every candidate of a searched picture."""
        with self._lock:
            self._sight.on_search(stamp_ns, boxes)

    def on_found(self, utterance_id: str, found: Found, now_ns: int) -> None:
        """From `target_bbox`."""
        with self._lock:
            if found.box is not None and found.status != "NOT_FOUND":
                self._sight.on_chosen(found.stamp_ns, found.box, found.detection_score)
            if utterance_id in self._turns:
                self._turns[utterance_id].on_found(found, now_ns)
                self._dirty.add("turn")

    def on_ended(self, utterance_id: str, stamp_ns: int, ended: Ended, now_ns: int) -> None:
        """From `engagement`."""
        with self._lock:
            turn = self._turn(utterance_id, stamp_ns, show=not self._current)
            if turn.ended is not None:
                return
            turn.on_ended(ended, now_ns)
            self._last_seconds = {name: ended.seconds.get(name, 0.0) for name in STEPS}
            self._latency.add_all(self._last_seconds)
            self._log(turn)
            self._dirty |= {"turn", "latency"}

    @property
    def running(self) -> bool:
        """Whether a turn is under way: its pictures are kept."""
        with self._lock:
            turn = self._turns.get(self._current)
            return turn is not None and turn.ended is None

    def _turn(self, utterance_id: str, stamp_ns: int, show: bool) -> Turn:
        turn = self._turns.get(utterance_id)
        if turn is None:
            turn = self._turns[utterance_id] = Turn(utterance_id, stamp_ns)
            while len(self._turns) > _OPEN_TURNS:
                self._turns.popitem(last=False)
        if show or not self._current:
            self._show(utterance_id)
        elif utterance_id == self._current:
            self._dirty.add("turn")
        return turn

    def _show(self, utterance_id: str) -> None:
        """Make it the turn to look at, unless it has ended and the one that is shown is newer.

        A short one (STOP) may have ended before its own command comes by: topics overtake another.
        """
        turn, shown = self._turns[utterance_id], self._turns.get(self._current)
        newer = shown is None or turn.began_ns > shown.began_ns
        if utterance_id != self._current and (turn.ended is None or newer):
            self._current = utterance_id
            self._sight.forget()
        self._dirty.add("turn")

    def _log(self, turn: Turn) -> None:
        self._number += 1
        picture = self.pictures.near(turn.found.stamp_ns) if turn.found is not None else None
        entry: dict[str, Any] = {"number": self._number, "turn": turn.as_data(), "picture": None}
        ended = turn.ended
        if ended is not None:
            said = {"text": ended.transcript, "heading": ended.heading}
            entry |= {**said, "tool": ended.tool, "target": ended.target}
        if picture is not None:
            entry["picture"] = base64.b64encode(thumbnail(picture)).decode("ascii")
            entry["size"] = [picture.width, picture.height]
        self._logged[self._number] = entry
        self._dirty.add(f"log:{self._number}")
        while len(self._logged) > self._settings.log_turns:
            self._dirty.discard(f"log:{self._logged.popitem(last=False)[0]}")

    # -- the nodes -------------------------------------------------------------------------------

    def on_stage(self, node: str, stage: str, state: str, reason: str) -> None:
        """From `stages`: a node's life cycle."""
        with self._lock:
            member = self._member(node)
            reason = reason[:_LETTERS]
            before = (member.stage, member.state, member.reason)
            member.stage, member.state, member.reason = stage, state, reason
            if before != (stage, state, reason) or self._is_silent(member):
                self._dirty.add("stages")
            member.heard_s = self._clock()

    def on_health(
        self, node: str, level: int, message: str, values: Sequence[tuple[str, str]]
    ) -> None:
        """From `diagnostics`: how a node is, in its own words."""
        with self._lock:
            member = self._member(node)
            member.level, member.message = level, message[:_LETTERS]
            member.values = tuple(
                (key[:_LETTERS], text[:_LETTERS]) for key, text in values[:_VALUES]
            )
            self._dirty.add("stages")
            if not member.stage:
                member.heard_s = self._clock()

    def on_tick(self) -> None:
        """Once a second: silence is news too."""
        with self._lock:
            if any(self._is_silent(each) for each in self._members.values()):
                self._dirty.add("stages")

    def _member(self, node: str) -> _Member:
        name = node.strip("/")[:_LETTERS]
        if name not in self._members and len(self._members) >= _NODES:
            return _Member(name)  # not kept
        return self._members.setdefault(name, _Member(name, heard_s=self._clock()))

    def _is_silent(self, member: _Member) -> bool:
        return self._clock() - member.heard_s > _SILENT_S

    # -- camera and joints -----------------------------------------------------------------------

    def on_joints(
        self, stamp_ns: int, yaw: float, pitch: float, rates: tuple[float, float] | None
    ) -> None:
        """From `joint_states`: rad, rad/s."""
        with self._lock:
            self._sight.joints.add(stamp_ns, yaw, pitch, rates)

    def on_camera(self, camera: Camera) -> None:
        """From `camera/camera_info`."""
        with self._lock:
            self._sight.camera = camera

    def on_tracks(self, stamp_ns: int, boxes: Sequence[tuple[str, Box]]) -> None:
        """From `tracks`: craft that are followed."""
        with self._lock:
            self._sight.on_tracks(stamp_ns, boxes)

    def on_lock(self, lock: Lock) -> None:
        """From `lock`: how the target is followed."""
        with self._lock:
            self._sight.lock = lock
            self._dirty.add("lock")

    def overlay(self, stamp_ns: int) -> dict[str, Any]:
        """What to draw on a picture; see `Sight.overlay`."""
        with self._lock:
            return self._sight.overlay(stamp_ns)

    def pick(self, search: int, candidate: int) -> tuple[Box, int]:
        """A clicked candidate as a box in the camera's present picture; see `Sight.pick`.

        Raises:
            InputError: it can't be aimed at.
        """
        with self._lock:
            return self._sight.pick(search, candidate)

    # -- for the page ----------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether `changes` has something to tell."""
        return bool(self._dirty)

    def changes(self) -> dict[str, str]:
        """JSON of each section that has changed since the last call."""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
            data = {name: self._section(name) for name in sorted(dirty)}
        return {name: _json(each) for name, each in data.items() if each is not None}

    def everything(self) -> dict[str, str]:
        """JSON of every section there is."""
        with self._lock:
            names = {"about", "turret", "turn", "stages", "latency", "lock"}
            self._dirty |= names | {f"log:{number}" for number in self._logged}
            return self.changes()

    def _section(self, name: str) -> Any:
        if name.startswith("log:"):
            return self._logged.get(int(name.removeprefix("log:")))
        if name == "turret":
            return _turret(self._turret)
        if name == "turn":
            turn = self._turns.get(self._current)
            return turn.as_data() if turn is not None else None
        if name == "lock":
            return _followed(self._sight.lock)
        if name == "stages":
            return [self._describe(each) for each in self._members.values()]
        if name == "latency":
            return self._times()
        return {"born": self._born, "log_turns": self._settings.log_turns}

    def _describe(self, member: _Member) -> dict[str, Any]:
        silent = self._is_silent(member)
        return {
            "name": member.name,
            "stage": member.stage,
            "state": "silent" if silent else member.state,
            "reason": "says nothing any more" if silent else member.reason,
            "level": member.level,
            "message": member.message,
            "values": [list(pair) for pair in member.values],
        }

    def _times(self) -> dict[str, Any]:
        found = self._latency.statistics()
        return {
            "last": {name: round(value, 3) for name, value in self._last_seconds.items()},
            "all": {
                name: {"p50": round(s.p50, 3), "p95": round(s.p95, 3), "count": s.count}
                for name, s in found.items()
                if name in STEPS
            },
        }


def _turret(report: TurretReport | None) -> dict[str, Any] | None:
    """Angles as people read them: compass heading, elevation; degrees."""
    if report is None:
        return None

    def angles(yaw: float, pitch: float) -> dict[str, float] | None:
        if not (math.isfinite(yaw) and math.isfinite(pitch)):
            return None
        heading = round(yaw_to_heading(yaw), 1) % 360.0
        return {"heading": heading, "elevation": round(pitch_to_elevation_deg(pitch), 1)}

    return {
        "id": report.utterance_id,
        "phase": report.phase,
        "now": angles(report.yaw, report.pitch),
        "goal": angles(report.yaw_goal, report.pitch_goal),
        "connected": report.connected,
        "moving": report.moving,
        "at_goal": report.at_goal,
        "armed": report.armed,
        "limited": [
            name
            for name, limited in (("yaw", report.yaw_limited), ("pitch", report.pitch_limited))
            if limited
        ],
    }


def _followed(lock: Lock | None) -> dict[str, Any] | None:
    if lock is None:
        return None
    return {
        "state": lock.state,
        "caption": lock.caption,
        "reason": lock.reason,
        "track": lock.track,
        "unseen": round(lock.unseen, 1),
        "looks": round(lock.looks, 1),
    }


def _json(data: Any) -> str:
    """Compact JSON; a number that is none becomes null, half a character a question mark."""
    try:
        text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except ValueError:
        text = json.dumps(documents.finite(data), separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()
