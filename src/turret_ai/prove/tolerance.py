# SPDX-License-Identifier: Apache-2.0
"""Figures against a baseline: pass or fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turret_ai import documents
from turret_ai.errors import InputError
from turret_ai.prove.records import DIGITS
from turret_ai.prove.score import BY_NAME

TOLERANCE = 0.01
"""How much worse a figure may be than a plain number of the baseline, in the figure's unit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The worst value that passes."""

    name: str
    value: float
    tolerance: float

    @property
    def worst(self) -> float:
        """Below it (above it, where less is better) the check fails."""
        sign = -1.0 if BY_NAME[self.name].higher_is_better else 1.0
        return self.value + sign * self.tolerance


@dataclass(frozen=True, slots=True)
class Check:
    """One figure beside its limit. value: None where the run doesn't have that figure."""

    name: str
    value: float | None
    limit: Limit

    @property
    def passed(self) -> bool:
        """Whether the figure is no worse than its limit."""
        if self.value is None:
            return False
        slack = 10.0**-DIGITS  # what a baseline lost when it was written
        if BY_NAME[self.name].higher_is_better:
            return self.value >= self.limit.worst - slack
        return self.value <= self.limit.worst + slack

    @property
    def text(self) -> str:
        """For people."""
        if self.value is None:
            return f"{self.name}: the run has no such figure, the baseline {self.limit.value:.4g}"
        word = "at least" if BY_NAME[self.name].higher_is_better else "at most"
        return f"{self.name}: {self.value:.4g}, must be {word} {self.limit.worst:.4g}"


def read_limits(path: str | Path, tolerance: float = TOLERANCE) -> list[Limit]:
    """Limits from a baseline file.

    Args:
        path: a result file of an earlier evaluation (or its folder), or YAML/JSON with, for each
            figure, a number or {value: .., tolerance: ..}.
        tolerance: for figures that bring none.

    Raises:
        InputError: the file can't be read or used; names figure and file.
    """
    source = Path(path)
    if source.is_dir():
        source = source / "results.json"
    figures = read_document(source)
    figures = figures.get("metrics", figures)
    if not isinstance(figures, Mapping) or not figures:
        raise InputError(f"{source}: expected figures by name, such as `asr: 0.95`")
    return [_limit(name, value, tolerance, source) for name, value in figures.items()]


def read_document(source: Path) -> dict[str, Any]:
    """A JSON or YAML object.

    Raises:
        InputError: it can't be read.
    """
    if source.suffix == ".json":
        found = documents.read_json(source)
    else:
        found = documents.read_yaml(source, error=InputError)
    if not isinstance(found, dict):
        raise InputError(f"{source}: expected an object with named figures")
    return found


def check(metrics: Mapping[str, float], limits: list[Limit]) -> list[Check]:
    """Every limit beside the run's figure."""
    return [Check(limit.name, metrics.get(limit.name), limit) for limit in limits]


def _limit(name: str, given: Any, tolerance: float, source: Path) -> Limit:
    if name not in BY_NAME:
        raise InputError(f"{source}: {name!r} is not a figure; there are {', '.join(BY_NAME)}")
    value: Any = given
    if isinstance(given, Mapping):
        if set(given) - {"value", "tolerance"} or "value" not in given:
            raise InputError(f"{source}: {name} takes value and tolerance, not {dict(given)}")
        value, tolerance = given["value"], given.get("tolerance", tolerance)
    for number in (value, tolerance):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise InputError(f"{source}: {name} must be a number, got {number!r}")
    if tolerance < 0:
        raise InputError(f"{source}: the tolerance of {name} must not be negative")
    return Limit(name, float(value), float(tolerance))
