# SPDX-License-Identifier: Apache-2.0
"""Which picture is searched for which caption: the first one after the camera stood still.

While the operator still speaks, a picture may be searched ahead: once heading and target were heard
surely and the camera stands at that heading. Its answer serves if the whole command asks for the
same target, the camera still stands there, and the picture is no older than a limit.
"""

from __future__ import annotations

from dataclasses import dataclass

_KEPT = 8
"""Commands remembered: turns overlap by one or two, and some never come to a search."""


@dataclass(frozen=True, slots=True)
class Look:
    """One picture to search. stamp_ns: its exposure; ahead: the operator still speaks."""

    utterance_id: str
    caption: str
    stamp_ns: int
    ahead: bool = False


class Lookout:
    """Told of commands, of the turret and of every picture, it picks one picture for each turn."""

    def __init__(self, max_age_ns: int = 0) -> None:
        """max_age_ns: how old a picture that was searched ahead may be when the search is due; 0:
        nothing is searched ahead."""
        self._max_age_ns = max_age_ns
        self._captions: dict[str, str] = {}
        self._settled: tuple[str, int] = ("", 0)
        self._searched = ""
        self._guess: tuple[str, str] = ("", "")
        self._standing: tuple[str, int] = ("", 0)
        self._ahead: list[Look] = []
        """Looks ahead since the camera stands: one with an answer, then one without."""
        self._due: Look | None = None
        """The look ahead that serves the present search, until it is taken."""

    def reset(self) -> list[tuple[str, str]]:
        """Forget what is to be searched.

        Returns:
            (utterance id, caption) of those that no picture was picked for, or whose answer from a
            look ahead is still waited for.
        """
        searched = "" if self._due is not None else self._searched
        waiting = [each for each in self._captions.items() if each[0] != searched]
        self._captions.clear()
        self._settled = self._standing = ("", 0)
        self._guess = ("", "")
        self._ahead = []
        self._due = None
        return waiting

    def on_command(self, utterance_id: str, caption: str) -> None:
        """A whole command names its target."""
        self._captions[utterance_id] = caption
        while len(self._captions) > _KEPT:
            del self._captions[next(iter(self._captions))]

    def on_guess(self, utterance_id: str, caption: str) -> None:
        """The operator has named the target surely, and still speaks."""
        self._guess = (utterance_id, caption)

    def on_turret(
        self, searching: bool, utterance_id: str, stamp_ns: int, at_goal: bool = False
    ) -> Look | None:
        """The turret's state. stamp_ns: of the joints; counts when searching begins.

        Returns:
            the look ahead that serves this search, in the moment in which the search is due.
        """
        if not at_goal or self._standing[0] != utterance_id:
            self._standing = (utterance_id, stamp_ns) if at_goal else ("", 0)
            self._ahead = []
        if not searching:
            self._settled = ("", 0)
            self._searched = ""  # the same id again: a recording in a loop
            return None
        if self._settled[0] == utterance_id:
            return None
        self._settled = (utterance_id, stamp_ns)
        caption = self._captions.get(utterance_id)
        for look in self._ahead:
            fresh = stamp_ns - look.stamp_ns <= self._max_age_ns
            if fresh and look.caption == caption:
                self._searched = utterance_id
                self._due = look
                return look
        return None

    def on_answer(self, look: Look) -> None:
        """A look ahead has its answer: it serves before one that has none yet."""
        if look in self._ahead:
            self._ahead = [look]

    def take(self, look: Look) -> bool:
        """Whether a look's answer is due, once: not before the search is, nor after a reset."""
        due = self._due == look
        if due:
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
        """A look ahead brought no answer that serves: search as if it had not been."""
        self._ahead = [each for each in self._ahead if each != look]
        if self._searched == look.utterance_id:
            self._searched = ""

    def _look_ahead(self, stamp_ns: int) -> Look | None:
        utterance_id, caption = self._guess
        standing, since_ns = self._standing
        if not self._max_age_ns or not utterance_id or standing != utterance_id:
            return None
        if utterance_id in self._captions or stamp_ns < since_ns:
            return None
        last = self._ahead[-1] if self._ahead else None
        soon = last is not None and stamp_ns - last.stamp_ns < self._max_age_ns // 2
        if last is not None and last.caption == caption and soon:
            return None
        look = Look(utterance_id, caption, stamp_ns, ahead=True)
        self._ahead = [*self._ahead[:1], look] if last and last.caption == caption else [look]
        return look
