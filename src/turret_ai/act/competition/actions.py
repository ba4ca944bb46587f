# SPDX-License-Identifier: Apache-2.0
"""What follows from the events of a turn, and what is remembered of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from turret_ai.act.competition.report import TurnReport
from turret_ai.settings import Settings


class TurnSettings(Settings):
    """How long a turn may take."""

    deadline: float = Field(
        20.0, gt=0.0, le=300.0, description="s from the audio until an answer is sent anyway"
    )
    grace: float = Field(
        1.0, ge=0.0, le=30.0, description="s after a reconnection for the server to ask again"
    )


@dataclass(frozen=True, slots=True)
class Speak:
    """Give an utterance to the recogniser. samples: mono int16."""

    utterance_id: str
    samples: NDArray[np.int16]
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get a snapshot."""

    utterance_id: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send an answer; a failure is told by `on_send_failed`."""

    utterance_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """A turn is over and has nothing more to tell."""

    report: TurnReport


Action: TypeAlias = Speak | Fetch | Send | Report


@dataclass(slots=True)
class Turn:
    """One utterance of the server."""

    report: TurnReport
    digest: bytes
    link: int
    began: float
    times: dict[str, float] = field(default_factory=dict)
    understood: bool = False
    fetching: bool = False
    answer: str = ""
    """The text that was sent or waits to be sent, "" before."""
    answered: float = 0.0
    copies: int = 1
    """How often the server sent this audio over the same link: so often it is answered."""
    held: bool = False
    """The answer could not be sent: the link was gone."""

    @property
    def utterance_id(self) -> str:
        """Its name on all topics."""
        return self.report.utterance_id
