# SPDX-License-Identifier: Apache-2.0
"""What people really say beside a plain command, many wordings of each kind."""

from __future__ import annotations

import itertools

import pytest

from turret_ai.types import Command, CommandStatus, Source
from turret_ai.understand import Understander, UnderstandSettings

ORDERS = [
    ("Heading {h}, target is {t}, tool to deploy is {w}.", 0),
    ("Engage the {t} at heading {h} with {w}.", 1),
    ("Deploy {w} against the {t}, heading {h}.", 2),
    ("Turret Bravo, target {t}, use {w}, bearing {h}. Over.", 3),
]
FIELDS = [
    ("zero three five", "035", "EMP", "red and white helicopter"),
    ("two one zero", "210", "surface-to-air missiles", "grey fighter plane"),
    ("one niner five", "195", "machine gun", "silver, black, and green drone"),
    ("three six zero", "360", "drone catcher", "brown camouflage cargo aircraft"),
    ("one zero five", "105", "anti-air artillery", "yellow light aircraft"),
    ("two seven zero", "270", "interceptor jets", "purple and blue missile"),
    ("three four zero", "340", "electromagnetic pulse", "orange commercial aircraft"),
]


def told(command: Command) -> tuple[str, str, str]:
    return command.heading.value, command.tool.value, command.target.value


def cases(wordings: list[str], number: int = 2) -> list[tuple[str, tuple[str, str, str]]]:
    """Each wording with a few commands."""
    out = []
    draws = itertools.cycle(FIELDS)
    for wording in wordings:
        for _ in range(number):
            h, heading, tool, target = next(draws)
            text = wording.format(h=h, t=target, w=tool)
            out.append((text[0].upper() + text[1:], (heading, tool, target)))
    return out


def check(understander: Understander, text: str, wanted: tuple[str, str, str]) -> None:
    command = understander.parse(text)
    assert told(command) == wanted, text
    assert command.status is CommandStatus.OK


REPEATS = [
    "Control to all turrets, I repeat, control to all turrets. Heading {h}, target is {t}, tool is "
    "{w}.",
    "Turret Delta, repeat, turret Delta. Engage the {t} at heading {h} with {w}.",
    "Attention, I say again, attention. Deploy {w} on the {t} at heading {h}.",
    "Prepare to deploy {w}. I repeat, prepare to deploy {w}. Target is {t} at heading {h}.",
    "Heading {h}. I repeat, heading {h}. Target identified as {t}. Deploy {w}.",
    "Heading {h}, say again, heading {h}. The target is {t}, use {w}. Over.",
    "Target is {t}. Repeat, target is {t}. Heading is {h}. Tool to deploy is {w}.",
    "Engage the {t}, I repeat, engage the {t}, at heading {h}, with {w}.",
    "Deploy {w}, repeat, deploy {w}, against the {t}, heading {h}.",
    "Engage the {t} at heading {h} with {w}. Repeat, engage the red drone at heading two two five.",
    "Heading {h}, target {t}, tool {w}. I say again, heading {h}, target {t}, tool {w}.",
    "Turn to heading {h}. Repeating, turn to heading {h}. Use {w} to intercept the {t}.",
    "Code red. I repeat, code red. {t} inbound at heading {h}, respond with {w}.",
    "Heading {h}, target is {t}. I repeat, heading {h}, target is {t}. Tool to deploy is {w}.",
    "Control tower to {w} crew, I repeat, control tower to {w} crew. Heading {h}, target is {t}, "
    "tool to deploy is {w}.",
    "Deploy {w}. Say again, deploy {w}. Heading {h}. Say again, heading {h}. Target is {t}.",
    "Repeat, heading {h}, target is {t}, tool to deploy is {w}.",
    "Once again, engage the {t} at heading {h} with {w}.",
]


@pytest.mark.parametrize(("text", "wanted"), cases(REPEATS))
def test_what_is_said_again_fills_what_is_open(
    understander: Understander, text: str, wanted: tuple[str, str, str]
) -> None:
    check(understander, text, wanted)


