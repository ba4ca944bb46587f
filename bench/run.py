# SPDX-License-Identifier: Apache-2.0
"""Run benchmarks, each in a process of its own, and write their table."""

from __future__ import annotations

import argparse
import ast
import datetime
import fnmatch
import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.common import FAILED, Row, Skip
from turret_ai.execution import gpu_name
from turret_ai.prove.environment import machine, versions

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "docs" / "benchmarks.md"
TIMEOUT_S = 300.0
_PASSED, _SKIPPED = "passed", "skipped"


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


def run_apart(name: str, quick: bool, left_s: float = math.inf) -> Report:
    """Run one benchmark in a fresh process, within the seconds that are left."""
    limit = min(timeout(name), left_s)
    if limit <= 0:
        return Report(name, title(name), _SKIPPED, reason="no time was left for it")
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
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Report(name, title(name), FAILED, reason=f"took over {limit:.0f} s")
        if not answer.is_file():
            lines = done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"]
            return Report(name, title(name), FAILED, reason=lines[-1])
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


def _told(reports: Sequence[Report]) -> dict[str, Any]:
    """A run as JSON: where, when, with what, and every row."""
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine() | ({"gpu": gpu_name()} if gpu_name() else {}),
        "versions": versions(),
        "reports": [asdict(report) for report in reports],
    }


def _header(told: dict[str, Any]) -> list[str]:
    def listed(pairs: dict[str, str], between: str) -> str:
        return ", ".join(f"{key}{between}{value}" for key, value in pairs.items())

    return [
        f"Date: {told['date']}. {listed(told['machine'], ': ')}.",
        "",
        f"Versions: {listed(told['versions'], ' ')}.",
    ]


def _section(report: dict[str, Any]) -> list[str]:
    lines = ["", f"## {report['title']}", ""]
    if report["outcome"] != _PASSED:
        return [*lines, f"{report['outcome'].capitalize()}: {report['reason']}"]
    lines += [
        "| what | ours | unit | baseline | its figure | ratio | note |",
        "|---|--:|---|---|--:|--:|---|",
    ]
    for row in (Row(**row) for row in report["rows"]):
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
    return lines


def markdown(reports: Sequence[Report], elsewhere: Sequence[dict[str, Any]] = ()) -> str:
    """The whole of docs/benchmarks.md; `elsewhere` are runs of other machines, read from JSON."""
    told = _told(reports)
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m bench`; never edited by hand. Every baseline ran in the same run, on",
        "the same machine, in turns with ours where that is possible. The machine may have been",
        "busy: the ratio counts, not the figure.",
        "",
        *_header(told),
    ]
    for report in told["reports"]:
        lines += _section(report)
    for other in elsewhere:
        lines += ["", "# On another machine", "", *_header(other)]
        for report in other["reports"]:
            lines += _section(report)
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
    parser.add_argument("--json", type=Path, help="where the rows go as JSON")
    parser.add_argument(
        "--include",
        type=Path,
        action="append",
        default=[],
        help="a JSON file of another machine's run, shown below ours",
    )
    parser.add_argument("--limit", type=float, default=math.inf, help="seconds for all together")
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
    if not console.is_terminal:
        console = Console(stderr=True, width=180)
    if given.list or not chosen:
        for name in chosen or names():
            print(f"{name:24} {title(name)}")
        return 0 if chosen else 2
    reports = []
    until = time.monotonic() + given.limit
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("benchmarks", total=len(chosen))
        for name in chosen:
            progress.update(task, description=name)
            reports.append(run_apart(name, given.quick, until - time.monotonic()))
            progress.advance(task)
    show(console, reports)
    target = given.output
    if target is None and not given.patterns and not given.quick:
        target = TABLE
    if given.json is not None:
        given.json.write_text(json.dumps(_told(reports), indent=1), "utf-8")
        console.print(f"wrote {given.json}")
    if target is not None:
        elsewhere = [json.loads(file.read_text("utf-8")) for file in given.include]
        target.write_text(markdown(reports, elsewhere), "utf-8")
        console.print(f"wrote {target}")
    outcomes = [r.outcome for r in reports] + [row.unit for r in reports for row in r.rows]
    return 1 if FAILED in outcomes else 0
