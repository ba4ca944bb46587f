# SPDX-License-Identifier: Apache-2.0
"""The nodes beside Gazebo as processes: what crosses the bridge, and what is drawn."""

import math
import signal

import pytest
from probe import Probe, free_domain, joined, node_process

from turret_ai import share
from turret_ai.aim import frames
from turret_ai.aim.camera import Camera
from turret_ai.nodes import convert
from turret_ai.ros import qos
from turret_ai.ros.interfaces import (
    CameraInfo,
    Detection2D,
    Detection2DArray,
    Float64,
    GimbalCommand,
    GroundTruth,
    MarkerArray,
    ObjectHypothesisWithPose,
    TargetBBox,
    TurretState,
)
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.simulate.gazebo import truth, turret

CAMERA = Camera.from_fov(1520, 870, math.radians(70.0))


probe = joined(Probe)


def test_a_gimbal_command_becomes_two_angles(probe):
    probe.drive_turret()
    commands = probe.create_publisher(GimbalCommand, "turret/command", qos.COMMAND)
    yaws = probe.collect(Float64, "gimbal_joint/command", qos.COMMAND)
    pitches = probe.collect(Float64, "blaster_joint/command", qos.COMMAND)
    with node_process(free_domain(), "gazebo_gimbal") as process:
        assert probe.active("gazebo_gimbal")
        assert probe.until(commands.get_subscription_count)
        assert not yaws
        commands.publish(GimbalCommand(mode=GimbalCommand.ABSOLUTE, yaw=-1.2, pitch=-0.3))
        # Repeated, so that a Gazebo that comes late hears them too.
        assert probe.until(lambda: len(yaws) > 3 and len(pitches) > 3)
        assert yaws[-1].data == pytest.approx(-1.2)
        assert pitches[-1].data == pytest.approx(-0.3)
        expired = GimbalCommand(mode=GimbalCommand.ABSOLUTE, yaw=2.0, pitch=0.0)
        expired.valid_until = to_msg(probe.now_ns() - 10**9)
        commands.publish(expired)
        commands.publish(GimbalCommand(mode=9, yaw=2.0))
        count = len(yaws)
        assert probe.until(lambda: len(yaws) > count + 20)
        assert yaws[-1].data == pytest.approx(-1.2)
        code, seconds = process.stop(signal.SIGINT)
    assert code == 0
    assert seconds < 3.0


def _detection(label, left, top, width, height):
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id = label
    result.hypothesis.score = 1.0
    found = Detection2D(results=[result])
    # In the pixels of the box camera, whose image is smaller.
    found.bbox.center.position.x = (left + width / 2.0) / turret.TRUTH_SHRINK
    found.bbox.center.position.y = (top + height / 2.0) / turret.TRUTH_SHRINK
    found.bbox.size_x = width / turret.TRUTH_SHRINK
    found.bbox.size_y = height / turret.TRUTH_SHRINK
    return found


def test_boxes_of_gazebos_camera_become_ground_truth(probe):
    probe.turret.yaw = math.radians(10.0)
    probe.turret.pitch = math.radians(-15.0)
    probe.turret.goal = (probe.turret.yaw, probe.turret.pitch)
    probe.drive_turret()
    boxes = probe.create_publisher(Detection2DArray, "truth_boxes", qos.STAGE)
    infos = probe.create_publisher(CameraInfo, "camera/camera_info", qos.IMAGE_PUB)
    told = probe.collect(GroundTruth, "ground_truth")
    world = share.path("worlds/airfield.sdf")
    captions = truth.captions(world)

    def show():
        stamp_ns = probe.now_ns()
        infos.publish(convert.camera_to_message(CAMERA, stamp_ns, "camera_optical_frame"))
        # A box whose direction is known, two cut off, one that is no craft. Gazebo ends boxes one
        # pixel before the right and the lower edge.
        last = CAMERA.width - turret.TRUTH_SHRINK
        found = [
            _detection("1", 556, 277, 99, 44),
            _detection("2", 0, 100, 30, 20),
            _detection("3", last - 30, 100, 30, 20),
            _detection("200", 9, 9, 9, 9),
        ]
        header = convert.header(stamp_ns, "turret::camera_link::truth")
        boxes.publish(Detection2DArray(header=header, detections=found))

    probe.create_timer(0.1, show)
    with node_process(free_domain(), "gazebo_truth", world=world):
        assert probe.until(lambda: told)
    message = told[-1]
    assert to_ns(message.header.stamp) > 0
    assert (message.image_width, message.image_height) == (1520, 870)
    # Gazebo names its sensor; the boxes lie in the image's frame.
    assert message.header.frame_id == frames.CAMERA_OPTICAL_FRAME
    first, second, third = message.boxes
    assert [each.caption for each in message.boxes] == [captions[1], captions[2], captions[3]]
    assert (first.left, first.top, first.width, first.height) == pytest.approx((556, 277, 99, 44))
    assert -math.degrees(first.yaw) == pytest.approx(334.7 - 360.0, abs=0.2)
    assert -math.degrees(first.pitch) == pytest.approx(26.5, abs=0.2)
    assert first.visible == 1.0
    assert math.isnan(second.visible) and math.isnan(third.visible)


def test_a_world_that_is_not_there_is_named_with_exit_code_2():
    with node_process(free_domain(), "gazebo_truth", world="atlantis") as process:
        output = process.popen.communicate(timeout=20)[0]
        assert process.popen.returncode == 2
        assert "atlantis" in output
        assert "Traceback" not in output


def test_the_aim_is_drawn_only_while_somebody_looks(probe):
    states = probe.create_publisher(TurretState, "turret/state", qos.STATE)
    boxes = probe.create_publisher(TargetBBox, "target_bbox", qos.STAGE)

    def show():
        box = TargetBBox(utterance_id="u1", caption="red drone")
        boxes.publish(box)
        state = TurretState(utterance_id="u1", phase=TurretState.AIMING)
        state.yaw_goal, state.pitch_goal = math.pi / 2, -math.pi / 6
        states.publish(state)

    probe.create_timer(0.1, show)
    with node_process(free_domain(), "markers", length=10.0):
        assert probe.until(lambda: states.get_subscription_count())
        drawn = probe.collect(MarkerArray, "debug/aim_marker")
        assert probe.until(lambda: drawn and "red drone" in drawn[-1].markers[1].text)
    arrow, text = drawn[-1].markers
    assert arrow.header.frame_id == "gimbal_base_link"
    tip = arrow.points[1]
    assert tip.x == pytest.approx(0.0, abs=1e-6)
    assert tip.y == pytest.approx(10.0 * math.cos(math.pi / 6))
    assert tip.z == pytest.approx(0.12 + 5.0)
    assert text.text == "aiming: red drone"