VERBS = [
    "Intercept {t} at heading {h}. Deploy {w} immediately.",
    "Intercept the {t} at heading {h} by deploying {w}.",
    "Intercept incoming {t}, heading {h}, with {w}.",
    "Intercepting {t} at heading {h}, using {w}.",
    "Catch the {t} at heading {h} with {w}.",
    "Prepare to intercept the target at heading {h}. Target is {t}. Deploy {w}.",
    "Gun down the {t} at heading {h}, tool to deploy is {w}.",
    "Track and intercept {t}, heading {h}, deploy {w}.",
    "Missile warning! Target is {t}, heading {h}, use {w}.",
    "Fire at the {t}. Heading {h}. Weapon is {w}.",
    "Launch now. Deploy {w}, target {t}, heading {h}.",
]


@pytest.mark.parametrize(("text", "wanted"), cases(VERBS))
def test_a_verb_is_no_tool(
    understander: Understander, text: str, wanted: tuple[str, str, str]
) -> None:
    check(understander, text, wanted)


OTHER_NUMBERS = [
    "range 3000 metres", "range three thousand meters", "at 10:30", "at 1030 hours",
    "at zero six three zero hours", "flight level 330", "flight level three three zero",
    "altitude 2000 feet", "altitude two thousand feet", "speed 250 knots",
    "speed two five zero knots", "channel 16", "channel one six", "runway 27", "runway two seven",
    "unit two two zero", "unit 220", "grid 4512", "grid four five one two", "30 degrees up",
    "thirty degrees up", "elevation 40 degrees", "elevation three five degrees", "squawk 7500",
    "frequency 121.5 megahertz", "distance 5 kilometers", "distance two two zero meters",
    "sector 120", "squadron three four zero", "in 30 seconds", "angels 15", "range 1 2 0 miles",
    "battery two two five", "distance is about 300 metres", "speed is 180 knots", "code 240",
]  # fmt: skip


@pytest.mark.parametrize("said", OTHER_NUMBERS)
@pytest.mark.parametrize("place", ["{n}, ", ", {n}", "{n} "])
def test_a_number_that_is_no_heading_never_beats_one_that_is(
    understander: Understander, said: str, place: str
) -> None:
    extra = place.format(n=said)
    behind = extra if place[0] == "," else ""
    after = f"Heading one two five{behind}, target is grey missile, tool is EMP."
    text = after if place[0] == "," else extra + after[0].lower() + after[1:]
    command = understander.parse(text[0].upper() + text[1:])
    assert told(command) == ("125", "EMP", "grey missile"), text
    text = f"Target is grey missile, {said}, heading one two five, tool is EMP"
    assert told(understander.parse(text)) == ("125", "EMP", "grey missile"), text


@pytest.mark.parametrize("said", OTHER_NUMBERS)
def test_a_number_that_is_no_heading_does_not_become_one(
    understander: Understander, said: str
) -> None:
    command = understander.parse(f"Target is grey missile, {said}, tool is EMP.")
    assert told(command) == ("", "EMP", "grey missile"), said
    assert command.status is CommandStatus.INCOMPLETE


