# SPDX-License-Identifier: Apache-2.0
"""Between the stages' own types and the messages: the only place that maps the two."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from turret_ai.aim.camera import Camera
from turret_ai.aim.following import Estimate
from turret_ai.aim.order import Mode, Order
from turret_ai.aim.turn import STEPS, BoxReport, Finish
from turret_ai.hear import utterance_frame
from turret_ai.ros import audio
from turret_ai.ros.interfaces import (
    AudioDataStamped,
    BoundingBox2D,
    CameraInfo,
    Detection2D,
    Detection2DArray,
    Engagement,
    GimbalCommand,
    GroundTruth,
    Header,
    Lock,
    ObjectHypothesisWithPose,
    TargetBBox,
    Transcript,
    TruthBox,
    TurretCommand,
)
from turret_ai.ros.interfaces import Hypothesis as HypothesisMessage
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.types import (
    Box,
    Command,
    CommandField,
    CommandStatus,
    Hypothesis,
    Location,
    LocationStatus,
    Source,
    Transcription,
    TranscriptStatus,
)
from turret_ai.units import ns_to_seconds, seconds_to_ns

if TYPE_CHECKING:
    from turret_ai.simulate.world import Truth  # the stages' nodes need no simulator
    from turret_ai.track.pursuit import Report, TrackBox

_SOURCE_TO_CODE = {Source.NONE: 0, Source.RULES: 1, Source.REPAIR: 2, Source.LLM: 3}
_CODE_TO_SOURCE = {code: source for source, code in _SOURCE_TO_CODE.items()}


S = TypeVar("S", bound=IntEnum)


def header(stamp_ns: int, frame_id: str = "") -> Header:
    """A std_msgs/Header with the time of the source measurement."""
    return Header(stamp=to_msg(stamp_ns), frame_id=frame_id)


def utterance_to_messages(
    samples: NDArray[Any], sample_rate: int, start_ns: int, utterance_id: str, chunk: float
) -> Iterator[AudioDataStamped]:
    """A whole utterance for the `audio` topic: chunks of so many seconds, an empty one at the end.

    samples: mono, as of `turret_ai.ros.audio.to_message`.
    """
    frame = utterance_frame.mark(utterance_id)
    step = max(1, round(chunk * sample_rate))
    for first in [*range(0, len(samples), step), len(samples)]:
        stamp_ns = start_ns + seconds_to_ns(first / sample_rate)
        yield audio.to_message(samples[first : first + step], stamp_ns, frame)


# -- transcript ----------------------------------------------------------------------------------


def transcription_to_message(
    transcription: Transcription,
    utterance_id: str,
    stamp_ns: int,
    processing_seconds: float,
    frame_id: str = "",
) -> Transcript:
    """For the `transcript` topic."""
    return Transcript(
        header=header(stamp_ns, frame_id),
        utterance_id=utterance_id,
        status=int(transcription.status),
        text=transcription.text,
        confidence=_finite(transcription.confidence),
        alternatives=[
            HypothesisMessage(text=h.text, score=_finite(h.score))
            for h in transcription.alternatives
        ],
        speech_duration=float(transcription.speech_seconds),
        processing_time=float(processing_seconds),
        reason=transcription.reason,
    )


def message_to_transcription(message: Transcript) -> Transcription:
    """From the `transcript` topic."""
    status, reason = _status(message, TranscriptStatus.EMPTY)
    return Transcription(
        status,
        message.text,
        message.confidence,
        tuple(Hypothesis(h.text, h.score) for h in message.alternatives),
        message.speech_duration,
        reason,
    )


# -- command -------------------------------------------------------------------------------------


def command_to_message(
    command: Command,
    transcript: Transcript,
    processing_seconds: float,
    partial: bool = False,
) -> TurretCommand:
    """For the `command` topic; identity and stamp are the transcript's."""
    heading, tool, target = command.heading, command.tool, command.target
    return TurretCommand(
        header=transcript.header,
        utterance_id=transcript.utterance_id,
        status=int(command.status),
        partial=partial,
        heading=heading.value,
        heading_confidence=_finite(heading.confidence),
        heading_source=_SOURCE_TO_CODE[heading.source],
        tool=tool.value,
        tool_confidence=_finite(tool.confidence),
        tool_source=_SOURCE_TO_CODE[tool.source],
        target=target.value,
        target_confidence=_finite(target.confidence),
        target_source=_SOURCE_TO_CODE[target.source],
        transcript=transcript.text,
        processing_time=float(processing_seconds),
        reason=command.reason,
    )


