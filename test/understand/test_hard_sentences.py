# SPDX-License-Identifier: Apache-2.0
"""Sentences that trip parsers: traps, and tools and types that the vocabulary lacks."""

from __future__ import annotations

import pytest

from turret_ai.types import CommandStatus
from turret_ai.understand import Understander

HARD = [
    # altitude, speed and range are no heading
    ("Altitude thirty five degrees, target is a grey drone, heading three two five, use EMP.",
     "325", "EMP", "grey drone"),
    ("Speed two five zero knots, heading zero seven zero, target white missile, deploy machine "
     "gun.", "070", "machine gun", "white missile"),
    # a countdown, call signs and station names are no heading
    ("Three, two, one, fire the drone catcher at the red drone, heading one two zero.",
     "120", "drone catcher", "red drone"),
    ("Tower One, this is Alpha One. Deploy interceptor jets to two niner five, target is a "
     "purple and silver fighter jet.", "295", "interceptor jets", "purple and silver fighter jet"),
    ("Turret Two, engage blue helicopter at heading zero zero five with anti-air artillery.",
     "005", "anti-air artillery", "blue helicopter"),
    # a heading without its word, or before it
    ("Deploy surface-to-air missiles towards three two zero against the brown cargo aircraft.",
     "320", "surface-to-air missiles", "brown cargo aircraft"),
    ("Take a two four zero heading and engage the orange light aircraft using the machine gun.",
     "240", "machine gun", "orange light aircraft"),
    ("Target at coordinates one eight zero, a black and yellow missile. Launch EMP.",
     "180", "EMP", "black and yellow missile"),
    ("Zero in on heading three six zero and take down the green missile with interceptor jets.",
     "360", "interceptor jets", "green missile"),
    ("Heading one four five degrees, white, red, and blue fighter plane, deploy EMP. Over.",
     "145", "EMP", "white, red, and blue fighter plane"),
    # the tool is never the target, nor a part of it
    ("Deploy surface-to-air missiles on the silver missile, heading two one zero.",
     "210", "surface-to-air missiles", "silver missile"),
    ("Drone catcher, heading three four five, target is grey and green drone.",
     "345", "drone catcher", "grey and green drone"),
    ("Send interceptor jets to intercept the black fighter jet heading zero four zero.",
     "040", "interceptor jets", "black fighter jet"),
    # brackets, plurals, repetition
    ("Use electromagnetic pulse (EMP) on the yellow camouflage helicopter, heading one one five.",
     "115", "EMP", "yellow camouflage helicopter"),
    ("Fire machine guns at the red and orange fighter planes, heading two seven five.",
     "275", "machine gun", "red and orange fighter plane"),
    ("Heading zero three zero, deploy EMP on the blue drone. Repeat, heading zero eight zero, "
     "deploy machine gun on the red missile.", "030", "EMP", "blue drone"),
    ("Control tower to anti-air artillery crew, deploy machine gun, heading one five five, target "
     "purple drone.", "155", "machine gun", "purple drone"),
    ("Ignore the red drone. Engage the white helicopter at heading one zero zero with EMP.",
     "100", "EMP", "white helicopter"),
    # two commands in one transcript: the first counts
    ("Heading one three five, target is grey missile, tool to deploy is EMP. Heading two zero "
     "five, target is red drone, tool to deploy is machine gun.", "135", "EMP", "grey missile"),
    # what the vocabulary lacks
    ("Engage the purple bomber with the laser cannon at heading zero six five.",
     "065", "laser cannon", "purple bomber"),
    ("Heading is two two zero, target is black and white dirigible, tool to deploy is plasma "
     "mortar.", "220", "plasma mortar", "black and white dirigible"),
    ("Deploy microwave emitter, heading three one five, target green and silver glider.",
     "315", "microwave emitter", "green and silver glider"),
    ("Heading three three zero, target is yellow gyrocopter, tool to deploy is harpoon thrower.",
     "330", "harpoon thrower", "yellow gyrocopter"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "heading", "tool", "target"), HARD)
def test_a_hard_sentence_is_understood(
    understander: Understander, text: str, heading: str, tool: str, target: str
) -> None:
    command = understander.parse(text)
    assert (command.heading.value, command.tool.value, command.target.value) == (
        heading,
        tool,
        target,
    )
    assert command.status is CommandStatus.OK


MISHEARD = [
    ("Heading 1-1-0, target is great and silver throne, tool to deploy is DMB.",
     "110", "EMP", "grey and silver drone"),
    ("Control tower to all storage, deploy service to air muscles, heading to 35, engage the "
     "great and brown light hair craft.", "235", "surface-to-air missiles",
     "grey and brown light aircraft"),
    ("Engage ground and white fighter jett at heading 0.9.5 with machine gone.",
     "095", "machine gun", "brown and white fighter jet"),
    ("Deploy the MP on the yellow missal, heading 1180.", "180", "EMP", "yellow missile"),
    ("Deploy anti hair artillery heading wan for fiver target black car go air craft",
     "145", "anti-air artillery", "black cargo aircraft"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "heading", "tool", "target"), MISHEARD)
def test_a_misheard_sentence_is_repaired(
    understander: Understander, text: str, heading: str, tool: str, target: str
) -> None:
    command = understander.parse(text)
    assert (command.heading.value, command.tool.value, command.target.value) == (
        heading,
        tool,
        target,
    )