CORRECTIONS = [
    "Heading one one zero, correction, heading {h}, target is {t}, tool is {w}.",
    "Heading one one zero, correction, {h}, target is {t}, tool is {w}.",
    "Heading one one zero, target is {t}, tool is {w}. Correction, heading {h}.",
    "Heading one one zero, no, heading {h}, target is {t}, tool is {w}.",
    "Heading one one zero, no, {h}, target is {t}, tool is {w}.",
    "Heading one one zero, I mean {h}, target is {t}, tool is {w}.",
    "Heading one one zero, scratch that, heading {h}, target is {t}, tool is {w}.",
    "Heading one one zero, sorry, heading {h}, target is {t}, tool is {w}.",
    "Heading one one zero, make that {h}, target is {t}, tool is {w}.",
    "Heading one one zero, disregard, heading {h}, target is {t}, tool is {w}.",
    "Heading one one zero, wait, no, heading {h}, target is {t}, tool is {w}.",
    "Target is white blimp, I mean {t}, heading {h}, tool is {w}.",
    "Target is white blimp, correction, {t}, heading {h}, tool is {w}.",
    "Target is white blimp, no, {t}, heading {h}, tool is {w}.",
    "Target is white blimp, heading {h}, tool is {w}. Correction, target is {t}.",
    "Engage the white blimp, scratch that, engage the {t} at heading {h} with {w}.",
    "Engage the white blimp, no wait, the {t} at heading {h} with {w}.",
    "Tool is laser cannon, correction, tool is {w}, target is {t}, heading {h}.",
    "Deploy laser cannon, I mean {w}, on the {t} at heading {h}.",
    "Deploy laser cannon, no, deploy {w}, on the {t} at heading {h}.",
    "Heading {h}, target is {t}, tool is laser cannon. Correction, tool is {w}.",
    "Heading one one zero, target is white blimp, tool is laser cannon. Disregard. Heading {h}, "
    "target is {t}, tool is {w}.",
    "Heading one one zero, target is white blimp, tool is laser cannon. Scratch that. Heading {h}, "
    "target is {t}, tool is {w}.",
    "Engage the white blimp at heading one one zero with laser cannon. Disregard my last. Engage "
    "the {t} at heading {h} with {w}.",
    "Heading one one zero, rather, heading {h}, target is {t}, tool is {w}.",
]


@pytest.mark.parametrize(("text", "wanted"), cases(CORRECTIONS))
def test_a_correction_replaces_what_it_names(
    understander: Understander, text: str, wanted: tuple[str, str, str]
) -> None:
    check(understander, text, wanted)


def test_half_a_correction_keeps_the_other_half(understander: Understander) -> None:
    colour = understander.parse("Target is red drone, I mean grey, heading one two five, tool EMP.")
    assert colour.target.value == "grey drone"
    kind = understander.parse(
        "Heading one two five, engage the red drone, no, helicopter, use EMP."
    )
    assert kind.target.value == "red helicopter"


def test_a_withdrawn_order_leaves_nothing_of_itself(understander: Understander) -> None:
    command = understander.parse(
        "Heading one one zero, target is red drone, tool is EMP. Disregard that. Heading two two "
        "zero, target is grey missile."
    )
    assert told(command) == ("220", "", "grey missile")


CALL_OFFS = [
    "Do not engage. {o}", "{o} Do not engage.", "Don't engage. {o}", "Hold fire. {o}",
    "Hold your fire. {o}", "{o} Hold fire.", "Cease fire. {o}", "{o} Cease fire, cease fire.",
    "Ceasefire. {o}", "Abort. {o}", "Abort, abort, abort. {o}", "{o} Abort.", "Cancel. {o}",
    "Cancel the order. {o}", "{o} Cancel that.", "Negative. {o}", "Negative, negative. {o}",
    "Disengage. {o}", "{o} Disengage now.", "Stand down. {o}",
    "{o} Stand down, I repeat, stand down.",
    "All turrets, hold fire. {o}", "Do not fire. {o}", "{o} Do not deploy.", "Never mind. {o}",
    "Call it off. {o}", "Turret Alpha, stand down. {o}", "Weapons hold. {o}", "Stop firing. {o}",
    "Do not shoot. {o}", "You are not cleared to engage. {o}", "We must not engage. {o}",
    "Check fire. {o}", "Control to all turrets, abort the mission. {o}", "{o} Belay that.",
    "{o} Disregard.", "{o} Scratch that.", "Under no circumstances fire. {o}",
]  # fmt: skip
WITHIN = [
    "Abort the engagement of the {t} at heading {h} with {w}",
    "Do not engage the {t} at heading {h} with {w}.",
    "Do not deploy {w} against the {t} at heading {h}.",
    "Cancel the deployment of {w} on the {t}, heading {h}.",
    "Disengage the {t} at heading {h}, put away the {w}.",
    "Stand down from engaging the {t} at heading {h} with {w}.",
    "Cease fire on the {t} at heading {h} with {w}.",
    "Hold fire on heading {h}, target {t}, tool {w}.",
    "Don't fire {w} at the {t}, heading {h}.",
    "Turret Charlie, do not, repeat, do not engage the {t} at heading {h} with {w}.",
    "Negative on the {t} at heading {h}, negative on {w}.",
    "Do not use {w} on the {t} at heading {h}.",
    "Abort {w} launch at heading {h}, the {t} is friendly.",
]