def message_to_command(message: TurretCommand) -> Command:
    """From the `command` topic."""

    def field(name: str) -> CommandField:
        return CommandField(
            getattr(message, name),
            getattr(message, f"{name}_confidence"),
            _CODE_TO_SOURCE.get(getattr(message, f"{name}_source"), Source.NONE),
        )

    status, reason = _status(message, CommandStatus.REJECTED)
    return Command(status, field("heading"), field("tool"), field("target"), reason)


# -- boxes ---------------------------------------------------------------------------------------


def location_to_message(
    location: Location,
    utterance_id: str,
    caption: str,
    image_header: Header,
    image_size: tuple[int, int],
    processing_seconds: float,
) -> TargetBBox:
    """For the `target_bbox` topic. image_size: (width, height), pixels."""
    box = location.box or Box(0.0, 0.0, 0.0, 0.0)
    return TargetBBox(
        header=image_header,
        utterance_id=utterance_id,
        status=int(location.status),
        caption=caption,
        left=float(box.left),
        top=float(box.top),
        width=float(box.width),
        height=float(box.height),
        image_width=image_size[0],
        image_height=image_size[1],
        detection_score=_finite(location.detection_score),
        match_score=_finite(location.match_score),
        margin=_finite(location.margin),
        processing_time=float(processing_seconds),
        reason=location.reason,
    )


def message_to_report(message: TargetBBox) -> BoxReport:
    """From the `target_bbox` topic; a box without area counts as none."""
    box = Box(message.left, message.top, message.width, message.height)
    usable = all(math.isfinite(v) for v in box.as_list()) and box.width > 0 and box.height > 0
    status, reason = _status(message, LocationStatus.NOT_FOUND)
    return BoxReport(status, to_ns(message.header.stamp), box if usable else None, reason)


def candidates_to_message(location: Location, image_header: Header) -> Detection2DArray:
    """Every candidate box of the image for the `detections` topic."""
    rows = [(box, score, "craft", "") for box, score, _match in location.candidates]
    return _detections(rows, image_header)


def _detections(
    rows: Iterable[tuple[Box, float, str, str]], image_header: Header
) -> Detection2DArray:
    """Of rows (box, score, class_id, id)."""
    detections = []
    for box, score, kind, name in rows:
        bbox = BoundingBox2D(size_x=float(box.width), size_y=float(box.height))
        bbox.center.position.x, bbox.center.position.y = (float(v) for v in box.centre)
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = kind
        result.hypothesis.score = _finite(score)
        detections.append(Detection2D(header=image_header, bbox=bbox, results=[result], id=name))
    return Detection2DArray(header=image_header, detections=detections)


def detection_to_box(detection: Detection2D) -> Box:
    """From one of the `detections`, or of the `tracks`."""
    centre, bbox = detection.bbox.center.position, detection.bbox
    left, top = centre.x - bbox.size_x / 2.0, centre.y - bbox.size_y / 2.0
    return Box(float(left), float(top), float(bbox.size_x), float(bbox.size_y))


def truth_to_message(
    truth: Iterable[Truth], camera: Camera, stamp_ns: int, frame_id: str
) -> GroundTruth:
    """For the `ground_truth` topic; the stamp is that of the image."""
    return GroundTruth(
        header=header(stamp_ns, frame_id),
        image_width=camera.width,
        image_height=camera.height,
        boxes=[
            TruthBox(
                caption=each.caption,
                left=each.box.left,
                top=each.box.top,
                width=each.box.width,
                height=each.box.height,
                yaw=each.yaw,
                pitch=each.pitch,
                visible=each.visible,
            )
            for each in truth
        ],
    )


# -- tracks --------------------------------------------------------------------------------------


def tracks_to_message(boxes: Iterable[TrackBox], image_header: Header) -> Detection2DArray:
    """For the `tracks` topic: id is the track's number, class_id "target" or "craft"."""
    kinds = ("craft", "target")
    rows = [(each.box, each.score, kinds[each.target], str(each.number)) for each in boxes]
    return _detections(rows, image_header)


