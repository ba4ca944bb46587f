# SPDX-License-Identifier: Apache-2.0
"""The work behind `turret-ai evaluate bag`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from turret_ai.errors import InputError
from turret_ai.prove import evaluation, lockstep, tolerance, truth
from turret_ai.prove.bag import Bag
from turret_ai.prove.chain import Chain, chain_settings
from turret_ai.prove.evaluation import Evaluation
from turret_ai.prove.outputs import REPORT, Written, read_column, write
from turret_ai.prove.report import Column
from turret_ai.prove.score import BY_NAME
from turret_ai.prove.thumbnail import Thumbnail


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    recording: Path
    truth: Path | None
    output: Path
    namespace: str | None = None
    params_files: tuple[Path, ...] = ()
    parameters: tuple[str, ...] = ()
    compare: tuple[Path, ...] = ()
    baseline: Path | None = None
    tolerance: float = tolerance.TOLERANCE


def evaluate(request: Request, console: Console | None = None) -> bool:
    """Evaluate a bag and write all files; a bag that can't be read leaves a failed result too.

    Returns:
        Whether it passed.

    Raises:
        InputError, ConfigError, ModelError: truth, baseline, settings or models can't be used;
            nothing is written then, since no evaluation has begun.
    """
    console = console or Console(stderr=True)
    truths = truth.from_file(request.truth) if request.truth else None
    limits = tolerance.read_limits(request.baseline, request.tolerance) if request.baseline else []
    others = [read_column(path) for path in request.compare]
    settings = chain_settings(request.params_files, request.parameters)
    stages = Chain(settings)
    described = {**stages.describe(), "controller": settings.aim.model_dump()}
    pictures: dict[int, Thumbnail] = {}
    try:
        with Bag(request.recording) as bag, _watched(console) as watcher:
            run = lockstep.run(
                bag, stages, settings.transcriber, settings.aim, request.namespace, watcher
            )
            found = evaluation.of_run(bag, run, truths, described)
            pictures = run.pictures
    except InputError as error:
        name = request.recording.name
        found = Evaluation(name, [], problems=[str(error)], settings=described)
    written = write(found, request.output, pictures, others, limits)
    show(console, found, written, others)
    return written.passed


class _Bar:
    """Shows a run's parts as progress bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, what: str, total: int) -> None:
        self._task = self._progress.add_task(what, total=max(total, 1))

    def step(self) -> None:
        if self._task is not None:
            self._progress.advance(self._task)


@contextlib.contextmanager
def _watched(console: Console) -> Iterator[lockstep.Watcher]:
    columns = (
        TextColumn("{task.description:10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress)


def show(
    console: Console, found: Evaluation, written: Written, others: list[Column] | None = None
) -> None:
    """The figures on the terminal."""
    table = Table(
        "figure", "this run", *(column.title for column in others or ()), title=found.name
    )
    metrics = found.metrics
    for name, value in metrics.items():
        beside = [column.metrics.get(name) for column in others or ()]
        cells = ["–" if v is None else f"{v:.4g}" for v in (value, *beside)]
        table.add_row(BY_NAME[name].title, *cells)
    if metrics:
        console.print(table)
    for problem in found.problems:
        console.print(f"[red]{problem}[/red]", highlight=False)
    for check in written.checks:
        colour = "green" if check.passed else "red"
        console.print(f"[{colour}]{check.text}[/{colour}]", highlight=False)
    if found.speed:
        text = f"{found.seconds:.1f} s of recording in {found.wall_seconds:.1f} s"
        text += f" ({found.cpu_seconds:.1f} s of processor time)" if found.cpu_seconds else ""
        console.print(f"{text}: {found.speed:.1f} times real time", highlight=False)
    word = "[green]passed[/green]" if written.passed else "[red]failed[/red]"
    console.print(f"{word}: {written.folder / REPORT}", highlight=False)
