# SPDX-License-Identifier: Apache-2.0
"""`turret-ai doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from turret_ai.cli.examination import examine


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Name what is missing on this machine and how to get it; exit code 1 if it is needed."""
    findings = examine()
    if as_json:
        for finding in findings:
            print(
                json.dumps(
                    {"level": finding.level, "subject": finding.subject, "text": finding.text}
                )
            )
    else:
        signs = {
            "ok": "[green]ok     [/]",
            "note": "[yellow]note   [/]",
            "missing": "[red]missing[/]",
        }
        console = Console()
        for finding in findings:
            text = escape(finding.text)
            console.print(f"{signs[finding.level]} [bold]{finding.subject}[/]: {text}")
    raise typer.Exit(int(any(finding.level == "missing" for finding in findings)))
