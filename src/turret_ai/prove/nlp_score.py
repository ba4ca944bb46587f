# SPDX-License-Identifier: Apache-2.0
"""The competition's language score: the mean of three fields."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from turret_ai.prove.records import Pair, text_of

FIELDS = ("heading", "tool", "target")


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)


def score_fields(given: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, float]:
    """heading: exact match; tool and target: ROUGE-L F1 with stemmer; each 0..1."""
    found = {"heading": float(given["heading"] == wanted["heading"])}
    for name in ("tool", "target"):
        found[name] = float(_scorer().score(wanted[name], given[name])["rougeL"].fmeasure)
    return found


WORST = 20
"""Cases that `details` lists."""


def score(pairs: Sequence[Pair], details: bool = False) -> dict[str, Any]:
    """The mean over all sentences of the truth, and of each field.

    Args:
        pairs: truth `{"heading", "tool", "target"}` and predictions of the same form.
        details: also the differing values of each field, most frequent first, and the worst cases.

    Raises:
        InputError: a field of the truth that is missing or no text.
    """
    fields: dict[str, list[float]] = {name: [] for name in FIELDS}
    wrong: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in FIELDS}
    cases: list[dict[str, Any]] = []
    for pair in pairs:
        wanted = {name: text_of(pair.truth, name, f"truth, {pair.key}") for name in FIELDS}
        told = {name: str((pair.prediction or {}).get(name) or "") for name in FIELDS}
        scored = score_fields(told, wanted)
        mean = math.fsum(scored.values()) / len(FIELDS)
        if mean < 1.0:
            heard = str(
                (pair.prediction or {}).get("transcript") or pair.truth.get("transcript", "")
            )
            cases.append(
                {"key": pair.key, "score": mean, "told": told, "true": wanted, "transcript": heard}
            )
        for name, value in scored.items():
            fields[name].append(value)
            if told[name] != wanted[name]:
                wrong[name][wanted[name], told[name]] += 1
    means = {name: math.fsum(values) / len(values) for name, values in fields.items()}
    whole = [sum(row) == len(FIELDS) for row in zip(*fields.values(), strict=True)]
    found: dict[str, Any] = {
        "score": math.fsum(means.values()) / len(means),
        **means,
        "all_fields_right": sum(whole) / len(whole),
        "sentences": len(whole),
    }
    if details:
        found["confusion"] = {
            name: [[true, given, times] for (true, given), times in counts.most_common()]
            for name, counts in wrong.items()
        }
        found["worst"] = sorted(cases, key=lambda case: float(case["score"]))[:WORST]
    return found