def report_to_message(report: Report, now_ns: int, frame_id: str) -> Lock:
    """For the `lock` topic; without an estimate the stamp is the present."""
    estimate = report.estimate or Estimate(now_ns, 0.0, 0.0, 0.0, 0.0)
    return Lock(
        header=header(estimate.stamp_ns, frame_id),
        utterance_id=report.utterance_id,
        state=int(report.state),
        reason=report.reason,
        track_id=report.track_number,
        caption=report.caption,
        yaw=estimate.yaw,
        pitch=estimate.pitch,
        yaw_rate=estimate.yaw_rate,
        pitch_rate=estimate.pitch_rate,
        yaw_deviation=report.deviation[0],
        pitch_deviation=report.deviation[1],
        width=report.size[0],
        height=report.size[1],
        unseen=report.unseen,
        odds=_finite(report.odds),
    )


def message_to_estimate(message: Lock) -> Estimate | None:
    """Where the target of a `lock` is; None where the turret is to wait, or numbers are no use."""
    if message.state not in (Lock.LOCKED, Lock.COASTING) or not message.track_id:
        return None
    numbers = (message.yaw, message.pitch, message.yaw_rate, message.pitch_rate)
    if not all(math.isfinite(v) for v in numbers):
        return None
    return Estimate(to_ns(message.header.stamp), *numbers)


# -- camera and engagement -----------------------------------------------------------------------


def camera_to_message(camera: Camera, stamp_ns: int, frame_id: str) -> CameraInfo:
    """For `camera/camera_info`."""
    k = camera.as_k()
    lens = camera.distortion
    return CameraInfo(
        header=header(stamp_ns, frame_id),
        width=camera.width,
        height=camera.height,
        distortion_model="plumb_bob" if lens is None else lens.model,
        d=[0.0] * 5 if lens is None else list(lens.coefficients),
        k=k,
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[*k[:3], 0.0, *k[3:6], 0.0, *k[6:9], 0.0],
    )


def message_to_order(message: GimbalCommand, now: float, now_ns: int) -> Order | None:
    """From `turret/command`; None for a mode that no version of ours has.

    Args:
        now: the present in seconds of the clock that the order's end is to be told in; now_ns: the
            same by the node's clock.
    """
    if message.mode not in list(Mode):
        return None
    until_ns = to_ns(message.valid_until)
    until = now + ns_to_seconds(until_ns - now_ns) if until_ns else None
    numbers = (message.yaw, message.pitch, message.yaw_rate, message.pitch_rate)
    return Order(Mode(message.mode), *numbers, until)


def finish_to_message(finish: Finish, box: TargetBBox | None) -> Engagement:
    """For the `engagement` topic. box: the locator's message of this turn, if one came."""
    command = finish.command
    yaw, pitch = finish.aim or (math.nan, math.nan)
    message = Engagement(
        header=header(finish.stamp_ns),
        utterance_id=finish.utterance_id,
        outcome=int(finish.outcome),
        reason=finish.reason,
        transcript=finish.transcript,
        heading=command.heading.value if command else "",
        tool=command.tool.value if command else "",
        target=command.target.value if command else "",
        aim_yaw=yaw,
        aim_pitch=pitch,
    )
    for name, value in finish.seconds.items():
        setattr(message, f"{name}_seconds", float(value))
    if box is not None:
        message.box = box
    return message


def step_seconds(message: Engagement) -> dict[str, float]:
    """Seconds by step (`STEPS`) of the `engagement` topic; 0: not reached."""
    return {step: float(getattr(message, f"{step}_seconds")) for step in STEPS}


def aim_of(message: Engagement) -> tuple[float, float] | None:
    """(yaw, pitch) of the `engagement` topic, rad, base frame; None without aim."""
    yaw, pitch = float(message.aim_yaw), float(message.aim_pitch)
    return (yaw, pitch) if math.isfinite(yaw) and math.isfinite(pitch) else None


def _status(message: Any, otherwise: S) -> tuple[S, str]:
    """(status, reason); one that no version of ours has counts as `otherwise`, and is said."""
    try:
        return type(otherwise)(message.status), message.reason
    except ValueError:
        told = f"the status {message.status} is unknown"
        return otherwise, f"{told}: {message.reason}" if message.reason else told


def _finite(value: float) -> float:
    """A score for a message: 0 for one that is not a number."""
    return float(value) if math.isfinite(value) else 0.0
