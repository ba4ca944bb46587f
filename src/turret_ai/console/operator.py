# SPDX-License-Identifier: Apache-2.0
"""What a page may have done: the graph's side of it, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from turret_ai.console.speech import Chunk, Format


class Operator(Protocol):
    """Acts on the graph. Called in the server's threads; whatever fails raises a TurretError."""

    def now_ns(self) -> int:
        """The nodes' clock."""

    def new_id(self, kind: str) -> str:
        """An utterance id of this console: "console_<kind>_..."."""

    def audio_format(self) -> Format:
        """In which format chunks of audio are wanted."""

    def hear(self, utterance_id: str, chunks: Sequence[Chunk]) -> None:
        """Publish chunks of a marked utterance; one without samples ends it."""

    def say(self, text: str) -> None:
        """A typed sentence takes the place of a transcript."""

    def pick(self, search: int, candidate: int) -> None:
        """Aim at a candidate."""

    def stop(self, talks: Sequence[tuple[str, int]]) -> None:
        """Call everything off; the turret stands still and is disarmed.

        talks: (id, stamp in ns) of utterances that are being spoken here.
        """

    def arm(self, armed: bool) -> str:
        """Allow or forbid the signal; waits for the controller. What it answers, for people."""

    def reset_stages(self) -> str:
        """Have every stage drop what is under way; waits for them. What came of it, for people."""
