# SPDX-License-Identifier: Apache-2.0
"""The evaluator scores what live nodes say, and the latency view adds up their times."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from recording import SPOKEN

from turret_ai.cli.latency_view import LatencyWatch
from turret_ai.nodes.evaluator import Evaluator
from turret_ai.ros import RUNTIME, Context, Node, qos, spin_until
from turret_ai.ros.interfaces import (
    DiagnosticArray,
    DiagnosticStatus,
    Engagement,
    KeyValue,
    Transcript,
    TurretCommand,
)
from turret_ai.ros.time import to_msg

DOMAIN = os.getpid() % 90 + (101 if RUNTIME == "dds" else 1)


@pytest.fixture
def contexts() -> Iterator[list[Context]]:
    made = [Context(domain_id=DOMAIN) for _ in range(2)]
    yield made
    for context in made:
        context.close()


def say(sender: Node, evaluator: Node) -> None:
    """Two turns as the four stages would tell them."""
    publishers = [
        sender.create_publisher(kind, name, qos.STAGE)
        for kind, name in (
            (Transcript, "transcript"),
            (TurretCommand, "command"),
            (Engagement, "engagement"),
            (DiagnosticArray, "diagnostics"),
        )
    ]
    ready = lambda: all(p.get_subscription_count() for p in publishers[:3])  # noqa: E731
    assert spin_until(ready, sender, evaluator, timeout=10.0)
    transcripts, commands, engagements, diagnostics = publishers
    for number, spoken in enumerate(SPOKEN):
        name = f"u{number}"
        transcript = Transcript(utterance_id=name, text=spoken.sentence, processing_time=0.05)
        transcript.header.stamp = to_msg(1000 + number)
        transcripts.publish(transcript)
        fields = {"heading": spoken.heading, "tool": spoken.tool, "target": spoken.target}
        commands.publish(TurretCommand(utterance_id=name, **fields))
        engagements.publish(
            Engagement(utterance_id=name, hear_seconds=0.1, total_seconds=2.0 + number)
        )
    pairs = [KeyValue(key="dropped", value="3"), KeyValue(key="queue_age", value="0.25")]
    status = DiagnosticStatus(name="locator", values=pairs)
    diagnostics.publish(DiagnosticArray(status=[status]))


def test_the_evaluator_scores_a_live_graph(tmp_path: Path, contexts: list[Context]) -> None:
    file = tmp_path / "truth.jsonl"
    lines = [
        {"key": i, "transcript": s.sentence, "heading": s.heading, "tool": s.tool, "target": "x"}
        for i, s in enumerate(SPOKEN)
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    evaluator = Evaluator(
        {"output": str(tmp_path / "out"), "truth": str(file)}, context=contexts[1]
    )
    sender = Node("sender", context=contexts[0])
    say(sender, evaluator)
    done = lambda: len(evaluator.heard("engagement")) == 2 and evaluator.heard("diagnostics")  # noqa: E731
    assert spin_until(done, sender, evaluator, timeout=5.0)
    evaluator.destroy_node()
    result = json.loads((tmp_path / "out" / "results.json").read_text())
    assert result["metrics"]["heading"] == 1.0
    assert result["metrics"]["target"] == 0.0
    assert result["recorded"]["step_seconds"]["total"]["p50"] == 2.5
    assert result["recorded"]["queues"]["locator"] == {"dropped": 3.0, "queue_age": 0.25}
    assert (tmp_path / "out" / "report.html").is_file()


def test_an_evaluation_in_which_nobody_spoke_is_written_as_failed(
    tmp_path: Path, contexts: list[Context]
) -> None:
    Evaluator({"output": str(tmp_path)}, context=contexts[0]).destroy_node()
    result = json.loads((tmp_path / "results.json").read_text())
    assert result["status"] == "failed"
    assert result["problems"] == ["no utterance was heard"]


def test_the_latency_view_adds_up_the_steps_of_the_turns(contexts: list[Context]) -> None:
    watch = LatencyWatch(60.0, context=contexts[1])
    sender = Node("sender", context=contexts[0])
    say(sender, watch)
    assert spin_until(lambda: watch.turns == 2, sender, watch, timeout=5.0)
    rows = watch.statistics()
    assert rows["turn: total"].p50 == 2.5
    assert rows["work: hear"].count == 2
    assert "turn: slew" not in rows
