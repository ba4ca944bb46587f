# SPDX-License-Identifier: Apache-2.0
"""Which picture is searched for which caption: the first one after the camera stood still.

While the operator still speaks, pictures may be looked at ahead: once heading and target were heard
surely and the camera stands at that heading. What a picture holds serves whichever target the whole
command names, a misheard one as well, if the camera still stands there, and the picture is no older
than a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_KEPT = 8
"""Commands remembered: turns overlap by one or two, and some never come to a search."""


@dataclass(frozen=True, slots=True)
class Look:
    """One picture to search. stamp_ns: its exposure; ahead: it was taken while the operator spoke,
    who had named no target for good (caption "") until the search was due."""

    utterance_id: str
    caption: str
    stamp_ns: int
    ahead: bool = False


class Lookout:
    """Told of commands, of the turret and of every picture, it picks one picture for each turn."""

    def __init__(self, max_age_ns: int = 0) -> None:
        """max_age_ns: how old a picture that was looked at ahead may be when the search is due; 0:
        none is looked at ahead."""
        self._max_age_ns = max_age_ns
        self._captions: dict[str, str] = {}
        self._settled: tuple[str, int] = ("", 0)
        self._searched = ""
        self._guessed = ""
        self._standing: tuple[str, int] = ("", 0)
        self._ahead: list[Look] = []
        """Looks ahead since the camera stands: one that has ended, then one that has not."""
        self._looked_ns: int | None = None
        """Exposure of the last look ahead since the camera stands."""
        self._due: Look | None = None
        """The look ahead that serves the present search, until it is taken."""

    def reset(self) -> list[tuple[str, str]]:
        """Forget what is to be searched.

        Returns:
            (utterance id, caption) of those that no picture was picked for, or whose look ahead is
            still waited for.
        """
        searched = "" if self._due is not None else self._searched
        waiting = [each for each in self._captions.items() if each[0] != searched]
        self._captions.clear()
        self._settled = self._standing = ("", 0)
        self._guessed = ""
        self._forget_looks()
        self._due = None
        return waiting

    def on_command(self, utterance_id: str, caption: str) -> Look | None:
        """A whole command names its target.

        Returns:
            as `on_turret`, where the command comes after the turret's word.
        """
        self._captions[utterance_id] = caption
        while len(self._captions) > _KEPT:
            del self._captions[next(iter(self._captions))]
        return self._serve_ahead()

    def on_guess(self, utterance_id: str) -> None:
        """The operator has named a target surely, and still speaks."""
        self._guessed = utterance_id

    def on_turret(
        self, searching: bool, utterance_id: str, stamp_ns: int, at_goal: bool = False
    ) -> Look | None:
        """The turret's state. stamp_ns: of the joints; counts when searching begins.

        Returns:
            the look ahead that serves this search, in the moment in which the search is due.
        """
        if not at_goal or self._standing[0] != utterance_id:
            self._standing = (utterance_id, stamp_ns) if at_goal else ("", 0)
            self._forget_looks()
        if not searching:
            self._settled = ("", 0)
            self._searched = ""  # the same id again: a recording in a loop
            self._due = None
            return None
        if self._settled[0] == utterance_id:
            return None
        self._settled = (utterance_id, stamp_ns)
        return self._serve_ahead()

    def _serve_ahead(self) -> Look | None:
        utterance_id, since_ns = self._settled
        caption = self._captions.get(utterance_id)
        if caption is None or utterance_id == self._searched:
            return None
        for look in self._ahead:
            if since_ns - look.stamp_ns <= self._max_age_ns:
                self._searched = utterance_id
                self._due = replace(look, caption=caption)
                return self._due
        return None

    def on_looked(self, look: Look) -> None:
        """A look ahead has ended: it serves before one that has not."""
        if look in self._ahead:
            self._ahead = [look]

    def take(self, look: Look) -> Look | None:
        """The search that a look ahead serves, once: None before that is due, or after a reset."""
        due = self._due
        if due is None or look != replace(due, caption=""):
            return None
        self._due = None
        return due

    def on_image(self, stamp_ns: int, busy: bool = False) -> Look | None:
        """The picture's search, None to let it pass. busy: there is no time to look ahead."""
        utterance_id, since_ns = self._settled
        if not utterance_id:
            return None if busy else self._look_ahead(stamp_ns)
        caption = self._captions.get(utterance_id)
        if caption is None or utterance_id == self._searched:
            return None
        if stamp_ns < since_ns:
            return None  # exposed while the camera still moved
        self._searched = utterance_id
        return Look(utterance_id, caption, stamp_ns)

    def look_again(self, look: Look) -> None:
        """A look ahead, or the search that it served, brought nothing that serves: search as if it
        had not been."""
        self._ahead = [each for each in self._ahead if each.stamp_ns != look.stamp_ns]
        if self._due is not None and self._due.stamp_ns == look.stamp_ns:
            self._due = None
        if self._searched == look.utterance_id:
            self._searched = ""

    def _look_ahead(self, stamp_ns: int) -> Look | None:
        utterance_id = self._guessed
        standing, since_ns = self._standing
        if not self._max_age_ns or not utterance_id or standing != utterance_id:
            return None
        if utterance_id in self._captions or stamp_ns < since_ns:
            return None
        last_ns = self._looked_ns
        if last_ns is not None and stamp_ns - last_ns < self._max_age_ns // 2:
            return None
        self._looked_ns = stamp_ns
        look = Look(utterance_id, "", stamp_ns, ahead=True)
        self._ahead = [*self._ahead[:1], look]
        return look

    def _forget_looks(self) -> None:
        self._ahead = []
        self._looked_ns = None
