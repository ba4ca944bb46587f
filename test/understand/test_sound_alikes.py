# SPDX-License-Identifier: Apache-2.0
"""Words that sound like others: a "niner" in pieces, a pattern that seems to call off."""

from __future__ import annotations

import itertools

import pytest

from turret_ai.types import CommandStatus, Hypothesis, Source
from turret_ai.understand import Understander, UnderstandSettings

ENDS = ["or", "er", "her", "are", "our", "ore", "a", "uh"]
FRAMES = [
    "Heading is {h}, target is grey missile, tool to deploy is EMP.",
    "Engage the grey missile at heading {h} with EMP",
    "target is grey missile bearing {h} use EMP over",
]


def spellings(heading: str, end: str) -> list[str]:
    """Ways in which recognisers write a heading whose second digit is a niner."""
    digit = {"0": "zero", "1": "one", "2": "two", "5": "five"}
    first, last = digit[heading[0]], digit[heading[2]]
    return [
        f"{first} nine {end} {last}",
        f"{first} nine, {end} {last}",
        f"{first} niner {end} {last}",
        f"{heading[0]} 9 {end} {heading[2]}",
        f"{heading[:2]} {end} {heading[2]}",
    ]


@pytest.mark.parametrize("heading", ["090", "095", "190", "195", "290", "295"])
@pytest.mark.parametrize("end", ENDS)
def test_a_niner_in_pieces_is_one_digit(understander: Understander, heading: str, end: str) -> None:
    for said, frame in zip(spellings(heading, end), itertools.cycle(FRAMES), strict=False):
        command = understander.parse(frame.format(h=said))
        assert command.heading.value == heading, said
        assert command.heading.source is Source.REPAIR
        assert command.heading.confidence <= 0.8
        assert (command.tool.value, command.target.value) == ("EMP", "grey missile")


def test_a_lost_zero_before_a_niner_is_believed_less(understander: Understander) -> None:
    command = understander.parse("Heading nine or five, target is grey missile, tool is EMP.")
    assert command.heading.value == "095"
    assert command.heading.source is Source.REPAIR
    assert command.heading.confidence <= 0.5


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        ("two nine zero or three zero zero", "290"),
        ("two seven zero", "270"),
        ("one two five or five", "125"),
        ("zero nine five. Or five missiles", "095"),
    ],
)
def test_an_or_beside_whole_numbers_is_an_or(
    understander: Understander, said: str, heading: str
) -> None:
    command = understander.parse(f"Heading is {said}, target is grey missile, tool is EMP.")
    assert command.heading.value == heading


def test_a_niner_in_pieces_is_read_off_the_grid_too() -> None:
    free = Understander(UnderstandSettings(headings="free"))
    command = free.parse("Heading one nine or two, target is grey missile, tool is EMP.")
    assert command.heading.value == "192"
    assert command.heading.confidence <= 0.8


MISHEARD = ["cancel us", "cancel flush", "cancel flash", "cancel large", "cancel off"]
COLOURS = ["brown", "green and brown", "grey, black and green"]
KINDS = ["fighter jet", "helicopter", "cargo aircraft"]
ORDERS = [
    "Heading is two two five, target is {t}, tool to deploy is EMP.",
    "Engage the {t} at heading two two five with EMP",
    "target {t} deploy EMP heading two two five",
]


@pytest.mark.parametrize("said", MISHEARD)
def test_a_pattern_that_sounds_like_calling_off_is_part_of_its_target(
    understander: Understander, said: str
) -> None:
    for colours, kind, order in itertools.product(COLOURS, KINDS, ORDERS):
        command = understander.parse(order.format(t=f"{colours} {said} {kind}"))
        assert command.status is not CommandStatus.CANCELLED, order
        assert (command.heading.value, command.tool.value) == ("225", "EMP")
        if command.status is CommandStatus.OK:
            assert command.target.source is Source.REPAIR
            assert command.target.confidence >= 0.5
            assert command.target.value.endswith(kind)
        else:
            assert not command.target.value


CALLED_OFF = [
    # A stop parts the word from the target
    "Target is brown, cancel, fighter jet is friendly, heading two two five, EMP",
    "Engage the brown. Cancel. Fighter jet at heading two two five with EMP.",
    "Heading two two five, target is brown. Cancel that.",
    "target is brown cancel",
    "Engage the brown fighter jet at heading two two five with EMP, cancel",
    "engage the brown fighter jet cancel",
    "engage the brown cancel the engagement",
    # No colour before it
    "cancel fighter jet engagement",
    "Cancel brown fighter jet, heading two two five, EMP.",
    "target is cancel fighter jet heading two two five",
    # The word after it is what is called off
    "engage the brown cancel fighter jet engagement",
    # A tool is no target
    "target is brown cancel drone catcher",
    # Other words sound like no pattern
    "target is brown abort fighter jet heading two two five tool is EMP",
    "target is brown negative fighter jet heading two two five tool is EMP",
    "target is brown stand down fighter jet heading two two five tool is EMP",
    "target is brown do not engage fighter jet heading two two five tool is EMP",
    "target is brown cease fire fighter jet heading two two five tool is EMP",
    # One of each
    "target is brown cancel us fighter jet heading two two five cancel",
]


@pytest.mark.parametrize("text", CALLED_OFF)
def test_in_doubt_it_is_called_off(understander: Understander, text: str) -> None:
    command = understander.parse(text)
    assert command.status is CommandStatus.CANCELLED
    assert not (command.heading.value or command.tool.value or command.target.value)


