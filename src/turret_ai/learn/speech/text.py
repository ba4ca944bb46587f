# SPDX-License-Identifier: Apache-2.0
"""What is said: sentences of the grammar, and scraps of them that no grammar would make."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from numpy.random import Generator
from pydantic import Field

from turret_ai.learn import sentences, talk
from turret_ai.learn.config import Section


class TextSettings(Section):
    """Which texts are drawn."""

    style: Literal["novice", "advanced", "mixed"] = "mixed"
    scraps: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of scraps: a few words in a row from one to three sentences, so that "
        "a recogniser learns words beside templates",
    )
    talk: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of speech that commands nothing: news, chatter, radio talk",
    )
    no_orders: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of what calls off, asks, or depends on a condition, in the words of "
        "orders: a recogniser that never heard it writes an order",
    )
    rare: float = Field(
        0.1, ge=0, le=1, description="share of sentences that may name rare tools and types"
    )
    scrap_words: tuple[int, int] = (1, 7)


@dataclass(frozen=True, slots=True)
class Text:
    """A text to speak and the fields that it commands (none for what is no command)."""

    text: str
    kind: Literal["command", "scrap", "talk", "no_order"]
    fields: Mapping[str, str] = field(default_factory=dict)


def _maker(rng: Generator, settings: TextSettings) -> sentences.SentenceMaker:
    return sentences.SentenceMaker(
        int(rng.integers(2**31)), settings.style, rare=bool(rng.random() < settings.rare)
    )


def _scrap(rng: Generator, settings: TextSettings) -> str:
    pieces: list[str] = []
    wanted = int(rng.integers(settings.scrap_words[0], settings.scrap_words[1] + 1))
    while len(pieces) < wanted:
        words = _maker(rng, settings).draw().transcript.split()
        count = min(int(rng.integers(1, 5)), wanted - len(pieces))
        start = int(rng.integers(0, max(1, len(words) - count + 1)))
        pieces += words[start : start + count]
    return " ".join(pieces).strip(",.;:")


def draw(rng: Generator, settings: TextSettings) -> Text:
    """A text of the grammar with its fields, no order, a scrap, or talk."""
    if settings.talk and rng.random() < settings.talk:
        return Text(talk.draw(random.Random(int(rng.integers(2**31)))), "talk")
    if settings.no_orders and rng.random() < settings.no_orders:
        return Text(_maker(rng, settings).draw_no_order().transcript, "no_order")
    if rng.random() < settings.scraps:
        return Text(_scrap(rng, settings), "scrap")
    sentence = _maker(rng, settings).draw()
    return Text(
        sentence.transcript,
        "command",
        {"heading": sentence.heading, "tool": sentence.tool, "target": sentence.target},
    )
