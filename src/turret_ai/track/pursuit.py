# SPDX-License-Identifier: Apache-2.0
"""A lock from its first box to its end, without ROS and without threads.

It is told of joints, of the camera and of the target's box; it says which part of which picture to
search, takes what was seen there, and tells where the target is and flies. Times are nanoseconds
of one clock; angles are radians in the base frame (REP-103).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from turret_ai.aim.camera import Camera
from turret_ai.aim.following import Estimate
from turret_ai.aim.joints import JointHistory
from turret_ai.errors import InputError
from turret_ai.track.lock import Lock, LockState
from turret_ai.track.settings import TrackSettings
from turret_ai.track.sight import Pose, Seen, Sighting, box_at, sight
from turret_ai.track.tracker import Tracker
from turret_ai.track.window import Window, window_round
from turret_ai.types import Box
from turret_ai.units import seconds_to_ns

_RATE_STEP_S = 0.02
"""Over so long the camera's speed is measured."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What to search: a part of the picture of an instant, for a caption."""

    lock_number: int
    stamp_ns: int
    window: Window
    caption: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a lock stands. estimate: None while nothing is followed."""

    utterance_id: str
    caption: str
    state: LockState
    reason: str
    track_number: int
    estimate: Estimate | None
    deviation: tuple[float, float]
    size: tuple[float, float]
    unseen: float
    odds: float


@dataclass(frozen=True, slots=True)
class TrackBox:
    """A track in the picture that was searched last. target: it is the lock's."""

    number: int
    box: Box
    score: float
    target: bool


class Pursuit:
    """One lock at a time. Not thread-safe: one caller at a time."""

    def __init__(self, settings: TrackSettings) -> None:
        self.settings = settings
        self.joints = JointHistory()
        self.camera: Camera | None = None
        self.tracker = Tracker(settings)
        self.lock = Lock(settings.deadlines)
        self.utterance_id = ""
        self.caption = ""
        self._number = 0
        self._looked_ns = 0
        self._pending: tuple[Seen, int] | None = None

    # -- the lock --------------------------------------------------------------------------------

    def begin(self, utterance_id: str, caption: str, box: Box, stamp_ns: int, now_ns: int) -> None:
        """Follow what was found in the picture of `stamp_ns`; a lock before it ends."""
        self.end("another target was found")
        self._number += 1
        self.utterance_id, self.caption = utterance_id, caption
        self._looked_ns = 0
        self._pending = (Seen(box, 1.0), stamp_ns)
        self.lock.begin(now_ns)
        self._start()

    def end(self, reason: str) -> None:
        """Follow nothing any more."""
        self.lock.end(reason)
        self.tracker.end()
        self._pending = None

    def _start(self) -> None:
        """The first sighting, once camera and joints are known."""
        if self._pending is None:
            return
        seen, stamp_ns = self._pending
        sighting = self._sighting(seen, stamp_ns)
        if sighting is not None:
            self._pending = None
            self.tracker.begin(sighting, stamp_ns)

    # -- pictures --------------------------------------------------------------------------------

    def plan(self, stamp_ns: int) -> Glance | None:
        """What of the picture of an instant is to be searched; None: let it pass."""
        if not self.lock.on:
            return None
        self._start()
        target, camera = self.tracker.target, self.camera
        if target is None or camera is None or stamp_ns <= target.stamp_ns:
            return None
        pose = self._pose(stamp_ns)
        if pose is None:
            return None
        look = self.settings.look
        if self.lock.state is LockState.LOST:
            window: Window | None = Window.whole(camera)
        else:
            gate = self.settings.association.gate
            state, first = target.at(stamp_ns), target.hits == 1
            window = window_round(state, target.size, gate, camera, pose, look, first=first)
        if window is None:
            return None
        rate = min(look.rate, look.full_rate) if window.full else look.rate
        # A tenth of slack: pictures that come at just this rate must not be left out in turn.
        if stamp_ns - self._looked_ns < seconds_to_ns(0.9 / rate):
            return None
        self._looked_ns = stamp_ns
        return Glance(self._number, stamp_ns, window, self.caption)

    def take(self, plan: Glance, seen: Sequence[Seen], now_ns: int) -> bool:
        """What a search has found, perhaps nothing; False where nobody asks for it any more."""
        if plan.lock_number != self._number or not self.lock.on or self.tracker.target is None:
            return False
        if self._pose(plan.stamp_ns) is None:
            return False
        sightings = []
        for each in seen:
            sighting = self._sighting(each, plan.stamp_ns)
            if sighting is not None:
                sightings.append(sighting)
        lost = self.lock.state is LockState.LOST
        if self.tracker.take(sightings, plan.stamp_ns, lost=lost):
            self.lock.seen(plan.stamp_ns, now_ns)
        return True

    def tick(self, now_ns: int) -> None:
        """Time passes: deadlines."""
        was = self.lock.on
        self.lock.tick(now_ns)
        if was and not self.lock.on:
            self.end(self.lock.reason)

    # -- what is known ---------------------------------------------------------------------------

    def report(self, now_ns: int) -> Report:
        """How the lock stands at an instant."""
        target, lock = self.tracker.target, self.lock
        estimate, deviation, size = None, (0.0, 0.0), (0.0, 0.0)
        if lock.on and target is not None:
            state = target.at(target.stamp_ns)
            estimate = Estimate(target.stamp_ns, *state.angles, *state.rates)
            deviation, size = target.at(now_ns).deviation, target.size
        return Report(
            self.utterance_id,
            self.caption,
            lock.state,
            lock.reason,
            target.number if target else 0,
            estimate,
            deviation,
            size,
            lock.unseen(now_ns) if lock.on else 0.0,
            target.odds if target else math.nan,
        )

    def boxes(self, stamp_ns: int) -> list[TrackBox]:
        """Every track in the picture of an instant, the target first."""
        camera, pose = self.camera, self._pose(stamp_ns)
        if camera is None or pose is None:
            return []
        found = []
        for track in self.tracker.tracks:
            box = box_at(track.at(stamp_ns).angles, track.size, camera, pose)
            if box is not None:
                target = track is self.tracker.target
                found.append(TrackBox(track.number, box, track.score, target))
        return found

    # -- steps -----------------------------------------------------------------------------------

    def _pose(self, stamp_ns: int) -> Pose | None:
        """Where the camera looked at an instant; None where that is not known."""
        here = self.joints.at(stamp_ns)
        if here is None:
            return None
        before = self.joints.at(stamp_ns - seconds_to_ns(_RATE_STEP_S)) or here
        rates = [(a - b) / _RATE_STEP_S for a, b in zip(here, before, strict=True)]
        fixed = self.settings.fixed_camera_pitch
        if math.isnan(fixed):
            return Pose(*here, *rates)
        return Pose(here[0], fixed, rates[0], 0.0)

    def _sighting(self, seen: Seen, stamp_ns: int) -> Sighting | None:
        pose = self._pose(stamp_ns)
        if self.camera is None or pose is None:
            return None
        try:
            return sight(seen, self.camera, pose, self.settings.sight)
        except InputError:
            return None  # beyond what the lens's model holds for
