# SPDX-License-Identifier: Apache-2.0
"""`scripts/gpu_check` as a user runs it; on a machine without a card it is a dry run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_gpu_check_ends_in_a_table_and_json_on_any_machine(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    done = subprocess.run(
        [ROOT / "scripts" / "gpu_check", told],
        env={**os.environ, "PYTHON": sys.executable},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(told.read_text("utf-8"))
    outcomes = {r["name"]: r["outcome"] for r in found["reports"]}
    assert outcomes == dict.fromkeys(
        ["gpu_sessions", "gpu_speech", "gpu_training", "gpu_turn"], "passed"
    )
    rows = [row for report in found["reports"] for row in report["rows"]]
    assert not [row for row in rows if row["unit"] == "failed"]
    assert not [row for row in rows if "OUTPUTS DIFFER" in row["note"]]
    if not found["machine"].get("gpu"):
        assert "dry run" in done.stderr
        assert any("no NVIDIA GPU" in row["name"] for row in rows)
