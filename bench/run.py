"""Run benchmarks, each in a process of its own, and write their table."""

from __future__ import annotations

import argparse
import ast
import datetime
import fnmatch
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.common import Row, Skip
from turret_ai.prove.environment import machine, versions

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "docs" / "benchmarks.md"
TIMEOUT_S = 300.0
_PASSED, _SKIPPED, _FAILED = "passed", "skipped", "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark gave. reason: why it was skipped or failed."""

    name: str
    title: str
    outcome: str
    rows: tuple[Row, ...] = ()
    reason: str = ""


def names() -> list[str]:
    """Every benchmark of this folder."""
    other = {"common", "run"}
    found = (file.stem for file in HERE.glob("*.py"))
    return sorted(name for name in found if not name.startswith("_") and name not in other)


def title(name: str) -> str:
    """The first line of a benchmark's docstring."""
    docstring = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text("utf-8"))) or name
    return docstring.splitlines()[0].rstrip(".")


def timeout(name: str) -> float:
    """Seconds that a benchmark may take."""
    for node in ast.parse((HERE / f"{name}.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "TIMEOUT_S" for target in node.targets
        ):
            return float(ast.literal_eval(node.value))
    return TIMEOUT_S


def run_apart(name: str, quick: bool) -> Report:
    """Run one benchmark in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "bench", "--child", str(answer), name]
        if quick:
            command.append("--quick")
        try:
            done = subprocess.run(
                command,
                cwd=HERE.parent,
                capture_output=True,
                text=True,
                timeout=timeout(name),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Report(name, title(name), _FAILED, reason=f"took over {timeout(name):.0f} s")
        if not answer.is_file():
            lines = done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"]
            return Report(name, title(name), _FAILED, reason=lines[-1])
        told = json.loads(answer.read_text("utf-8"))
    rows = tuple(Row(**row) for row in told["rows"])
    return Report(name, title(name), told["outcome"], rows, told["reason"])


def run_here(name: str, quick: bool, answer: Path) -> None:
    """The child's side: run and write the rows to a file."""
    rows: list[Row] = []
    outcome, reason = _PASSED, ""
    try:
        rows = importlib.import_module(f"bench.{name}").run(quick)
    except Skip as skip:
        outcome, reason = _SKIPPED, str(skip)
    told = {"outcome": outcome, "reason": reason, "rows": [asdict(row) for row in rows]}
    answer.write_text(json.dumps(told), "utf-8")
    sys.stdout.flush()
    os._exit(0)  # a thread that a benchmark left behind must not keep the process


def number(value: float | None) -> str:
    """Three significant digits, without exponents."""
    if value is None:
        return ""
    text = f"{value:.3g}"
    return f"{value:.0f}" if "e" in text else text


def markdown(reports: Sequence[Report]) -> str:
    """The whole of docs/benchmarks.md."""
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m bench`; never edited by hand. Every baseline ran in the same run, on",
        "the same machine, in turns with ours where that is possible. The machine may have been",
        "busy: the ratio counts, not the figure.",
        "",
        f"Date: {datetime.date.today().isoformat()}. "
        + ", ".join(f"{key}: {value}" for key, value in machine().items())
        + ".",
        "",
        "Versions: " + ", ".join(f"{key} {value}" for key, value in versions().items()) + ".",
    ]
    for report in reports:
        lines += ["", f"## {report.title}", ""]
        if report.outcome != _PASSED:
            lines.append(f"{report.outcome.capitalize()}: {report.reason}")
            continue
        lines += [
            "| what | ours | unit | baseline | its figure | ratio | note |",
            "|---|--:|---|---|--:|--:|---|",
        ]
        for row in report.rows:
            cells = [
                row.name,
                number(row.value),
                row.unit,
                row.baseline,
                number(row.baseline_value),
                f"{number(row.ratio)}x" if row.ratio is not None else "",
                row.note,
            ]
            lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    lines += ["", "A ratio above 1x means better than the baseline (faster, smaller, righter).", ""]
    return "\n".join(lines)


def show(console: Console, reports: Sequence[Report]) -> None:
    """The table on the terminal."""
    table = Table("benchmark", "what", "ours", "unit", "baseline", "its figure", "ratio")
    for report in reports:
        if report.outcome != _PASSED:
            table.add_row(report.name, f"{report.outcome}: {report.reason}")
        for row in report.rows:
            ratio = f"{number(row.ratio)}x" if row.ratio is not None else ""
            base = number(row.baseline_value)
            table.add_row(
                report.name, row.name, number(row.value), row.unit, row.baseline, base, ratio
            )
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; exit code 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("patterns", nargs="*", default=[], help="names, such as see_*")
    parser.add_argument("--quick", action="store_true", help="shorter, less exact")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("--output", type=Path, help="where the table goes (docs/benchmarks.md)")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        run_here(given.patterns[0], given.quick, given.child)
    chosen = [
        name
        for name in names()
        if not given.patterns or any(fnmatch.fnmatch(name, p) for p in given.patterns)
    ]
    console = Console(stderr=True)
    if given.list or not chosen:
        for name in chosen or names():
            print(f"{name:24} {title(name)}")
        return 0 if chosen else 2
    reports = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("benchmarks", total=len(chosen))
        for name in chosen:
            progress.update(task, description=name)
            reports.append(run_apart(name, given.quick))
            progress.advance(task)
    show(console, reports)
    target = given.output
    if target is None and not given.patterns and not given.quick:
        target = TABLE
    if target is not None:
        target.write_text(markdown(reports), "utf-8")
        console.print(f"wrote {target}")
    return 1 if any(report.outcome == _FAILED for report in reports) else 0
