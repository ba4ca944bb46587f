# SPDX-License-Identifier: Apache-2.0
"""Run the chain over a recording, in the recording's own time.

The classes that hear, look out and engage are those of the running nodes. Only what lies around
them differs: the recording's messages are handed over in their order, its log times are the clock,
and models answer at once. So two runs over the same bag give the same answers: nothing waits,
nothing is dropped, no thread and no clock of the machine is involved. How long the models took is
kept apart from what they said.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from turret_ai.aim.camera import Camera
from turret_ai.aim.engagement import Engagement
from turret_ai.aim.settings import AimSettings
from turret_ai.aim.turn import Action, BoxReport, Finish, State
from turret_ai.errors import InputError
from turret_ai.hear.hearing import AudioChunk, Heard, Hearing
from turret_ai.hear.settings import HearSettings
from turret_ai.prove.bag import Bag, BagRecord
from turret_ai.prove.nlp_score import FIELDS
from turret_ai.prove.results import Answer, FieldAnswer
from turret_ai.prove.stages import Stages
from turret_ai.prove.thumbnail import Thumbnail, thumbnail
from turret_ai.prove.timeline import Event, JointReading, Timeline, pictures, read
from turret_ai.see import images
from turret_ai.see.lookout import Lookout
from turret_ai.types import (
    Command,
    FloatArray,
    ImageArray,
    Location,
    LocationStatus,
    Transcription,
    TranscriptStatus,
)
from turret_ai.units import seconds_to_ns

_TICK_NS = seconds_to_ns(0.1)
"""How often the nodes look at their clocks."""
_IDLE_NS = seconds_to_ns(300.0)
"""Longer than anything waits: of a longer silence in a recording only the end is lived through."""


class Watcher(Protocol):
    """Told how far the run is."""

    def begin(self, what: str, total: int) -> None:
        """A new part begins, of so many steps."""

    def step(self) -> None:
        """One step is done."""


class Silent:
    """Nobody watches."""

    def begin(self, what: str, total: int) -> None:
        """Say nothing."""

    def step(self) -> None:
        """Say nothing."""


@dataclass(slots=True)
class Run:
    """What a run over a bag gave.

    pictures: the searched image of each key, small. seconds: what each stage took,
    by name, one time for each call, in the machine's own time.
    """

    answers: list[Answer]
    timeline: Timeline
    pictures: dict[int, Thumbnail] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Turn:
    """What was said about one utterance so far."""

    transcription: Transcription
    command: Command | None = None
    location: Location | None = None
    image_ns: int | None = None
    picture: Thumbnail | None = None
    finish: Finish | None = None


def run(
    bag: Bag,
    stages: Stages,
    hear: HearSettings | None = None,
    aim: AimSettings | None = None,
    namespace: str | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Hear, understand, see and aim over a whole bag.

    A bag that lacks inputs gives what can be had, and says in `problems` what was missing.

    Args:
        aim: the controller's settings; `recorded_joints` is set, whatever they say.

    Raises:
        InputError: the bag holds several systems and `namespace` doesn't tell which.
    """
    settings = (aim or AimSettings()).model_copy(update={"recorded_joints": True})
    lockstep = _Lockstep(bag, stages, hear or HearSettings(), settings, watcher or Silent())
    return lockstep.run(namespace)


