# SPDX-License-Identifier: Apache-2.0
"""Results as JUnit XML, which CI systems show."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from turret_ai.prove.evaluation import Evaluation
from turret_ai.prove.score import Scored
from turret_ai.prove.tolerance import Check


def to_xml(evaluation: Evaluation, checks: Sequence[Check] = ()) -> str:
    """One test case for the recording, one for each utterance, one for each checked figure.

    An utterance fails where its truth is known and the turn is not fully right. No times are
    written: the same results give the same bytes.
    """
    suites = ElementTree.Element("testsuites", name="turret_ai")
    groups = (
        ("recording", [("recording", "; ".join(evaluation.problems))]),
        ("utterances", [(_name(s, i), _fault(s)) for i, s in enumerate(evaluation.scored)]),
        ("figures", [(check.name, "" if check.passed else check.text) for check in checks]),
    )
    for group, cases in groups:
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=f"{evaluation.name}.{group}",
            tests=str(len(cases)),
            failures=str(sum(bool(fault) for _, fault in cases)),
            errors="0",
        )
        if group == "recording":
            properties = ElementTree.SubElement(suite, "properties")
            for metric, value in evaluation.metrics.items():
                ElementTree.SubElement(properties, "property", name=metric, value=f"{value:.6f}")
        for name, fault in cases:
            case = ElementTree.SubElement(
                suite, "testcase", name=name, classname=f"{evaluation.name}.{group}"
            )
            if fault:
                ElementTree.SubElement(case, "failure", message=fault).text = fault
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, "unicode", xml_declaration=True) + "\n"


def _name(scored: Scored, number: int) -> str:
    answer = scored.answer
    return answer.utterance_id if answer else f"missed utterance {number}"


def _fault(scored: Scored) -> str:
    """What is wrong with an utterance, "" if nothing is known to be."""
    if scored.truth is None:
        return ""
    if scored.answer is None:
        return "the utterance was not heard"
    said = []
    for name, score in (scored.fields or {}).items():
        if score < 1.0:
            told, true = scored.answer.value(name), getattr(scored.truth, name)
            said.append(f"{name} {told!r} instead of {true!r}")
    if scored.hit == 0.0:
        overlap = scored.iou or 0.0
        said.append(f"box missed (IoU {overlap:.2f}): {scored.answer.reason or 'wrong place'}")
    return "; ".join(said)
