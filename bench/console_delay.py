# SPDX-License-Identifier: Apache-2.0
"""Show the camera in a browser: from the exposure of a picture until it is painted

Beside `python -m bench console_delay`, while other pages look as well:

    python -m bench.console_delay --others 9
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

from bench._viewers import Viewers
from bench.common import Row, Skip

RATE_HZ = 15.0
SECONDS = 20.0
_LIMIT_S = 120.0


def run(quick: bool) -> list[Row]:
    return measure(SECONDS / 4 if quick else SECONDS)


def measure(seconds: float, others: int = 0) -> list[Row]:
    """others: pages that look beside the browser's."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Skip(f"needs the extra test: {error}") from error
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise Skip("needs chromium")
    from turret_ai.graph import GRAPHS
    from turret_ai.graph.processes import Processes

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {"ROS_DOMAIN_ID": str(1 + os.getpid() % 100), "ROS_LOCALHOST_ONLY": "1"}
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, environment):
        file = Path(folder) / "rate.yaml"
        file.write_text(f"simulator: {{ros__parameters: {{camera: {{rate: {RATE_HZ}}}}}}}\n")
        given = {"source": "console", "console_port": str(port), "params_file": str(file)}
        plan = GRAPHS["finals"].plan(given)
        with (
            Processes(plan, on_line=lambda *_: None) as processes,
            sync_playwright() as playwright,
            contextlib.ExitStack() as stack,
        ):
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"], timeout=1e3 * _LIMIT_S
            )
            page = browser.new_page()
            url = f"http://127.0.0.1:{port}"
            _open(page, url, processes)
            if others:
                stack.enter_context(Viewers(url)).look(others)
                page.reload()  # it forgets the delays before
                page.wait_for_timeout(3000)
            before = time.monotonic()
            page.wait_for_timeout(1e3 * seconds)
            wall = time.monotonic() - before
            delays = page.evaluate("turretConsole.delays()")
            shown = float(page.inner_text("#rate").split()[0])
            browser.close()
    if len(delays) < 10:
        raise RuntimeError(f"only {len(delays)} pictures were painted in {wall:.0f} s")
    load = os.getloadavg()[0]
    beside = f"{others} other pages, " if others else ""
    note = f"{beside}{len(delays)} pictures, {shown:.0f} a second of {RATE_HZ:.0f}; load {load:.1f}"
    ordered = sorted(delays)
    return [
        Row("exposure to painted, median", statistics.median(ordered), "ms", note=note),
        Row("exposure to painted, p95", ordered[int(0.95 * len(ordered))], "ms", note=note),
        Row("pictures painted", shown, "images/s", higher_is_better=True, note=note),
    ]


def _open(page: Any, url: str, processes: Any) -> None:
    """Until the page shows pictures of a graph whose stages are all active."""
    from playwright.sync_api import Error

    end = time.monotonic() + _LIMIT_S
    while time.monotonic() < end:
        processes.check()
        try:
            if page.url.rstrip("/") != url:
                page.goto(url)
            nodes = page.locator("#nodes details.level-0").count()
            if nodes >= 6 and "pictures/s" in page.inner_text("#rate"):
                page.wait_for_timeout(3000)
                return
        except Error:  # the server still starts
            pass
        time.sleep(0.2)
    raise RuntimeError(f"no pictures within {_LIMIT_S:.0f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.console_delay")
    parser.add_argument("--others", type=int, default=0, help="pages that look as well")
    for row in measure(SECONDS, parser.parse_args().others):
        print(f"{row.name}: {row.value:.4g} {row.unit}; {row.note}")
