# SPDX-License-Identifier: Apache-2.0
"""The Gazebo graph's nodes against a stand-in that plays Gazebo and its bridge, topic by topic."""

import math

import pytest
from probe import Probe, free_domain

from turret_ai import share
from turret_ai.aim.camera import Camera
from turret_ai.graph import GRAPHS
from turret_ai.graph.processes import Processes
from turret_ai.nodes import convert
from turret_ai.ros import images, qos
from turret_ai.ros.interfaces import (
    CameraInfo,
    Clock,
    Detection2D,
    Detection2DArray,
    Engagement,
    Float64,
    GroundTruth,
    Image,
    JointState,
    ObjectHypothesisWithPose,
    Transcript,
    TurretState,
)
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.gazebo import truth, turret
from turret_ai.simulate.turret import TurretMotion
from turret_ai.simulate.world import World
from turret_ai.units import heading_to_yaw

WORLD = "range"
STEP_NS = 20_000_000


class Gazebo(Probe):
    """Simulated time, joints, camera and labelled boxes, as they come out of the bridge."""

    def __init__(self, domain):
        super().__init__(domain)
        self.scene = scenes.load(WORLD)
        self.world = World(self.scene)
        self.camera = Camera.from_fov(1520, 870, math.radians(70.0))
        self.motion = TurretMotion(self.scene.turret)
        told = truth.captions(share.path(f"worlds/{WORLD}.sdf"))
        self.labels = {caption: label for label, caption in told.items()}
        self.time_ns, self.frames = 0, 0
        self.goal = [0.0, 0.0]
        self.clock = self.create_publisher(Clock, "/clock", qos.STAGE)
        self.joints = self.create_publisher(JointState, "joint_states", qos.STAGE)
        self.images = self.create_publisher(Image, "camera/image_raw", qos.IMAGE_PUB)
        self.infos = self.create_publisher(CameraInfo, "camera/camera_info", qos.IMAGE_PUB)
        self.boxes = self.create_publisher(Detection2DArray, "truth_boxes", qos.STAGE)
        self.transcripts = self.create_publisher(Transcript, "transcript", qos.STAGE)
        self.create_subscription(Float64, "gimbal_joint/command", self.turn(0), qos.STAGE)
        self.create_subscription(Float64, "blaster_joint/command", self.turn(1), qos.STAGE)
        self.states = self.collect(TurretState, "turret/state", qos.STATE)
        self.ends = self.collect(Engagement, "engagement")
        self.truth = self.collect(GroundTruth, "ground_truth")
        self.create_timer(STEP_NS * 1e-9, self.step)

    def turn(self, axis):
        def take(message):
            self.goal[axis] = message.data
            self.motion.go(*self.goal, (0.0, 0.0))

        return take

    def step(self):
        self.time_ns += STEP_NS
        self.motion.step(STEP_NS * 1e-9)
        stamp = to_msg(self.time_ns)
        self.clock.publish(Clock(clock=stamp))
        joints = JointState(
            name=["gimbal_joint", "blaster_joint"],
            position=[self.motion.yaw, self.motion.pitch],
            velocity=[self.motion.yaw_rate, self.motion.pitch_rate],
        )
        joints.header.stamp = stamp
        self.joints.publish(joints)
        if self.time_ns % (20 * STEP_NS) == 0:
            self.expose(self.motion.yaw, self.motion.pitch)

    def expose(self, yaw, pitch):
        seconds, stamp_ns = self.time_ns * 1e-9, self.time_ns
        rgb = self.world.render(self.camera, yaw, pitch, seconds)
        self.images.publish(images.to_message(rgb, stamp_ns, "camera_optical_frame"))
        self.infos.publish(convert.camera_to_message(self.camera, stamp_ns, "camera_optical_frame"))
        found = []
        for each in self.world.truth(self.camera, yaw, pitch, seconds):
            label = ObjectHypothesisWithPose()
            label.hypothesis.class_id = str(self.labels[each.caption])
            box = Detection2D(results=[label])
            x, y = each.box.centre
            box.bbox.center.position.x = x / turret.TRUTH_SHRINK
            box.bbox.center.position.y = y / turret.TRUTH_SHRINK
            box.bbox.size_x = each.box.width / turret.TRUTH_SHRINK
            box.bbox.size_y = each.box.height / turret.TRUTH_SHRINK
            found.append(box)
        header = convert.header(stamp_ns, "truth")
        self.boxes.publish(Detection2DArray(header=header, detections=found))

    def say(self, name, text):
        heard = Transcript(utterance_id=name, status=Transcript.FINAL, text=text, confidence=1.0)
        heard.header.stamp = to_msg(self.time_ns)
        self.transcripts.publish(heard)


@pytest.mark.slow
def test_a_spoken_command_aims_the_turret_in_simulated_time():
    domain = free_domain()
    gazebo = Gazebo(domain)
    plan = GRAPHS["gazebo"].plan({"world": WORLD, "speech": "none", "without": "transcriber"})
    environment = {"ROS_DOMAIN_ID": str(domain), "ROS_LOCALHOST_ONLY": "1"}
    try:
        with Processes(plan, environment=environment, respawn=False):
            ready = lambda: (  # noqa: E731
                gazebo.states
                and gazebo.states[-1].connected
                and gazebo.transcripts.get_subscription_count() >= 2
                and gazebo.images.get_subscription_count()
                and gazebo.truth
            )
            assert gazebo.active("commander", "locator", "controller")
            assert gazebo.until(ready, timeout=60)
            command = gazebo.scene.commands[0]
            gazebo.say("turn", command.text)
            assert gazebo.until(lambda: gazebo.ends, timeout=60)
    finally:
        gazebo.close()
    end = gazebo.ends[0]
    assert (end.heading, end.target) == (command.heading, command.target)
    assert end.outcome in (Engagement.AIMED, Engagement.AMBIGUOUS), end.reason
    # The image that was searched has its truth, by the same stamp.
    stamp_ns = to_ns(end.box.header.stamp)
    told = next(t for t in gazebo.truth if to_ns(t.header.stamp) == stamp_ns)
    wanted = next(b for b in told.boxes if b.caption == command.target)
    assert math.remainder(end.aim_yaw - wanted.yaw, math.tau) == pytest.approx(0.0, abs=0.01)
    assert end.aim_pitch == pytest.approx(wanted.pitch, abs=0.01)
    assert gazebo.motion.yaw == pytest.approx(end.aim_yaw, abs=0.01)
    spoken = heading_to_yaw(float(command.heading))
    assert abs(math.remainder(end.aim_yaw - spoken, math.tau)) < math.radians(40.0)
    assert to_ns(end.header.stamp) < gazebo.time_ns
