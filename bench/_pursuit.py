# SPDX-License-Identifier: Apache-2.0
"""A camera on a turret that follows a flying craft, in virtual time: the loop of `track_lock`.

Pictures are rendered where the turret looks at that instant, the models really look at them, and
what they find is known to the follower only after a delay that is stated beforehand. So figures
don't depend on how busy the machine is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from turret_ai.aim.camera import Camera, aim_at, angles_to_direction
from turret_ai.aim.following import Following
from turret_ai.aim.joints import JointHistory, JointSample
from turret_ai.aim.settings import FollowSettings
from turret_ai.see.boxes import Boxes, iou
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.turret import TurretLimits, TurretMotion
from turret_ai.simulate.world import Truth, World
from turret_ai.track.lock import LockState
from turret_ai.track.pursuit import Pursuit
from turret_ai.track.settings import TrackSettings
from turret_ai.track.sight import Seen
from turret_ai.track.window import Window
from turret_ai.types import Box
from turret_ai.units import ns_to_seconds, seconds_to_ns

CAMERA = Camera.from_fov(1520, 870, math.radians(70.0))
STEP_NS = seconds_to_ns(0.02)
"""Joint states come 50 times a second."""
PICTURE_NS = seconds_to_ns(1.0 / 10.0)
FOUND_S = 0.6
"""From the first picture to the aim: the locator searches, the turret turns."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds that a look takes, as one core of the machine that this was written on needs: stated,
    so that load doesn't count. fixed: for the looks of the candidates. per_pixel: to detect."""

    fixed: float = 0.008
    per_pixel: float = 0.24 / (1520 * 870)

    def of(self, window: Window) -> float:
        """For a part of a picture."""
        return self.fixed + self.per_pixel * window.width * window.height


class Follower(Protocol):
    """What is compared."""

    def begin(self, caption: str, box: Box, stamp_ns: int) -> None:
        """The locator's box."""

    def plan(self, stamp_ns: int) -> Any:
        """What to search of a picture; None: nothing."""

    def window(self, plan: Any) -> Window:
        """The part of the picture that a plan asks for."""

    def take(self, plan: Any, seen: list[Seen], now_ns: int) -> None:
        """What was found, `now_ns` later than the picture."""

    def drive(self, sample: JointSample, now_ns: int, motion: TurretMotion) -> None:
        """Move the turret."""

    def where(self) -> Box | None:
        """The box taken for the target in the last look, for the count of switches."""


class Locked:
    """The package's own: pursuit and following."""

    def __init__(
        self, settings: TrackSettings, follow: FollowSettings, limits: TurretLimits
    ) -> None:
        self.pursuit = Pursuit(settings)
        self.pursuit.camera = CAMERA
        self.following = Following(follow, limits.joints)

    def begin(self, caption: str, box: Box, stamp_ns: int) -> None:
        self.pursuit.begin("u", caption, box, stamp_ns, stamp_ns)
        self.following.begin("u", stamp_ns)

    def plan(self, stamp_ns: int) -> Any:
        self.pursuit.tick(stamp_ns)
        return self.pursuit.plan(stamp_ns)

    def window(self, plan: Any) -> Window:
        found: Window = plan.window
        return found

    def take(self, plan: Any, seen: list[Seen], now_ns: int) -> None:
        self.pursuit.take(plan, seen, now_ns)

    def drive(self, sample: JointSample, now_ns: int, motion: TurretMotion) -> None:
        self.pursuit.joints.add(
            sample.stamp_ns, sample.yaw, sample.pitch, (sample.yaw_rate, sample.pitch_rate)
        )
        self.pursuit.tick(now_ns)
        report = self.pursuit.report(now_ns)
        follows = report.state in (LockState.LOCKED, LockState.COASTING)
        estimate = report.estimate if follows else None
        self.following.on_estimate("u", estimate, now_ns)
        drive = self.following.on_joints(sample, now_ns)
        if drive is not None:
            motion.drive(drive.yaw_rate, drive.pitch_rate)

    def where(self) -> Box | None:
        target = self.pursuit.tracker.target
        if target is None or not self.pursuit.lock.on or target.seen_ns != target.stamp_ns:
            return None
        boxes = self.pursuit.boxes(target.seen_ns)
        return boxes[0].box if boxes else None


