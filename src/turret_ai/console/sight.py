# SPDX-License-Identifier: Apache-2.0
"""What to draw on a picture: candidates, the chosen one, its predicted place, the aim.

A search is over when later pictures are shown, and the turret has turned meanwhile. So boxes are
kept as directions in the base frame and drawn where those lie in each picture, by the joint angles
at its stamp. What flies has moved on: only `tracks` follow it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from turret_ai.aim.camera import Camera, aim_at, angles_to_direction, directions_to_pixels
from turret_ai.aim.joints import JointHistory
from turret_ai.errors import InputError
from turret_ai.types import Box
from turret_ai.units import ns_to_seconds

_SAME = 1.0
"""Pixels by which two boxes of one picture may differ and be the same."""
_TRACK_S = 1.0
"""Seconds for which a track is drawn without news."""
_LOCK_S = 5.0
"""Seconds by which a lock's estimate is carried on at most."""

Point: TypeAlias = "list[float] | None"


@dataclass(slots=True)
class Candidate:
    """A box of a search. yaw, pitch: rad, base frame; width, height: pixels; score: 0..1."""

    yaw: float
    pitch: float
    box: Box
    score: float
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """How the target is followed. state: UNLOCKED, LOCKED, COASTING or LOST; yaw, pitch: rad at
    the stamp, base frame; rates: rad/s; width, height: rad; unseen: s since it was seen."""

    state: str
    stamp_ns: int
    caption: str = ""
    reason: str = ""
    track: int = 0
    yaw: float = 0.0
    pitch: float = 0.0
    yaw_rate: float = 0.0
    pitch_rate: float = 0.0
    width: float = 0.0
    height: float = 0.0
    unseen: float = 0.0
    looks: float = 0.0


@dataclass(slots=True)
class _Track:
    name: str
    yaw: float
    pitch: float
    width: float
    height: float


