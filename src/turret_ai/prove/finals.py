# SPDX-License-Identifier: Apache-2.0
"""A finals run as an evaluation: the page to look at afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from turret_ai.errors import InputError
from turret_ai.prove import outputs
from turret_ai.prove.evaluation import Evaluation
from turret_ai.prove.latency import Statistics
from turret_ai.prove.nlp_score import FIELDS
from turret_ai.prove.results import Answer, FieldAnswer, box_from
from turret_ai.prove.score import score_utterance
from turret_ai.prove.thumbnail import Thumbnail, thumbnail
from turret_ai.see import images
from turret_ai.units import elevation_deg_to_pitch, heading_to_yaw

ANSWERED = "answered"
"""How a turn ends that has all fields and a box; see `act.competition.report.TurnEnd`."""


def evaluation_of(records: Sequence[Mapping[str, Any]], name: str) -> Evaluation:
    """The turns of a run; nobody tells the team what would have been right, so none is scored.

    Args:
        records: what `turret-ai compete --json` prints for each turn.
    """
    steps: dict[str, list[float]] = {}
    for record in records:
        for step, seconds in record["seconds"].items():
            steps.setdefault(step, []).append(float(seconds))
    statistics = {step: Statistics.of(times) for step, times in steps.items()}
    problems = [
        f"turn {record['turn']}: {record['end']}: {'; '.join(record['problems'])}".rstrip(": ")
        for record in records
        if record["end"] != ANSWERED
    ]
    return Evaluation(
        name,
        [score_utterance(_answer(record), None) for record in records],
        problems=problems,
        seconds=sum(record["seconds"].get("total", 0.0) for record in records),
        step_seconds={step: found for step, found in statistics.items() if found is not None},
        source="turns at the finals server",
    )


def write_page(
    records: Sequence[Mapping[str, Any]], pictures: Path, folder: Path, name: str
) -> Path:
    """Write the files of an evaluation, the page among them.

    Args:
        pictures: where each turn's snapshot lies, UTTERANCE.jpg, as far as there is one.

    Returns:
        The page.

    Raises:
        InputError: a file can't be written.
    """
    shown: dict[int, Thumbnail] = {}
    for record in records:
        file = pictures / f"{record['utterance_id']}.jpg"
        if not file.is_file():
            continue
        try:
            shown[record["turn"]] = thumbnail(images.load(file))
        except InputError:  # cut off with the run: the turn is shown without it
            continue
    return outputs.write(evaluation_of(records, name), folder, shown).folder / outputs.REPORT


def _answer(record: Mapping[str, Any]) -> Answer:
    aim = record["aim"]
    scores = record.get("scores", {})
    return Answer(
        record["turn"],
        record["utterance_id"],
        transcript_status="FINAL" if record["heard"] else "EMPTY",
        transcript=record["heard"],
        fields={name: FieldAnswer(record["understood"][name]) for name in FIELDS},
        location_status="FOUND" if record["box"] else "NOT_FOUND",
        box=box_from(record["box"], f"turn {record['turn']}"),
        detection_score=scores.get("detection", 0.0),
        match_score=scores.get("match", 0.0),
        margin=scores.get("margin", 0.0),
        aim=None
        if aim is None
        else (heading_to_yaw(aim["azimuth_deg"]), elevation_deg_to_pitch(aim["elevation_deg"])),
        outcome=record["end"] or "",
        reason="; ".join(record["problems"]),
        seconds=record["seconds"].get("total"),
        steps={step: value for step, value in record["seconds"].items() if step != "total"},
    )
