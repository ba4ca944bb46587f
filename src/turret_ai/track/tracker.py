# SPDX-License-Identifier: Apache-2.0
"""Every craft in sight, each with a number; one of them is the target.

The others are followed so that a craft that crosses the target's way explains its own sightings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from turret_ai.track.association import FITS, associate, cost
from turret_ai.track.settings import TrackSettings
from turret_ai.track.sight import Sighting
from turret_ai.track.track import Track

_CONFIRMED = 2
"""Sightings from which on another craft is worth telling."""


class Tracker:
    """Tracks of one lock. Not thread-safe: one caller."""

    def __init__(self, settings: TrackSettings) -> None:
        self.settings = settings
        self.target: Track | None = None
        self._others: list[Track] = []
        self._number = 0

    @property
    def tracks(self) -> list[Track]:
        """The target first, then the others that were seen more than once."""
        others = [track for track in self._others if track.hits >= _CONFIRMED]
        return ([self.target] if self.target else []) + others

    def begin(self, sighting: Sighting, stamp_ns: int) -> Track:
        """Forget everything and follow what was sighted."""
        self._others.clear()
        self.target = self._new(sighting, stamp_ns)
        self.target.wanted = True
        return self.target

    def end(self) -> None:
        """Forget everything. Numbers go on."""
        self.target = None
        self._others.clear()

    def take(self, sightings: Sequence[Sighting], stamp_ns: int, *, lost: bool) -> bool:
        """What was sighted in a picture, perhaps nothing.

        Craft that were seen beside the target vie with it for sightings. The rest gets what is
        left: it may be the target itself, half hidden and not known again.

        Args:
            lost: the target may be anywhere: it is found again by its looks.

        Returns:
            Whether the target was among them.
        """
        target = self.target
        if target is None:
            return False
        rivals = [track for track in self._others if track.beside]
        rest = [track for track in self._others if not track.beside]
        free = dict(enumerate(sightings))
        before = target.hits
        if lost:
            self._share(rivals, free, stamp_ns)
            self._find(target, free, stamp_ns)
        else:
            self._share([target, *rivals], free, stamp_ns)
        self._share(rest, free, stamp_ns)
        found = target.hits > before
        if found:
            for track in self._others:
                track.beside = track.beside or track.seen_ns == stamp_ns
        self._tidy(list(free.values()), stamp_ns)
        return found

    def _share(self, tracks: Sequence[Track], free: dict[int, Sighting], stamp_ns: int) -> None:
        """Give sightings to tracks; those that were given are no longer free."""
        numbers = list(free)
        chosen = associate(tracks, list(free.values()), stamp_ns, self.settings.association)
        for track, which in zip(tracks, chosen, strict=True):
            if which < 0:
                track.miss(stamp_ns)
            else:
                track.take(free.pop(numbers[which]), stamp_ns)

    def _find(self, target: Track, free: dict[int, Sighting], stamp_ns: int) -> None:
        """Find a lost target again."""
        numbers = list(free)
        which = self._again(target, list(free.values()))
        if which < 0:
            target.miss(stamp_ns)
            return
        sighting = free.pop(numbers[which])
        dt = target.since(stamp_ns)
        if math.isfinite(cost(target, sighting, dt, self.settings.association)):
            target.take(sighting, stamp_ns)  # where it was expected: its speed is known
        else:
            target.restart(sighting, stamp_ns)

    def _again(self, target: Track, sightings: Sequence[Sighting]) -> int:
        """The sighting that is the lost target by its looks, -1: none is."""
        settings = self.settings.association
        best, found = -math.inf, -1
        for number, sighting in enumerate(sightings):
            seen = sighting.seen
            like = target.likeness(seen)
            if like is not None and like < settings.likeness:
                continue
            known = math.isfinite(target.odds) and math.isfinite(seen.odds)
            if known and seen.odds < target.odds - settings.odds:
                continue
            if like is None and not known and not seen.odds >= FITS:
                continue
            worth = (0.0 if like is None else (like - 1.0) / settings.appearance) + (
                seen.odds if math.isfinite(seen.odds) else 0.0
            )
            if worth > best:
                best, found = worth, number
        return found

    def _tidy(self, free: Sequence[Sighting], stamp_ns: int) -> None:
        """Forget other craft that are gone, and begin to follow new ones."""
        settings = self.settings.association
        kept = [t for t in self._others if t.unseen(stamp_ns) <= settings.memory]
        for sighting in sorted(free, key=lambda each: -each.seen.score):
            if len(kept) < settings.others and sighting.seen.score >= settings.new:
                kept.append(self._new(sighting, stamp_ns))
        self._others = kept

    def _new(self, sighting: Sighting, stamp_ns: int) -> Track:
        self._number += 1
        return Track(self._number, sighting, stamp_ns, self.settings.motion)
