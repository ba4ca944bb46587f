# SPDX-License-Identifier: Apache-2.0
"""A recording that is played in a loop to real processes: each round engages as the first did."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import stub_models
import tape
from probe import Probe, free_domain, node_process

from turret_ai.ros import qos
from turret_ai.ros.interfaces import Engagement, JointState
from turret_ai.ros.time import to_ns

STAGES = ("transcriber", "commander", "locator", "controller")
TURNS = (tape.Turn(0), tape.Turn(1, marked=True, patches=2))
ROUNDS = 3
RATE = 3.0


class Rounds:
    """Which engagements came in which round; a round begins where the recording's time goes back.

    What is under way at a round's end would count in the next one: the recording's rest of 4 s is
    longer than any turn takes to end.
    """

    def __init__(self, listener: Probe) -> None:
        self.ends: list[list[Any]] = []
        self._stamp_ns = 1 << 63
        listener.create_subscription(JointState, "joint_states", self._on_joints, qos.STAGE)
        listener.create_subscription(Engagement, "engagement", self._on_end, qos.STAGE)

    def _on_joints(self, message: Any) -> None:
        stamp_ns = to_ns(message.header.stamp)
        if stamp_ns < self._stamp_ns:
            self.ends.append([])
        self._stamp_ns = stamp_ns

    def _on_end(self, message: Any) -> None:
        self.ends[-1].append((message.utterance_id, message.outcome, message.heading))


def test_each_round_of_a_looped_recording_engages_once_a_turn(tmp_path: Path) -> None:
    bag = tape.make(tmp_path / "bag", TURNS)
    domain = free_domain()
    listener = Probe(domain)
    rounds = Rounds(listener)
    try:
        with ExitStack() as stack:
            for name in STAGES:
                settings = {"use_sim_time": "true"}
                if name == "controller":
                    settings["recorded_joints"] = "true"
                script = stub_models.__file__
                stack.enter_context(node_process(domain, name, script=script, **settings))
            stack.enter_context(
                node_process(domain, "player", bag=bag, rate=RATE, wait=60.0, loop="true")
            )
            assert listener.until(lambda: len(rounds.ends) > ROUNDS, timeout=150), rounds.ends
    finally:
        listener.close()
    first, *others = rounds.ends[:ROUNDS]
    assert [outcome for _, outcome, _ in first] == [Engagement.AIMED, Engagement.AMBIGUOUS]
    assert others == [first] * (ROUNDS - 1)
