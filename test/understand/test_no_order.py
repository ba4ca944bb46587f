# SPDX-License-Identifier: Apache-2.0
"""What calls off, asks, or sets a condition never becomes an order, read or heard."""

from __future__ import annotations

import numpy as np
import pytest

from turret_ai.hear import grammar, recogniser
from turret_ai.learn.sentences import SentenceMaker
from turret_ai.learn.speech import radio, voices
from turret_ai.types import CommandStatus
from turret_ai.understand.commanding import command_of
from turret_ai.understand.understander import Understander

MILD = radio.RadioSettings(snr_db=(20.0, 30.0), dropouts=0.0, clip=0.0, codec=0.0)


@pytest.mark.parametrize("seed", range(4))
def test_no_sentence_of_them_is_an_order(seed: int) -> None:
    maker, understander = SentenceMaker(seed), Understander()
    for _ in range(150):
        said = maker.draw_no_order().transcript
        status = understander.parse(said).status
        assert status is not CommandStatus.OK, said


def test_the_graph_of_what_can_be_said_holds_them() -> None:
    known = " ".join(grammar.templates()).lower()
    for words in ("cancel that", "cease fire", "do not", "abort", "if you see", "should we"):
        assert words in known


@pytest.fixture(scope="module")
def ears() -> recogniser.Recogniser:
    return recogniser.load()


@pytest.mark.skipif(not voices.voices("flite"), reason="flite is not installed")
@pytest.mark.parametrize(
    "said",
    [
        "Cancel that.",
        "Cease fire, cease fire.",
        "Abort mission.",
        "Stand down.",
        "Do not engage the red drone at heading three two zero with the machine gun.",
        "Heading is one eight five, target is white drone, tool to deploy is EMP. Cancel that.",
        "Should we engage the grey missile at heading one one zero with the EMP?",
    ],
)
def test_they_are_heard_over_a_radio(said: str, ears: recogniser.Recogniser) -> None:
    voice = next(v for v in voices.voices("flite") if v.name == "rms")
    clean = voices.speak(said, voice).samples
    received, _ = radio.transmit(clean, np.random.default_rng(7), MILD)
    command = command_of(Understander(), ears.transcribe(received))
    assert command is not None, "nothing was heard"
    assert command.status in (CommandStatus.CANCELLED, CommandStatus.REJECTED)
