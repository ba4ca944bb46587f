"""Run the stages over a recording, one after the other, in the recording's own time.

Two runs over the same bag give the same answers: nothing waits, nothing is dropped, no thread and
no clock of the machine is involved. How long the stages took is kept apart from what they said.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from turret_ai.aim.camera import aim_at
from turret_ai.aim.limits import reach
from turret_ai.aim.settings import AimSettings
from turret_ai.errors import InputError
from turret_ai.prove import settling
from turret_ai.prove.bag import Bag, BagRecord
from turret_ai.prove.nlp_score import FIELDS
from turret_ai.prove.results import Answer, FieldAnswer
from turret_ai.prove.stages import Stages
from turret_ai.prove.thumbnail import Thumbnail, thumbnail
from turret_ai.prove.timeline import Settled, Timeline, pictures, read
from turret_ai.see import images
from turret_ai.types import (
    Command,
    CommandStatus,
    ImageArray,
    Location,
    LocationStatus,
    Transcription,
    TranscriptStatus,
    Utterance,
)
from turret_ai.units import ns_to_seconds, seconds_to_ns

_EARLY_NS = seconds_to_ns(1.0)
"""Pictures may be logged that much before the joint states of the same instant."""


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
    key: int
    utterance: Utterance
    end_ns: int
    transcription: Transcription
    command: Command


def run(
    bag: Bag,
    stages: Stages,
    aim: AimSettings | None = None,
    namespace: str | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Hear, understand, see and aim over a whole bag.

    A bag that lacks inputs gives what can be had, and says in `problems` what was missing.

    Raises:
        InputError: the bag holds several systems and `namespace` doesn't tell which.
    """
    return _Lockstep(bag, stages, aim or AimSettings(), watcher or Silent()).run(namespace)


