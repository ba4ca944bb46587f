# SPDX-License-Identifier: Apache-2.0
"""The client: commands and aims of a program, answered by a real controller and simulator."""

import contextlib
import os
import signal
from unittest import mock

import pytest
from probe import free_domain, node_process

from turret_ai import Turret
from turret_ai.aim.turn import Outcome
from turret_ai.errors import InputError, PeerError


@pytest.fixture(scope="module")
def turret():
    domain = free_domain()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, ROS_LOCALHOST_ONLY="1"))
        stack.enter_context(node_process(domain, "controller", deadlines__see=2.0))
        stack.enter_context(node_process(domain, "simulator", camera__width=160, camera__height=90))
        client = stack.enter_context(Turret(domain_id=domain))
        client.wait_until_ready(60.0, ["controller", "simulator"])
        yield client


def test_the_turret_turns_where_a_program_aims(turret):
    yaw, pitch = turret.aim(0.3, -0.1).result(30.0)
    assert yaw == pytest.approx(0.3, abs=0.01)
    assert pitch == pytest.approx(-0.1, abs=0.01)


def test_a_command_ends_in_one_turn_with_its_outcome(turret):
    turn = turret.command(65, "EMP", "grey fighter jet", timeout=40.0).result(45.0)
    assert turn.outcome is Outcome.TIMEOUT  # no locator runs here
    assert "locator" in turn.reason
    assert (turn.heading, turn.tool, turn.target) == ("065", "EMP", "grey fighter jet")
    assert turn.box is None


def test_calling_off_ends_the_turn_that_runs(turret):
    running = turret.command("120", "EMP", "red drone", timeout=40.0)
    assert turret.cease_fire().result(20.0).outcome is Outcome.CANCELLED
    assert running.result(20.0).outcome is Outcome.SUPERSEDED


def test_arming_is_answered(turret):
    turret.arm()
    turret.arm(False)


def test_what_cannot_be_meant_is_refused_at_once(turret, tmp_path):
    for heading in ("north", 400, float("nan"), -1):
        with pytest.raises(InputError, match="heading"):
            turret.command(heading, "EMP", "drone")
    with pytest.raises(InputError, match="target"):
        turret.command(10, "EMP", " ")
    with pytest.raises(InputError, match="direction"):
        turret.aim(float("inf"), 0.0)
    with pytest.raises(InputError):
        turret.say(tmp_path / "none.wav")


def test_a_stage_that_was_just_killed_is_not_ready(turret):
    with node_process(free_domain(), "markers") as process:
        turret.wait_until_ready(60.0, ["markers"])
        process.stop(signal.SIGKILL)
        with pytest.raises(PeerError, match="markers has fallen silent"):
            turret.wait_until_ready(1.2, ["markers"])


def test_nobody_there_is_an_error_in_time():
    with mock.patch.dict(os.environ, ROS_LOCALHOST_ONLY="1"), Turret(domain_id=101) as alone:
        with pytest.raises(PeerError, match="controller has not reported"):
            alone.wait_until_ready(0.5, ["controller"])
        with pytest.raises(PeerError, match="no engagement within"):
            alone.command(10, "EMP", "drone", timeout=0.3).result(10.0)