def test_a_second_reading_calls_off_by_no_sound_alike_of_the_first(
    understander: Understander,
) -> None:
    first = "Heading two two five, target is brown camouflage fighter jet, tool is EMP."
    doubted = first.replace("camouflage ", "cancel us ")
    command = understander.parse([Hypothesis(first, -0.7), Hypothesis(doubted, -0.7)])
    assert command.status is CommandStatus.OK
    assert command.target.value == "brown camouflage fighter jet"
    meant = first.replace("camouflage ", "").replace("EMP.", "EMP, cancel.")
    command = understander.parse([Hypothesis(first, -0.7), Hypothesis(meant, -0.7)])
    assert command.status is CommandStatus.CANCELLED


CLEAN = [
    # Two one zero counts down, and is a heading all the same
    ("Deploy EMP on two one zero, target grey missile.", "210"),
    (
        "This is control tower. Two one zero, reference grey missile, deploy EMP. Fire at will.",
        "210",
    ),
    ("this is control tower two one zero reference grey missile deploy emp fire at will", "210"),
    # Three digits after a name that has one or two
    ("delta this is control tower zero two zero reference grey missile deploy emp", "020"),
    ("turret alpha three three five engage the grey missile with emp", "335"),
    # Another measure right after it, no stop between
    (
        "heading three two five degrees altitude fifty five degrees engage grey missile deploy emp",
        "325",
    ),
    ("heading zero one zero degrees elevation thirty degrees target grey missile use emp", "010"),
    # A zero as a letter
    ("Heading two five o, target is grey missile, tool is EMP.", "250"),
]


@pytest.mark.parametrize(("text", "heading"), CLEAN)
def test_headings_that_look_like_other_numbers(
    understander: Understander, text: str, heading: str
) -> None:
    command = understander.parse(text)
    assert command.heading.value == heading
    assert (command.tool.value, command.target.value) == ("EMP", "grey missile")


@pytest.mark.parametrize(
    "text",
    [
        "Target is grey missile, three, two, one, fire, tool is EMP.",
        "Target is grey missile, tool is EMP. Two, one, zero, fire!",
        "target is grey missile thirty degrees elevation tool is emp",
        "Tower One to turret Alpha Two, target is grey missile, tool is EMP.",
    ],
)
def test_what_is_still_no_heading(understander: Understander, text: str) -> None:
    assert not understander.parse(text).heading.value


@pytest.mark.parametrize("said", ["E M P", "E.M.P.", "e-m-p", "emp", "E. M. P."])
def test_spelled_letters_are_one_name(understander: Understander, said: str) -> None:
    for tool in (said, f"electromagnetic pulse ({said})", f"the electromagnetic pulse, {said}"):
        command = understander.parse(f"Use {tool} on the grey missile at heading two two five.")
        assert command.tool.value == "EMP", tool
        assert (command.heading.value, command.target.value) == ("225", "grey missile")


def test_camouflaged_is_camouflage(understander: Understander) -> None:
    command = understander.parse(
        "Heading two two five, engage the red and white camouflaged fighter jets with EMP."
    )
    assert command.target.value == "red and white camouflage fighter jet"
    assert command.target.source is Source.RULES


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        ("to six five", "265"),
        ("to three 5", "235"),
        ("for five", "045"),
        ("0a5", "085"),
        ("1A zero", "180"),
        ("zero to five", "025"),
        ("0 to 5", "025"),
        ("zero to zero", "020"),
        ("one for five", "145"),
        ("zero zero", ""),
    ],
)
def test_a_digit_that_sounds_like_a_small_word(
    understander: Understander, said: str, heading: str
) -> None:
    command = understander.parse(f"Engage the grey missile, heading {said}, with EMP.")
    if heading:
        assert command.heading.value == heading
    assert command.heading.source is not Source.RULES


def test_hours_are_not_counted_by_the_hundred(understander: Understander) -> None:
    command = understander.parse("Yellow light aircraft at heading 180 hours. Use the EMP.")
    assert command.heading.value == "180"
    command = understander.parse("Yellow light aircraft at 1800 hours. Use the EMP.")
    assert command.heading.value == ""


def test_craft_are_not_counted_by_the_hundred(understander: Understander) -> None:
    command = understander.parse("Three two zero targets is a grey missile, deploy EMP.")
    assert command.heading.value == "320"
    command = understander.parse("Two targets ahead, engage the grey missile with EMP.")
    assert not command.heading.value


@pytest.mark.parametrize(
    "text",
    [
        "Engage the blue, silver and red won't take it down, heading two six zero, with EMP.",
        "Turret Alpha, and there are to law it's ours black and brown drone at heading 225 EMP",
    ],
)
def test_misheard_talk_in_an_order_calls_nothing_off(understander: Understander, text: str) -> None:
    assert understander.parse(text).status is not CommandStatus.CANCELLED


@pytest.mark.parametrize(
    "text",
    [
        "We will not engage the grey missile at heading two two five with EMP.",
        "Heading two two five, grey missile, EMP. Hold it, it's one of ours.",
        "heading two two five grey missile emp the aircraft is ours do not fire",
        "You won't fire EMP at the grey missile, heading two two five.",
    ],
)
def test_and_these_still_do(understander: Understander, text: str) -> None:
    assert understander.parse(text).status is CommandStatus.CANCELLED


def test_a_second_reading_fills_what_the_first_lost(understander: Understander) -> None:
    lost = "Heading 225, target is gray missal."
    whole = "heading two two five target is grey missile tool to deploy is machine gun"
    assert not understander.parse(lost).tool.value
    command = understander.parse([Hypothesis(lost, -1.0), Hypothesis(whole, -1.0)])
    assert command.status is CommandStatus.OK
    assert command.tool.value == "machine gun"
