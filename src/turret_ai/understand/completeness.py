# SPDX-License-Identifier: Apache-2.0
"""Whether a text says all that a command needs: who listens may then stop waiting for more."""

from __future__ import annotations

from turret_ai import vocabulary
from turret_ai.understand import corrections, discourse
from turret_ai.understand.discourse import Verdict
from turret_ai.understand.rules import Rules
from turret_ai.understand.words import split


class Completeness:
    """Told by rules alone: a clean order, or it counts as unfinished."""

    def __init__(self) -> None:
        self._rules = Rules(vocabulary.load())

    def __call__(self, text: str) -> bool:
        """Whether heading, tool and target were said."""
        talk = discourse.read(split(text))
        parts = corrections.read(talk.parts, self._rules)
        return talk.verdict is Verdict.ORDER and all(corrections.merge(parts))
