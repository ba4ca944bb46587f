# SPDX-License-Identifier: Apache-2.0
"""The turns against the finals server, as a state machine without sockets.

Every WAV frame is answered exactly once, whatever happens and in whatever order: at once when
everything is known, at the deadline with what is known by then. Event methods return the
actions that follow. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

import hashlib
from collections import deque

from turret_ai.act.competition.actions import (
    Action,
    Fetch,
    Report,
    Send,
    Speak,
    Turn,
    TurnSettings,
)
from turret_ai.act.competition.report import TurnEnd, TurnReport
from turret_ai.act.competition.wire import Answer
from turret_ai.act.wav import read_wav
from turret_ai.errors import InputError
from turret_ai.types import Box, LocationStatus


class TurnKeeper:
    """Keeps the turns. Not thread-safe: one caller.

    Args:
        run: makes the utterances' names unique beyond this process.
    """

    def __init__(self, settings: TurnSettings, run: str = "") -> None:
        self.settings = settings
        self.link = 0
        """Number of the present team link, counted from 1; 0 before the first."""
        self._connected = False
        self._linked_at = 0.0
        self._run = run
        self._count = 0
        self._turn: Turn | None = None
        self._last: Turn | None = None
        self._reported: deque[str] = deque(maxlen=64)

    @property
    def running(self) -> Turn | None:
        """The turn that has not been answered yet."""
        return self._turn

    @property
    def last(self) -> Turn | None:
        """The turn that was answered last."""
        return self._last

    # -- the server ------------------------------------------------------------------------------

    def on_link(self, connected: bool, now: float) -> None:
        """The team link comes or goes."""
        if connected and not self._connected:
            self.link += 1
            self._linked_at = now
        last = self._last
        taken = last is not None and not last.held and now - last.answered > self.settings.grace
        if last is not None and taken and not connected:
            last.digest = b""  # its answer has long been taken: the same audio is a new turn
        self._connected = connected

    def on_wav(self, data: bytes, now: float) -> list[Action]:
        """A binary frame of the team socket."""
        digest = hashlib.blake2b(data, digest_size=16).digest()
        again = self._asked_again(digest)
        if again is not None:
            again.link, again.copies = self.link, 1
            again.report.problems.append("the server asked again after a reconnection")
            return [Send(again.utterance_id, again.answer)] if again.answer else []
        if self._turn is not None and self._turn.digest == digest:
            self._turn.copies += 1
            self._turn.report.problems.append("the server sent the audio again")
            return []
        actions = self._close_running(now)
        self._count += 1
        name = f"turn{self._count:03d}" + (f"_{self._run}" if self._run else "")
        turn = Turn(TurnReport(self._count, name), digest, self.link, now)
        self._turn = turn
        try:
            sound = read_wav(data)
        except Exception as error:  # readers of audio raise whatever they meet
            known = isinstance(error, InputError)
            reason = str(error) if known else f"the audio can't be used: {type(error).__name__}"
            turn.report.problems.append(reason)
            return [*actions, *self._answer(turn, TurnEnd.BAD_AUDIO, now), *self._tell(turn)]
        if sound.remark:
            turn.report.problems.append(sound.remark)
        return [*actions, Speak(name, sound.as_pcm(), sound.sample_rate)]

    def on_send_failed(self, utterance_id: str) -> None:
        """An answer did not get out: it waits for the next link."""
        turn = self._find(utterance_id)
        if turn is not None:
            turn.held = True

    def on_failure(self, utterance_id: str, reason: str, now: float) -> list[Action]:
        """A fault of ours in the midst of a turn: it is answered with what is known."""
        turn = self._find(utterance_id)
        if turn is None:
            return []
        turn.report.problems.append(reason)
        return self._answer(turn, TurnEnd.INCOMPLETE, now)

    def on_done(self, now: float) -> list[Action]:
        """The server ends the run: nothing more is answered."""
        actions = self._close_running(now)
        self._last = None
        return actions

    # -- the chain -------------------------------------------------------------------------------

    def on_transcript(self, utterance_id: str, text: str, now: float) -> list[Action]:
        """The final transcript; "" for one in which nothing was heard."""
        turn = self._find(utterance_id)
        if turn is None or "heard" in turn.times:
            return []
        turn.times["heard"] = now
        turn.report.heard = text
        if not text:
            turn.report.problems.append("nothing was heard")
            return self._answer(turn, TurnEnd.INCOMPLETE, now)
        return []

    def on_command(
        self,
        utterance_id: str,
        heading: str,
        tool: str,
        target: str,
        now: float,
        searched: bool = True,
    ) -> list[Action]:
        """The full command; "" for fields that were not understood.

        searched: False where the target is a mere guess that nobody will look for.
        """
        turn = self._find(utterance_id)
        if turn is None or turn.understood:
            return []
        turn.understood = True
        turn.times["understood"] = now
        report = turn.report
        report.heading, report.tool, report.target = heading, tool, target
        if not (target and searched):  # nothing will be searched for, so nothing more will be known
            return self._answer(turn, TurnEnd.INCOMPLETE, now)
        return []

    def on_searching(self, utterance_id: str, now: float) -> list[Action]:
        """The turret stands at the heading: the picture may be taken."""
        turn = self._turn
        if turn is None or turn.utterance_id != utterance_id or turn.fetching:
            return []
        turn.fetching = True
        turn.times["settled"] = now
        return [Fetch(utterance_id)]

    def on_snapshot(
        self, utterance_id: str, problems: list[str], usable: bool, now: float
    ) -> list[Action]:
        """The fetching has ended, with or without a picture."""
        turn = self._find(utterance_id)
        if turn is None:
            return []
        turn.times["snapshot"] = now
        turn.report.problems.extend(problems)
        return [] if usable else self._answer(turn, TurnEnd.NO_SNAPSHOT, now)

    def on_box(
        self, utterance_id: str, status: LocationStatus, box: Box | None, reason: str, now: float
    ) -> list[Action]:
        """The locator's answer."""
        turn = self._find(utterance_id)
        if turn is None or "seen" in turn.times:
            return []
        turn.times["seen"] = now
        if reason:
            turn.report.problems.append(reason)
        if status is LocationStatus.NOT_FOUND or box is None:
            return self._answer(turn, TurnEnd.NOT_FOUND, now)
        turn.report.box = box
        report = turn.report
        whole = report.heard and report.heading and report.tool
        return self._answer(turn, TurnEnd.ANSWERED if whole else TurnEnd.INCOMPLETE, now)

    def on_engagement(
        self, utterance_id: str, reason: str, aim: tuple[float, float] | None, now: float
    ) -> list[Action]:
        """The controller's summary: the turret has aimed, or nothing more will come."""
        turn = self._find(utterance_id)
        if turn is None:
            return []
        turn.times.setdefault("engaged", now)
        turn.report.aim = aim
        if reason and reason not in turn.report.problems:
            turn.report.problems.append(reason)
        actions: list[Action] = []
        if not turn.answer:
            report = turn.report
            if report.heading and report.tool and report.target:
                end = TurnEnd.NO_SNAPSHOT if "snapshot" not in turn.times else TurnEnd.NOT_FOUND
            else:
                end = TurnEnd.INCOMPLETE
            actions = self._answer(turn, end, now)
        return actions if turn.held else [*actions, *self._tell(turn)]

    # -- time ------------------------------------------------------------------------------------

    def on_tick(self, now: float) -> list[Action]:
        """Time passes: deadlines, and answers that wait for a link."""
        actions: list[Action] = []
        turn = self._turn
        if turn is not None and now - turn.began >= self.settings.deadline:
            missing = self._waits_for(turn)
            turn.report.problems.append(f"the deadline came while waiting for {missing}")
            actions += self._answer(turn, TurnEnd.DEADLINE, now)
        last = self._last
        waited = now - self._linked_at >= self.settings.grace
        if last is not None and last.held and self._connected:
            if last.link != self.link and not waited:
                return actions
            last.held = False
            last.link = self.link
            actions.append(Send(last.utterance_id, last.answer))
            if "engaged" in last.times:
                actions += self._tell(last)
        if last is not None and not last.held and now - last.began > 2 * self.settings.deadline:
            actions += self._tell(last)
        return actions

    # -- steps -----------------------------------------------------------------------------------

    def _asked_again(self, digest: bytes) -> Turn | None:
        """The turn whose WAV comes a second time because the link broke in between."""
        for turn in (self._turn, self._last):
            if turn is not None and turn.digest == digest and turn.link != self.link:
                turn.held = False
                return turn
        return None

    def _close_running(self, now: float) -> list[Action]:
        """End what is under way before something new begins."""
        actions: list[Action] = []
        turn = self._turn
        if turn is not None:
            lost = turn.link != self.link
            end = TurnEnd.LINK_LOST if lost else TurnEnd.SUPERSEDED
            sent = self._answer(turn, end, now)
            actions += [] if lost else sent
        last = self._last
        if last is not None:
            if last.held:  # another utterance came instead of the question for this answer
                last.held = False
                last.report.end = TurnEnd.LINK_LOST
            actions += self._tell(last)
        return actions

    def _answer(self, turn: Turn, end: TurnEnd, now: float) -> list[Action]:
        """Send what is known; the turn's clock stops."""
        if turn.answer:
            return []
        report = turn.report
        report.end = end
        report.seconds = _seconds(turn, now)
        known = Answer(report.heard, report.heading, report.tool, report.target, report.box)
        turn.answer = known.to_text()
        turn.answered = now
        actions: list[Action] = []
        if self._last is not None and self._last is not turn:
            actions += self._tell(self._last)
        self._last = turn
        if self._turn is turn:
            self._turn = None
        return [*actions, *[Send(turn.utterance_id, turn.answer)] * turn.copies]

    def _tell(self, turn: Turn) -> list[Action]:
        if turn.utterance_id in self._reported:
            return []
        self._reported.append(turn.utterance_id)
        return [Report(turn.report)]

    def _find(self, utterance_id: str) -> Turn | None:
        for turn in (self._turn, self._last):
            if turn is not None and turn.utterance_id == utterance_id:
                return turn
        return None

    @staticmethod
    def _waits_for(turn: Turn) -> str:
        for step, what in (
            ("heard", "the transcript"),
            ("understood", "the command"),
            ("settled", "the turret"),
            ("snapshot", "the snapshot"),
        ):
            if step not in turn.times:
                return what
        return "the target's box"


def _seconds(turn: Turn, now: float) -> dict[str, float]:
    """The whole time and the steps', as far as they were reached."""
    steps = (
        ("hear", "heard"),
        ("understand", "understood"),
        ("pan", "settled"),
        ("snapshot", "snapshot"),
        ("see", "seen"),
    )
    found = {"total": now - turn.began}
    before = turn.began
    for name, mark in steps:
        if mark in turn.times:
            found[name] = turn.times[mark] - before
            before = turn.times[mark]
    return found
