"""The team's side of the finals server: both sockets, turns, snapshots, updates, reports."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from turret_ai.act.competition import wire
from turret_ai.act.competition.actions import Action, Fetch, Report, Send, Speak
from turret_ai.act.competition.link import Link
from turret_ai.act.competition.report import TurnReport
from turret_ai.act.competition.settings import ClientSettings
from turret_ai.act.competition.snapshots import Snapshots
from turret_ai.act.competition.turns import TurnKeeper
from turret_ai.aim.camera import Camera
from turret_ai.types import Box, ImageArray, LocationStatus
from turret_ai.units import heading_to_yaw, wrap

TICK_SECONDS = 0.05


class Listener(Protocol):
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


class Client:
    """One team at one server. Everything that is called from outside runs in its loop's thread.

    Raises:
        ConfigError: an address or a team name that can't be used.
    """

    def __init__(self, settings: ClientSettings, listener: Listener) -> None:
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
        self.snapshots = Snapshots(
            self.robot.send, settings.snapshot_timeout, settings.snapshot_tries
        )
        self.yaw: float | None = None
        """The camera's present yaw, radians; None before the first joint state."""
        self.done = asyncio.Event()
        self.health_checks = 0
        self.robot_texts = 0
        self._jobs: set[asyncio.Task[None]] = set()
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
            for task in [*tasks, *self._jobs]:
                task.cancel()
            await asyncio.gather(*tasks, *self._jobs, return_exceptions=True)

    # -- from the chain, in the loop's thread ----------------------------------------------------

    def heard(self, utterance_id: str, text: str) -> None:
        """The final transcript of an utterance."""
        self._act(self.keeper.on_transcript(utterance_id, text, time.monotonic()))

    def understood(self, utterance_id: str, heading: str, tool: str, target: str) -> None:
        """The full command of an utterance."""
        turn = self.keeper.running
        running = turn is not None and turn.utterance_id == utterance_id
        if turn is not None and running and self.yaw is not None and heading.isdigit():
            turn.report.pan = wrap(heading_to_yaw(float(heading)) - self.yaw)
        now = time.monotonic()
        self._act(self.keeper.on_command(utterance_id, heading, tool, target, now))

    def searching(self, utterance_id: str) -> None:
        """The turret stands at the heading."""
        self._act(self.keeper.on_searching(utterance_id, time.monotonic()))

    def located(
        self, utterance_id: str, status: LocationStatus, box: Box | None, reason: str
    ) -> None:
        """The locator's answer."""
        self._act(self.keeper.on_box(utterance_id, status, box, reason, time.monotonic()))

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
            match action:
                case Speak(utterance_id, samples, sample_rate):
                    at = time.monotonic()
                    self.listener.on_utterance(utterance_id, samples, sample_rate, at)
                case Fetch(utterance_id):
                    self._spawn(self._fetch(utterance_id))
                case Send(utterance_id, text):
                    self._spawn(self._send(utterance_id, text))
                case Report(report):
                    self.listener.on_report(report)

    async def _send(self, utterance_id: str, text: str) -> None:
        async with self._sending:
            if not await self.team.send(text):
                self.keeper.on_send_failed(utterance_id)

    async def _send_health(self) -> None:
        async with self._sending:
            await self.team.send(wire.HEALTHY)

    async def _fetch(self, utterance_id: str) -> None:
        yaw = self.yaw if self.yaw is not None else 0.0
        found = await self.snapshots.fetch(yaw)
        for problem in found.problems:
            self.listener.on_event("warning", f"{utterance_id}: {problem}")
        turn = self.keeper.running
        if turn is None or turn.utterance_id != utterance_id:
            return  # the turn is over: its picture must not be searched for the next one
        if found.image is not None:
            height, width = found.image.shape[:2]
            camera = Camera.from_fov(width, height, self.settings.vertical_fov)
            self.listener.on_snapshot(found.image, camera, found.at)
        usable = found.image is not None
        now = time.monotonic()
        self._act(self.keeper.on_snapshot(utterance_id, found.problems, usable, now))

    # -- what goes on all the time ---------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            self._act(self.keeper.on_tick(time.monotonic()))
            await asyncio.sleep(TICK_SECONDS)

    async def _update(self) -> None:
        period = 1.0 / self.settings.update_rate
        due = time.monotonic()
        while True:
            if self.yaw is not None and self.robot.connected:
                await self.robot.send(wire.update(self.yaw))
            due = max(due + period, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
