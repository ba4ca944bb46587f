# SPDX-License-Identifier: Apache-2.0
"""How much of an order a text holds: who listens may then wait for more, or stop waiting."""

from __future__ import annotations

from turret_ai import vocabulary
from turret_ai.types import Progress
from turret_ai.understand import corrections, discourse
from turret_ai.understand.discourse import Verdict
from turret_ai.understand.rules import Rules
from turret_ai.understand.words import split


class Completeness:
    """Told by rules alone: what they don't read in a clean order counts as missing."""

    def __init__(self) -> None:
        self._rules = Rules(vocabulary.load())

    def __call__(self, text: str) -> Progress:
        """Whether heading, tool and target were said, or an order was begun at least."""
        words = split(text)
        talk = discourse.read(words)
        if talk.verdict is not Verdict.ORDER:
            return Progress.NONE
        found = corrections.merge(corrections.read(talk.parts, self._rules))
        if all(found):
            return Progress.COMPLETE
        return Progress.BEGUN if any(found) or discourse.orders(words) else Progress.NONE
