# SPDX-License-Identifier: Apache-2.0
"""The team's side of the finals server: both sockets, turns, snapshots, updates, reports."""

from __future__ import annotations

import asyncio
import functools
import math
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol

import numpy as np
from numpy.typing import NDArray

from turret_ai.act.competition import wire
from turret_ai.act.competition.actions import Action, Fetch, Report, Send, Speak
from turret_ai.act.competition.link import Link
from turret_ai.act.competition.report import TurnReport
from turret_ai.act.competition.settings import ClientSettings
from turret_ai.act.competition.snapshots import Snapshot, Snapshots
from turret_ai.act.competition.turns import TurnKeeper
from turret_ai.aim.camera import Camera
from turret_ai.types import Box, ImageArray, LocationStatus
from turret_ai.units import heading_to_yaw, wrap
from turret_ai.waiting import cancel

TICK_SECONDS = 0.05
SEARCH_SLACK = 1.25
"""The time that is kept for searching a picture, in times of the longest search so far."""


class ServerEvents(Protocol):
    """Who is told what the server wants. Times: `time.monotonic()`."""

    def on_utterance(
        self, utterance_id: str, samples: NDArray[np.int16], sample_rate: int, at: float
    ) -> None:
        """A whole sentence to recognise: mono samples."""

    def on_snapshot(self, image: ImageArray, camera: Camera, at: float) -> None:
        """A picture, with the camera that took it."""

    def on_report(self, report: TurnReport) -> None:
        """A turn is over."""

    def on_done(self) -> None:
        """The server ended the run."""

    def on_event(self, level: str, text: str) -> None:
        """Something that people should know; level: info, warning or error."""


P = ParamSpec("P")


def _answered(method: Callable[Concatenate[Client, str, P], None]) -> Callable[..., None]:
    """A fault in what follows from the chain's words ends in an answer, not in the loop."""

    @functools.wraps(method)
    def guarded(self: Client, utterance_id: str, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, utterance_id, *args, **kwargs)
        except Exception as error:
            self._on_failure(utterance_id, error)

    return guarded


