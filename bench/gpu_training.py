# SPDX-License-Identifier: Apache-2.0
"""Training of the embedded networks on a graphics card: pictures and crops a second"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.common import FAILED, Row, Skip

TIMEOUT_S = 420
MINUTE_S = 60.0
START_S = 120.0
"""Longest wait for the first logged step: pictures are drawn before it."""
UNITS = {"detector": "windows", "matcher": "crops"}


def run(quick: bool) -> list[Row]:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise Skip(f"needs the extra `train`: {error}") from error
    from bench import _gpu

    dry = _gpu.dry_run(quick)
    seconds = 2.0 if dry else MINUTE_S
    with tempfile.TemporaryDirectory() as folder:
        return [_rate(kind, Path(folder), seconds, dry) for kind in ("detector", "matcher")]


def _rate(kind: str, folder: Path, seconds: float, dry: bool) -> Row:
    """Train for a while in a process of its own, and read its log."""
    from bench import _gpu

    batch = 4 if dry else {"detector": 64, "matcher": 512}[kind]
    out, drawn = folder / kind, folder / "drawn"
    overrides = {
        "out": out, "drawn.folder": drawn, "drawn.count": 2 if dry else 64,
        "drawn.workers": len(os.sched_getaffinity(0)), "validation": f"[{drawn}]", "batch": batch,
        "schedule.steps": 1_000_000, "schedule.validate_every": 1_000_000,
        "schedule.workers": 0 if dry else max(1, len(os.sched_getaffinity(0)) - 2),
        "schedule.logger": "none",
    }  # fmt: skip
    if kind == "matcher":
        overrides |= {"mistakes.most_pictures": 2, "background_windows": 50, "made_up_windows": 20}
    command = [sys.executable, "-m", "turret_ai.cli.app", "train", kind, f"{kind}_small"]
    log = out / "log.jsonl"
    with (folder / "errors.txt").open("w+") as errors:
        process = subprocess.Popen(
            command + [f"{key}={value}" for key, value in overrides.items()],
            stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip
        try:
            waited = time.monotonic() + START_S
            while process.poll() is None and not _step_seconds(log):
                if time.monotonic() > waited:
                    break
                time.sleep(0.5)
            if _step_seconds(log):
                _sleep(process, seconds)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        errors.seek(0)
        said = errors.read().strip().splitlines()
    what = f"{kind}, training in bf16, batch of {batch}"
    times = _step_seconds(log)
    if not times:
        reason = said[-1] if said else f"no step within {START_S:.0f} s"
        return Row(f"{what}", 0.0, FAILED, note=reason[:300])
    return Row(
        what, batch / statistics.median(times), f"{UNITS[kind]}/s", higher_is_better=True,
        note=f"median of {len(times)} logged steps; batches made by the CPU; {_gpu.name()}",
    )  # fmt: skip


def _sleep(process: subprocess.Popen[bytes], seconds: float) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.2)


def _step_seconds(log: Path) -> list[float]:
    """What the logged steps took; the first is left out, since it starts everything."""
    if not log.is_file():
        return []
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.strip()]
    times = [float(row["train/seconds"]) for row in rows if "train/seconds" in row]
    return times[1:] or times
