# SPDX-License-Identifier: Apache-2.0
"""Which picture is searched for which caption: the first one after the camera stood still."""

from __future__ import annotations

_KEPT = 8
"""Commands remembered: turns overlap by one or two, and some never come to a search."""


class Lookout:
    """Told of commands, of the turret and of every picture, it picks one picture for each turn."""

    def __init__(self) -> None:
        self._captions: dict[str, str] = {}
        self._settled: tuple[str, int] = ("", 0)
        self._searched = ""

    def reset(self) -> list[tuple[str, str]]:
        """Forget what is to be searched.

        Returns:
            (utterance id, caption) of those that no picture was picked for.
        """
        waiting = [each for each in self._captions.items() if each[0] != self._searched]
        self._captions.clear()
        self._settled = ("", 0)
        return waiting

    def on_command(self, utterance_id: str, caption: str) -> None:
        """A whole command names its target."""
        self._captions[utterance_id] = caption
        while len(self._captions) > _KEPT:
            del self._captions[next(iter(self._captions))]

    def on_turret(self, searching: bool, utterance_id: str, stamp_ns: int) -> None:
        """The turret's state. stamp_ns: of the joints; counts when searching begins."""
        if not searching:
            self._settled = ("", 0)
            self._searched = ""  # the same id again: a recording in a loop
        elif self._settled[0] != utterance_id:
            self._settled = (utterance_id, stamp_ns)

    def on_image(self, stamp_ns: int) -> tuple[str, str] | None:
        """(utterance id, caption) to search this picture for, None to let it pass."""
        utterance_id, since_ns = self._settled
        caption = self._captions.get(utterance_id)
        if caption is None or utterance_id == self._searched:
            return None
        if stamp_ns < since_ns:
            return None  # exposed while the camera still moved
        self._searched = utterance_id
        return utterance_id, caption
