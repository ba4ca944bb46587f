# SPDX-License-Identifier: Apache-2.0
"""The files of an evaluation, written also when it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turret_ai.errors import InputError
from turret_ai.prove import junit, report, tolerance
from turret_ai.prove.evaluation import Evaluation
from turret_ai.prove.records import write_json, write_jsonl, write_text
from turret_ai.prove.report import Column
from turret_ai.prove.thumbnail import Thumbnail
from turret_ai.prove.tolerance import Check

RESULTS, TIMINGS, PREDICTIONS = "results.json", "timings.json", "predictions.jsonl"
JUNIT, REPORT = "junit.xml", "report.html"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and whether it counts as passed."""

    folder: Path
    checks: tuple[Check, ...]
    passed: bool


def write(
    evaluation: Evaluation,
    folder: Path,
    pictures: Mapping[int, Thumbnail] | None = None,
    others: Sequence[Column] = (),
    limits: Sequence[tolerance.Limit] = (),
) -> Written:
    """Write results, timings, predictions, JUnit and the report into a folder.

    `results.json`, `predictions.jsonl` and `junit.xml` are the same bytes for the same input;
    `timings.json` and `report.html` hold what differs from run to run.

    Raises:
        InputError: a file can't be written.
    """
    checks = tuple(tolerance.check(evaluation.metrics, list(limits)))
    write_json(folder / RESULTS, evaluation.as_result())
    write_json(folder / TIMINGS, evaluation.as_timings())
    answers = [s.answer for s in evaluation.scored if s.answer is not None]
    write_jsonl(folder / PREDICTIONS, [answer.as_prediction() for answer in answers])
    write_text(folder / JUNIT, junit.to_xml(evaluation, checks))
    page = report.to_html(evaluation, pictures or {}, others, checks)
    write_text(folder / REPORT, page)
    passed = not evaluation.problems and all(check.passed for check in checks)
    return Written(folder, checks, passed)


def read_column(path: str | Path) -> Column:
    """An earlier evaluation's figures, to show beside this one's.

    Args:
        path: its result file or its folder.

    Raises:
        InputError: it is not a result file.
    """
    source = Path(path)
    file = source / RESULTS if source.is_dir() else source
    document = tolerance.read_document(file)
    metrics = document.get("metrics")
    if not isinstance(metrics, dict):
        raise InputError(f"{file} is not a result file of an evaluation: it has no metrics")
    title = str(source.name if source.is_dir() else document.get("name", source.stem))
    return Column(title, {name: float(value) for name, value in metrics.items()})
