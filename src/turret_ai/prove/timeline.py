# SPDX-License-Identifier: Apache-2.0
"""Everything of a recording but the pictures, in memory and in order: the first of two passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from turret_ai.aim.camera import Camera
from turret_ai.aim.frames import YAW_JOINT
from turret_ai.aim.joints import pick
from turret_ai.errors import InputError
from turret_ai.hear.hearing import AudioChunk
from turret_ai.hear.utterance_frame import utterance_of
from turret_ai.prove.bag import Bag, BagRecord
from turret_ai.prove.topics import BY_NAME, resolve
from turret_ai.ros.audio import from_message
from turret_ai.units import ns_to_seconds, seconds_to_ns

_JUMP_NS = seconds_to_ns(1.0)
"""Stamps that go back by more than this are another clock, not a late message."""

_SMALL = (
    "audio",
    "audio_info",
    "camera/camera_info",
    "joint_states",
    "transcript",
    "command",
    "target_bbox",
    "detections",
    "turret/state",
    "engagement",
    "diagnostics",
    "ground_truth",
    "ground_truth/command",
)


_UNSTAMPED = ("audio_info", "diagnostics")
"""Topics whose stamps mean nothing here."""


@dataclass(frozen=True, slots=True)
class JointReading:
    """One measurement: rad, and rad/s where the recording tells."""

    stamp_ns: int
    yaw: float
    pitch: float
    rates: tuple[float, float] | None


Event: TypeAlias = AudioChunk | JointReading | Camera
"""What the world tells the stages, pictures aside."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One recorded message of a stage, decoded, with its log time."""

    log_ns: int
    message: Any


@dataclass(slots=True)
class TopicReport:
    """What is odd about one topic's times."""

    count: int = 0
    zero: int = 0
    back: int = 0
    jumps: int = 0
    undecodable: int = 0
    first_error: str = ""
    _last_ns: int = 0

    def see(self, stamp_ns: int | None) -> None:
        """Take in one message's stamp."""
        self.count += 1
        if stamp_ns is None:
            return
        if stamp_ns == 0:
            self.zero += 1
            return
        if stamp_ns < self._last_ns:
            self.back += 1
            self.jumps += self._last_ns - stamp_ns > _JUMP_NS
        self._last_ns = stamp_ns

    def fail(self, error: Exception) -> None:
        """Count a message that can't be used."""
        self.undecodable += 1
        self.first_error = self.first_error or str(error)

    def remarks(self, topic: str) -> list[str]:
        """In words."""
        said = []
        if self.zero:
            said.append(f"{topic}: {self.zero} of {self.count} messages have a zero stamp")
        if self.jumps:
            said.append(f"{topic}: the clock of the stamps jumps back {self.jumps} times")
        elif self.back:
            said.append(f"{topic}: {self.back} of {self.count} messages are out of order")
        if self.undecodable:
            said.append(
                f"{topic}: {self.undecodable} of {self.count} messages can't be used, "
                f"the first: {self.first_error}"
            )
        return said


@dataclass(slots=True)
class Timeline:
    """One recording, without its pictures.

    names: relative topic name to the bag's. by_log: log times stand in for unusable stamps.
    """

    names: dict[str, str]
    by_log: bool = False
    start_ns: int = 0
    end_ns: int = 0
    events: list[tuple[int, Event]] = field(default_factory=list)
    """(log time, event), in the order of their arrival."""
    stages: dict[str, list[Heard]] = field(default_factory=dict)
    truth: dict[int, Any] = field(default_factory=dict)
    """ground_truth messages by the stamp of their image."""
    topic_reports: dict[str, TopicReport] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return max(0.0, ns_to_seconds(self.end_ns - self.start_ns))

    def holds(self, kind: type[Event]) -> bool:
        """Whether there is such an event."""
        return any(isinstance(event, kind) for _, event in self.events)