class Sight:
    """The camera, where it looked lately, and what was found. Not thread-safe."""

    def __init__(self, fixed_camera_pitch: float = math.nan) -> None:
        self.camera: Camera | None = None
        self.joints = JointHistory()
        self.goal: tuple[float, float] | None = None
        """Where the turret was sent, (yaw, pitch) in rad."""
        self.search = 0
        """Number of the last search; candidates are named by it and their place in its list."""
        self.stamp_ns = 0
        self.candidates: list[Candidate] = []
        self.lock: Lock | None = None
        self._fixed = fixed_camera_pitch
        self._tracks: list[_Track] = []
        self._tracks_ns = 0

    # -- what was found --------------------------------------------------------------------------

    def on_search(self, stamp_ns: int, boxes: Sequence[tuple[Box, float]]) -> None:
        """The candidates of a picture, with their scores."""
        self.search += 1
        self.stamp_ns = stamp_ns
        self.candidates = []
        for box, score in boxes:
            angles = self._angles(box, stamp_ns)
            if angles is not None:
                self.candidates.append(Candidate(*angles, box, score))

    def on_chosen(self, stamp_ns: int, box: Box, score: float) -> None:
        """The box that the turret aims at, of the same picture or of another one."""
        if stamp_ns != self.stamp_ns:
            self.on_search(stamp_ns, [])
        for each in self.candidates:
            pairs = zip(each.box.as_list(), box.as_list(), strict=True)
            each.chosen = all(abs(a - b) <= _SAME for a, b in pairs)
        if not any(each.chosen for each in self.candidates):
            angles = self._angles(box, stamp_ns)
            if angles is not None:
                self.candidates.append(Candidate(*angles, box, score, chosen=True))

    def on_tracks(self, stamp_ns: int, boxes: Sequence[tuple[str, Box]]) -> None:
        """Craft that are followed, by name."""
        self._tracks, self._tracks_ns = [], stamp_ns
        for name, box in boxes:
            angles = self._angles(box, stamp_ns)
            if angles is not None:
                self._tracks.append(_Track(name, *angles, box.width, box.height))

    def forget(self) -> None:
        """A new turn: what was found before is not shown as if it were of this one."""
        self.candidates = []

    # -- where that is now -----------------------------------------------------------------------

    def overlay(self, stamp_ns: int) -> dict[str, Any]:
        """What to draw on the picture of this stamp; pixels of the original picture.

        aim: where the turret points; goal: where it was sent; boxes: the candidates, "age" seconds
        after they were seen, and "exact" on the very picture; None where nothing is known.
        """
        pose = self._pose(stamp_ns)
        age = ns_to_seconds(stamp_ns - self.stamp_ns)
        found: dict[str, Any] = {"aim": None, "goal": None, "boxes": [], "tracks": []}
        if pose is None or self.camera is None:
            return found
        joints = self.joints.at(stamp_ns)
        assert joints is not None
        found["aim"] = self._point(*joints, pose)
        if self.goal is not None:
            found["goal"] = self._point(*self.goal, pose)
        found["search"] = self.search
        for number, each in enumerate(self.candidates):
            point = self._point(each.yaw, each.pitch, pose)
            if point is not None:
                found["boxes"].append(
                    {
                        "id": number,
                        "box": _around(point, each.box.width, each.box.height),
                        "score": round(each.score, 3),
                        "chosen": each.chosen,
                        "exact": stamp_ns == self.stamp_ns,
                        "age": round(max(0.0, age), 2),
                    }
                )
        found["lock"] = self._predicted(stamp_ns, pose)
        if abs(ns_to_seconds(stamp_ns - self._tracks_ns)) <= _TRACK_S:
            for track in self._tracks:
                point = self._point(track.yaw, track.pitch, pose)
                if point is not None:
                    box = _around(point, track.width, track.height)
                    found["tracks"].append({"name": track.name, "box": box})
        return found

    def _predicted(self, stamp_ns: int, pose: tuple[float, float]) -> dict[str, Any] | None:
        """Where the followed target is predicted at an instant, and how large; pixels."""
        lock, camera = self.lock, self.camera
        if lock is None or lock.state == "UNLOCKED" or camera is None:
            return None
        later = ns_to_seconds(stamp_ns - lock.stamp_ns)
        if abs(later) > _LOCK_S:
            return None
        yaw, pitch = lock.yaw + lock.yaw_rate * later, lock.pitch + lock.pitch_rate * later
        point = self._point(yaw, pitch, pose)
        if point is None:
            return None
        box = _around(point, lock.width * camera.fx, lock.height * camera.fy)
        return {"state": lock.state, "box": box}

    def pick(self, search: int, candidate: int) -> tuple[Box, int]:
        """Where a candidate's direction lies for the camera as it stands, and the stamp of that.

        Raises:
            InputError: there is no such candidate any more, or the camera looks away from it.
        """
        if search != self.search or candidate >= len(self.candidates):
            raise InputError("that candidate is of an earlier search: choose again")
        each, latest = self.candidates[candidate], self.joints.latest
        pose = None if latest is None else self._pose(latest.stamp_ns)
        if latest is None or pose is None or self.camera is None:
            raise InputError("where the camera looks is not known: no joint states, or no camera")
        point = self._point(each.yaw, each.pitch, pose)
        if point is None:
            raise InputError("the camera has turned away from that candidate")
        width, height = each.box.width, each.box.height
        box = Box(point[0] - width / 2.0, point[1] - height / 2.0, width, height)
        return box, latest.stamp_ns

    # -- geometry --------------------------------------------------------------------------------

    def _pose(self, stamp_ns: int) -> tuple[float, float] | None:
        """(yaw, pitch) of the camera at an instant."""
        joints = self.joints.at(stamp_ns)
        if joints is None:
            return None
        return joints[0], joints[1] if math.isnan(self._fixed) else self._fixed

    def _angles(self, box: Box, stamp_ns: int) -> tuple[float, float] | None:
        pose = self._pose(stamp_ns)
        if pose is None or self.camera is None:
            return None
        try:
            return aim_at(box, self.camera, *pose)
        except InputError:
            return None

    def _point(self, yaw: float, pitch: float, pose: tuple[float, float]) -> list[float] | None:
        """Where a direction lies in the picture; None behind the camera or far outside."""
        assert self.camera is not None
        x, y = directions_to_pixels(angles_to_direction(yaw, pitch), self.camera, *pose)
        if not (math.isfinite(x) and math.isfinite(y)) or max(abs(x), abs(y)) > 1e5:
            return None
        return [round(float(x), 1), round(float(y), 1)]


def _around(point: Sequence[float], width: float, height: float) -> list[float]:
    """[left, top, width, height] about a middle."""
    numbers = (point[0] - width / 2.0, point[1] - height / 2.0, width, height)
    return [round(value, 1) for value in numbers]
