# SPDX-License-Identifier: Apache-2.0
"""What is true of a recording: from a file of JSON lines, or from the topics of the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from turret_ai.prove.records import read_jsonl
from turret_ai.prove.results import Answer, Truth, truth_from_record
from turret_ai.prove.timeline import Timeline
from turret_ai.prove.words import align
from turret_ai.types import Box


def from_file(path: str | Path) -> list[Truth]:
    """One truth for each line, in the order of the utterances.

    Raises:
        InputError: the file can't be read, or a line has a field of the wrong type.
    """
    return [
        truth_from_record({"key": number, **record}, f"{path}, record {number + 1}")
        for number, record in enumerate(read_jsonl(path))
    ]


def from_timeline(timeline: Timeline) -> list[Truth]:
    """The sentences that the simulator's operator spoke, from `ground_truth/command`."""
    found = []
    for number, heard in enumerate(timeline.stages.get("ground_truth/command", ())):
        message = heard.message
        found.append(
            Truth(
                number,
                message.utterance_id,
                message.transcript or None,
                message.heading or None,
                message.tool or None,
                message.target or None,
            )
        )
    return found


def with_boxes(truth: Truth, timeline: Timeline, image_ns: int | None) -> Truth:
    """The truth with what the simulator knows of the searched picture, where it knows it.

    A box and a direction that the truth already has are kept. A target that the simulator showed,
    but not in the searched picture, is `elsewhere`.
    """
    if truth.box is not None or not truth.target or not timeline.truth:
        return truth
    message = timeline.truth.get(image_ns) if image_ns is not None else None
    shown = [] if message is None else list(message.boxes)
    others = None if message is None else tuple(_box(box) for box in shown)
    target = next((box for box in shown if box.caption == truth.target), None)
    if target is not None:
        aim = truth.aim or (float(target.yaw), float(target.pitch))
        return replace(truth, box=_box(target), aim=aim, others=others)
    elsewhere = any(
        box.caption == truth.target for other in timeline.truth.values() for box in other.boxes
    )
    return replace(truth, others=others, elsewhere=elsewhere)


def pair(
    answers: Sequence[Answer], truths: Sequence[Truth]
) -> list[tuple[Answer | None, Truth | None]]:
    """Answers beside their truths, in time order.

    By utterance id where the truths name ids that were answered, else in order. Where the numbers
    differ, an utterance was missed or made up: the pairing with the fewest word errors is taken.
    """
    ids = {answer.utterance_id for answer in answers}
    if truths and all(truth.utterance_id in ids for truth in truths):
        by_id = {truth.utterance_id: truth for truth in truths}
        return [(answer, by_id.get(answer.utterance_id)) for answer in answers]
    if len(answers) == len(truths):
        return list(zip(answers, truths, strict=True))
    return _alignment(answers, truths)


def _alignment(
    answers: Sequence[Answer], truths: Sequence[Truth]
) -> list[tuple[Answer | None, Truth | None]]:
    """The cheapest monotone pairing; leaving one side alone costs half a sentence."""
    alone = 0.5
    rows, columns = len(answers), len(truths)
    costs = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows + 1):
        for j in range(columns + 1):
            options = []
            if i:
                options.append(costs[i - 1][j] + alone)
            if j:
                options.append(costs[i][j - 1] + alone)
            if i and j:
                options.append(costs[i - 1][j - 1] + _distance(answers[i - 1], truths[j - 1]))
            costs[i][j] = min(options, default=0.0)
    pairs: list[tuple[Answer | None, Truth | None]] = []
    i, j = rows, columns
    while i or j:
        if i and j:
            together = costs[i - 1][j - 1] + _distance(answers[i - 1], truths[j - 1])
            if abs(costs[i][j] - together) < 1e-9:
                i, j = i - 1, j - 1
                pairs.append((answers[i], truths[j]))
                continue
        if i and abs(costs[i][j] - costs[i - 1][j] - alone) < 1e-9:
            i -= 1
            pairs.append((answers[i], None))
        else:
            j -= 1
            pairs.append((None, truths[j]))
    return pairs[::-1]


def _distance(answer: Answer, truth: Truth) -> float:
    """0 for the same sentence, 1 for another one."""
    spoken = truth.transcript
    if spoken is None:
        spoken = " ".join(v for v in (truth.heading, truth.tool, truth.target) if v)
        told = " ".join(answer.value(name) for name in ("heading", "tool", "target"))
        return min(1.0, align(spoken, told).wer)
    return min(1.0, align(spoken, answer.transcript).wer)


def _box(message: Any) -> Box:
    return Box(float(message.left), float(message.top), float(message.width), float(message.height))
