# SPDX-License-Identifier: Apache-2.0
"""Evaluate a recording with the embedded models, against real time."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.common import Row, Skip


def run(quick: bool) -> list[Row]:
    """The whole chain in lockstep over a sample recording of a scene."""
    from turret_ai.errors import TurretError
    from turret_ai.prove import evaluation, lockstep
    from turret_ai.prove.bag import Bag
    from turret_ai.prove.chain import Chain, chain_settings
    from turret_ai.prove.sample import SampleSettings, make_sample

    try:
        settings = chain_settings()
        stages = Chain(settings)
    except TurretError as error:
        raise Skip(str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample"
        began = time.perf_counter()
        make_sample(path, SampleSettings("airfield", 0.5 if quick else 1.0))
        making = time.perf_counter() - began
        with Bag(path) as bag:
            run = lockstep.run(bag, stages, settings.transcriber, settings.aim)
            found = evaluation.of_run(bag, run, None, {})
    seconds = run.timeline.seconds
    said = ", ".join(f"{n} {s.p50 * 1e3:.0f} ms" for n, s in found.stage_seconds.items())
    note = f"{len(found.scored)} turns in {seconds:.0f} s; medians: {said}"
    real_time = "playing the bag in real time"
    rows = [
        Row(
            "evaluate a recording, wall time",
            seconds / run.wall_seconds,
            "x real time",
            real_time,
            1.0,
            True,
            note,
        ),
        Row(
            "evaluate a recording, processor time",
            seconds / run.cpu_seconds,
            "x real time",
            real_time,
            1.0,
            True,
            "what one otherwise idle core could reach",
        ),
        Row(
            "make the sample recording",
            seconds / making,
            "x real time",
            "recording it live",
            1.0,
            True,
        ),
    ]
    turn = found.metrics.get("turn_score")
    if turn is not None:
        rows.append(Row("turn score on it", turn, "of 1", higher_is_better=True))
    return rows
