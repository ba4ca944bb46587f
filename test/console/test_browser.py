# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser, on a real graph: speak, click, stop, lose the server and find it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, sync_playwright

from turret_ai.graph import GRAPHS
from turret_ai.graph.processes import Processes
from turret_ai.hear import files
from turret_ai.simulate import scene as scenes

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs Debian's chromium (scripts/setup)"),
    pytest.mark.timeout(240),
]
SCENE = "airfield"
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SPEECH = 1
"""Which of the scene's commands is spoken."""


@dataclass
class Graph:
    """The running processes and the console's address."""

    processes: Processes
    url: str
    lines: list[str] = field(default_factory=list)


PATIENT = """\
controller:
  ros__parameters:
    yaw_rate: 0.4
    deadlines: {command: 60.0, slew: 60.0, see: 60.0, aim: 60.0, stale: 120.0}
locator:
  ros__parameters: {detection: {flip: false}, matching: {flip: false}}
simulator:
  ros__parameters: {camera: {rate: 2.0}}
"""
"""Slow enough to be stopped on the way, and little work; how fast it is, is measured elsewhere."""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    parameters = tmp_path_factory.mktemp("graph") / "patient.yaml"
    parameters.write_text(PATIENT)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    given = {
        "source": "console",
        "scene": SCENE,
        "console_port": str(port),
        "params_file": str(parameters),
    }
    environment = {"ROS_DOMAIN_ID": str(1 + os.getpid() % 100), "ROS_LOCALHOST_ONLY": "1"}
    lines: list[str] = []
    with (
        mock.patch.dict(os.environ, environment),
        Processes(
            GRAPHS["finals"].plan(given),
            on_line=lambda node, line: lines.append(f"[{node}] {line}"),
        ) as processes,
    ):
        end = time.monotonic() + 60.0
        while True:  # until the server listens
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
                break
            except OSError:
                assert time.monotonic() < end, "\n".join(lines[-20:])
                time.sleep(0.1)
        yield Graph(processes, f"http://127.0.0.1:{port}", lines)


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake microphone hears: a second of silence, the sentence, silence."""
    command = scenes.load(SCENE).commands[SPEECH]
    heard = files.load(Path(str(command.audio)))
    speech = heard.as_pcm().astype(np.int16)
    pause = np.zeros(heard.sample_rate, np.int16)
    file = tmp_path_factory.mktemp("microphone") / "speech.wav"
    soundfile.write(file, np.concatenate([pause, speech, pause, pause]), heard.sample_rate)
    return file


@pytest.fixture(scope="module")
def browser(microphone: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ],
        )
        yield started
        started.close()


@pytest.fixture
def page(graph: Graph, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda word: faults.append(word.text) if word.type == "error" else None)
    opened.goto(graph.url)
    stages = ("transcriber", "commander", "locator", "controller", "simulator")

    def active() -> bool:
        told = opened.locator("#nodes summary").all_inner_texts()
        return all(any(name in each and "active" in each for each in told) for name in stages)

    assert wait_for(opened, active)
    yield opened
    context.close()
    assert not [each for each in faults if "ERR_CONNECTION" not in each and "WebSocket" not in each]


def text_of(page: Page, selector: str) -> str:
    return page.inner_text(selector)


def wait_for(page: Page, condition: Callable[[], Any], seconds: float = 90.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        page.wait_for_timeout(50)
    return True


def ended(page: Page) -> str:
    """The outcome of the turn that is shown, "" while it runs."""
    text = text_of(page, "#outcome")
    return text if text[:1] in "✔◐≈∅…⧖↷■" and ": " not in text[:12] else ""


def test_a_turn_by_push_to_talk_and_a_click_on_a_candidate(page: Page, graph: Graph) -> None:
    spoken = scenes.load(SCENE).commands[SPEECH]
    page.keyboard.down("Space")
    assert wait_for(page, lambda: "listening" in text_of(page, "#level")), text_of(page, "#notice")
    assert page.get_attribute("#talk", "aria-pressed") == "true"
    seconds = soundfile.info(str(spoken.audio)).duration
    assert wait_for(page, lambda: text_of(page, "#sentence") != "–", seconds + 3.0), "in part"
    page.wait_for_timeout(1000 * (seconds + 1.2))
    page.keyboard.up("Space")
    assert wait_for(page, lambda: ended(page)), "\n".join(graph.lines[-20:])
    assert "AIMED" in ended(page), ended(page)
    fields = text_of(page, "#fields")
    assert spoken.heading in fields and spoken.target in fields
    assert "spoken here" in text_of(page, "#reliability")
    assert page.locator("#turns li img").count() == 1
    assert page.evaluate("document.querySelector('#turns img').naturalWidth") == 320
    assert "1 of 1" in text_of(page, "#shown")
    page.fill("#words", "no such words")
    assert "0 of 1" in text_of(page, "#shown")
    page.fill("#words", spoken.tool)
    page.select_option("#kind", "AIMED")
    assert "1 of 1" in text_of(page, "#shown")

    others = page.locator("#boxes button:not(.chosen)")
    assert wait_for(page, lambda: page.locator("#boxes button.chosen").count() == 1)
    picked = others if others.count() else page.locator("#boxes button")
    before = page.locator("#turns li").count()
    picked.first.dispatch_event("click")
    assert wait_for(page, lambda: page.locator("#turns li").count() > before)
    assert "picked by the operator" in text_of(page, "#turns li:first-child")
    assert wait_for(page, lambda: any(mark in ended(page) for mark in ("AIMED", "LIMITED")))


def test_stop_in_mid_turn_and_arming_with_a_confirmation(page: Page) -> None:
    page.click("#arm")
    page.click("#confirm button[value=no]")
    page.wait_for_timeout(300)
    assert text_of(page, "#signal") == "○ disarmed"
    page.click("#arm")
    page.click("#yes")
    assert wait_for(page, lambda: text_of(page, "#signal") == "◆ ARMED")
    now = float(text_of(page, "#pointing").split("now ")[1].split("°")[0])
    away = round(now + 170.0) % 360 or 360
    words = " ".join(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][int(d)]
        for d in f"{away:03d}"
    )
    page.keyboard.press("/")
    page.keyboard.type(f"Heading is {words}, tool is EMP, target is grey drone.")
    page.keyboard.press("Enter")
    assert wait_for(page, lambda: "moving" in text_of(page, "#pointing"))
    page.keyboard.press("Escape")
    assert wait_for(page, lambda: "CANCELLED" in text_of(page, "#outcome"))
    assert wait_for(page, lambda: "moving" not in text_of(page, "#pointing"))
    assert text_of(page, "#signal") == "○ disarmed"
    after = float(text_of(page, "#pointing").split("now ")[1].split("°")[0])
    assert abs((after - away + 180.0) % 360.0 - 180.0) > 3.0, "it stopped on the way"


def test_the_page_says_that_the_server_is_lost_and_finds_it_again(page: Page, graph: Graph) -> None:
    assert page.locator("#turns li").count() > 0
    os.kill(graph.processes.running["console"].pid, signal.SIGKILL)
    assert wait_for(page, lambda: "lost" in text_of(page, "#link"), 10.0)
    assert "STOP" in text_of(page, "#notice")
    assert wait_for(
        page, lambda: graph.processes.check() or "● connected" in text_of(page, "#link")
    )
    assert wait_for(page, lambda: page.locator("#nodes summary").count() >= 6)
    assert wait_for(page, lambda: "pictures/s" in text_of(page, "#rate"))
    assert page.locator("#turns li").count() == 0, "the new server has seen no turn yet"


def test_it_fits_a_phone_and_keeps_stop_in_sight(graph: Graph, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 780}, color_scheme="dark")
    phone = context.new_page()
    phone.goto(graph.url)
    assert wait_for(phone, lambda: text_of(phone, "#link") == "● connected")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for _ in range(3):
        place = phone.locator("#stop").bounding_box()
        assert place is not None and place["y"] >= 0 and place["y"] + place["height"] <= 780
        phone.mouse.wheel(0, 900)
        phone.wait_for_timeout(100)
    ground = phone.evaluate("getComputedStyle(document.body).backgroundColor")
    phone.click("#theme")
    assert phone.evaluate("getComputedStyle(document.body).backgroundColor") != ground
    context.close()


def test_a_page_of_somebody_else_cannot_join(
    graph: Graph, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "foreign.html"
    address = graph.url.replace("http", "ws") + "/live"
    file.write_text(
        f"<script>const s = new WebSocket('{address}'); s.onopen = () => document.title = 'in';"
        "s.onerror = () => document.title = 'out';</script>"
    )
    context = browser.new_context()
    foreign = context.new_page()
    foreign.goto(file.as_uri())
    assert wait_for(foreign, foreign.title)
    assert foreign.title() == "out"
    context.close()
