# SPDX-License-Identifier: Apache-2.0
"""Names, --ros-args and parameter files are read as ROS reads them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.errors import ConfigError
from turret_ai.ros import names
from turret_ai.ros.arguments import Arguments

TOKEN = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("chat", "/turret/chat"),
        ("camera/image_raw", "/turret/camera/image_raw"),
        ("/tf", "/tf"),
        ("~/enable", "/turret/locator/enable"),
        ("~", "/turret/locator"),
        ("{node}/x", "/turret/locator/x"),
    ],
)
def test_a_topic_name_expands_from_its_node(name: str, full: str) -> None:
    assert names.expand(name, "/turret", "locator") == full


@pytest.mark.parametrize("name", ["", "9lives", "a b", "a//b", "a/", "ä"])
def test_a_wrong_topic_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="topic or service name"):
        names.expand(name, "/", "node")


@given(TOKEN, TOKEN, TOKEN)
def test_expanding_an_expanded_name_changes_nothing(topic: str, space: str, node: str) -> None:
    full = names.expand(topic, f"/{space}", node)
    assert names.expand(full, "/elsewhere", "other") == full


@pytest.mark.parametrize(
    ("pattern", "node", "meant"),
    [
        ("/**", "/a/b/node", True),
        ("/**", "/node", True),
        ("/**/node", "/a/b/node", True),
        ("/**/node", "/node", True),
        ("/*/node", "/a/node", True),
        ("/*/node", "/a/b/node", False),
        ("/*/node", "/node", False),
        ("node", "/node", True),
        ("node", "/a/node", False),
        ("/a/node", "/a/node", True),
        ("/a/nod", "/a/node", False),
    ],
)
def test_entries_of_parameter_files_match_nodes_as_in_ros(
    pattern: str, node: str, meant: bool
) -> None:
    assert names.matches(pattern, node) is meant


def test_words_before_ros_args_and_after_the_double_dash_are_not_for_ros() -> None:
    arguments = Arguments.parse(["a", "--ros-args", "-p", "x:=1", "--", "b", "--ros-args"])
    assert arguments.rest == ["a", "b"]
    assert arguments.settings("n", "/n")["x"].value == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("0x10", 16),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("true", True),
        ("off", False),
        ("yes", True),
        ("text", "text"),
        ("'5'", "5"),
        ("065", "065"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("[1, 2]", [1, 2]),
        ("['a', 'b']", ["a", "b"]),
        ("", ""),
        ("a:=b", "a:=b"),
    ],
)
def test_a_value_has_the_type_that_ros_gives_it(text: str, value: object) -> None:
    read = Arguments.parse(["--ros-args", "-p", f"x:={text}"]).settings("n", "/n")["x"].value
    assert read == value
    assert type(read) is type(value)


@given(st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans()))
def test_numbers_survive_the_command_line(value: object) -> None:
    text = str(value).lower().replace("inf", ".inf")
    read = Arguments.parse(["--ros-args", "-p", f"x:={text}"]).settings("n", "/n")["x"].value
    assert read == value


def test_a_node_and_its_topics_can_be_renamed() -> None:
    arguments = Arguments.parse(
        shlex.split(
            "--ros-args -r __ns:=/turret -r locator:__node:=eye -r chat:=/radio "
            "-r rosservice://stop:=halt -r eye:~/on:=/switch"
        )
    )
    assert arguments.node_name("locator") == "eye"
    assert arguments.node_name("commander") == "commander"
    assert arguments.namespace("locator") == "/turret"
    assert arguments.remap("/turret/chat", "/turret", "eye") == "/radio"
    assert arguments.remap("/turret/stop", "/turret", "eye") == "/turret/stop"
    assert arguments.remap("/turret/stop", "/turret", "eye", service=True) == "/turret/halt"
    assert arguments.remap("/turret/eye/on", "/turret", "eye") == "/switch"
    assert arguments.remap("/turret/ear/on", "/turret", "ear") == "/turret/ear/on"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-p"], "lacks its value"),
        (["-p", "novalue"], "name:=value"),
        (["x:=1"], "needs -p or -r"),
        (["--sim"], "not one of ROS"),
        (["--log-level", "loud"], "must be one of debug"),
        (["--params-file", "/nowhere.yaml"], "No such file"),
        (["-p", "x:=[1,"], "not YAML"),
        (["-p", "x:={a: 1}"], "single value"),
    ],
)
def test_wrong_ros_arguments_are_refused(words: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Arguments.parse(["--ros-args", *words])


def test_what_comes_later_in_parameter_files_wins_and_the_command_line_wins_over_files(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(
        "/**:\n  ros__parameters: {a: 1, b: 1, c: 1, d: 1}\n"
        "/turret/locator:\n  ros__parameters:\n    b: 2\n    vad: {threshold: 0.5}\n"
    )
    second.write_text("turret:\n  locator:\n    ros__parameters: {c: 3}\n")
    arguments = Arguments.parse(
        ["--ros-args", "--params-file", str(first), "--params-file", str(second), "-p", "d:=4"]
    )
    settings = arguments.settings("locator", "/turret/locator")
    values = {name: setting.value for name, setting in settings.items()}
    assert values == {"a": 1, "b": 2, "c": 3, "d": 4, "vad.threshold": 0.5}
    assert settings["b"].exact
    assert not settings["a"].exact


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "is not YAML: line "),
        ("ros__parameters: {a: 1}", "belongs under a node"),
        ("node: 5", "must hold ros__parameters"),
        ("node: {ros__parameters: 5}", "must be a map"),
        ("\x00", "parameter file"),
    ],
)
def test_a_broken_parameter_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as error:
        Arguments.parse(["--ros-args", "--params-file", str(file)])
    assert str(file) in str(error.value)


def test_a_parameter_that_no_node_has_is_refused_with_the_nearest_name() -> None:
    arguments = Arguments.parse(["--ros-args", "-p", "treshold:=1"])
    arguments.known |= {"threshold"}
    with pytest.raises(ConfigError, match=r"treshold.*did you mean threshold"):
        arguments.check_unused()
