# SPDX-License-Identifier: Apache-2.0
"""A finals run to look at afterwards: pictures, boxes, answers, seconds by step."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from turret_ai.act.competition.report import TurnEnd, TurnReport, show
from turret_ai.prove import finals
from turret_ai.see import images
from turret_ai.types import Box

HEARD = "Heading is zero six five, target is red drone [not bold], tool to deploy is EMP."


def records() -> list[dict]:
    answered = TurnReport(
        1,
        "turn001_a",
        TurnEnd.ANSWERED,
        HEARD,
        "065",
        "electromagnetic pulse",
        "grey and red camouflage fighter jet",
        Box(20.0, 30.0, 40.0, 20.0),
        {"total": 5.25, "hear": 0.25, "understand": 0.05, "pan": 3.0, "snapshot": 1.5, "see": 0.45},
        0.5,
        (-1.0, -0.3),
        {"detection": 0.91, "match": 0.4, "margin": 0.2},
    )
    lost = TurnReport(2, "turn002_a", TurnEnd.NO_SNAPSHOT, seconds={"total": 18.5})
    lost.problems.append("no snapshot came in 18.0 s: is a simulator page connected?")
    return [json.loads(report.as_line()) for report in (answered, lost)]


def test_the_page_shows_every_turn_with_its_picture_its_box_and_its_steps(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    images.save(pictures / "turn001_a.jpg", np.full((92, 160, 3), 120, np.uint8))
    (pictures / "turn002_a.jpg").write_bytes(b"\xff\xd8 cut off")
    page = finals.write_page(records(), pictures, tmp_path / "run", "team at ws://server")
    text = page.read_text()
    assert text.count("<figure>") == 1
    assert 'class="box told" x="20.0" y="30.0" width="40.0" height="20.0"' in text
    assert "turns at the finals server" in text
    for told in ("grey and red camouflage", "pan 3.00", "snapshot 1.50", "answered in 5.25 s"):
        assert told in text
    assert "turn 2: no snapshot: no snapshot came in 18.0 s" in text
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["recorded"]["step_seconds"]["see"]["count"] == 1


def shown(width: int, terminal: bool) -> list[str]:
    out = io.StringIO()
    show(records(), Console(file=out, width=width, force_terminal=terminal, no_color=True))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_on_a_terminal_the_table_has_room_for_words(width: int) -> None:
    lines = shown(width, True)
    text = "\n".join(lines)
    assert "electromagnetic" in text and "camouflage" in text
    assert len(lines) < 16


def test_without_a_terminal_lines_are_plain() -> None:
    lines = shown(80, False)
    assert lines[0] == "turn 1: answered in 5.25 s"
    assert f"  heard: {HEARD}" in lines
    assert not set("".join(lines)) & set("│┃━─┏")
