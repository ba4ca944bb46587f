# SPDX-License-Identifier: Apache-2.0
"""Understand what real recognisers heard: by recogniser, voice and level, with more readings.

`python -m bench.understand_overheard PAIRS.jsonl ... [--images docs/images]` prints the tables for
files of `turret-ai synth transcripts --from-audio`, and draws the curves.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.common import Row, Skip
from bench.understand_parse import PlainRules
from bench.understand_robustness import (
    FIELDS,
    coverage,
    expected_calibration_error,
    mean,
    reliability,
)

TIMEOUT_S = 900
LEVELS = (-99.0, 6.0, 12.0, 18.0, 99.0)
NAMES = ("below 6 dB", "6 to 12 dB", "12 to 18 dB", "above 18 dB")


def readings(row: dict[str, Any]) -> list[Any]:
    """All readings of one recogniser."""
    from turret_ai.types import Hypothesis

    return [Hypothesis(a["text"], float(a["score"])) for a in row["alternatives"]]


def measure(rows: list[dict[str, Any]], heard: list[Any], understander: Any) -> dict[str, Any]:
    """Scores of some transcripts (texts or lists of readings), with fields and confidences."""
    from turret_ai.prove.nlp_score import score_fields

    total = dict.fromkeys(FIELDS, 0.0)
    fields: list[tuple[str, float, bool]] = []
    surest: list[tuple[float, float]] = []
    for row, given in zip(rows, heard, strict=True):
        command = understander.parse(given)
        scored = score_fields({n: getattr(command, n).value for n in FIELDS}, row)
        for name in FIELDS:
            total[name] += scored[name] / len(rows)
            said = getattr(command, name)
            if said.value:
                fields.append((name, said.confidence, said.value == row[name]))
        sure = min(getattr(command, n).confidence for n in FIELDS)
        surest.append((sure, sum(scored.values()) / 3))
    return {"scores": total, "fields": fields, "surest": surest}


def plain(rows: list[dict[str, Any]]) -> float:
    """The score of plain regular expressions."""
    from turret_ai.prove.nlp_score import score_fields

    rules = PlainRules()
    scores = [score_fields(rules.parse(row["transcript"]), row) for row in rows]
    return sum(sum(s.values()) / 3 for s in scores) / len(rows)


def both(
    rows: list[dict[str, Any]], first: str, second: str, number: int = 1
) -> tuple[list[Any], list[Any]]:
    """(sentences that two recognisers heard, the best readings of each, both as equally likely)"""
    from turret_ai.types import Hypothesis

    by_key: dict[Any, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        by_key[row["key"], row["clean"]][row["recogniser"]] = row
    kept = [g for g in by_key.values() if first in g and second in g]

    def best(row: dict[str, Any]) -> list[Any]:
        some = readings(row)[:number]
        return [Hypothesis(h.text, h.score - some[0].score) for h in some]

    heard = [[*best(g[first]), *best(g[second])] or "" for g in kept]
    return [g[first] for g in kept], heard


def run(quick: bool) -> list[Row]:
    raise Skip("needs files of `turret-ai synth transcripts --from-audio`: run it with them")


def draw(found: dict[str, Any], levels: dict[str, list[float]], folder: Path) -> None:
    """Score over level, coverage against score, reliability."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4))
    for who, values in levels.items():
        left.plot(NAMES, values, "o-", label=who)
    left.set(ylabel="score (mean of fields)", ylim=(0.0, 1.01))
    left.tick_params(axis="x", labelsize=7)
    left.legend(frameon=False)
    shares = [k / 20 for k in range(4, 21)]
    middle.plot(shares, [coverage(found["surest"], s) for s in shares])
    middle.set(xlabel="coverage (surest share)", ylabel="score")
    bins = reliability(found["fields"])
    right.plot([0, 1], [0, 1], ":", color="grey")
    right.plot([c for c, _, _ in bins], [r for _, r, _ in bins], "o-")
    for c, r, n in bins:
        right.annotate(str(n), (c, r), fontsize=6, xytext=(3, -8), textcoords="offset points")
    right.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
    for axis in (left, middle, right):
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(folder / "understand_overheard.png", dpi=80)


def main() -> None:
    """Print the tables."""
    from turret_ai.understand import Understander, UnderstandSettings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", type=Path)
    parser.add_argument("--images", type=Path, default=None)
    given = parser.parse_args()
    rows = [json.loads(line) for path in given.pairs for line in path.open(encoding="utf-8")]
    ours = Understander(UnderstandSettings(min_confidence=0.0))
    print("| recogniser | voice | sentences | plain rules | understand | all readings |")
    print("|---|---|---|---|---|---|")
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["recogniser"], row["engine"]].append(row)
    for (name, engine), some in groups.items():
        one = measure(some, [row["transcript"] for row in some], ours)
        more = measure(some, [readings(row) or "" for row in some], ours)
        cells = [plain(some), mean(one["scores"]), mean(more["scores"])]
        said = " | ".join(f"{c:.3f}" for c in cells)
        print(f"| {name} | {engine} | {len(some)} | {said} |", flush=True)
    names = sorted({row["recogniser"] for row in rows})
    for first, second in itertools.combinations(names, 2):
        kept, heard = both(rows, first, second)
        if kept:
            keys = {(row["key"], row["clean"]) for row in kept}
            alone = []
            for name in (first, second):
                some = [
                    r for r in rows if r["recogniser"] == name and (r["key"], r["clean"]) in keys
                ]
                found = measure(some, [row["transcript"] for row in some], ours)
                alone.append(mean(found["scores"]))
            joint = mean(measure(kept, heard, ours)["scores"])
            more = mean(measure(kept, both(rows, first, second, 2)[1], ours)["scores"])
            said = f"{alone[0]:.3f} and {alone[1]:.3f} alone, {joint:.3f} together"
            said += f", {more:.3f} with two readings each"
            print(f"{first} + {second}, {len(kept)} sentences: {said}", flush=True)
    whole = measure(rows, [row["transcript"] for row in rows], ours)
    levels: dict[str, list[float]] = {"understand": [], "plain rules": []}
    for low, high, name in zip(LEVELS, LEVELS[1:], NAMES, strict=False):
        inside = [i for i, row in enumerate(rows) if low <= row["snr_db"] < high]
        some = [rows[i] for i in inside]
        score = sum(whole["surest"][i][1] for i in inside) / max(1, len(inside))
        levels["understand"].append(score)
        levels["plain rules"].append(plain(some) if some else 0.0)
        print(f"{name}: {len(some)} sentences, plain {levels['plain rules'][-1]:.3f}, {score:.3f}")
    for share in (0.5, 0.7, 0.9, 1.0):
        print(f"surest {share:.0%}: {coverage(whole['surest'], share):.3f}")
    print(f"expected calibration error: {expected_calibration_error(whole['fields']):.3f}")
    if given.images:
        draw(whole, levels, given.images)


if __name__ == "__main__":
    main()
