"""The competition's language score: the mean of three fields."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any


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