def call_offs() -> list[str]:
    order = "Heading one two zero, target is grey missile, tool is EMP."
    return [text.format(o=order).strip() for text in CALL_OFFS] + [
        text for text, _ in cases(WITHIN, 1)
    ]


@pytest.mark.parametrize("text", call_offs())
def test_a_cancellation_is_never_an_order(understander: Understander, text: str) -> None:
    for said in (text, text.lower().replace(".", "").replace(",", "")):
        command = understander.parse(said)
        assert command.status is CommandStatus.CANCELLED, said
        assert told(command) == ("", "", "")
        assert command.reason


@pytest.mark.parametrize(
    "text",
    ["Cease fire!", "Hold fire.", "Abort.", "Stand down.", "do not engage", "Stop!", "cancel",
     "Seize fire.", "Sees fire!", "Old fire.", "Do not in gauge.", "Dis-engage.", "A bort."],
)  # fmt: skip
def test_a_cancellation_needs_no_order(understander: Understander, text: str) -> None:
    assert understander.parse(text).status is CommandStatus.CANCELLED


NO_CALL_OFFS = [
    "Do not let the {t} escape. Heading {h}, deploy {w}.",
    "Deploy {w} on the {t} at heading {h}. Do not hesitate.",
    "Heading {h}, target is {t}, tool is {w}. This is not a drill.",
    "Heading {h}, target is {t}, tool is {w}. Do not stand down.",
    "Heading {h}, deploy {w}, target {t}. Hold for further instructions.",
    "Engage the {t} at heading {h} with {w}. Stand by for confirmation.",
    "Do you copy? Heading {h}, target is {t}, tool is {w}.",
    "Heading {h}, target is {t}, tool is {w}. Do you copy?",
    "Heading {h}, target is {t}, tool is {w}. Engage when ready.",
    "Heading {h}, target is {t}, tool is {w}. Request backup if necessary.",
    "Stop the {t} at heading {h} with {w}.",
    "Keep watch on heading {h}. When {t} appears, deploy {w}.",
]


@pytest.mark.parametrize(("text", "wanted"), cases(NO_CALL_OFFS))
def test_words_that_only_sound_like_a_cancellation_leave_the_order(
    understander: Understander, text: str, wanted: tuple[str, str, str]
) -> None:
    check(understander, text, wanted)


NO_ORDERS = [
    "Should we engage the {t} at heading {h} with {w}?",
    "Should we engage the {t} at heading {h} with {w}",
    "Is the {t} at heading {h}? Is the tool {w}?",
    "Can you see the {t} at heading {h}, the tool is {w}?",
    "Engage the {t} at heading {h} with {w}?",
    "What is the heading of the {t}? Was it {h}? Tool is {w}.",
    "Do you want me to deploy {w} on the {t} at heading {h}?",
    "Permission to engage the {t} at heading {h} with {w}.",
    "If you see the {t} at heading {h}, deploy {w}.",
    "Deploy {w} at heading {h} if you see the {t}.",
    "If a {t} appears at heading {h}, engage with {w}.",
    "In case the {t} comes to heading {h}, use {w}.",
    "Unless told otherwise by me, engage the {t} at heading {h} with {w}.",
    "Should you spot the {t} at heading {h}, deploy {w}.",
    "Turret Alpha, should I engage the {t} at heading {h} with {w}?",
]


@pytest.mark.parametrize(("text", "_"), cases(NO_ORDERS))
def test_a_question_or_a_condition_is_no_order(
    understander: Understander, text: str, _: tuple[str, str, str]
) -> None:
    command = understander.parse(text)
    assert command.status is CommandStatus.REJECTED, text
    assert told(command) == ("", "", "")
    assert command.reason


