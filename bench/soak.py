# SPDX-License-Identifier: Apache-2.0
"""Soak the whole graph: hundreds of turns, every process killed in turn, no turn lost.

Real processes, real models, a simulated turret in simulated time. Beside `python -m bench soak`:

    python -m bench.soak --turns 2000 --every 10 --seconds 1500

The last quarter of the turns, or of the time, passes without a kill: memory is weighed there. The
engines are the quicker ones of those that are shipped: what they find is not under test.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import psutil

from bench.common import Row

TIMEOUT_S = 1500
SPEED = 8.0
"""Simulated seconds per second."""
_PARAMETERS: dict[str, dict[str, Any]] = {
    "simulator": {
        "clock.speed": SPEED,
        # A small picture: what is searched is real, what is found doesn't matter here.
        "camera.width": 380,
        "camera.height": 218,
        "camera.rate": 2.0,
        "joint_rate": 20.0,
    },
    "audio_source": {"whole": True, "rate": 0.0, "loop": True, "chunk": 1.0, "turn_timeout": 30.0},
}
_VICTIMS = ("transcriber", "commander", "locator", "controller", "simulator", "audio_source")
_UNHARMED = "diagnostics"
_CALM = 0.25
"""Share of turns, and of the time, at the end in which nothing is killed."""
_SPARE_AFTER_S = 2.0
"""Kills come closer together here than crashes do: the next spare process is made sooner."""
_PLAN = {
    "use_sim_time": "true",
    "scene": "harbour",
    "speech_engine": "ctc",
    "detector_model": "detector_photos",
    "matcher_model": "matcher_small",
}
_LONG_S = 5.0
"""Seconds after which a turn that a kill has spoilt is over."""
_START_S = 120.0
_TURN_S = 60.0


@dataclass(slots=True)
class Result:
    """What a soak showed. Seconds of real time; bytes."""

    turns: int = 0
    announced: set[str] = field(default_factory=set)
    ends: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    """Reasons of the timeouts in a graph that had been whole for longer than a turn takes."""
    whole_again: list[tuple[str, float]] = field(default_factory=list)
    next_turn: list[float] = field(default_factory=list)
    """From a kill to the first engagement of an utterance that was announced after it."""
    memory: dict[str, list[int]] = field(default_factory=dict)
    """Resident memory of each process at the end of turns, 20 s after its start and later."""
    calm: dict[str, int] = field(default_factory=dict)
    """With which of these the calm begins."""
    seconds: float = 0.0
    problem: str = ""
    """Why the soak ended before its turns were played."""

    @property
    def without_end(self) -> list[str]:
        """Utterances that were announced and have no engagement."""
        return sorted(name for name in self.announced if not self.ends[name])

    @property
    def ended_twice(self) -> list[str]:
        """Utterances with more than one engagement."""
        return sorted(name for name, count in self.ends.items() if count > 1)


def soak(
    turns: int,
    every: int,
    seed: int = 0,
    say: Callable[[str], object] = lambda _: None,
    seconds: float = float("inf"),
) -> Result:
    """Play `turns` turns, for `seconds` at most, and kill a process in every so many of them.

    every: 0 to kill none.
    """
    domain = random.SystemRandom().randint(40, 99)
    os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    from turret_ai.graph import GRAPHS
    from turret_ai.graph.processes import Processes

    plan = GRAPHS["finals"].plan(_PLAN)
    nodes = tuple(
        replace(entry, parameters={**entry.parameters, **_PARAMETERS.get(entry.executable, {})})
        for entry in plan.nodes
    )
    plan = replace(plan, nodes=nodes)
    with Processes(plan, on_line=lambda *_: None, spare_after=_SPARE_AFTER_S) as processes:
        return _Soak(processes, turns, every, random.Random(seed), say, seconds).run()


class _Soak:
    def __init__(
        self,
        processes: Any,
        turns: int,
        every: int,
        chance: random.Random,
        say: Callable[[str], object],
        seconds: float,
    ) -> None:
        from turret_ai.aim.turn import Outcome
        from turret_ai.ros import Context, Node, topics
        from turret_ai.ros.interfaces import StageState

        self.processes, self.turns, self.every = processes, turns, every
        self.seconds = seconds
        self._began = time.monotonic()
        self.chance, self.say = chance, say
        self.result = Result()
        self._outcome = Outcome
        self._since: dict[str, float] = {}
        self._killed: tuple[str, int, float] | None = None
        self._whole_since = self._began
        self._kill_at: float | None = None
        self._victims: list[str] = []
        self._waits_for_next: tuple[float, set[str]] | None = None
        self.context = Context()
        self.node = Node("soak", context=self.context)
        self.states: dict[str, Any] = {}
        topics.STAGES.subscribe(self.node, self._on_state)
        topics.ENGAGEMENT.subscribe(self.node, self._on_end)
        for topic in (topics.TRANSCRIPT, topics.COMMAND):
            topic.subscribe(self.node, self._on_word)
        self._active = StageState.ACTIVE
        self._pids: dict[str, int] = {}

    # -- what is seen ----------------------------------------------------------------------------

    def _on_word(self, message: Any) -> None:
        self.result.announced.add(message.utterance_id)

    def _on_state(self, report: Any) -> None:
        self.states[report.stage] = report
        for each in report.utterances:
            self.result.announced.add(each.utterance_id)

    def _on_end(self, message: Any) -> None:
        result, name = self.result, message.utterance_id
        result.announced.add(name)
        result.ends[name] += 1
        result.turns += 1
        result.outcomes[self._outcome(message.outcome).name] += 1
        if message.outcome == message.TIMEOUT:
            result.reasons[message.reason] += 1
            if self._killed is None and time.monotonic() - self._whole_since > _LONG_S:
                result.unexplained.append(f"{name}: {message.reason}")
        if self._waits_for_next is not None and name not in self._waits_for_next[1]:
            result.next_turn.append(time.monotonic() - self._waits_for_next[0])
            self._waits_for_next = None
        self._weigh()
        if self.every and result.turns % self.every == 0 and not self._calm and not self._killed:
            self._kill_at = time.monotonic() + self.chance.uniform(0.0, 2.0)
        if result.turns % 50 == 0:
            self.say(f"{result.turns} turns, {sum(result.kills.values())} kills")

    @property
    def _calm(self) -> bool:
        played = self.result.turns / self.turns
        return max(played, (time.monotonic() - self._began) / self.seconds) >= 1.0 - _CALM

    def _weigh(self) -> None:
        for name, process in self.processes.running.items():
            if self._pids.get(name) != process.pid:  # just started: it still grows
                self._pids[name] = process.pid
                self._since[name] = time.monotonic()
                self.result.memory.setdefault(name, []).clear()
            elif time.monotonic() - self._since[name] > 20.0:
                with contextlib.suppress(psutil.Error):
                    size = psutil.Process(process.pid).memory_info().rss
                    self.result.memory[name].append(size)
            if not self._calm:
                self.result.calm[name] = len(self.result.memory[name])

    # -- what is done ----------------------------------------------------------------------------

    def _look_after(self) -> None:
        self.processes.check()
        now = time.monotonic()
        if self._killed is not None:
            name, instance, at = self._killed
            if self.states[name].instance != instance and not self._missing():
                self.result.whole_again.append((name, now - at))
                self._killed, self._whole_since = None, now
        elif self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            if not self._victims:
                self._victims = list(_VICTIMS)
                self.chance.shuffle(self._victims)
            name = self._victims.pop()
            os.kill(self.processes.running[name].pid, signal.SIGKILL)
            self.result.kills[name] += 1
            self._killed = (name, self.states[name].instance, now)
            self._waits_for_next = (now, set(self.result.announced))

    def _missing(self) -> list[str]:
        return [
            name
            for name in _VICTIMS
            if name not in self.states or self.states[name].state != self._active
        ]

    def run(self) -> Result:
        from turret_ai.ros import spin_until

        try:
            if not spin_until(lambda: not self._missing(), self.node, timeout=_START_S):
                raise RuntimeError(f"not active: {self._missing()}")
            self._began = last = time.monotonic()
            turns = 0

            def over() -> bool:
                nonlocal last, turns
                self._look_after()
                if self.result.turns != turns:
                    turns, last = self.result.turns, time.monotonic()
                if time.monotonic() - last > _TURN_S:
                    self.result.problem = f"no turn ended for {_TURN_S:.0f} s after {turns} turns"
                    return True
                late = time.monotonic() - self._began > self.seconds
                return (turns >= self.turns or late) and self._killed is None

            spin_until(over, self.node, timeout=float(self.turns) * _TURN_S)
            self.result.seconds = time.monotonic() - self._began
            # No new ones: what is still open must end.
            self.processes.running["audio_source"].send_signal(signal.SIGINT)
            spin_until(lambda: not self.result.without_end, self.node, timeout=20.0)
            return self.result
        finally:
            self.context.close()


def _growth(sizes: list[int]) -> float | None:
    """Share by which a process grew between the first and the last tenth of its turns."""
    if len(sizes) < 20:
        return None
    tenth = max(1, len(sizes) // 10)
    first, last = statistics.median(sizes[:tenth]), statistics.median(sizes[-tenth:])
    return last / first - 1.0


def rows(result: Result, every: int) -> list[Row]:
    """The figures."""
    again = [seconds for _, seconds in result.whole_again]
    note = (
        f"{result.turns} turns in {result.seconds:.0f} s, {sum(result.kills.values())} processes "
        f"killed; clock at {SPEED:g} times real time"
    )
    found = [
        Row(
            "soak: utterances that ended in exactly one engagement",
            1.0
            - (len(result.without_end) + len(result.ended_twice)) / max(1, len(result.announced)),
            "share",
            higher_is_better=True,
            note=note,
        )
    ]
    if again:
        found.append(
            Row(
                "soak: from a kill to a whole graph, median",
                statistics.median(again),
                "s",
                note=f"longest {max(again):.1f} s",
            )
        )
    if result.next_turn:
        found.append(
            Row(
                "soak: from a kill to the end of the next turn, median",
                statistics.median(result.next_turn),
                "s",
                note=f"longest {max(result.next_turn):.1f} s",
            )
        )
    grown = {}
    for name, sizes in result.memory.items():
        growth = _growth(sizes[result.calm.get(name, 0) :])
        if growth is not None:
            grown[name] = growth
    if grown:
        most = max(grown, key=lambda name: grown[name])
        found.append(
            Row(
                "soak: growth of a process's memory while none was killed, largest",
                grown[most],
                "share",
                note=f"{most}; of {', '.join(grown)}",
            )
        )
    before = result.memory.get(_UNHARMED, [])[: result.calm.get(_UNHARMED, 0)]
    if len(before) >= 20:
        found.append(
            Row(
                "soak: growth of a process for each one that came anew",
                (before[-1] - before[0]) / 1e3 / max(1, sum(result.kills.values())),
                "kB",
                note=_UNHARMED,
            )
        )
    return found


def run(quick: bool) -> list[Row]:
    every = 10
    result = soak(30 if quick else 100, every)
    return rows(result, every)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--every", type=int, default=10, help="turns between kills; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end then, and report")
    given = parser.parse_args()
    result = soak(
        given.turns,
        given.every,
        given.seed,
        lambda text: print(text, flush=True),
        given.seconds,
    )
    for row in rows(result, given.every):
        print(f"{row.name}: {row.value:.3f} {row.unit} ({row.note})")
    for name, sizes in sorted(result.memory.items()):
        print("MB of", name, [round(size / 1e6, 1) for size in sizes[:: max(1, len(sizes) // 12)]])
    print("outcomes", dict(result.outcomes))
    print("killed", dict(result.kills))
    print("reasons", dict(result.reasons.most_common()))
    print("timeouts without a kill", result.unexplained)
    print("whole again after", [(name, round(s, 1)) for name, s in result.whole_again])
    print("next turn after", [round(s, 1) for s in result.next_turn])
    print("without an end", result.without_end)
    print("ended twice", result.ended_twice)
    if result.problem:
        print("problem", result.problem)
    return int(bool(result.without_end or result.ended_twice or result.problem))


if __name__ == "__main__":
    sys.exit(main())
