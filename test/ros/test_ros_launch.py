# SPDX-License-Identifier: Apache-2.0
"""`ros2 launch` of this package: exit codes, who is started again, what is left behind."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

STAGES = "without:=transcriber,commander,locator,controller,audio_source"
"""What starts slowly and isn't needed here."""


def missing() -> str:
    """What this Python lacks for these tests, "" if nothing."""
    if shutil.which("ros2") is None or importlib.util.find_spec("launch_ros") is None:
        return "needs a sourced ROS 2"
    from ament_index_python import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix("turret_ai")
    except PackageNotFoundError:
        return "needs the package in the workspace: colcon build, source install/setup.bash"
    return ""


pytestmark = [pytest.mark.ros, pytest.mark.skipif(bool(missing()), reason=missing() or "ready")]


class Launch:
    """A running `ros2 launch` and its output so far."""

    def __init__(self, log: Path, *words: str) -> None:
        self._log = log
        self.temporary = log.parent / "temporary"  # its own: others may launch meanwhile
        self.temporary.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "ROS_LOG_DIR": str(log.parent),
            "TMPDIR": str(self.temporary),
            "PYTHONUNBUFFERED": "1",
        }
        with log.open("w") as file:
            self.process = subprocess.Popen(
                ["ros2", "launch", "turret_ai", "finals.launch.py", STAGES, *words],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    @property
    def text(self) -> str:
        return self._log.read_text()

    def pids(self, node: str) -> list[int]:
        """The processes that were started for a node, in their order."""
        return [
            int(p) for p in re.findall(rf"\[{node}-\d+\]: process started .*\[(\d+)\]", self.text)
        ]

    def until(self, condition, timeout: float = 30.0) -> bool:
        end = time.monotonic() + timeout
        while time.monotonic() < end and not condition():
            time.sleep(0.1)
        return bool(condition())

    def end(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30.0)


@pytest.fixture
def launch(tmp_path: Path):
    started = []

    def start(*words: str) -> Launch:
        started.append(Launch(tmp_path / "launch.log", *words))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGINT)
            try:
                each.process.wait(20.0)
            except subprocess.TimeoutExpired:
                each.process.kill()


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("scene:=nosuch", "simulator could not start"),
        ("without:=nothing", "without:= names nothing"),
    ],
)
def test_a_launch_whose_settings_are_refused_fails(launch, word, text):
    running = launch(word)
    assert running.process.wait(60.0) == 1
    assert text in running.text
    assert "Traceback" not in running.text


def test_a_crashed_node_is_started_again_and_one_that_ended_on_purpose_is_not(launch):
    running = launch()
    assert running.until(lambda: running.pids("diagnostics") and running.pids("simulator"))
    time.sleep(3.0)  # signals are handled from here on
    os.kill(running.pids("diagnostics")[0], signal.SIGKILL)
    os.kill(running.pids("simulator")[0], signal.SIGTERM)
    assert running.until(lambda: len(running.pids("diagnostics")) == 2)
    time.sleep(3.0)
    assert len(running.pids("simulator")) == 1
    assert list(running.temporary.glob("turret_ai_launch_*"))
    assert running.end() == 0
    assert not list(running.temporary.glob("turret_ai_*"))


def test_nothing_is_started_again_where_that_is_asked_for(launch):
    running = launch("respawn:=false")
    assert running.until(lambda: running.pids("diagnostics"))
    os.kill(running.pids("diagnostics")[0], signal.SIGKILL)
    time.sleep(4.0)
    assert len(running.pids("diagnostics")) == 1
    assert running.end() == 0
