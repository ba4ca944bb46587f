# SPDX-License-Identifier: Apache-2.0
"""The turret's description: one table, two formats, the names of the interfaces."""

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from turret_ai import share
from turret_ai.aim import frames
from turret_ai.aim.camera import Camera
from turret_ai.aim.settings import SettleSettings
from turret_ai.graph import gazebo_bridge
from turret_ai.simulate.gazebo import setpoint, topics, turret

SDF = ElementTree.fromstring(turret.sdf())
URDF = ElementTree.fromstring(turret.urdf())
CHAIN = [
    frames.BASE_LINK,
    frames.GIMBAL_BASE_LINK,
    frames.GIMBAL_LINK,
    frames.BLASTER_LINK,
    frames.CAMERA_LINK,
    frames.CAMERA_OPTICAL_FRAME,
]
BRIDGE = yaml.safe_load(share.path("config/gz_bridge.yaml").read_text())

HARMONIC_SYSTEMS = {
    "gz-sim-joint-position-controller-system": "gz::sim::systems::JointPositionController",
    "gz-sim-joint-state-publisher-system": "gz::sim::systems::JointStatePublisher",
}


def interfaces():
    """The topics and types of docs/interfaces.md's table."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "interfaces.md").read_text()
    rows = re.findall(r"^\| (`[^|]+) \| ([a-z0-9_]+/\w+)", text, flags=re.MULTILINE)
    return {name: kind for names, kind in rows for name in re.findall(r"`([^`]+)`", names)}


@pytest.mark.parametrize("name", turret.files())
def test_the_files_in_description_are_what_the_table_says(name):
    written = (share.path("description") / name).read_text()
    assert written == turret.files()[name], (
        "write them again: python -m turret_ai.simulate.gazebo.turret description"
    )


def test_the_model_passes_the_sdf_checker(sdf_errors):
    assert sdf_errors(share.path("description/turret/model.sdf")) == []


def test_the_frames_form_the_chain_of_the_interfaces():
    parents = {
        joint.find("child").get("link"): joint.find("parent").get("link")
        for joint in URDF.findall("joint")
    }
    assert parents == dict(zip(CHAIN[1:], CHAIN[:-1], strict=True))
    text = (Path(__file__).resolve().parents[2] / "docs" / "interfaces.md").read_text()
    assert " -> ".join(CHAIN) in text


def test_both_formats_have_the_same_joints_and_limits():
    def limits(root, path):
        return {
            joint.get("name"): tuple(
                round(float(joint.find(path).get(k) or joint.find(f"{path}/{k}").text), 6)
                for k in ("lower", "upper")
            )
            for joint in root.iter("joint")
            if joint.get("type") == "revolute"
        }

    of_sdf, of_urdf = limits(SDF, "axis/limit"), limits(URDF, "limit")
    assert of_sdf == of_urdf
    yaw, pitch = math.radians(250.0), (math.radians(-30.0), math.radians(20.0))
    assert of_sdf[frames.YAW_JOINT] == pytest.approx((-yaw, yaw), abs=1e-5)
    assert of_sdf[frames.PITCH_JOINT] == pytest.approx(pitch, abs=1e-5)


def test_both_formats_have_the_same_masses():
    def masses(root, read):
        return {link.get("name"): read(link) for link in root.iter("link") if link.find("inertial")}

    of_sdf = masses(SDF, lambda link: float(link.find("inertial/mass").text))
    of_urdf = masses(URDF, lambda link: float(link.find("inertial/mass").get("value")))
    assert {**of_sdf, **of_urdf} == of_sdf
    assert set(of_sdf) - set(of_urdf) == {frames.BASE_LINK}


def test_the_camera_sees_seventy_degrees_of_height():
    shrinks = []
    for sensor in SDF.iter("sensor"):
        fov = float(sensor.find("camera/horizontal_fov").text)
        width = int(sensor.find("camera/image/width").text)
        height = int(sensor.find("camera/image/height").text)
        focal = width / (2.0 * math.tan(fov / 2.0))
        wanted = Camera.from_fov(1520, 870, math.radians(70.0))
        shrinks.append(wanted.width / width)
        assert (width * shrinks[-1], height * shrinks[-1]) == (wanted.width, wanted.height)
        assert focal * shrinks[-1] == pytest.approx(wanted.fx, rel=1e-6)
        assert sensor.find("camera/optical_frame_id").text == frames.CAMERA_OPTICAL_FRAME
    assert shrinks == [1, turret.TRUTH_SHRINK]


def test_the_cameras_ask_for_no_bits_that_the_renderer_reserves():
    for sensor in SDF.iter("sensor"):
        assert int(sensor.findtext("camera/visibility_mask")) & 0xC0000000 == 0


def test_image_and_truth_are_taken_at_the_same_moments():
    rates = {sensor.find("update_rate").text for sensor in SDF.iter("sensor")}
    assert len(rates) == 1


def test_the_cameras_never_see_the_turret_itself():
    for link in turret.links():
        for part in link.parts:
            if link.name in (frames.BLASTER_LINK, frames.CAMERA_LINK):
                front = part.position[0] + 0.07  # no part is longer than 0.14 m
                beyond = front if link.name == frames.CAMERA_LINK else front - frames.CAMERA_FORWARD
                assert beyond < turret.NEAR


def test_the_position_controllers_keep_the_speed_and_the_joints_do_not_bind_before():
    for plugin in SDF.iter("plugin"):
        if plugin.get("name").endswith("JointPositionController"):
            assert plugin.findtext("use_velocity_commands") == "true"
            assert float(plugin.findtext("cmd_max")) == pytest.approx(math.radians(540.0))
    for joint in SDF.iter("joint"):
        limit = joint.find("axis/limit")
        if limit is not None:
            assert float(limit.findtext("velocity")) > math.radians(540.0)
            # Without a finite effort DART's velocity control ignores a joint's stops.
            assert 0.0 < float(limit.findtext("effort")) < 1e16


def test_the_margin_to_the_stops_is_within_what_counts_as_the_goal():
    assert SettleSettings().angle > setpoint.STOP_MARGIN


def test_plugins_are_gazebo_systems_by_their_right_names():
    for plugin in SDF.iter("plugin"):
        assert HARMONIC_SYSTEMS[plugin.get("filename")] == plugin.get("name")


def test_every_topic_of_the_model_is_bridged_in_the_right_direction():
    out = {SDF_topic(sensor) for sensor in SDF.iter("sensor")}
    out |= {"/turret_ai/camera/camera_info", topics.CLOCK}  # Gazebo names these two itself
    into = set()
    for plugin in SDF.iter("plugin"):
        (into if plugin.get("name").endswith("Controller") else out).add(plugin.findtext("topic"))
    directions = {entry["gz_topic_name"]: entry["direction"] for entry in BRIDGE}
    assert directions == {**dict.fromkeys(out, "GZ_TO_ROS"), **dict.fromkeys(into, "ROS_TO_GZ")}


def SDF_topic(sensor):
    return sensor.findtext("topic")


def test_the_info_topic_is_the_one_that_gazebo_derives_from_the_images():
    assert topics.IMAGE.rsplit("/", 1)[0] + "/camera_info" == topics.CAMERA_INFO
    assert not topics.TRUTH_BOXES.startswith(topics.IMAGE.rsplit("/", 1)[0])


def test_the_bridge_serves_the_topics_of_the_interfaces_with_their_types():
    known = interfaces()
    for entry in BRIDGE:
        package, kind, name = entry["ros_type_name"].split("/")
        assert kind == "msg"
        if entry["ros_topic_name"] != "/clock":
            assert known[entry["ros_topic_name"]] == f"{package}/{name}"


def test_the_bridge_subscribes_at_once():
    # Fortress renders for a late subscriber every picture since time 0.
    assert not any(entry.get("lazy") for entry in BRIDGE)


def test_without_truth_the_bridge_leaves_the_box_camera_alone():
    assert yaml.safe_load(gazebo_bridge.config(truth=True).read_text()) == BRIDGE
    told = yaml.safe_load(gazebo_bridge.config(truth=False).read_text())
    assert [each for each in BRIDGE if each not in told] == [
        each for each in BRIDGE if each["gz_topic_name"] == topics.TRUTH_BOXES
    ]
    assert len(told) == len(BRIDGE) - 1


def test_the_bridge_file_has_only_keys_that_the_bridge_reads():
    needed = {"ros_topic_name", "gz_topic_name", "ros_type_name", "gz_type_name", "direction"}
    optional = {"lazy", "publisher_queue", "subscriber_queue"}
    for entry in BRIDGE:
        assert needed <= set(entry) <= needed | optional
        assert entry["direction"] in ("GZ_TO_ROS", "ROS_TO_GZ")
        assert entry["gz_type_name"].startswith("gz.msgs.")
