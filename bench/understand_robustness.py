# SPDX-License-Identifier: Apache-2.0
"""Understand misheard commands: score over corruption rates, and what confidence is worth.

`python -m bench.understand_robustness [DATA.jsonl] [--images docs/images]` prints the whole tables
and draws the curves. The default data are the competition's sample beside the source tree.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.common import SHARED_DATA, Row, Skip
from bench.understand_parse import PlainRules

TIMEOUT_S = 900
RATES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
FIELDS = ("heading", "tool", "target")
SEED = 2024


def sentences(path: Path) -> list[dict[str, Any]]:
    """The competition's lines."""
    if not path.is_file():
        raise Skip(f"needs {path}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def measure_rate(rows: list[dict[str, Any]], rate: float) -> dict[str, Any]:
    """Scores of the understand stage, of its exact rules alone, and of plain rules at one rate."""
    from turret_ai.learn.transcripts import Corrupter
    from turret_ai.prove.nlp_score import score_fields
    from turret_ai.understand import Understander, UnderstandSettings

    ours, exact, plain = (
        Understander(UnderstandSettings(min_confidence=0.0)),
        Understander(UnderstandSettings(repair=False)),
        PlainRules(),
    )
    corrupter = Corrupter(rate, SEED)
    total = {name: dict.fromkeys(FIELDS, 0.0) for name in ("ours", "exact rules", "plain rules")}
    fields: list[tuple[str, float, bool]] = []
    surest: list[tuple[float, float]] = []
    for row in rows:
        heard = corrupter.corrupt(row["transcript"])
        command = ours.parse(heard)
        by_rules = exact.parse(heard)
        answers = {
            "ours": {name: getattr(command, name).value for name in FIELDS},
            "exact rules": {name: getattr(by_rules, name).value for name in FIELDS},
            "plain rules": plain.parse(heard),
        }
        for who, answer in answers.items():
            scored = score_fields(answer, row)
            for name in FIELDS:
                total[who][name] += scored[name] / len(rows)
            if who == "ours":
                sure = min(getattr(command, name).confidence for name in FIELDS)
                surest.append((sure, sum(scored.values()) / 3))
        for name in FIELDS:
            said = getattr(command, name)
            if said.value:
                fields.append((name, said.confidence, said.value == row[name]))
    return {"rate": rate, "scores": total, "fields": fields, "surest": surest}


def mean(scores: dict[str, float]) -> float:
    """The competition's score of three fields."""
    return sum(scores.values()) / 3


def coverage(surest: list[tuple[float, float]], share: float) -> float:
    """Mean score of the surest share of sentences."""
    ranked = sorted(surest, key=lambda pair: -pair[0])
    kept = ranked[: max(1, round(share * len(ranked)))]
    return sum(score for _, score in kept) / len(kept)


def reliability(
    fields: list[tuple[str, float, bool]], bins: int = 8
) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, number) of fields, binned by confidence."""
    out = []
    for k in range(bins):
        inside = [(c, r) for _, c, r in fields if k / bins <= c < (k + 1) / bins + (k == bins - 1)]
        if inside:
            n = len(inside)
            out.append((sum(c for c, _ in inside) / n, sum(r for _, r in inside) / n, n))
    return out


def expected_calibration_error(fields: list[tuple[str, float, bool]]) -> float:
    """Mean distance of confidence from the share right, over bins (Guo et al. 2017)."""
    return sum(n * abs(c - r) for c, r, n in reliability(fields)) / max(1, len(fields))


def run(quick: bool) -> list[Row]:
    try:
        import pocketsphinx  # noqa: F401
    except ImportError:
        raise Skip("needs pocketsphinx to mishear sentences (extra train)") from None
    rows = sentences(SHARED_DATA / "til24" / "nlp_dev.jsonl")[: 40 if quick else 300]
    out = []
    for rate in (0.0, 0.7):
        found = measure_rate(rows, rate)
        scores = found["scores"]
        out.append(
            Row(
                f"score of commands misheard at rate {rate:g}",
                mean(scores["ours"]),
                "share",
                "plain regular expressions",
                mean(scores["plain rules"]),
                higher_is_better=True,
                note=f"{len(rows)} sentences, exact rules {mean(scores['exact rules']):.3f}",
            )
        )
    return out


def draw(results: list[dict[str, Any]], folder: Path) -> None:
    """The three plots."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4))
    rates = [r["rate"] for r in results]
    for who, colour in (
        ("ours", "tab:blue"),
        ("exact rules", "tab:orange"),
        ("plain rules", "grey"),
    ):
        left.plot(rates, [mean(r["scores"][who]) for r in results], "o-", color=colour, label=who)
    left.set(xlabel="corruption rate", ylabel="score (mean of fields)", ylim=(0.3, 1.01))
    left.legend(frameon=False)
    shares = [k / 20 for k in range(4, 21)]
    for r in results[2::2]:
        curve = [coverage(r["surest"], s) for s in shares]
        middle.plot(shares, curve, label=f"rate {r['rate']:g}")
    middle.set(xlabel="coverage (surest share)", ylabel="score")
    middle.legend(frameon=False)
    fields = [f for r in results if r["rate"] > 0 for f in r["fields"]]
    bins = reliability(fields)
    right.plot([0, 1], [0, 1], ":", color="grey")
    right.plot([c for c, _, _ in bins], [r for _, r, _ in bins], "o-")
    for c, r, n in bins:
        right.annotate(str(n), (c, r), fontsize=6, xytext=(3, -8), textcoords="offset points")
    right.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
    for axis in (left, middle, right):
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(folder / "understand.png", dpi=80)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", default=SHARED_DATA / "til24" / "nlp_dev.jsonl")
    parser.add_argument("--images", type=Path, default=None)
    parser.add_argument("--limit", type=int, default=300)
    given = parser.parse_args()
    rows = sentences(Path(given.data))[: given.limit]
    results = []
    print(
        "| rate | plain rules | exact rules | understand | heading | tool | target | surest 90% |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for rate in RATES:
        found = measure_rate(rows, rate)
        results.append(found)
        s = found["scores"]
        cells = [mean(s["plain rules"]), mean(s["exact rules"]), mean(s["ours"])]
        cells += [s["ours"][name] for name in FIELDS] + [coverage(found["surest"], 0.9)]
        print(f"| {rate:g} | " + " | ".join(f"{c:.3f}" for c in cells) + " |", flush=True)
    fields = [f for r in results if r["rate"] > 0 for f in r["fields"]]
    error = expected_calibration_error(fields)
    print(f"expected calibration error over the rates above 0: {error:.4f}")
    for c, r, n in reliability(fields):
        print(f"confidence {c:.3f}: right {r:.3f} of {n}")
    if given.images:
        draw(results, given.images)


if __name__ == "__main__":
    main()