class Sort:
    """Plain SORT (Bewley et al., 2016): whole pictures, a Kalman filter of (x, y, area, ratio) in
    pixels, IoU and the Hungarian method; the turret goes to the target's box."""

    LEAST_IOU, MOST_MISSES = 0.3, 3

    def __init__(self, limits: TurretLimits) -> None:
        self.joints = JointHistory()
        self._tracks: list[_SortTrack] = []
        self._target: _SortTrack | None = None
        self._goal: tuple[float, float] | None = None
        self._busy_until = 0
        self._seen: Box | None = None

    def begin(self, caption: str, box: Box, stamp_ns: int) -> None:
        self._target = _SortTrack(box)
        self._tracks = [self._target]

    def plan(self, stamp_ns: int) -> Any:
        return stamp_ns

    def window(self, plan: Any) -> Window:
        return Window.whole(CAMERA)

    def take(self, plan: Any, seen: list[Seen], now_ns: int) -> None:
        from scipy.optimize import linear_sum_assignment

        boxes = Boxes.from_boxes([s.box for s in seen])
        for track in self._tracks:
            track.predict()
        known = Boxes.from_boxes([t.box for t in self._tracks])
        self._seen = None
        used = set()
        if len(boxes) and len(known):
            overlap = iou(known.xyxy, boxes.xyxy)
            rows, columns = linear_sum_assignment(-overlap)
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
                if overlap[row, column] >= self.LEAST_IOU:
                    self._tracks[row].update(boxes.as_box(column))
                    used.add(column)
        self._tracks = [t for t in self._tracks if t.misses <= self.MOST_MISSES]
        self._tracks += [_SortTrack(boxes.as_box(k)) for k in range(len(boxes)) if k not in used]
        if self._target in self._tracks and self._target is not None:
            pose = self.joints.at(plan)
            box = self._target.box
            if pose is not None and box.width > 0 and box.height > 0:
                self._goal = aim_at(box, CAMERA, *pose)
            if not self._target.misses:
                self._seen = box

    def drive(self, sample: JointSample, now_ns: int, motion: TurretMotion) -> None:
        self.joints.add(
            sample.stamp_ns, sample.yaw, sample.pitch, (sample.yaw_rate, sample.pitch_rate)
        )
        if self._goal is not None:
            motion.go(*self._goal)

    def where(self) -> Box | None:
        return self._seen


class _SortTrack:
    """State (x, y, area, ratio, their speeds but the ratio's) a frame, as in the reference code."""

    def __init__(self, box: Box) -> None:
        self.misses = 0
        self._x = np.array([*self._measure(box), 0.0, 0.0, 0.0])
        self._p = np.diag([10.0, 10, 10, 10, 1e4, 1e4, 1e4])
        self._f = np.eye(7)
        self._f[0, 4] = self._f[1, 5] = self._f[2, 6] = 1.0
        self._h = np.eye(4, 7)
        self._r = np.diag([1.0, 1, 10, 10])
        self._q = np.diag([1.0, 1, 1, 1, 0.01, 0.01, 1e-4])

    @staticmethod
    def _measure(box: Box) -> list[float]:
        return [*box.centre, box.width * box.height, box.width / box.height]

    @property
    def box(self) -> Box:
        """Pixels."""
        x, y, area, ratio = self._x[:4]
        width = math.sqrt(max(1e-6, area * max(ratio, 1e-6)))
        height = max(1e-6, area) / width
        return Box(x - width / 2, y - height / 2, width, height)

    def predict(self) -> None:
        """One frame on."""
        if self._x[2] + self._x[6] <= 0:
            self._x[6] = 0.0
        self._x = self._f @ self._x
        self._p = self._f @ self._p @ self._f.T + self._q
        self.misses += 1

    def update(self, box: Box) -> None:
        """It was seen."""
        self.misses = 0
        spread = self._h @ self._p @ self._h.T + self._r
        gain = self._p @ self._h.T @ np.linalg.inv(spread)
        self._x = self._x + gain @ (np.array(self._measure(box)) - self._h @ self._x)
        self._p = (np.eye(7) - gain @ self._h) @ self._p


