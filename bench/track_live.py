# SPDX-License-Identifier: Apache-2.0
"""Follow a craft over DDS: simulator, locator, tracker, controller as processes, in real time

Beside `python -m bench track_live`, at the competition's resolution:

    python -m bench.track_live --full
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.common import FAILED, Row

TIMEOUT_S = 300.0
SCENE = "flyby"
STAGES = ("simulator", "locator", "controller", "tracker")
HALF: dict[str, dict[str, Any]] = {
    "locator": {"execution.threads": 1},
    "simulator": {"camera.width": 760, "camera.height": 435},
}
"""Half of the competition's resolution and one thread each: everything shares two cores here."""
SETTLED_S = 1.0
"""After the aim: the turret catches up with what flew on meanwhile."""


def run(quick: bool) -> list[Row]:
    return follow(quick, HALF)


def follow(quick: bool, more: dict[str, dict[str, Any]]) -> list[Row]:
    """more: parameters by node."""
    from turret_ai.graph import GRAPHS
    from turret_ai.graph.processes import Processes
    from turret_ai.simulate import scene as scenes

    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(40, 99))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    plan = GRAPHS["finals"].plan(
        {
            "scene": SCENE,
            "tracking": "lock",
            "without": "transcriber,commander,audio_source,diagnostics",
        }
    )
    nodes = [
        replace(e, parameters={**e.parameters, **more.get(e.executable, {})}) for e in plan.nodes
    ]
    plan = replace(plan, nodes=tuple(nodes))
    lines: list[str] = []
    rss: dict[str, float] = {}
    cpu: dict[str, float] = {}
    spoken = scenes.load(SCENE).commands[: 1 if quick else None]
    with Processes(plan, on_line=lambda node, line: lines.append(f"{node}: {line}")) as processes:
        watch = _Watch()
        try:
            problem = watch.play(spoken, 6.0 if quick else 15.0)
            rss = {name: _resident(each.pid) for name, each in processes.running.items()}
            cpu = {name: _used(each.pid) for name, each in processes.running.items()}
        finally:
            watch.close()
    if problem:
        print("\n".join(lines[-20:]), cpu, file=sys.stderr)
        return [Row("follow over DDS", math.nan, FAILED, note=problem)]
    return watch.rows(rss, cpu)


def _resident(pid: int) -> float:
    """Resident memory of a process, MB; nan where the system doesn't tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return math.nan


def _used(pid: int) -> float:
    """Processor time that a process has used, s; nan where the system doesn't tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return math.nan