SAYINGS = {
    "three six zero": "360", "zero zero five": "005", "zero niner five degrees": "095",
    "two hundred and seventy": "270", "two hundred and seventy degrees": "270",
    "two hundred seventy five": "275", "one hundred": "100", "one hundred and five": "105",
    "three hundred": "300", "one double five": "155", "double two five": "225",
    "double zero five": "005", "two seventy": "270", "three forty five": "345", "one twenty": "120",
    "two ten": "210", "one fifteen": "115", "three sixty": "360", "one oh five": "105",
    "due north": "360", "due east": "090", "due south": "180", "due west": "270",
    "north": "360", "northeast": "045", "south west": "225",
}  # fmt: skip
CUES = [
    "heading {}",
    "heading is {}",
    "bearing {}",
    "azimuth {}",
    "vector {}",
    "at a heading of {}",
]


@pytest.mark.parametrize(("said", "wanted"), SAYINGS.items())
@pytest.mark.parametrize("cue", CUES)
def test_a_heading_may_be_said_in_many_ways(
    understander: Understander, cue: str, said: str, wanted: str
) -> None:
    command = understander.parse(f"{cue.format(said)}, target is grey missile, tool is EMP.")
    assert told(command) == (wanted, "EMP", "grey missile")
    assert command.heading.source is Source.RULES


PUT_RIGHT = {
    "zero zero zero": ("360", 0.9), "triple zero": ("360", 0.9), "four five": ("045", 0.5),
    "twenty five": ("025", 0.5), "ninety": ("090", 0.5), "five": ("005", 0.3),
}  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), PUT_RIGHT.items())
def test_what_is_put_right_says_so(
    understander: Understander, said: str, wanted: tuple[str, float]
) -> None:
    command = understander.parse(f"Heading {said}, target is grey missile, tool is EMP.")
    assert command.heading.value == wanted[0]
    assert command.heading.source is Source.REPAIR
    assert command.heading.confidence <= wanted[1]


@pytest.mark.parametrize(
    ("said", "why"),
    [("four two zero", "beyond 360"), ("three six five", "beyond"), ("niner niner niner", "beyond"),
     ("zero six niner", "grid"), ("one two three", "grid")],
)  # fmt: skip
def test_an_impossible_heading_is_left_open_and_named(
    understander: Understander, said: str, why: str
) -> None:
    command = understander.parse(f"Heading {said}, target is grey missile, tool is EMP.")
    assert told(command) == ("", "EMP", "grey missile")
    assert why in command.reason


@pytest.fixture(scope="module")
def free() -> Understander:
    return Understander(UnderstandSettings(headings="free"))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("zero six niner", "069"), ("one two three", "123"), ("three five niner", "359"),
     ("zero zero one", "001"), ("two hundred and twelve", "212"), ("one forty four", "144"),
     ("three two one", "321")],
)  # fmt: skip
def test_a_real_turret_takes_any_degree(free: Understander, said: str, wanted: str) -> None:
    command = free.parse(f"Heading {said}, target is grey missile, tool is EMP.")
    assert told(command) == (wanted, "EMP", "grey missile")
    assert command.heading.source is Source.RULES
    misheard = free.parse(f"Heading {wanted}, target is grey missile, tool is the MP.")
    assert misheard.heading.value == wanted


@pytest.mark.parametrize(
    "text",
    ["Deploy a liquid magnetic pulse at the red drone, heading one two five.",
     "Deploy citizens at the red drone, heading one two five.",
     "Use laser flag on the red drone, heading one two five."],
)  # fmt: skip
def test_a_name_that_is_no_tool_is_not_taken_as_said(understander: Understander, text: str) -> None:
    known = {tool.name for tool in understander.vocabulary.tools}
    assert understander.parse(text).tool.value in known | {""}


def test_playing_for_points_fills_what_is_open() -> None:
    player = Understander(UnderstandSettings(fill=True))
    for text in (
        "Heading four two zero, target is grey missile, tool is EMP.",
        "Target is grey missile, tool to deploy is EMP.",
        "Heading one two five, target is grey.",
        "Should we engage the grey missile?",
    ):
        assert all(told(player.parse(text))), text
    assert player.parse("Cease fire.").status is CommandStatus.CANCELLED