class Once:
    """Aims once and stands."""

    def __init__(self) -> None:
        self._goal: tuple[float, float] | None = None
        self.joints = JointHistory()

    def begin(self, caption: str, box: Box, stamp_ns: int) -> None:
        pose = self.joints.at(stamp_ns)
        assert pose is not None
        self._goal = aim_at(box, CAMERA, *pose)

    def plan(self, stamp_ns: int) -> Any:
        return None

    def window(self, plan: Any) -> Window:
        raise NotImplementedError

    def take(self, plan: Any, seen: list[Seen], now_ns: int) -> None:
        raise NotImplementedError

    def drive(self, sample: JointSample, now_ns: int, motion: TurretMotion) -> None:
        self.joints.add(sample.stamp_ns, sample.yaw, sample.pitch)
        if self._goal is not None:
            motion.go(*self._goal)

    def where(self) -> Box | None:
        return None


@dataclass(slots=True)
class Moment:
    """One instant of a pursuit. error: angle between turret and target; half: half of its width;
    rad. visible: share of the target that is seen."""

    seconds: float
    error: float
    half: float
    visible: float


@dataclass(slots=True)
class Trial:
    """What a pursuit gave."""

    moments: list[Moment] = field(default_factory=list)
    switches: int = 0
    looks: int = 0
    work: list[float] = field(default_factory=list)


def pursue(
    world: World,
    caption: str,
    follower: Follower,
    eyes: Callable[[Any, Window, str], list[Seen]],
    seconds: float,
    delays: Delays,
    start_s: float = 0.0,
    dead_time_s: float = 0.04,
) -> Trial:
    """Let a follower pursue a craft of a world.

    The turret stands on the craft's place of `start_s` when the first picture is taken, and the
    follower hears of its box FOUND_S later. dead_time_s: from an order until the gimbal acts.
    """
    limits = world.scene.turret
    first = _truth(world, caption, None, start_s)
    assert first is not None
    motion = TurretMotion(limits, first.yaw, first.pitch)
    waiting: list[tuple[int, Any, list[Seen]]] = []
    trial = Trial()
    now_ns = origin_ns = seconds_to_ns(100.0)
    picture_ns, begins_ns = now_ns, 0
    begun: tuple[Box, int] | None = None
    free_ns, held = 0, caption
    order = _Late(motion)
    while now_ns <= origin_ns + seconds_to_ns(seconds):
        at_s = start_s + ns_to_seconds(now_ns - origin_ns)
        order.act(now_ns)
        motion.step(ns_to_seconds(STEP_NS) if now_ns > origin_ns else 0.0)
        sample = JointSample(now_ns, motion.yaw, motion.pitch, motion.yaw_rate, motion.pitch_rate)
        order.now_ns, order.dead_ns = now_ns, seconds_to_ns(dead_time_s)
        follower.drive(sample, now_ns, order)  # type: ignore[arg-type]
        truth = _truth(world, caption, (motion.yaw, motion.pitch), at_s)
        if begun is None and truth is not None:
            begun, begins_ns = (truth.box, now_ns), now_ns + seconds_to_ns(FOUND_S)
        if begun is not None and begins_ns and now_ns >= begins_ns:
            follower.begin(caption, *begun)
            begins_ns = 0
        elif begun is not None and not begins_ns:
            if waiting and waiting[0][0] <= now_ns:
                _, plan, seen = waiting.pop(0)
                follower.take(plan, seen, now_ns)
                held = _count(trial, follower, plan, world, motion, held, caption)
            if now_ns >= picture_ns and now_ns >= free_ns:
                picture_ns = now_ns + PICTURE_NS - STEP_NS // 2
                plan = follower.plan(now_ns)
                if plan is not None:
                    window = follower.window(plan)
                    rgb = world.render(CAMERA, motion.yaw, motion.pitch, at_s)
                    free_ns = now_ns + seconds_to_ns(delays.of(window))
                    waiting.append((free_ns, plan, eyes(rgb, window, caption)))
                    trial.looks += 1
                    trial.work.append(delays.of(window))
                    _remember(now_ns, world, motion, at_s)
        if not begins_ns and begun is not None:
            trial.moments.append(_moment(world, caption, motion, at_s))
        now_ns += STEP_NS
    return trial


