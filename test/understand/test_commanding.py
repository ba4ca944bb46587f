# SPDX-License-Identifier: Apache-2.0
"""What is passed on of a sentence that is still spoken, and what is not."""

from __future__ import annotations

import pytest

from turret_ai.types import CommandStatus, Hypothesis, Transcription, TranscriptStatus
from turret_ai.understand import Understander
from turret_ai.understand.commanding import command_of

ORDER = "Heading is three two five, target is grey missile, tool to deploy is EMP."


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander()


def heard(status: TranscriptStatus, *texts: str) -> Transcription:
    readings = tuple(Hypothesis(text, -0.1 * number) for number, text in enumerate(texts))
    return Transcription(status, texts[0], 0.9, readings)


def test_of_a_sentence_that_is_still_spoken_only_what_is_sure_is_passed_on(
    understander: Understander,
) -> None:
    said = heard(TranscriptStatus.PARTIAL, "Heading is three two five, target is")
    command = command_of(understander, said)
    assert command is not None and command.status is CommandStatus.INCOMPLETE
    assert (command.heading.value, command.tool.value, command.target.value) == ("325", "", "")
    assert command_of(understander, heard(TranscriptStatus.PARTIAL, "Heading is")) is None
    assert command_of(understander, heard(TranscriptStatus.EMPTY, "")) is None


@pytest.mark.parametrize(
    "text",
    ["Cease fire", "Heading is three two five, no wait, cancel that", "Hold fire, do not engage"],
)
def test_a_cancellation_is_passed_on_in_mid_sentence(understander: Understander, text: str) -> None:
    command = command_of(understander, heard(TranscriptStatus.PARTIAL, text))
    assert command is not None and command.status is CommandStatus.CANCELLED


def test_in_mid_sentence_a_less_likely_reading_calls_nothing_off(
    understander: Understander,
) -> None:
    readings = (ORDER, "cease fire")
    partial = command_of(understander, heard(TranscriptStatus.PARTIAL, *readings))
    assert partial is None or partial.status is not CommandStatus.CANCELLED
    final = command_of(understander, heard(TranscriptStatus.FINAL, *readings))
    assert final is not None and final.status is CommandStatus.CANCELLED
