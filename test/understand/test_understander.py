# SPDX-License-Identifier: Apache-2.0
"""What the understand stage promises of every transcript."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai import vocabulary
from turret_ai.errors import ConfigError, InputError, MissingExtraError, ModelError
from turret_ai.learn import sentences
from turret_ai.types import Command, CommandStatus, Hypothesis, Source
from turret_ai.understand import Understander, UnderstandSettings

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "til24" / "nlp_dev.jsonl"
CLEAN = "Engage the grey and white fighter jet at heading zero six five with the machine gun."


def fields(command: Command) -> tuple[str, str, str]:
    return command.heading.value, command.tool.value, command.target.value


def assert_valid(command: Command) -> None:
    said = [command.heading, command.tool, command.target]
    assert command.heading.value in ("", *vocabulary.load().headings)
    for field in said:
        assert 0.0 <= field.confidence <= 1.0
        assert bool(field.value) == (field.source is not Source.NONE)
    number = sum(bool(field.value) for field in said)
    wanted = {3: CommandStatus.OK, 0: CommandStatus.REJECTED}
    if command.status is CommandStatus.CANCELLED:
        assert number == 0
    else:
        assert command.status is wanted.get(number, CommandStatus.INCOMPLETE)
    assert bool(command.reason) == (command.status is not CommandStatus.OK)


def test_the_competitions_sample_is_read_without_an_error(understander: Understander) -> None:
    if not SAMPLE.is_file():
        pytest.skip("needs ../shared/data/til24")
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        command = understander.parse(row["transcript"])
        assert fields(command) == (row["heading"], row["tool"], row["target"]), row["transcript"]


@pytest.mark.parametrize("style", ["novice", "advanced"])
def test_clean_sentences_of_the_grammar_are_read_without_an_error(
    understander: Understander, style: sentences.Style
) -> None:
    wrong = [
        made.transcript
        for made in sentences.draw(300, seed=8, style=style)
        if fields(understander.parse(made.transcript)) != (made.heading, made.tool, made.target)
    ]
    assert wrong == []


def test_a_clean_sentence_is_read_by_rules_alone(understander: Understander) -> None:
    command = understander.parse(CLEAN)
    assert command.status is CommandStatus.OK
    assert {command.heading.source, command.tool.source, command.target.source} == {Source.RULES}
    assert command.heading.confidence > 0.95


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_a_valid_command(understander: Understander, text: str) -> None:
    assert_valid(understander.parse(text))


PIECES = [
    "heading", "three", "325", "0-65", "to", "target", "red", "grey,", "and", "drone", "light",
    "aircraft", "deploy", "EMP", "machine", "gun", "repeat", "over", "missiles", "surface-to-air",
    "throne", "is", "niner", ".", "Turret", "Alpha", "correction", "no,", "I mean", "disregard",
    "cease", "fire", "not", "engage", "?", "if", "double", "hundred", "10:30", "thousand", "feet",
    "due", "north", "say again", "scratch that",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_words_of_commands_give_a_valid_command(
    understander: Understander, words: list[str]
) -> None:
    assert_valid(understander.parse(" ".join(words)))


@pytest.mark.parametrize(
    "text", ["", "   ", "...", "\x00\x07\x1b", "ご視聴ありがとう", "Спасибо", "🚁" * 50]
)
def test_text_without_words_is_rejected(understander: Understander, text: str) -> None:
    command = understander.parse(text)
    assert command.status is CommandStatus.REJECTED
    assert command.reason


def test_small_talk_is_no_command(understander: Understander) -> None:
    assert understander.parse("Thank you for watching.").status is CommandStatus.REJECTED
    assert understander.parse([]).status is CommandStatus.REJECTED


def test_ten_thousand_words_are_cut(understander: Understander) -> None:
    command = understander.parse(CLEAN + " over and" * 5000)
    assert fields(command) == ("065", "machine gun", "grey and white fighter jet")


def test_what_is_missing_is_empty_and_named(understander: Understander) -> None:
    command = understander.parse("Target is red drone, tool to deploy is EMP.")
    assert command.status is CommandStatus.INCOMPLETE
    assert fields(command) == ("", "EMP", "red drone")
    assert "heading" in command.reason


def test_a_second_reading_mends_the_first(understander: Understander) -> None:
    first = Hypothesis("Heading is 25, target is red drone, tool to deploy is machine gun.", -1.0)
    second = Hypothesis("Heading 225 target is red drone tool to deploy is machine gone.", -1.2)
    command = understander.parse([first, second])
    assert command.heading.value == "225"
    alone = understander.parse([first])
    assert command.heading.confidence > alone.heading.confidence


def test_scores_that_are_no_numbers_do_no_harm(understander: Understander) -> None:
    readings = [Hypothesis("Heading 225", float("nan")), Hypothesis("Heading 2 2 5", -float("inf"))]
    assert understander.parse(readings).heading.value == "225"


def test_without_repair_a_misheard_field_stays_empty() -> None:
    plain = Understander(UnderstandSettings(repair=False))
    command = plain.parse("Heading to 25, target is red throne, tool to deploy is EMP.")
    assert command.tool.value == "EMP"
    assert command.heading.value == ""


def test_a_new_tool_is_a_line_in_the_vocabulary(tmp_path: Path) -> None:
    from turret_ai import share

    text = share.path("config/vocabulary.yaml").read_text(encoding="utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(text.replace("tools:\n", "tools:\n  - name: plasma lance\n"), encoding="utf-8")
    mine = Understander(UnderstandSettings(vocabulary=str(own)))
    command = mine.parse("Heading 225, target is red drone, tool to deploy is plasma lands.")
    assert command.tool.value == "plasma lance"


def test_bad_settings_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        Understander(UnderstandSettings(vocabulary=str(tmp_path / "nowhere.yaml")))
    broken = tmp_path / "broken.yaml"
    broken.write_text("tools: 3", encoding="utf-8")
    with pytest.raises(ConfigError, match="tools"):
        Understander(UnderstandSettings(vocabulary=str(broken)))
    with pytest.raises(ConfigError, match="context"):
        Understander(UnderstandSettings(context=str(broken)))
    with pytest.raises((ModelError, MissingExtraError)):
        Understander(UnderstandSettings(llm_backend="transformers", llm_model="/nowhere"))


def test_confidence_sorts_right_from_wrong(understander: Understander) -> None:
    sure = understander.parse("Heading 320, target is red throne, tool to deploy is EMP.")
    unsure = understander.parse("Heading 30, target is red throne, tool to deploy is EMP.")
    assert sure.heading.confidence > unsure.heading.confidence + 0.2
