# SPDX-License-Identifier: Apache-2.0
"""The graph as data: arguments, nodes and their parameters."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.act.competition.actions import TurnSettings
from turret_ai.errors import ConfigError
from turret_ai.graph import GRAPHS, parameters
from turret_ai.graph.description import parse_arguments
from turret_ai.nodes.registry import NODES

FINALS = GRAPHS["finals"]
STAGES = {"transcriber", "commander", "locator", "controller", "diagnostics"}


def names(plan):
    return {entry.executable for entry in plan.nodes}


@pytest.mark.parametrize(
    ("source", "world"),
    [
        ("simulator", {"simulator", "audio_source"}),
        ("microphone", {"simulator", "audio_source"}),
        ("console", {"simulator", "console"}),
        ("competition", {"competition"}),
        ("robomaster", {"robomaster"}),
        ("none", set()),
    ],
)
def test_every_source_brings_its_own_world_to_the_same_stages(source, world):
    assert names(FINALS.plan({"source": source})) == STAGES | world


def test_nothing_is_spoken_before_there_is_a_turret():
    """A simulator that starts slowly once cost the first turn: no joint states came."""

    def awaited(**given):
        nodes = {entry.executable: entry.parameters for entry in FINALS.plan(given).nodes}
        return nodes["audio_source"].get("turret", "")

    assert awaited() == awaited(audio="here.wav") == "simulator"
    assert not awaited(without="simulator"), "another turret may stand in for it"


@pytest.mark.parametrize("deadline", ["", "60"])
def test_the_controller_is_as_patient_as_the_competition(deadline):
    given = {"source": "competition", **({"deadline": deadline} if deadline else {})}
    nodes = {entry.executable: entry.parameters for entry in FINALS.plan(given).nodes}
    limit = nodes["competition"]["turns.deadline"]
    assert limit == (float(deadline) if deadline else TurnSettings().deadline)
    for step in ("command", "slew", "see"):
        assert nodes["controller"][f"deadlines.{step}"] >= limit
    assert nodes["controller"]["deadlines.stale"] > limit


def test_every_graph_serves_the_console_where_it_is_wanted():
    for graph in GRAPHS.values():
        assert "console" in names(graph.plan({"console": "true"}))
        assert "console" not in names(graph.plan({}))
    assert "console" not in names(FINALS.plan({"source": "console", "console": "false"}))
    given = {"console": "true", "console_host": "::1", "console_port": "0"}
    for source, camera in (("competition", True), ("robomaster_ros", False)):
        plan = FINALS.plan({**given, "source": source})
        entry = next(each for each in plan.nodes if each.executable == "console")
        assert (entry.parameters["host"], entry.parameters["port"]) == ("::1", 0)
        assert ("fixed_camera_pitch" in entry.parameters) is camera
        assert bool(entry.remappings) is not camera
    with pytest.raises(ConfigError, match="console_port"):
        FINALS.plan({"console": "true", "console_port": "here"})


def test_a_deadline_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match="deadline"):
        FINALS.plan({"source": "competition", "deadline": "soon"})


def test_every_node_of_every_graph_exists():
    for graph in GRAPHS.values():
        for argument in graph.arguments:
            for choice in argument.choices or (argument.default,):
                assert names(graph.plan({argument.name: choice})) <= set(NODES)


def test_every_argument_is_described():
    for graph in GRAPHS.values():
        assert all(argument.description for argument in graph.arguments)


def test_an_argument_that_is_not_given_leaves_the_nodes_default_alone():
    plan = FINALS.plan({})
    by_name = {entry.executable: entry.parameters for entry in plan.nodes}
    assert by_name["transcriber"] == {}
    assert by_name["locator"] == {}


def test_an_unknown_argument_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"no argument sceen.*scene"):
        FINALS.plan({"sceen": "airfield"})


def test_a_value_outside_of_the_choices_is_refused():
    with pytest.raises(ConfigError, match="simulator, microphone"):
        FINALS.plan({"source": "telephone"})


def test_words_without_assignment_are_refused():
    with pytest.raises(ConfigError, match="name:=value"):
        parse_arguments(["scene=harbour"])
    assert parse_arguments(["audio:=a:=b"]) == {"audio": "a:=b"}


@given(st.dictionaries(st.from_regex(r"[a-c](\.[d-f]){0,2}", fullmatch=True), st.integers()))
def test_dotted_names_become_nested_ones(dotted):
    prefixes = {name.rsplit(".", n)[0] for name in dotted for n in range(1, name.count(".") + 1)}
    if prefixes & set(dotted):
        return  # a name that is both a value and a folder can't be declared
    tree = parameters.nested(dotted)
    for name, value in dotted.items():
        branch = tree
        for part in name.split("."):
            branch = branch[part]
        assert branch == value


@pytest.mark.parametrize(("namespace", "name"), [("", "/simulator"), ("red/", "/red/simulator")])
def test_the_parameter_file_names_each_node_in_full(tmp_path, namespace, name):
    given = {"scene": "harbour", "params_file": "mine.yaml"}
    plan = FINALS.plan({**given, "namespace": namespace})
    words = parameters.write(plan, tmp_path / "p.yaml")
    document = yaml.safe_load((tmp_path / "p.yaml").read_text())
    assert document[name]["ros__parameters"] == {"scene": "harbour"}
    assert words == ["--params-file", str(tmp_path / "p.yaml"), "--params-file", "mine.yaml"]


def test_with_simulated_time_the_simulator_is_the_clock_and_the_others_follow():
    plan = FINALS.plan({"use_sim_time": "true"})
    for entry in plan.nodes:
        assert entry.parameters["use_sim_time"] is (entry.executable != "simulator")
    simulator = next(entry for entry in plan.nodes if entry.executable == "simulator")
    assert simulator.parameters["clock.mode"] == "sim"


def test_in_one_process_a_remapping_still_concerns_its_node_only():
    given = {"source": "robomaster_ros"}
    many = FINALS.plan(given)
    locator = next(entry for entry in many.nodes if entry.executable == "locator")
    assert many.remappings(locator) == ["camera/image_raw:=camera/image_color"]
    one = FINALS.plan({**given, "one_process": "true"})
    assert one.remappings(locator) == ["locator:camera/image_raw:=camera/image_color"]
