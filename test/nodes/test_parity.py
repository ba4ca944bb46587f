# SPDX-License-Identifier: Apache-2.0
"""A recording gives the same answers live, in processes of their own, and in lockstep."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import stub_models
import tape
from probe import Probe, free_domain, node_process

from turret_ai.prove import lockstep, recorded, sample
from turret_ai.prove.bag import Bag
from turret_ai.prove.chain import Chain, chain_settings
from turret_ai.prove.results import Answer
from turret_ai.prove.timeline import Heard
from turret_ai.ros.interfaces import Engagement, TargetBBox, Transcript, TurretCommand
from turret_ai.ros.time import to_ns

STAGES = ("transcriber", "commander", "locator", "controller")
TOPICS = {
    "transcript": Transcript,
    "command": TurretCommand,
    "target_bbox": TargetBBox,
    "engagement": Engagement,
}
RECORDED = {"recorded_joints": "true"}


@contextmanager
def running(domain: int, settings: dict[str, dict[str, Any]], script: str) -> Iterator[None]:
    """The four stages, on the time of a recording."""
    with ExitStack() as stack:
        for name in STAGES:
            values = {"use_sim_time": "true", **settings.get(name, {})}
            stack.enter_context(node_process(domain, name, script=script, **values))
        yield


def live(bag: Path, rate: float, settings: dict[str, dict[str, Any]], script: str) -> list[Answer]:
    """What the nodes say while the recording is played to them."""
    domain = free_domain()
    listener = Probe(domain)
    messages = {topic: listener.collect(kind, topic) for topic, kind in TOPICS.items()}
    controller = {**RECORDED, **settings.get("controller", {})}
    try:
        with (
            running(domain, {**settings, "controller": controller}, script),
            node_process(domain, "player", bag=bag, rate=rate, wait=60.0, end_delay=1.0) as player,
        ):
            listener.until(lambda: player.popen.poll() is not None, timeout=110)
    finally:
        listener.close()
    heard = {
        topic: [Heard(to_ns(message.header.stamp), message) for message in found]
        for topic, found in messages.items()
    }
    ids = [message.utterance_id for message in messages["engagement"]]
    assert len(ids) == len(set(ids)), "each utterance ends once"
    return recorded.answers(heard)


def offline(bag: Path, settings: dict[str, dict[str, Any]]) -> list[Answer]:
    """The same in lockstep."""
    words = [
        f"{node}:{name.replace('__', '.')}:={value}"
        for node, values in settings.items()
        for name, value in values.items()
    ]
    found = chain_settings((), words)
    with Bag(bag) as recording:
        run = lockstep.run(recording, Chain(found), found.transcriber, found.aim)
    assert not run.problems
    return run.answers


def comparable(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Everything but times of the machine, and which of several like pictures was searched."""
    found = []
    for answer in answers:
        values = dataclasses.asdict(answer)
        for name in ("seconds", "image_ns", "candidates"):
            del values[name]
        values["fields"] = {k: (v["value"], v["source"]) for k, v in values["fields"].items()}
        found.append({k: _rounded(v) for k, v in values.items()})
    return found


def _rounded(value: Any) -> Any:
    """Messages hold some numbers in single precision."""
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return tuple(_rounded(v) for v in value)
    return round(value, 3) if isinstance(value, float) else value


@pytest.mark.parametrize("aims", ["true", "false"])
def test_whatever_happens_in_a_turn_happens_live_and_in_lockstep(tmp_path: Path, aims: str) -> None:
    settings = {"controller": {"aim_when_ambiguous": aims, "deadlines__see": "6.0"}}
    turns = tape.EVERYTHING if aims == "true" else tape.EVERYTHING[1:2]
    bag = tape.make(tmp_path / "bag", turns)
    ears, eyes, _ = stub_models.installed()
    with ears, eyes:
        expected = comparable(offline(bag, settings))
    found = comparable(live(bag, 3.0, settings, stub_models.__file__))
    assert found == expected
    outcomes = [answer["outcome"] for answer in expected]
    if aims == "false":
        assert outcomes == ["AMBIGUOUS"] and expected[0]["aim"] is None
        return
    assert outcomes == [
        "AIMED",
        "INCOMPLETE",  # words that followed at once
        "AMBIGUOUS",
        "TIMEOUT",
        "SUPERSEDED",
        "INCOMPLETE",  # the stream broke off
        "AIMED",
        "NOT_FOUND",
    ]
    assert "said right after" in expected[1]["reason"]
    assert expected[2]["aim"] is not None
    assert "never stood at heading 005" in expected[4]["reason"]


@pytest.mark.slow
def test_the_shipped_models_answer_the_same_live_and_in_lockstep(tmp_path: Path) -> None:
    bag = sample.make_sample(tmp_path / "bag", sample.SampleSettings(image_rate=2.0))
    settings: dict[str, dict[str, Any]] = {}
    expected = comparable(offline(bag, settings))
    assert comparable(live(bag, 1.0, settings, "")) == expected
    assert [answer["outcome"] for answer in expected] == ["AIMED"] * 4