class _Lockstep:
    def __init__(
        self, bag: Bag, stages: Stages, hear: HearSettings, aim: AimSettings, watcher: Watcher
    ) -> None:
        self._bag = bag
        self._stages = stages
        self._watcher = watcher
        self._hearing = Hearing(
            hear,
            self._transcribe,
            stages.progress,
            self._on_heard,
            glance=self._glance,
            phones=stages.phone_times,
        )
        self._lookout = Lookout()
        self._engagement = Engagement(aim)
        self._result = Run([], Timeline({}))
        self._turns: dict[str, _Turn] = {}
        self._now_ns = self._tick_ns = 0
        self._pictures: Iterator[tuple[int, BagRecord]] = iter(())
        self._picture: tuple[int, BagRecord] | None = None
        self._searching_for = ""

    def run(self, namespace: str | None) -> Run:
        began, cpu = time.perf_counter(), time.process_time()
        total = sum(t.count for t in self._bag.topics.values() if "image" not in t.name)
        self._watcher.begin("reading", total)
        timeline = self._result.timeline = read(self._bag, namespace, self._watcher.step)
        self._live(timeline.events)
        self._missing(timeline)
        turns = [turn for turn in self._turns.values() if turn.finish is not None]
        turns.sort(key=lambda turn: turn.finish.stamp_ns if turn.finish else 0)
        for key, turn in enumerate(turns):
            self._result.answers.append(_answer(key, turn))
            if turn.picture is not None:
                self._result.pictures[key] = turn.picture
        self._result.problems = [*self._bag.problems, *timeline.problems, *self._result.problems]
        self._result.wall_seconds = time.perf_counter() - began
        self._result.cpu_seconds = time.process_time() - cpu
        return self._result

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._result.seconds.setdefault(stage, []).append(time.perf_counter() - began)

    # -- the world and its clock -----------------------------------------------------------------

    def _live(self, events: list[tuple[int, Event]]) -> None:
        self._watcher.begin("running", len(events))
        self._now_ns = self._tick_ns = events[0][0] if events else 0
        for log_ns, event in events:
            self._advance(log_ns)
            self._take(event)
            self._watcher.step()
        end_ns = self._now_ns + _IDLE_NS
        while (self._hearing.under_way or self._engagement.utterance_id) and self._now_ns < end_ns:
            self._advance(self._now_ns + _TICK_NS)

    def _advance(self, until_ns: int) -> None:
        """Let the clock run: pictures and timers come in their time."""
        self._tick_ns = max(self._tick_ns, until_ns - _IDLE_NS)
        while self._tick_ns <= until_ns:
            self._look(self._tick_ns)
            self._now_ns = max(self._now_ns, self._tick_ns)
            self._tick_ns += _TICK_NS
            self._hearing.tick(self._now_ns)
            self._act(self._engagement.on_tick(self._now_ns))
        self._look(until_ns)
        self._now_ns = max(self._now_ns, until_ns)

    def _take(self, event: Event) -> None:
        now = self._now_ns
        if isinstance(event, AudioChunk):
            try:
                self._hearing.feed(event)
            except InputError as error:
                self._result.problems.append(f"a chunk of audio at {event.stamp_ns}: {error}")
        elif isinstance(event, JointReading):
            stamp_ns, angles = event.stamp_ns, (event.yaw, event.pitch)
            self._act(self._engagement.on_joints(stamp_ns, *angles, event.rates, now))
        else:
            self._act(self._engagement.on_camera(event, now))

    def _missing(self, timeline: Timeline) -> None:
        def has(name: str) -> bool:
            return name in timeline.names and bool(
                self._bag.topics[timeline.names[name]].count or self._bag.problems
            )

        problems = self._result.problems
        if not has("audio"):
            problems.append("no audio topic: nothing could be heard")
        elif not self._turns:
            problems.append("the audio holds no utterance")
        if not has("camera/image_raw") and not has("camera/image_raw/compressed"):
            problems.append("no camera images: nothing could be seen")
        elif not timeline.holds(Camera):
            problems.append("no usable camera_info: nothing could be aimed at")
        if not timeline.holds(JointReading):
            problems.append("no usable joint_states: nothing could be aimed at")

    # -- the stages ------------------------------------------------------------------------------

    def _transcribe(self, samples: FloatArray) -> Transcription:
        with self._timed("hear"):
            return self._stages.transcribe(samples)

    def _glance(self, samples: FloatArray) -> Transcription:
        with self._timed("hear"):
            return self._stages.glance(samples)

    def _on_heard(self, heard: Heard) -> None:
        name, found, stamp_ns = heard.utterance_id, heard.transcription, heard.stamp_ns
        partial = found.status is TranscriptStatus.PARTIAL
        turn = self._turns.setdefault(name, _Turn(found))
        turn.transcription = found
        self._act(
            self._engagement.on_transcript(
                name,
                found.status,
                found.text,
                stamp_ns,
                found.speech_seconds,
                self._now_ns,
                found.reason,
            )
        )
        if found.status is TranscriptStatus.EMPTY:
            return
        with self._timed("understand"):
            command = self._stages.understand(found)
        if command is None:
            return
        if not partial:
            turn.command = command
            if command.target.value:
                self._lookout.on_command(name, command.target.value)
        self._act(self._engagement.on_command(name, command, partial, stamp_ns, self._now_ns))

    def _act(self, actions: list[Action]) -> None:
        """Note the ends of turns, and show the locator what the turret does."""
        for action in actions:
            if isinstance(action, Finish) and action.utterance_id in self._turns:
                self._turns[action.utterance_id].finish = action
        engagement, latest = self._engagement, self._engagement.joints.latest
        searching = engagement.state is State.SEARCHING
        name = engagement.utterance_id if searching else ""
        if name and name != self._searching_for:
            until_ns = self._now_ns + seconds_to_ns(engagement.settings.deadlines.see)
            timeline = self._result.timeline
            self._pictures = pictures(self._bag, timeline, self._now_ns, until_ns)
            self._picture = next(self._pictures, None)
        elif not name:
            self._picture = None
        self._searching_for = name
        stamp_ns = latest.stamp_ns if latest else self._now_ns
        self._lookout.on_turret(searching, engagement.utterance_id, stamp_ns)

    def _look(self, until_ns: int) -> None:
        """Show the locator every picture that came before an instant."""
        while self._picture is not None and self._picture[1].log_ns <= until_ns:
            (stamp_ns, record), self._picture = self._picture, next(self._pictures, None)
            self._now_ns = max(self._now_ns, record.log_ns)
            look = self._lookout.on_image(stamp_ns)
            if look is not None:
                self._search(look.utterance_id, look.caption, stamp_ns, record)

    def _search(self, name: str, caption: str, stamp_ns: int, record: BagRecord) -> None:
        turn = self._turns[name]
        turn.image_ns = stamp_ns
        try:
            with self._timed("decode image"):
                image = to_rgb(self._bag, record)
            turn.picture = thumbnail(image)
            with self._timed("see"):
                location = self._stages.locate(image, caption)
        except InputError as error:
            self._result.problems.append(f"{record.topic} at {record.log_ns}: {error}")
            reason = f"the search failed: {error}"
            location = Location(LocationStatus.NOT_FOUND, reason=reason)
        turn.location = location
        report = BoxReport(location.status, stamp_ns, location.box, location.reason)
        with self._timed("aim"):
            actions = self._engagement.on_box(name, report, self._now_ns)
        self._act(actions)


