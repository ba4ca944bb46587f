# SPDX-License-Identifier: Apache-2.0
"""The controller as a process of its own: what it sends, and how turns end."""

import math
import signal

import pytest
from probe import Probe, free_domain, joined, node_process

from turret_ai.aim.camera import Camera
from turret_ai.nodes import convert
from turret_ai.ros import qos
from turret_ai.ros.interfaces import (
    CameraInfo,
    Engagement,
    GimbalCommand,
    PoseStamped,
    SetBool,
    TargetBBox,
    Transcript,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.time import to_msg

CAMERA = Camera.from_fov(1520, 870, math.radians(70))


class World(Probe):
    """The probe with the topics of a turn."""

    def __init__(self, domain, joint_rate=50.0):
        super().__init__(domain)
        self.transcripts = self.create_publisher(Transcript, "transcript", qos.STAGE)
        self.commands = self.create_publisher(TurretCommand, "command", qos.STAGE)
        self.boxes = self.create_publisher(TargetBBox, "target_bbox", qos.STAGE)
        self.infos = self.create_publisher(CameraInfo, "camera/camera_info", qos.IMAGE_PUB)
        self.states = self.collect(TurretState, "turret/state", qos.STATE)
        self.poses = self.collect(PoseStamped, "turret/pose")
        self.ends = self.collect(Engagement, "engagement")
        self.gimbal = []
        self.filming = True
        self.create_subscription(GimbalCommand, "turret/command", self.obey, qos.COMMAND)
        self.drive_turret(joint_rate)
        self.create_timer(0.2, self.show_camera)

    def obey(self, message):
        self.gimbal.append(message)
        self.turret.goal = (message.yaw, message.pitch)

    def show_camera(self):
        if self.filming:
            self.infos.publish(convert.camera_to_message(CAMERA, self.now_ns(), "camera"))

    def ready(self):
        return self.active("controller") and self.until(
            lambda: (
                self.states
                and self.states[-1].connected
                and self.commands.get_subscription_count()
                and self.boxes.get_subscription_count()
            )
        )

    def say(self, name, heading="350", target="blue fighter jet"):
        stamp = to_msg(self.now_ns())
        heard = Transcript(utterance_id=name, status=Transcript.FINAL, text="...")
        heard.header.stamp = stamp
        self.transcripts.publish(heard)
        command = TurretCommand(utterance_id=name, heading=heading, target=target, tool="EMP")
        command.header.stamp = stamp
        command.status = TurretCommand.OK if heading and target else TurretCommand.INCOMPLETE
        self.commands.publish(command)

    def searching(self, name):
        wanted = TurretState.SEARCHING
        return self.until(
            lambda: any(s.phase == wanted and s.utterance_id == name for s in self.states)
        )

    def find(self, name, status=TargetBBox.FOUND):
        box = TargetBBox(utterance_id=name, status=status)
        box.left, box.top, box.width, box.height = 556.0, 277.0, 99.0, 44.0
        box.header.stamp = to_msg(self.now_ns())
        self.boxes.publish(box)

    def ended(self, count=1, timeout=15.0):
        return self.until(lambda: len(self.ends) >= count, timeout)


world = joined(World)


def test_a_turn_slews_searches_aims_and_reports(world):
    with node_process(free_domain(), "controller") as process:
        assert world.ready()
        world.say("u1")
        assert world.searching("u1")
        assert math.degrees(world.turret.yaw) == pytest.approx(10.0, abs=0.3)
        world.find("u1")
        assert world.ended()
        end = world.ends[0]
        assert end.outcome == Engagement.AIMED
        assert end.utterance_id == "u1"
        assert math.degrees(end.aim_yaw) == pytest.approx(360 - 334.7, abs=0.1)
        assert math.degrees(end.aim_pitch) == pytest.approx(-26.5, abs=0.1)
        assert world.turret.yaw == pytest.approx(end.aim_yaw, abs=0.006)
        assert world.until(lambda: world.poses)
        assert world.gimbal[-1].valid_until.sec > world.gimbal[-1].header.stamp.sec
        code, seconds = process.stop(signal.SIGINT)
    assert code == 0
    assert seconds < 2.0


def test_joint_states_at_every_step_of_gazebo_do_no_harm():
    # Fortress, and Harmonic before 8.14, publish them without regard to update_rate.
    world = World(free_domain(), joint_rate=1000.0)
    try:
        with node_process(free_domain(), "controller"):
            assert world.ready()
            for name, heading in (("u1", "350"), ("u2", "090")):
                world.say(name, heading)
                assert world.searching(name)
                world.find(name)
                assert world.ended(len(world.ends) + 1)
                assert world.ends[-1].utterance_id == name
                assert world.ends[-1].outcome == Engagement.AIMED, world.ends[-1].reason
    finally:
        world.close()


def test_a_box_waits_for_a_camera_that_starts_late(world):
    world.filming = False
    with node_process(free_domain(), "controller"):
        assert world.ready()
        world.say("u1")
        assert world.searching("u1")
        world.find("u1")
        assert not world.ended(timeout=0.5)
        world.filming = True
        assert world.ended()
    assert world.ends[0].outcome == Engagement.AIMED


def test_turns_end_as_they_should_one_after_the_other(world):
    with node_process(
        free_domain(), "controller", deadlines__see=0.5, deadlines__slew=1.0, deadlines__command=0.5
    ):
        assert world.ready()
        world.say("no-locator")
        assert world.ended(1)
        world.say("no-target", target="")
        assert world.ended(2)
        world.say("old")
        world.say("new", heading="345")
        assert world.searching("new")
        world.find("new", TargetBBox.NOT_FOUND)
        assert world.ended(4)
        world.turret.stuck = True
        world.say("stuck", heading="180")
        assert world.ended(5)
    outcomes = {end.utterance_id: end.outcome for end in world.ends}
    assert outcomes == {
        "no-locator": Engagement.TIMEOUT,
        "no-target": Engagement.INCOMPLETE,
        "old": Engagement.SUPERSEDED,
        "new": Engagement.NOT_FOUND,
        "stuck": Engagement.TIMEOUT,
    }
    assert "locator" in world.ends[0].reason


def test_it_is_disarmed_until_somebody_arms_it(world):
    client = world.create_client(SetBool, "/controller/arm")
    with node_process(free_domain(), "controller"):
        assert world.ready()
        assert not world.states[-1].armed
        assert world.until(client.service_is_ready)
        answer = client.call_async(SetBool.Request(data=True))
        assert world.until(answer.done)
        assert world.until(lambda: world.states[-1].armed)


def test_a_cancellation_stops_the_turret_and_disarms_the_signal(world):
    client = world.create_client(SetBool, "/controller/arm")
    with node_process(free_domain(), "controller"):
        assert world.ready()
        assert world.until(client.service_is_ready)
        assert world.until(client.call_async(SetBool.Request(data=True)).done)
        world.say("order", heading="180")
        assert world.until(lambda: world.gimbal)
        call_off = TurretCommand(utterance_id="off", status=TurretCommand.CANCELLED)
        call_off.reason = "cease fire"
        call_off.partial = True  # in mid-sentence: it halts, and what is armed stays so
        world.commands.publish(call_off)
        assert world.until(lambda: world.gimbal[-1].mode == GimbalCommand.RATE)
        world.until(lambda: False, timeout=0.3)
        assert world.states[-1].armed and world.states[-1].phase == TurretState.HEARD
        assert world.gimbal[-1].utterance_id == "off"
        call_off.partial = False
        world.commands.publish(call_off)
        assert world.ended(2)
        assert world.until(lambda: not world.states[-1].armed)
    ends = {end.utterance_id: end.outcome for end in world.ends}
    assert ends == {"order": Engagement.SUPERSEDED, "off": Engagement.CANCELLED}
    last = world.gimbal[-1]
    assert (last.mode, last.yaw_rate, last.pitch_rate) == (GimbalCommand.RATE, 0.0, 0.0)
    assert last.utterance_id == "off"


def test_a_setting_out_of_range_is_refused_at_start_with_its_name_and_range():
    with node_process(free_domain(), "controller", settle__angle=5.0) as process:
        code, _ = process.stop(timeout=20.0) if process.popen.wait(20) else (0, 0)
    assert code == 2
    assert "settle.angle" in process.output
    assert "0.2" in process.output
    assert "Traceback" not in process.output


def test_an_unknown_setting_is_refused_at_start():
    with node_process(free_domain(), "controller", setle__angle=0.1) as process:
        code = process.popen.wait(20)
    assert code == 2
    assert "setle.angle" in process.output
