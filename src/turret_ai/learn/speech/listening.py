# SPDX-License-Identifier: Apache-2.0
"""A page to judge a corpus by ear."""

from __future__ import annotations

import html
import json
from pathlib import Path

_SHOWN = 200
_COLUMNS = ("engine", "voice", "band", "snr_db", "noise", "codec", "distortions", "level_dbfs")


def write(manifest: Path) -> Path:
    """Write listen.html beside a manifest: up to 200 clips spread over it, each with a player."""
    lines = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    step = max(1, len(lines) // _SHOWN)
    rows = []
    for line in lines[::step][:_SHOWN]:
        cells = "".join(f"<td>{html.escape(str(line.get(c, '')))}</td>" for c in _COLUMNS)
        source = html.escape(str(line["audio"]), quote=True)
        rows.append(
            f"<tr><td>{line['key']}</td>"
            f'<td><audio controls preload="none" src="{source}"></audio></td>'
            f"<td>{html.escape(str(line['transcript']))}</td>{cells}</tr>"
        )
    head = "".join(f"<th>{c}</th>" for c in ("key", "audio", "transcript", *_COLUMNS))
    page = manifest.with_name("listen.html")
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>Clips</title>'
        "<style>body{font:14px sans-serif}td,th{padding:2px 8px;text-align:left}</style>"
        f"<h1>{len(lines)} clips</h1><table><tr>{head}</tr>{''.join(rows)}</table>\n",
        encoding="utf-8",
    )
    return page