def to_rgb(bag: Bag, record: BagRecord) -> ImageArray:
    """A recorded picture, raw or compressed, as RGB (H, W, 3) uint8.

    Raises:
        InputError: it is no usable picture.
    """
    message = bag.decode(record)
    if record.type == "sensor_msgs/msg/CompressedImage":
        return images.decode(bytes(message.data), "the compressed image")
    from turret_ai.ros.images import from_message

    return from_message(message)


def _answer(key: int, turn: _Turn) -> Answer:
    """As `turret_ai.prove.recorded` reads it from the messages of a live system."""
    finish, heard, command = turn.finish, turn.transcription, turn.command
    assert finish is not None
    return Answer(
        key=key,
        utterance_id=finish.utterance_id,
        stamp_ns=finish.stamp_ns,
        speech_seconds=heard.speech_seconds,
        transcript_status=heard.status.name,
        transcript=heard.text,
        transcript_confidence=heard.confidence,
        command_status=command.status.name if command else "REJECTED",
        fields=_fields(command) if command else {},
        image_ns=turn.image_ns,
        aim=finish.aim,
        outcome=finish.outcome.name,
        reason=finish.reason,
        seconds=finish.seconds["total"] or None,
        **(_location(turn.location) if turn.location else {}),
    )


def _fields(command: Command) -> Mapping[str, FieldAnswer]:
    found = {}
    for name in FIELDS:
        told = getattr(command, name)
        found[name] = FieldAnswer(told.value, float(told.confidence), told.source.value)
    return found


def _location(location: Location) -> dict[str, Any]:
    return {
        "location_status": location.status.name,
        "box": location.box,
        "detection_score": float(location.detection_score),
        "match_score": float(location.match_score),
        "margin": float(location.margin),
        "candidates": tuple((box, float(score)) for box, score, _ in location.candidates),
    }
