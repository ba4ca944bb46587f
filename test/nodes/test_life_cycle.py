# SPDX-License-Identifier: Apache-2.0
"""The life cycle of the stages, over the services that `ros2 lifecycle` uses, in real processes."""

import signal

import pytest
from probe import Probe, free_domain, joined, node_process

from turret_ai.ros import qos
from turret_ai.ros.interfaces import (
    ChangeState,
    DiagnosticArray,
    GetAvailableStates,
    GetAvailableTransitions,
    GetState,
    Parameter,
    ParameterValue,
    SetParameters,
    StageState,
    Transition,
    TransitionEvent,
)
from turret_ai.ros.lifecycle import State

STAGES = ["transcriber", "commander", "locator", "controller"]


class Manager(Probe):
    """Does what `ros2 lifecycle` and a lifecycle manager do."""

    def __init__(self, domain):
        super().__init__(domain)
        self.states = self.collect(StageState, "stages", qos.STATES)
        self.reports = self.collect(DiagnosticArray, "diagnostics")
        self.callers = {}

    def call(self, kind, name, request, timeout=30.0):
        client = self.callers.get(name) or self.callers.setdefault(
            name, self.create_client(kind, name)
        )
        assert self.until(client.service_is_ready, timeout=20), name
        future = client.call_async(request)
        assert self.until(future.done, timeout), f"{name}: no answer"
        return future.result()

    def change(self, node, label, number=0):
        request = ChangeState.Request(transition=Transition(id=number, label=label))
        return self.call(ChangeState, f"{node}/change_state", request).success

    def state(self, node):
        return self.call(GetState, f"{node}/get_state", GetState.Request()).current_state.label

    def set(self, node, name, value):
        kind = {"type": 4, "string_value": value}
        if isinstance(value, list):
            kind = {"type": 9, "string_array_value": value}
        parameter = Parameter(name=name, value=ParameterValue(**kind))
        request = SetParameters.Request(parameters=[parameter])
        return self.call(SetParameters, f"{node}/set_parameters", request).results[0]


manager = joined(Manager)


def test_a_stage_starts_by_itself_and_says_when_it_is_ready(manager):
    with node_process(free_domain(), "transcriber") as process:
        assert manager.until(lambda: not manager.roster.missing(["transcriber"]), 60)
        assert manager.state("/transcriber") == "active"
        told = [state.state for state in manager.states]
        assert told.index(State.CONFIGURING) < told.index(State.ACTIVE)
        number = len(manager.states)
        code, _ = process.stop(signal.SIGINT)
        assert code == 0
        assert manager.until(lambda: len(manager.states) > number)
    assert manager.states[-1].state == State.FINALIZED


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_brought_up_and_down_from_outside(manager, stage):
    name = f"/{stage}"
    events = manager.collect(TransitionEvent, f"{name}/transition_event")
    with node_process(free_domain(), stage, autostart=False):
        assert manager.state(name) == "unconfigured"
        assert manager.roster.missing([stage]) == [stage]
        assert not manager.change(name, "activate"), "there is no way from unconfigured"
        for label, state in (
            ("configure", "inactive"),
            ("activate", "active"),
            ("deactivate", "inactive"),
            ("cleanup", "unconfigured"),
            ("configure", "inactive"),
        ):
            assert manager.change(name, label), label
            assert manager.state(name) == state
        assert manager.change(name, "", 3), "activate by its number"
        assert manager.until(lambda: not manager.roster.missing([stage]))
        assert manager.change(name, "shutdown")
        assert manager.state(name) == "finalized"
    seen = [(event.start_state.label, event.goal_state.label) for event in events]
    assert seen[:4] == [
        ("unconfigured", "configuring"),
        ("configuring", "inactive"),
        ("inactive", "activating"),
        ("activating", "active"),
    ]
    assert seen[-1] == ("shuttingdown", "finalized")


def test_the_services_tell_the_machine_that_ros_knows(manager):
    with node_process(free_domain(), "commander", autostart=False):
        ask = GetAvailableStates.Request()
        states = manager.call(GetAvailableStates, "/commander/get_available_states", ask)
        assert {s.id: s.label for s in states.available_states} == {
            0: "unknown",
            1: "unconfigured",
            2: "inactive",
            3: "active",
            4: "finalized",
            10: "configuring",
            11: "cleaningup",
            12: "shuttingdown",
            13: "activating",
            14: "deactivating",
            15: "errorprocessing",
        }
        ask = GetAvailableTransitions.Request()
        found = manager.call(
            GetAvailableTransitions, "/commander/get_available_transitions", ask
        ).available_transitions
        ways = {(t.transition.id, t.transition.label, t.goal_state.label) for t in found}
        assert ways == {(1, "configure", "configuring"), (5, "shutdown", "shuttingdown")}
        graph = manager.call(GetAvailableTransitions, "/commander/get_transition_graph", ask)
        assert len(graph.available_transitions) == 25


def test_another_model_is_set_while_the_node_is_unconfigured(manager):
    with node_process(free_domain(), "locator") as process:
        assert manager.until(lambda: not manager.roster.missing(["locator"]), 60)
        refused = manager.set("/locator", "detection.models", ["nosuch"])
        assert not refused.successful
        assert "cleanup" in refused.reason
        assert manager.change("/locator", "deactivate")
        assert manager.change("/locator", "cleanup")
        assert manager.set("/locator", "detection.models", ["nosuch"]).successful
        assert not manager.change("/locator", "configure"), "there is no such model"
        assert manager.state("/locator") == "unconfigured"
        assert manager.until(lambda: "nosuch" in manager.states[-1].reason)
        lines = [status.message for report in manager.reports for status in report.status]
        assert manager.until(
            lambda: any(
                "unconfigured" in status.message and "nosuch" in status.message
                for report in manager.reports
                for status in report.status
            )
        ), lines
        assert manager.set("/locator", "detection.models", []).successful or True
        assert process.popen.poll() is None


def test_a_model_that_is_missing_at_start_ends_the_process(manager):
    with node_process(free_domain(), "transcriber", recogniser__model="nosuch") as process:
        assert process.popen.wait(60) == 2
    assert "nosuch" in process.output
    assert "Traceback" not in process.output


def test_interrupted_while_its_model_loads_a_node_ends_at_once(manager):
    with node_process(free_domain(), "transcriber") as process:
        assert manager.until(
            lambda: any(state.state == State.CONFIGURING for state in manager.states), 60
        )
        code, _ = process.stop(signal.SIGINT, timeout=20.0)
    assert code == 0, process.output


def test_renamed_nodes_in_a_namespace_are_found_by_what_they_are(manager):
    with node_process(free_domain(), "commander", ros=["-r", "__node:=parser"]):
        assert manager.until(lambda: not manager.roster.missing(["commander"]), 60)
        assert not manager.roster.missing(["parser"])
        assert manager.roster.missing(["locator"]) == ["locator"]
        assert manager.roster.why("locator") == "has not reported"