class _Watch:
    """Gives commands, and compares where the turret looks with where the craft is."""

    def __init__(self) -> None:
        from turret_ai.aim.joints import JointHistory
        from turret_ai.nodes.client import Turret
        from turret_ai.ros import Context, Node, topics

        self._context = Context()
        self._node = Node("bench_track_live", context=self._context)
        self._turret = Turret()
        self._joints = JointHistory()
        self._truths: list[Any] = []
        self._locks: list[Any] = []
        self._states: list[Any] = []
        self._errors: list[tuple[float, float]] = []
        topics.JOINT_STATES.subscribe(self._node, self._on_joints)
        topics.GROUND_TRUTH.subscribe(self._node, self._truths.append)
        topics.LOCK.subscribe(self._node, self._locks.append)
        topics.TURRET_STATE.subscribe(self._node, self._states.append)

    def _on_joints(self, message: Any) -> None:
        from turret_ai.aim.joints import pick
        from turret_ai.ros.time import to_ns

        angles = pick(message.name, message.position, message.velocity)
        if angles is not None:
            self._joints.add(to_ns(message.header.stamp), *angles)

    def close(self) -> None:
        """Leave the graph."""
        self._turret.close()
        self._context.close()

    def play(self, spoken: Sequence[Any], seconds: float) -> str:
        """Every command, and so many seconds of following; what went wrong, "" if nothing."""
        from turret_ai.errors import PeerError
        from turret_ai.ros import spin_until
        from turret_ai.ros.interfaces import TurretState

        try:
            self._turret.wait_until_ready(120.0, STAGES)
            for command in spoken:
                future = self._turret.command(command.heading, command.tool, command.target)
                spin_until(future.done, self._node, timeout=60.0)
                turn = future.result(timeout=0.0)
                if turn.outcome.name not in ("AIMED", "AMBIGUOUS"):
                    return f"{command.target}: {turn.outcome.name} {turn.reason}"
                del self._truths[:], self._states[:]
                spin_until(lambda: False, self._node, timeout=seconds)
                followed = {s.phase for s in self._states[5:]}
                if followed != {TurretState.FOLLOWING}:
                    return f"{command.target}: phases {followed} while it should follow"
                self._score(command.target)
        except (PeerError, TimeoutError) as error:
            return str(error) or "no answer in time"
        return ""

    def _score(self, caption: str) -> None:
        """Errors at the pictures' stamps, in rad, with half of the craft's width."""
        from turret_ai.aim.camera import angles_to_direction
        from turret_ai.ros.time import to_ns
        from turret_ai.units import ns_to_seconds

        first_ns = to_ns(self._truths[0].header.stamp)
        for truth in self._truths:
            stamp_ns = to_ns(truth.header.stamp)
            here = self._joints.at(stamp_ns, 0.05)
            box = next((b for b in truth.boxes if b.caption == caption), None)
            if here is None or ns_to_seconds(stamp_ns - first_ns) < SETTLED_S:
                continue
            if box is None:
                self._errors.append((math.pi, 0.0))
                continue
            cosine = float(angles_to_direction(*here) @ angles_to_direction(box.yaw, box.pitch))
            focal = truth.image_height / 2.0 / math.tan(math.radians(35.0))
            half = math.atan(box.width / focal / 2.0)
            self._errors.append((math.acos(min(1.0, cosine)), half))

    def rows(self, rss: dict[str, float], cpu: dict[str, float]) -> list[Row]:
        """The figures."""
        import numpy as np

        errors, halves = np.array(self._errors).T
        looks = [each for each in self._locks if each.look_rate > 0]
        rates = [math.hypot(e.yaw_rate, e.pitch_rate) for e in looks]
        note = (
            f"scene {SCENE}, {len(errors)} pictures; the craft fly up to "
            f"{math.degrees(max(rates)):.0f} deg/s; load {os.getloadavg()[0]:.1f} on "
            f"{os.cpu_count()} cores"
        )
        states = sorted({int(e.state) for e in self._locks})
        return [
            Row(
                "within half a craft's width over DDS",
                float((errors < halves).mean()),
                "share of pictures",
                higher_is_better=True,
                note=note,
            ),
            Row(
                "error over DDS",
                math.degrees(math.sqrt(float((errors**2).mean()))),
                "deg RMS",
                note=f"states seen {states}",
            ),
            Row(
                "searches",
                float(np.median([e.look_rate for e in looks])),
                "1/s",
                higher_is_better=True,
                note=f"a search takes {np.median([e.look_seconds for e in looks]) * 1e3:.0f} ms in "
                "the median, waiting for the core included",
            ),
            Row(
                "memory of the tracker",
                rss.get("tracker", math.nan),
                "MB",
                note="CPU s in all: " + ", ".join(f"{k} {v:.0f}" for k, v in cpu.items()),
            ),
        ]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.track_live")
    parser.add_argument("--full", action="store_true", help="pictures of 1520 x 870")
    parser.add_argument("--quick", action="store_true", help="one command, 6 s")
    given = parser.parse_args(words)
    table = follow(given.quick, {} if given.full else HALF)
    for row in table:
        print(f"{row.name}: {row.value:.4g} {row.unit}; {row.note}")
    return int(any(row.unit == FAILED for row in table))


if __name__ == "__main__":
    sys.exit(main())
