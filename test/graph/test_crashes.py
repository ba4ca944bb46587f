# SPDX-License-Identifier: Apache-2.0
"""What `turret-ai launch` does about a node that crashes, in real processes."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from turret_ai.graph.description import NodeEntry, Plan
from turret_ai.graph.processes import Processes
from turret_ai.graph.respawn import IN_A_ROW_S, LONGEST_S, Delays
from turret_ai.nodes.registry import node_class
from turret_ai.spare import WORD, Spare

LIMIT_S = 60.0


def until(condition: Callable[[], object], processes: Processes | None = None) -> None:
    end = time.monotonic() + LIMIT_S
    while not condition():
        if processes is not None:
            assert processes.check() is None
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def parents_children() -> set[int]:
    """Processes that this one has started and that live."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], text=True, stdout=subprocess.PIPE
    )
    return {int(line.split()[0]) for line in listed.stdout.splitlines() if "nodes.main" in line}


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def processes(lines, monkeypatch) -> Iterator[Processes]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    plan = Plan((NodeEntry("commander"),))
    with Processes(plan, on_line=lambda _, line: lines.append(line), spare_after=0.0) as running:
        yield running


def times_active(lines: list[str]) -> int:
    return sum(line.endswith(": active") for line in lines)


def test_a_spare_process_takes_the_place_of_a_node_that_crashed(processes, lines):
    until(lambda: times_active(lines) == 1, processes)
    first = processes.running["commander"].pid
    until(lambda: len(parents_children()) == 2, processes)
    (spare,) = parents_children() - {first}
    os.kill(first, signal.SIGKILL)
    until(lambda: times_active(lines) == 2, processes)
    assert processes.running["commander"].pid == spare
    assert "crashed (exit code -9), starting it again" in lines
    processes.running["commander"].send_signal(signal.SIGINT)
    assert processes.running["commander"].wait(LIMIT_S) == 0
    processes.stop()
    assert not parents_children()


def test_without_its_spare_process_a_node_is_started_anew(processes, lines):
    until(lambda: times_active(lines) == 1, processes)
    first = processes.running["commander"].pid
    until(lambda: len(parents_children()) == 2, processes)
    (spare,) = parents_children() - {first}
    os.kill(spare, signal.SIGKILL)
    os.kill(first, signal.SIGKILL)
    until(lambda: times_active(lines) == 2, processes)
    assert processes.running["commander"].pid not in (first, spare)


def test_a_node_that_crashes_in_a_row_comes_back_later_each_time(processes, lines):
    for crashes in range(1, 4):
        crashed = processes.running["commander"]
        crashed.kill()
        crashed.wait()
        began = time.monotonic()
        until(lambda dead=crashed: processes.running["commander"] is not dead, processes)
        assert (time.monotonic() - began >= 0.2 * 2 ** (crashes - 2)) or crashes == 1


def test_a_node_that_cannot_live_does_not_spin_and_one_that_lived_is_back_at_once():
    delays = Delays()
    waits = [delays.after("locator", lived=1.0) for _ in range(12)]
    assert waits[0] == 0.0 < waits[1] and waits == sorted(waits)
    assert waits[-1] == LONGEST_S, "and no longer"
    assert delays.after("commander", lived=1.0) == 0.0, "each node for itself"
    assert delays.after("locator", lived=IN_A_ROW_S + 1.0) == 0.0
    assert 0.0 < delays.after("locator", lived=1.0) < LONGEST_S


def test_a_spare_ends_with_the_process_that_made_it():
    code = (
        "import os, sys, time\n"
        "from turret_ai.spare import Spare\n"
        "spare = Spare(['no_such_node'], os.environ)\n"
        "print(spare._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        pid = int(made.stdout.readline())
        os.kill(pid, 0)
        made.kill()
    until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with Path(f"/proc/{pid}/stat").open() as status:  # a dead child of nobody may wait to be buried
        return status.read().rpartition(")")[2].split()[0] != "Z"


def test_a_spare_goes_on_with_the_words_that_it_is_told():
    spare = Spare(["commander"], os.environ)
    process = spare.become(["nonsense", "--ros-args", "-p", "x:=ä"])
    assert process is not None
    assert process.stdout is not None
    assert "no node called 'nonsense'" in process.stdout.read()
    assert process.wait(LIMIT_S) == 2
    assert spare.become(["commander"]) is None


def test_a_spare_that_is_called_while_it_still_imports_leaves_the_rest():
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    spare = Spare(["commander", "transcriber", "simulator"], environment)
    process = spare.become(["nonsense", "--ros-args"])
    assert process is not None
    assert process.stdout is not None
    output = process.stdout.read()
    assert process.wait(timeout=60) == 2, output
    assert "turret_ai.spare" in output
    assert "faster_whisper" not in output
    assert "turret_ai.nodes.simulator" not in output


def test_a_spare_that_nobody_needs_ends_in_peace():
    done = subprocess.run(
        [sys.executable, "-m", "turret_ai.nodes.main", WORD, "no_such_node"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["transcriber", "commander", "simulator"])
def test_what_a_node_imports_late_is_there(name):
    late = node_class(name).late_imports
    assert late
    assert all(importlib.util.find_spec(module) is not None for module in late)