class _Lockstep:
    def __init__(self, bag: Bag, stages: Stages, aim: AimSettings, watcher: Watcher) -> None:
        self._bag = bag
        self._stages = stages
        self._aim = aim
        self._watcher = watcher
        self._result = Run([], Timeline({}))

    def run(self, namespace: str | None) -> Run:
        began, cpu = time.perf_counter(), time.process_time()
        total = sum(t.count for t in self._bag.topics.values() if "image" not in t.name)
        self._watcher.begin("reading", total)
        timeline = read(self._bag, namespace, self._watcher.step)
        self._result.timeline = timeline
        turns = list(self._listen(timeline))
        self._missing(timeline, turns)
        self._watcher.begin("looking", len(turns))
        for turn, following in zip(turns, [*turns, None][1:], strict=True):
            until = following.end_ns if following else timeline.end_ns + seconds_to_ns(60.0)
            self._result.answers.append(self._answer(turn, timeline, until))
            self._watcher.step()
        self._result.problems = [*self._bag.problems, *timeline.problems, *self._result.problems]
        self._result.wall_seconds = time.perf_counter() - began
        self._result.cpu_seconds = time.process_time() - cpu
        return self._result

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._result.seconds.setdefault(stage, []).append(time.perf_counter() - began)

    # -- ears and understanding ------------------------------------------------------------------

    def _listen(self, timeline: Timeline) -> Iterator[_Turn]:
        self._watcher.begin("hearing", len(timeline.audio))

        def chunks() -> Iterator[Any]:
            for chunk in timeline.audio:
                yield chunk
                self._watcher.step()

        for key, cut in enumerate(self._stages.utterances(chunks())):
            utterance = cut.utterance
            with self._timed("hear"):
                transcription = self._stages.transcribe(utterance)
            command = Command(CommandStatus.REJECTED, reason=transcription.reason)
            if transcription.status is not TranscriptStatus.EMPTY:
                with self._timed("understand"):
                    command = self._stages.understand(transcription)
            transcription = replace(transcription, speech_seconds=cut.seconds)
            end = utterance.stamp_ns + seconds_to_ns(cut.seconds)
            yield _Turn(key, utterance, end, transcription, command)

    def _missing(self, timeline: Timeline, turns: list[_Turn]) -> None:
        def has(name: str) -> bool:
            return name in timeline.names and bool(
                self._bag.topics[timeline.names[name]].count or self._bag.problems
            )

        problems = self._result.problems
        if not has("audio"):
            problems.append("no audio topic: nothing could be heard")
        elif not turns:
            problems.append("the audio holds no utterance")
        if not has("camera/image_raw") and not has("camera/image_raw/compressed"):
            problems.append("no camera images: nothing could be seen")
        elif timeline.camera is None:
            problems.append("no usable camera_info: nothing could be aimed at")
        if not timeline.joint_log:
            problems.append("no usable joint_states: nothing could be aimed at")

    # -- eyes and aim ----------------------------------------------------------------------------

    def _answer(self, turn: _Turn, timeline: Timeline, until_ns: int) -> Answer:
        command, transcription = turn.command, turn.transcription
        begin_ns = turn.utterance.stamp_ns
        name = settling.recorded_id(timeline, begin_ns)
        heard: dict[str, Any] = {
            "key": turn.key,
            "utterance_id": name or f"{turn.key:04d}",
            "stamp_ns": begin_ns,
            "speech_seconds": transcription.speech_seconds,
            "transcript_status": transcription.status.name,
            "transcript": transcription.text,
            "transcript_confidence": transcription.confidence,
            "command_status": command.status.name,
            "fields": _fields(command),
        }
        target = command.target.value
        if command.status is CommandStatus.CANCELLED:
            return Answer(**heard, outcome="CANCELLED", reason=command.reason)
        if command.status is CommandStatus.REJECTED or not target:
            reason = command.reason or transcription.reason or "no target was understood"
            return Answer(**heard, outcome="INCOMPLETE", reason=reason)
        settled, remark = settling.find(
            timeline,
            self._aim.settle,
            name,
            begin_ns,
            turn.end_ns,
            until_ns,
            command.heading.value,
        )
        found = self._picture(settled, timeline) if settled else None
        if found is None:
            reason = remark or "no picture after the camera had settled"
            return Answer(**heard, outcome="NO_IMAGE", reason=reason)
        stamp_ns, image = found
        with self._timed("see"):
            location = self._stages.locate(image, target)
        self._result.pictures[turn.key] = thumbnail(image)
        seen = {
            **heard,
            "image_ns": stamp_ns,
            "seconds": max(0.0, ns_to_seconds(stamp_ns - turn.end_ns)),
            **_location(location),
        }
        if location.box is None:
            return Answer(**seen, outcome="NOT_FOUND", reason=location.reason or remark)
        with self._timed("aim"):
            aim, outcome, reason = self._point(location, timeline, stamp_ns)
        reason = "; ".join(part for part in (reason or location.reason, remark) if part)
        return Answer(**seen, aim=aim, outcome=outcome, reason=reason)

    def _picture(self, settled: Settled, timeline: Timeline) -> tuple[int, ImageArray] | None:
        """The first usable picture exposed at or after an instant."""
        limit = seconds_to_ns(self._aim.deadlines.see)
        start, stop = settled.log_ns - _EARLY_NS, settled.log_ns + limit
        for stamp_ns, record in pictures(self._bag, timeline, start, stop):
            if stamp_ns < settled.stamp_ns:
                continue  # exposed while the camera still moved
            try:
                with self._timed("decode image"):
                    return stamp_ns, to_rgb(self._bag, record)
            except InputError as error:
                self._result.problems.append(f"{record.topic} at {record.log_ns}: {error}")
        return None

    def _point(
        self, location: Location, timeline: Timeline, stamp_ns: int
    ) -> tuple[tuple[float, float] | None, str, str]:
        """(aim, outcome, reason) of a box in the picture of a stamp."""
        assert location.box is not None
        pose = timeline.joints.at(stamp_ns)
        if timeline.camera is None or pose is None:
            what = "camera_info" if timeline.camera is None else "joint state at the image's stamp"
            return None, "NO_POSE", f"no {what}"
        fixed = self._aim.fixed_camera_pitch
        pitch = pose[1] if math.isnan(fixed) else fixed
        try:
            aim = aim_at(location.box, timeline.camera, pose[0], pitch)
        except InputError as error:
            return None, "NOT_FOUND", str(error)
        goal = reach(aim, pose[0], self._aim.limits.to_limits())
        if goal.yaw_limited or goal.pitch_limited:
            return aim, "LIMITED", "the target is beyond the turret's limits"
        if location.status is LocationStatus.AMBIGUOUS:
            return aim, "AMBIGUOUS", location.reason
        return aim, "AIMED", ""


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
