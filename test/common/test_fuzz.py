# SPDX-License-Identifier: Apache-2.0
"""Mutated input of every kind ends in a result or in an error for users, here in small numbers.

`python -m bench._fuzz` runs the same by the hundred thousand.
"""

from __future__ import annotations

import pytest
from bench import _fuzz
from bench._fuzz_targets import TARGETS, Fault, Target

from turret_ai.ros import RUNTIME

NAMES = [name for name in TARGETS if name != "messages" or RUNTIME == "dds"]


@pytest.mark.parametrize("name", NAMES)
def test_no_mutated_input_ends_in_a_fault(name: str) -> None:
    pytest.importorskip("fastapi" if name == "requests" else "numpy")
    target = TARGETS[name]()
    found = _fuzz.run(name, 0, 150, target)
    assert found["faults"] == []
    assert found["used"] + found["refused"] == 150


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"requests"}))
def test_the_samples_themselves_are_used(name: str) -> None:
    target = TARGETS[name]()
    for sample in target.samples:
        target.feed(sample, _fuzz.case(target, name, 0)[1])


def test_a_fault_is_found_and_its_case_comes_again() -> None:
    def feed(data: bytes, _: object) -> None:
        if b"\xff" in data:
            raise Fault("it")

    target = Target([b"a good sample"], feed)
    first = _fuzz.run("x", 0, 200, target)
    assert first["faults"]
    number = first["faults"][0]["case"]
    again = _fuzz.run("x", number, 1, target)
    assert again["faults"] == first["faults"][:1]


def test_a_process_that_dies_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fuzz.sys, "executable", "/bin/false")
    (fault,) = _fuzz.apart("texts", 0, 10)["faults"]
    assert fault["case"] == "0..9" and "ended with 1" in fault["fault"]
