# SPDX-License-Identifier: Apache-2.0
"""Small charts as inline SVG; colours come from the page's style, light or dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from turret_ai.prove.latency import Statistics

_WIDTH, _BAR, _GAP, _LABEL = 640.0, 18.0, 10.0, 150.0


def histogram(values: Sequence[float], edges: Sequence[float], mark: float) -> str:
    """Counts between ascending edges; bars below `mark` are drawn as bad ones."""
    counts = [0] * (len(edges) - 1)
    for value in values:
        place = max(i for i, edge in enumerate(edges[:-1]) if i == 0 or value >= edge)
        counts[place] += 1
    most = max([*counts, 1])
    height, base, step = 150.0, 170.0, _WIDTH / len(counts)
    parts = []
    for i, count in enumerate(counts):
        tall = height * count / most
        kind = "bad" if edges[i + 1] <= mark + 1e-9 else "good"
        x = i * step + 3
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{base - tall:.1f}" width="{step - 6:.1f}" '
            f'height="{tall:.1f}" rx="2"><title>{edges[i]:g} to {edges[i + 1]:g}: '
            f"{count}</title></rect>"
        )
        if count:
            parts.append(_text(x + step / 2 - 3, base - tall - 5, str(count), "middle"))
    for i, edge in enumerate(edges):
        anchor = "start" if i == 0 else "end" if i == len(edges) - 1 else "middle"
        parts.append(_text(i * step, base + 16, f"{edge:g}", anchor))
    parts.append(f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{base}" y2="{base}"/>')
    return _svg(_WIDTH, base + 22, parts, "histogram")


def duration(seconds: float) -> str:
    """A time for people: "0.36 ms", "475 ms", "19.5 s"."""
    if seconds >= 1.0:
        return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:.0f} s"
    milliseconds = seconds * 1e3
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.2g} ms"


def spans(rows: Mapping[str, Statistics]) -> str:
    """For each row a bar to p50, a thinner one to p95 and a tick at p99, on one scale."""
    if not rows:
        return ""
    most = max(s.p99 for s in rows.values()) or 1.0
    room = _WIDTH - _LABEL - 90.0
    parts = []
    for i, (row, s) in enumerate(rows.items()):
        y = i * (_BAR + _GAP)
        title = (
            f"<title>{escape(row)}: median {duration(s.p50)}, p95 {duration(s.p95)}, "
            f"p99 {duration(s.p99)}, {s.count} times</title>"
        )
        x50, x95, x99 = (_LABEL + room * v / most for v in (s.p50, s.p95, s.p99))
        parts += [
            _text(_LABEL - 8, y + 14, row, "end"),
            f'<g>{title}<rect class="soft" x="{_LABEL}" y="{y + 5:.1f}" '
            f'width="{max(1.0, x95 - _LABEL):.1f}" height="{_BAR - 10}"/>'
            f'<rect class="good" x="{_LABEL}" y="{y:.1f}" width="{max(1.0, x50 - _LABEL):.1f}" '
            f'height="{_BAR}" rx="2"/>'
            f'<line class="mark" x1="{x99:.1f}" x2="{x99:.1f}" y1="{y:.1f}" y2="{y + _BAR}"/></g>',
            _text(max(x95, x99) + 8, y + 14, duration(s.p50), "start"),
        ]
    return _svg(_WIDTH, len(rows) * (_BAR + _GAP), parts, "times")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str], label: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
