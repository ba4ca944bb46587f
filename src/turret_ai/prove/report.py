# SPDX-License-Identifier: Apache-2.0
"""One HTML page that shows an evaluation at a glance; it needs nothing beside itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from turret_ai.prove import charts
from turret_ai.prove.environment import machine, versions
from turret_ai.prove.evaluation import FAILED, PASSED, Evaluation
from turret_ai.prove.nlp_score import FIELDS
from turret_ai.prove.score import BY_NAME, METRICS, Scored, confusion
from turret_ai.prove.thumbnail import Thumbnail
from turret_ai.prove.tolerance import Check
from turret_ai.see.boxes import HIT_IOU
from turret_ai.units import pitch_to_elevation_deg, yaw_to_heading

MOST_PICTURES = 24
"""Frames of the contact sheet; the worst ones are shown."""

_IOU_EDGES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
_TILES = ("turn_score", "asr", "nlp", "vlm", "map50", "aim_error_deg_median")


@dataclass(frozen=True, slots=True)
class Column:
    """Figures of another run, shown beside this one's."""

    title: str
    metrics: Mapping[str, float]


def to_html(
    evaluation: Evaluation,
    pictures: Mapping[int, Thumbnail],
    others: Sequence[Column] = (),
    checks: Sequence[Check] = (),
) -> str:
    """The page.

    Args:
        pictures: searched images by the answer's key.
        others: earlier runs for comparison.
        checks: figures against a baseline.
    """
    environment = Environment(
        loader=PackageLoader("turret_ai.prove", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=_figure, change=_change, duration=charts.duration)
    columns = list(others)
    if evaluation.recorded and evaluation.recorded_metrics:
        columns.insert(0, Column("as recorded", evaluation.recorded_metrics))
    overlaps = [s.iou for s in evaluation.scored if s.iou is not None]
    context = {
        "evaluation": evaluation,
        "verdict": FAILED if evaluation.problems or not all(c.passed for c in checks) else PASSED,
        "metrics": evaluation.metrics,
        "all_metrics": METRICS,
        "by_name": BY_NAME,
        "tiles": [name for name in _TILES if name in evaluation.metrics],
        "columns": columns,
        "checks": checks,
        "overlaps": Markup(charts.histogram(overlaps, _IOU_EDGES, HIT_IOU)) if overlaps else "",
        "stage_chart": Markup(charts.spans(evaluation.stage_seconds)),
        "step_chart": Markup(charts.spans(evaluation.step_seconds)),
        "confusions": {name: confusion(evaluation.scored, name) for name in FIELDS},
        "fields": FIELDS,
        "sheet": _sheet(evaluation.scored, pictures),
        "directions": _directions,
        "machine": machine(),
        "versions": versions(),
        "settings": _flat(evaluation.settings),
    }
    return environment.get_template("report.html.j2").render(context)


@dataclass(frozen=True, slots=True)
class _Sheet:
    scored: Scored
    picture: Thumbnail


def _sheet(scored: Sequence[Scored], pictures: Mapping[int, Thumbnail]) -> list[_Sheet]:
    shown = [
        _Sheet(s, pictures[s.answer.key])
        for s in scored
        if s.answer is not None and s.answer.key in pictures
    ]
    return sorted(shown, key=lambda item: -item.scored.badness)[:MOST_PICTURES]


def _figure(value: float | None, name: str = "") -> str:
    """A figure for people: shares with three decimals, degrees with two."""
    if value is None or not math.isfinite(value):
        return "–"
    metric = BY_NAME.get(name)
    if metric is not None and metric.unit == "deg":
        return f"{value:.2f}°"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"


def _change(value: float | None, other: float | None, name: str) -> str:
    """The class of a difference: "better", "worse" or "same"."""
    if value is None or other is None or abs(value - other) < 5e-4:
        return "same"
    return "better" if (value > other) == BY_NAME[name].higher_is_better else "worse"


def _directions(angles: tuple[float, float] | None) -> str:
    """(yaw, pitch) as people say it."""
    if angles is None:
        return "–"
    heading, elevation = yaw_to_heading(angles[0]), pitch_to_elevation_deg(angles[1])
    return f"{heading:.1f}° / {elevation:+.1f}°"


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as dotted names."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found.update(_flat(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = str(value)
    return found
