# SPDX-License-Identifier: Apache-2.0
"""What is missing is named before anything starts."""

import re

import pytest

from turret_ai.errors import PeerError
from turret_ai.graph import egl
from turret_ai.graph.gazebo_preflight import (
    FORTRESS,
    HARMONIC,
    Machine,
    check,
    installed_versions,
)

CARD = egl.Device("NVIDIA", software=False, usable=True)
PROCESSOR = egl.Device("Mesa Project", software=True, usable=True)
BROKEN = egl.Device("unknown", software=False, usable=False)
PACKAGES = ("ros_gz_bridge", "robot_state_publisher", "rviz2")


@pytest.fixture
def machine(tmp_path):
    """A machine as the preflight sees it: everything there, unless told otherwise."""

    def make(
        *,
        distribution="jazzy",
        packages=PACKAGES,
        gazebo=(("gz", "8.9.0"),),
        devices=((CARD,), ""),
        display=False,
    ):
        index = tmp_path / "share/ament_index/resource_index/packages"
        index.mkdir(parents=True, exist_ok=True)
        for package in packages:
            (index / package).touch()
        environment = {"ROS_DISTRO": distribution, "AMENT_PREFIX_PATH": f"/nowhere:{tmp_path}"}
        if display:
            environment["DISPLAY"] = ":0"
        installed = dict(gazebo)
        return Machine(
            environment,
            lambda name: f"/usr/bin/{name}" if name in installed else None,
            lambda command: f"{installed[command[0]]}\n",
            lambda: (list(devices[0]), devices[1]),
        )

    return make


def test_a_whole_machine_passes(machine):
    report = check(headless=True, rviz=True, machine=machine())
    assert report.require() is HARMONIC
    assert not report.problems and not report.warnings


def test_humble_takes_fortress(machine):
    found = check(
        headless=True, machine=machine(distribution="humble", gazebo=(("ign", "6.18.0"),))
    )
    assert found.require() is FORTRESS


def test_humble_takes_harmonic_where_it_is_asked_for(machine):
    both = machine(distribution="humble", gazebo=(("ign", "6.18.0"), ("gz", "8.6.0")))
    assert check(headless=True, machine=both).require() is FORTRESS
    assert check(headless=True, gz_version="8", machine=both).require() is HARMONIC


def test_no_gazebo_is_named_with_its_package(machine):
    report = check(headless=True, machine=machine(gazebo=()))
    assert any("not installed" in p and "ros-jazzy-ros-gz" in p for p in report.problems)


def test_a_wrong_version_is_named_with_the_right_one(machine):
    report = check(headless=True, machine=machine(gazebo=(("gz", "9.2.0"),)))
    assert report.release is None
    assert any("9.2.0" in p and "Harmonic (gz-sim 8)" in p for p in report.problems)


@pytest.mark.parametrize(
    ("version", "starts", "warns"),
    [("6.15.0", False, False), ("6.16.0", True, True), ("6.18.0", True, False)],
)
def test_an_old_fortress_is_refused_or_goes_without_truth(machine, version, starts, warns):
    old = machine(distribution="humble", gazebo=(("ign", version),))
    report = check(headless=True, machine=old)
    assert (report.release is FORTRESS) == starts
    assert bool(report.problems) != starts
    assert any("ground_truth" in warning for warning in report.warnings) == warns
    if starts:
        assert report.version == version
    else:
        # Systems are called gz-sim-... in the worlds; older ones look for ignition-gazebo-...
        assert any("ign-gazebo 6.16 or later" in p and version in p for p in report.problems)


def test_the_newest_of_several_versions_is_told(machine):
    report = check(headless=True, machine=machine(gazebo=(("gz", "8.2.0\n8.14.0\n9.0.0"),)))
    assert (report.release, report.version) == (HARMONIC, "8.14.0")


def test_fortress_does_not_fit_jazzys_bridge(machine):
    report = check(headless=True, machine=machine(gazebo=(("ign", "6.18.0"),)))
    assert any("needed is Harmonic" in p for p in report.problems)


def test_a_version_that_the_distribution_cannot_use_is_refused(machine):
    report = check(headless=True, gz_version="9", machine=machine())
    assert any("gz_version:=9" in p for p in report.problems)


@pytest.mark.parametrize("missing", ["ros_gz_bridge", "robot_state_publisher", "rviz2"])
def test_a_missing_package_is_named_with_its_debian_package(machine, missing):
    there = tuple(p for p in PACKAGES if p != missing)
    report = check(headless=True, rviz=True, machine=machine(packages=there))
    assert any(
        missing in p and f"ros-jazzy-{missing.replace('_', '-')}" in p for p in report.problems
    )


def test_rviz_is_needed_only_where_it_is_started(machine):
    there = machine(packages=("ros_gz_bridge", "robot_state_publisher"))
    assert check(headless=True, rviz=False, machine=there).require()


@pytest.mark.parametrize(
    "devices", [((), "libEGL is not installed"), ((BROKEN,), ""), ((), "the EGL driver crashed")]
)
def test_headless_without_egl_is_named(machine, devices):
    report = check(headless=True, machine=machine(devices=devices))
    assert any("headless" in p and "EGL" in p for p in report.problems)


def test_rendering_on_the_processor_is_only_a_warning(machine):
    report = check(headless=True, machine=machine(devices=((BROKEN, PROCESSOR), "")))
    assert report.require() is HARMONIC
    assert "slowly" in report.warnings[0]


def test_a_window_needs_a_display(machine):
    assert any("headless:=true" in p for p in check(headless=False, machine=machine()).problems)
    assert check(headless=False, machine=machine(display=True)).require()


def test_everything_that_is_missing_is_named_at_once(machine):
    nothing = machine(packages=(), gazebo=(), devices=((), "libEGL is not installed"))
    with pytest.raises(PeerError) as error:
        check(headless=True, machine=nothing).require()
    for word in ("Gazebo is not installed", "ros_gz_bridge", "robot_state_publisher", "EGL"):
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("output", "versions"),
    [
        ("8.9.0\n", ["8.9.0"]),
        ("9.2.0\n8.6.0\n", ["9.2.0", "8.6.0"]),
        ("8.10.0~pre1\n", ["8.10.0"]),
        ("I cannot find any available 'gz' command: Did you install 2.0 of them?\n", []),
        ("", []),
    ],
)
def test_versions_are_read_from_what_gazebo_prints(output, versions):
    assert installed_versions(output) == versions


def test_the_probe_of_this_machines_egl_ends_with_an_answer():
    devices, reason = egl.devices()
    assert devices or reason


def test_a_probe_that_hangs_is_cut_off():
    devices, reason = egl.devices(timeout=1e-3)
    assert not devices
    assert re.search(r"did not answer", reason)