class Client:
    """One team at one server. Everything that is called from outside runs in its loop's thread.

    Raises:
        ConfigError: an address or a team name that can't be used.
    """

    def __init__(self, settings: ClientSettings, listener: ServerEvents) -> None:
        self.settings = settings
        self.listener = listener
        self.keeper = TurnKeeper(settings.turns, run=secrets.token_hex(3))
        team, robot = wire.addresses(settings.server, settings.team)
        self.team = Link(
            team, self._on_team_frame, self._on_team_link, listener.on_event, settings.retry_limit
        )
        self.robot = Link(
            robot,
            self._on_robot_frame,
            lambda connected: self.snapshots.on_link(connected),
            listener.on_event,
            settings.retry_limit,
        )
        self.snapshots = Snapshots(self.robot.send, settings.snapshot_timeout)
        self._search_time = settings.search_time
        self.yaw: float | None = None
        """The camera's present yaw, radians; None before the first joint state."""
        self.done = asyncio.Event()
        self.health_checks = 0
        self.robot_texts = 0
        self._jobs: set[asyncio.Task[None]] = set()
        self._fetching: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            ConfigError: the server's address can't be used.
        """
        tasks = [
            asyncio.create_task(job)
            for job in (self.team.run(), self.robot.run(), self._tick(), self._update())
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            await cancel([*tasks, *self._jobs])

    # -- from the chain, in the loop's thread ----------------------------------------------------

    @_answered
    def heard(self, utterance_id: str, text: str) -> None:
        """The final transcript of an utterance."""
        self._act(self.keeper.on_transcript(utterance_id, text, time.monotonic()))

    @_answered
    def understood(
        self,
        utterance_id: str,
        heading: str,
        tool: str,
        target: str,
        guesses: tuple[str, str, str] = ("", "", ""),
    ) -> None:
        """The full command of an utterance. guesses: what to answer for fields that are ""."""
        turn = self.keeper.running
        running = turn is not None and turn.utterance_id == utterance_id
        if turn is not None and running and self.yaw is not None and heading.isdecimal():
            turn.report.pan = wrap(heading_to_yaw(float(heading)) - self.yaw)
        now = time.monotonic()
        likely = [v or g for v, g in zip((heading, tool, target), guesses, strict=True)]
        self._act(
            self.keeper.on_command(
                utterance_id, likely[0], likely[1], likely[2], now, searched=bool(target)
            )
        )

    @_answered
    def searching(self, utterance_id: str) -> None:
        """The turret stands at the heading."""
        self._act(self.keeper.on_searching(utterance_id, time.monotonic()))

    @_answered
    def located(
        self,
        utterance_id: str,
        status: LocationStatus,
        box: Box | None,
        reason: str,
        scores: Mapping[str, float] | None = None,
    ) -> None:
        """The locator's answer. scores: its detection, match and margin, to be reported."""
        turn = self.keeper.running
        if turn is not None and turn.utterance_id == utterance_id:
            turn.report.scores.update(scores or {})
        self._act(self.keeper.on_box(utterance_id, status, box, reason, time.monotonic()))
        last = self.keeper.last
        if last is not None and last.utterance_id == utterance_id:
            searched = last.report.seconds.get("see", 0.0)
            self._search_time = max(self._search_time, SEARCH_SLACK * searched)

    @_answered
    def engaged(self, utterance_id: str, reason: str, aim: tuple[float, float] | None) -> None:
        """The controller's summary. aim: (yaw, pitch) or None, radians."""
        if aim is not None and not all(math.isfinite(angle) for angle in aim):
            aim = None
        self._act(self.keeper.on_engagement(utterance_id, reason, aim, time.monotonic()))

    # -- the server ------------------------------------------------------------------------------

    def _on_team_link(self, connected: bool) -> None:
        self.keeper.on_link(connected, time.monotonic())

    def _on_team_frame(self, message: str | bytes) -> None:
        now = time.monotonic()
        if isinstance(message, bytes):
            self._act(self.keeper.on_wav(message, now))
            return
        word, problem = wire.parse_word(message)
        if problem:
            self.listener.on_event("warning", problem)
        if word is wire.Word.DONE:
            self._act(self.keeper.on_done(now))
            self.done.set()
            self.listener.on_done()
        else:
            self.health_checks += 1
            self._spawn(self._send_health())

    def _on_robot_frame(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.snapshots.on_frame(message)
        else:
            self.robot_texts += 1
            if self.robot_texts == 1:  # a talkative server must not fill the log
                self.listener.on_event("warning", "a text came where a snapshot was expected")

    # -- actions ---------------------------------------------------------------------------------

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            try:
                self._do(action)
            except Exception as error:  # it must not cost the other actions, nor the link
                name = "" if isinstance(action, Report) else action.utterance_id
                self._on_failure(name, error)

    def _do(self, action: Action) -> None:
        match action:
            case Speak(utterance_id, samples, sample_rate):
                at = time.monotonic()
                self.listener.on_utterance(utterance_id, samples, sample_rate, at)
            case Fetch(utterance_id):
                if self._fetching is not None:
                    self._fetching.cancel()  # of a turn that is over
                self._fetching = self._spawn(self._fetch(utterance_id))
            case Send(utterance_id, text):
                self._spawn(self._send(utterance_id, text))
            case Report(report):
                self.listener.on_report(report)

    def _on_failure(self, utterance_id: str, error: Exception) -> None:
        """A fault of ours: it is told, and the turn is answered with what is known."""
        text = f"failed: {type(error).__name__}: {error}"
        self.listener.on_event("error", f"{utterance_id}: {text}" if utterance_id else text)
        self._act(self.keeper.on_failure(utterance_id, text, time.monotonic()))

    async def _send(self, utterance_id: str, text: str) -> None:
        async with self._sending:
            if not await self.team.send(text):
                self.keeper.on_send_failed(utterance_id)

    async def _send_health(self) -> None:
        async with self._sending:
            await self.team.send(wire.HEALTHY)

    async def _fetch(self, utterance_id: str) -> None:
        turn = self.keeper.running
        if turn is None or turn.utterance_id != utterance_id:
            return
        yaw = self.yaw if self.yaw is not None else 0.0
        until = turn.began + self.settings.turns.deadline - self._search_time
        try:
            found = await self.snapshots.fetch(yaw, until)
        except Exception as error:
            self._on_failure(utterance_id, error)
            return
        for problem in found.problems:
            self.listener.on_event("warning", f"{utterance_id}: {problem}")
        turn = self.keeper.running
        if turn is None or turn.utterance_id != utterance_id:
            return  # the turn is over: its picture must not be searched for the next one
        self._deliver(utterance_id, found)

    def _deliver(self, utterance_id: str, found: Snapshot) -> None:
        usable = found.image is not None
        if found.image is not None:
            height, width = found.image.shape[:2]
            camera = Camera.from_fov(width, height, self.settings.vertical_fov)
            try:
                self.listener.on_snapshot(found.image, camera, found.at)
            except Exception as error:
                self._on_failure(utterance_id, error)
                return
        now = time.monotonic()
        self._act(self.keeper.on_snapshot(utterance_id, found.problems, usable, now))

    # -- what goes on all the time ---------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            try:
                self._act(self.keeper.on_tick(time.monotonic()))
            except Exception as error:
                self._on_failure("", error)
            await asyncio.sleep(TICK_SECONDS)

    async def _update(self) -> None:
        period = 1.0 / self.settings.update_rate
        due = time.monotonic()
        while True:
            if self.yaw is not None and math.isfinite(self.yaw) and self.robot.connected:
                await self.robot.send(wire.update(self.yaw))
            due = max(due + period, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _spawn(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        return task