def read(
    bag: Bag,
    namespace: str | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Timeline:
    """Read all topics but the pictures.

    Args:
        advance: called for each message, for a progress bar.

    Raises:
        InputError: the bag holds several systems and `namespace` doesn't tell which.
    """
    timeline = Timeline(resolve(bag.topics, namespace))
    wanted = {timeline.names[name]: name for name in _SMALL if name in timeline.names}
    for absolute, name in list(wanted.items()):
        topic = bag.topics[absolute]
        if topic.problem:
            timeline.problems.append(f"{absolute}: {topic.problem}")
            del wanted[absolute]
        elif topic.type != BY_NAME[name].type:
            timeline.problems.append(
                f"{absolute} is {topic.type}, expected {BY_NAME[name].type}: it is left out"
            )
            del wanted[absolute]
    entries = list(_decoded(bag, timeline, wanted, advance))
    timeline.by_log = _distrusts_stamps(timeline)
    reader = _Reader(timeline)
    for entry in entries:
        reader.take(entry)
    for absolute, report in timeline.topic_reports.items():
        timeline.problems.extend(report.remarks(absolute))
    return timeline


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    message: Any
    stamp_ns: int | None
    log_ns: int


def _decoded(
    bag: Bag, timeline: Timeline, wanted: dict[str, str], advance: Callable[[], None]
) -> Iterator[_Entry]:
    """Every wanted message, in one pass: pictures lie between them and make reading slow."""
    times: list[int] = []
    for record in bag.records(wanted):
        advance()
        name = wanted[record.topic]
        times.append(record.log_ns)
        stamp = bag.stamp_ns(record)
        report = timeline.topic_reports.setdefault(record.topic, TopicReport())
        report.see(None if name in _UNSTAMPED else stamp)
        try:
            yield _Entry(name, bag.decode(record), stamp, record.log_ns)
        except InputError as error:
            report.fail(error)
    if times:
        timeline.start_ns, timeline.end_ns = min(times), max(times)


def _distrusts_stamps(timeline: Timeline) -> bool:
    """Whether log times must stand in for the stamps.

    Either all topics go by their stamps or all by log time: a mixture would compare two clocks.
    """
    broken = [
        name
        for name in ("audio", "joint_states", "turret/state")
        if (report := timeline.topic_reports.get(timeline.names.get(name, "")))
        and (report.zero or report.jumps)
    ]
    if broken:
        timeline.problems.append(
            f"the stamps of {', '.join(broken)} can't be used: log times are used for every topic"
        )
    return bool(broken)


class _Reader:
    """Sorts decoded messages into a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._rate = 16_000
        self._channels = 1
        self._take: dict[str, Callable[[Any, int], Event | None]] = {
            "audio": self._audio,
            "audio_info": self._audio_info,
            "camera/camera_info": self._camera,
            "joint_states": self._joints,
            "ground_truth": self._truth,
        }

    def take(self, entry: _Entry) -> None:
        """Sort in one message; one that makes no sense is counted."""
        timeline = self._timeline
        if entry.name not in self._take:
            timeline.stages.setdefault(entry.name, []).append(Heard(entry.log_ns, entry.message))
            return
        stamp = entry.log_ns if timeline.by_log else entry.stamp_ns or entry.log_ns
        try:
            event = self._take[entry.name](entry.message, stamp)
        except InputError as error:
            timeline.topic_reports[timeline.names[entry.name]].fail(error)
            return
        if event is not None:
            timeline.events.append((entry.log_ns, event))

    def _audio_info(self, message: Any, stamp_ns: int) -> None:
        self._rate = int(message.sample_rate) or self._rate
        self._channels = int(message.channels) or self._channels

    def _audio(self, message: Any, stamp_ns: int) -> AudioChunk:
        samples = from_message(message)
        if len(samples) % self._channels:
            raise InputError("a chunk of audio ends within a frame of its channels")
        marked = utterance_of(message.header.frame_id)
        return AudioChunk(stamp_ns, samples, self._rate, self._channels, marked)

    def _camera(self, message: Any, stamp_ns: int) -> Camera:
        return Camera.from_info(message)

    def _joints(self, message: Any, stamp_ns: int) -> JointReading | None:
        angles = pick(message.name, message.position, message.velocity)
        if angles is None and YAW_JOINT in message.name:
            raise InputError("joint states without positions")
        return None if angles is None else JointReading(stamp_ns, *angles)

    def _truth(self, message: Any, stamp_ns: int) -> None:
        stamp = message.header.stamp
        self._timeline.truth[int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)] = message


def pictures(
    bag: Bag, timeline: Timeline, start_ns: int, stop_ns: int
) -> Iterator[tuple[int, BagRecord]]:
    """(stamp, record) of the camera images logged in [start_ns, stop_ns), undecoded.

    Raw images are preferred to compressed ones where a bag holds both.
    """
    for name in ("camera/image_raw", "camera/image_raw/compressed"):
        absolute = timeline.names.get(name)
        if absolute is None or not bag.topics[absolute].count:
            continue
        for record in bag.records({absolute}, start_ns, stop_ns):
            stamp = None if timeline.by_log else bag.stamp_ns(record)
            yield stamp or record.log_ns, record
        return
