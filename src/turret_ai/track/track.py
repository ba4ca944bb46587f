# SPDX-License-Identifier: Apache-2.0
"""One craft that is followed: where it is and flies, how large it is, what it looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from turret_ai.track.imm import Imm, Motion
from turret_ai.track.kalman import Gaussian
from turret_ai.track.settings import MotionSettings
from turret_ai.track.sight import Seen, Sighting, whole_middle
from turret_ai.types import FloatArray
from turret_ai.units import ns_to_seconds

_SIZE_GAIN, _HIDDEN_GAIN, _VECTOR_GAIN, _ODDS_GAIN = 0.25, 0.03, 0.15, 0.15
"""How much of a new sighting goes into what is known of size and looks; hidden: where a good part
of the craft seems to be missing."""
WHOLE = 0.75
"""Share of the known size from which on a craft counts as wholly seen."""


def motions(settings: MotionSettings) -> Sequence[Motion]:
    """The ways to fly."""
    return (
        Motion(settings.steady, settings.steady_for),
        Motion(settings.manoeuvre, settings.manoeuvre_for),
    )


class Track:
    """A craft with a number of its own. Times are nanoseconds of the pictures' clock."""

    def __init__(
        self, number: int, sighting: Sighting, stamp_ns: int, settings: MotionSettings
    ) -> None:
        self.number = number
        self.settings = settings
        self.stamp_ns = stamp_ns
        """The instant of the filter's state."""
        self.seen_ns = stamp_ns
        """When it was last seen."""
        self.hits = 1
        self.beside = False
        """Whether it was seen in one picture with the target, and so is another craft."""
        self.wanted = False
        """Whether it is what the caption describes, so that the caption's log-odds count."""
        self.size = sighting.size
        """(width, height), rad."""
        self.vector = sighting.seen.vector
        """The mean of its appearance, (e,) of unit length; None: not known."""
        self.odds = sighting.seen.odds
        self.score = sighting.seen.score
        self.imm = self._start(sighting)

    def _start(self, sighting: Sighting) -> Imm:
        start = Gaussian.at(sighting.angles, sighting.noise, self.settings.speed)
        return Imm(motions(self.settings), start)

    def since(self, stamp_ns: int) -> float:
        """Seconds from the filter's state to an instant; 0 for those before it."""
        return max(0.0, ns_to_seconds(stamp_ns - self.stamp_ns))

    def unseen(self, now_ns: int) -> float:
        """Seconds since it was last seen."""
        return max(0.0, ns_to_seconds(now_ns - self.seen_ns))

    def at(self, stamp_ns: int) -> Gaussian:
        """Where it is, or will be, at an instant."""
        return self.imm.ahead(self.since(stamp_ns))

    def likeness(self, seen: Seen) -> float | None:
        """Cosine of a candidate's appearance and the track's; None where one is not known."""
        if self.vector is None or seen.vector is None or self.vector.shape != seen.vector.shape:
            return None
        return float(self.vector @ seen.vector)

    def take(self, sighting: Sighting, stamp_ns: int) -> None:
        """It was seen."""
        self.imm.predict(self.since(stamp_ns))
        self.imm.update(*whole_middle(sighting, self.size, self.imm.state.angles))
        self._note(sighting, stamp_ns)

    def restart(self, sighting: Sighting, stamp_ns: int) -> None:
        """It was found again, somewhere else perhaps: its speed is not known any more."""
        self.imm = self._start(sighting)
        self._note(sighting, stamp_ns)

    def miss(self, stamp_ns: int) -> None:
        """It was looked for in a picture and not seen."""
        self.imm.predict(self.since(stamp_ns))
        self.stamp_ns = max(self.stamp_ns, stamp_ns)

    def _note(self, sighting: Sighting, stamp_ns: int) -> None:
        self.stamp_ns = max(self.stamp_ns, stamp_ns)
        self.seen_ns = stamp_ns
        self.hits += 1
        seen = sighting.seen
        self.score = seen.score
        # What the border or another craft hides is little news of size and looks.
        whole = [
            new > WHOLE * known and not cut
            for known, new, cut in zip(self.size, sighting.size, sighting.cut, strict=True)
        ]
        width, height = (
            known + (_SIZE_GAIN if seen_whole else 0.0 if cut else _HIDDEN_GAIN) * (new - known)
            for known, new, cut, seen_whole in zip(
                self.size, sighting.size, sighting.cut, whole, strict=True
            )
        )
        self.size = (width, height)
        if all(whole):
            self._remember(seen)

    def _remember(self, seen: Seen) -> None:
        if math.isfinite(seen.odds):
            known = self.odds if math.isfinite(self.odds) else seen.odds
            self.odds = known + _ODDS_GAIN * (seen.odds - known)
        if seen.vector is None:
            return
        if self.vector is None or self.vector.shape != seen.vector.shape:
            self.vector = seen.vector
            return
        mean: FloatArray = self.vector + np.float32(_VECTOR_GAIN) * (seen.vector - self.vector)
        self.vector = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