class _Late:
    """A turret that acts on orders after its dead time."""

    def __init__(self, motion: TurretMotion) -> None:
        self._motion = motion
        self._orders: list[tuple[int, str, tuple[float, float]]] = []
        self.now_ns = self.dead_ns = 0

    def go(self, yaw: float, pitch: float) -> None:
        """Drive to angles."""
        self._orders.append((self.now_ns + self.dead_ns, "go", (yaw, pitch)))

    def drive(self, yaw_rate: float, pitch_rate: float) -> None:
        """Drive at speeds."""
        self._orders.append((self.now_ns + self.dead_ns, "drive", (yaw_rate, pitch_rate)))

    def act(self, now_ns: int) -> None:
        """What is due."""
        while self._orders and self._orders[0][0] <= now_ns:
            _, how, values = self._orders.pop(0)
            getattr(self._motion, how)(*values)


_SHOWN: dict[int, list[Truth]] = {}


def _remember(stamp_ns: int, world: World, motion: TurretMotion, at_s: float) -> None:
    _SHOWN.clear()
    _SHOWN[stamp_ns] = world.truth(CAMERA, motion.yaw, motion.pitch, at_s)


def _count(
    trial: Trial,
    follower: Follower,
    plan: Any,
    world: World,
    motion: TurretMotion,
    held: str,
    caption: str,
) -> str:
    """Which craft is held now; counts when that changes."""
    box = follower.where()
    stamp_ns = plan if isinstance(plan, int) else plan.stamp_ns
    truths = _SHOWN.get(stamp_ns, [])
    if box is None or not truths:
        return held
    overlap = iou(Boxes.from_boxes([box]).xyxy, Boxes.from_boxes([t.box for t in truths]).xyxy)[0]
    if overlap.max() < 0.2:
        return held
    mine = [o for o, t in zip(overlap, truths, strict=True) if t.caption == held]
    if mine and mine[0] >= 0.2:
        return held
    trial.switches += 1
    return truths[int(overlap.argmax())].caption


def _truth(
    world: World, caption: str, pose: tuple[float, float] | None, at_s: float
) -> Truth | None:
    """Where a craft really is; pose None: look at it wherever it is."""
    entry = next(c for c in world.scene.craft if c.caption == caption)
    if pose is None:
        from turret_ai.aim.camera import direction_to_angles
        from turret_ai.simulate import path

        where, _ = path.pose(entry.place, entry.attitude, entry.path, at_s)
        pose = direction_to_angles(where)
    return next((t for t in world.truth(CAMERA, *pose, at_s) if t.caption == caption), None)


def _moment(world: World, caption: str, motion: TurretMotion, at_s: float) -> Moment:
    true = _truth(world, caption, None, at_s)
    assert true is not None
    here = angles_to_direction(motion.yaw, motion.pitch)
    error = math.acos(min(1.0, max(-1.0, float(here @ angles_to_direction(true.yaw, true.pitch)))))
    half = math.atan(true.box.width / CAMERA.fx) / 2.0
    return Moment(at_s, error, half, true.visible)


def scene(data: dict[str, Any]) -> World:
    """A world of a description."""
    from pathlib import Path

    return World(scenes.parse(data, Path("bench.yaml")))
