# SPDX-License-Identifier: Apache-2.0
"""Several nodes together: real models, the embedded simulator, processes that die and come back."""

import os
import signal
import subprocess
import sys
import time

import psutil
from probe import Probe, free_domain, joined, node_process

from turret_ai.ros import qos
from turret_ai.ros.interfaces import (
    Detection2DArray,
    Engagement,
    GroundTruth,
    Image,
    TargetBBox,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.simulate import scene as scenes

SCENE = "harbour"


class Operator(Probe):
    """Gives commands and watches what comes of them."""

    def __init__(self, domain):
        super().__init__(domain)
        self.commands = self.create_publisher(TurretCommand, "command", qos.STAGE)
        self.states = self.collect(TurretState, "turret/state", qos.STATE)
        self.ends = self.collect(Engagement, "engagement")
        self.truth = self.collect(GroundTruth, "ground_truth")
        self.candidates = self.collect(Detection2DArray, "detections")
        self.boxes = self.collect(TargetBBox, "target_bbox")

    def ready(self, listeners):
        return self.active("controller", "locator", "simulator") and self.until(
            lambda: (
                self.states
                and self.states[-1].connected
                and self.commands.get_subscription_count() >= listeners
            ),
            timeout=60,
        )

    def command(self, name, spoken):
        message = TurretCommand(
            utterance_id=name,
            status=TurretCommand.OK,
            heading=spoken.heading,
            tool=spoken.tool,
            target=spoken.target,
        )
        message.header.stamp = to_msg(self.now_ns())
        self.commands.publish(message)

    def ended(self, name):
        found = self.until(lambda: any(e.utterance_id == name for e in self.ends), timeout=40)
        return next(e for e in self.ends if e.utterance_id == name) if found else None


operator = joined(Operator)


def test_a_locator_that_dies_costs_its_turn_and_the_next_one_works(operator):
    domain = free_domain()
    spoken = scenes.load(SCENE).commands
    with (
        node_process(domain, "simulator", scene=SCENE),
        node_process(domain, "controller", deadlines__see=30.0),
    ):
        with node_process(domain, "locator") as locator:
            assert operator.ready(listeners=2)
            operator.command("whole", spoken[0])
            whole = operator.ended("whole")
            assert whole.outcome == Engagement.AIMED, whole.reason
            locator.stop(signal.SIGKILL)
            operator.command("cut", spoken[1])
            cut = operator.ended("cut")
            assert cut.outcome == Engagement.TIMEOUT
            assert "locator" in cut.reason
        with node_process(domain, "locator"):
            assert operator.active("locator")
            operator.command("again", spoken[1])
            again = operator.ended("again")
            assert again.outcome in (Engagement.AIMED, Engagement.AMBIGUOUS), again.reason
    assert operator.candidates, "every search publishes its candidates"
    stamps = {to_ns(truth.header.stamp) for truth in operator.truth}
    assert all(to_ns(box.header.stamp) in stamps for box in operator.boxes), "a stamp of exposure"


def test_the_annotated_image_comes_only_while_somebody_watches(operator):
    domain = free_domain()
    spoken = scenes.load(SCENE).commands[0]
    with (
        node_process(domain, "simulator", scene=SCENE),
        node_process(domain, "controller"),
        node_process(domain, "locator"),
    ):
        assert operator.ready(listeners=2)
        pictures = operator.collect(Image, "debug/annotated_image", qos.IMAGE_SUB)
        operator.until(lambda: False, timeout=1.0)
        operator.command("watched", spoken)
        assert operator.ended("watched") is not None
        assert operator.until(lambda: pictures, timeout=10)
    assert (pictures[0].width, pictures[0].height) == (1520, 870)


def test_a_scene_that_does_not_exist_is_refused_with_the_shipped_ones():
    with node_process(free_domain(), "simulator", scene="nowhere") as process:
        code = process.popen.wait(30)
    assert code == 2
    assert "nowhere" in process.output
    assert "harbour" in process.output
    assert "Traceback" not in process.output


def test_the_demo_plays_the_shipped_graph_to_its_report(tmp_path):
    report = tmp_path / "report"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "turret_ai.cli.app", "demo"),
            *("--scene", SCENE, "--turns", "2", "--report", str(report)),
        ],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "turns AIMED at the right craft" in done.stdout
    assert (report / SCENE / "report.html").stat().st_size > 10_000
    assert (report / SCENE / "results.json").is_file()


def test_a_terminated_launch_leaves_no_node_behind():
    launch = subprocess.Popen(
        [sys.executable, "-m", "turret_ai.cli.app", "launch", "finals", "source:=none"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ROS_DOMAIN_ID": str(free_domain()), "ROS_LOCALHOST_ONLY": "1"},
    )
    me = psutil.Process(launch.pid)
    started = time.monotonic()
    while len(children := me.children(recursive=True)) < 5 and time.monotonic() - started < 30:
        time.sleep(0.1)
    assert len(children) >= 5
    launch.terminate()
    launch.communicate(timeout=20)
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
