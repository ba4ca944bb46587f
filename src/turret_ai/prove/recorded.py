# SPDX-License-Identifier: Apache-2.0
"""What the recorded system itself had said, and how long it took: from its own messages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from turret_ai.aim.turn import STEPS, Outcome
from turret_ai.prove.latency import Statistics
from turret_ai.prove.nlp_score import FIELDS
from turret_ai.prove.results import Answer, FieldAnswer
from turret_ai.prove.timeline import Heard
from turret_ai.types import Box, CommandStatus, LocationStatus, Source, TranscriptStatus

_SOURCES = ("", "RULES", "REPAIR", "LLM")


def answers(stages: Mapping[str, Sequence[Heard]]) -> list[Answer]:
    """One answer for each utterance that ended in a transcript or an engagement, in time order.

    Args:
        stages: relative topic name ("transcript", "command", "target_bbox", "detections",
            "engagement") to the messages of that topic.
    """
    by_id: dict[str, dict[str, Any]] = {}
    for topic in ("transcript", "command", "target_bbox", "engagement"):
        for heard in stages.get(topic, ()):
            message = heard.message
            if topic == "transcript" and message.status == TranscriptStatus.PARTIAL:
                continue
            if topic == "command" and message.partial:
                continue
            by_id.setdefault(message.utterance_id, {})[topic] = message
    boxes = {_ns(h.message.header.stamp): h.message for h in stages.get("detections", ())}
    for parts in by_id.values():
        if "target_bbox" in parts:
            parts["detections"] = boxes.get(_ns(parts["target_bbox"].header.stamp))
    found = [
        _answer(name, parts)
        for name, parts in by_id.items()
        if "transcript" in parts or "engagement" in parts
    ]
    found.sort(key=lambda answer: answer["stamp_ns"])
    return [Answer(key=key, **values) for key, values in enumerate(found)]


def _answer(utterance_id: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"utterance_id": utterance_id, "stamp_ns": 0}
    transcript = parts.get("transcript")
    if transcript is not None:
        values.update(
            stamp_ns=_ns(transcript.header.stamp),
            speech_seconds=float(transcript.speech_duration),
            transcript_status=_name(TranscriptStatus, transcript.status),
            transcript=transcript.text,
            transcript_confidence=float(transcript.confidence),
        )
    command = parts.get("command")
    if command is not None:
        values.update(command_status=_name(CommandStatus, command.status), fields=_fields(command))
    bbox = parts.get("target_bbox")
    if bbox is not None:
        box = Box(float(bbox.left), float(bbox.top), float(bbox.width), float(bbox.height))
        values.update(
            image_ns=_ns(bbox.header.stamp),
            location_status=_name(LocationStatus, bbox.status),
            box=box if box.width > 0 and box.height > 0 else None,
            detection_score=float(bbox.detection_score),
            match_score=float(bbox.match_score),
            margin=float(bbox.margin),
        )
    detections = parts.get("detections")
    if detections is not None:
        values["candidates"] = tuple(_candidate(found) for found in detections.detections)
    engagement = parts.get("engagement")
    if engagement is not None:
        aim = (float(engagement.aim_yaw), float(engagement.aim_pitch))
        aimed = all(math.isfinite(angle) for angle in aim)
        values.update(
            stamp_ns=values["stamp_ns"] or _ns(engagement.header.stamp),
            aim=aim if aimed else None,
            outcome=_name(Outcome, engagement.outcome),
            reason=engagement.reason,
            seconds=float(engagement.total_seconds) if engagement.total_seconds else None,
        )
    return values


def _candidate(detection: Any) -> tuple[Box, float]:
    """A vision_msgs/Detection2D: its box is given by centre and size."""
    bbox = detection.bbox
    width, height = float(bbox.size_x), float(bbox.size_y)
    x, y = float(bbox.center.position.x), float(bbox.center.position.y)
    scores = [float(result.hypothesis.score) for result in detection.results]
    return Box(x - width / 2, y - height / 2, width, height), max(scores, default=0.0)


def _fields(command: Any) -> dict[str, FieldAnswer]:
    found = {}
    for name in FIELDS:
        code = int(getattr(command, f"{name}_source"))
        source = _SOURCES[code] if code < len(_SOURCES) else Source.NONE.value
        confidence = float(getattr(command, f"{name}_confidence"))
        found[name] = FieldAnswer(getattr(command, name), confidence, source)
    return found


def step_times(stages: Mapping[str, Sequence[Heard]]) -> dict[str, Statistics]:
    """Seconds in each step of a turn, from the `engagement` messages; 0 counts as not done."""
    times: dict[str, list[float]] = {}
    for heard in stages.get("engagement", ()):
        for step in STEPS:
            seconds = float(getattr(heard.message, f"{step}_seconds"))
            if seconds > 0.0 and math.isfinite(seconds):
                times.setdefault(step, []).append(seconds)
    found = {step: Statistics.of(times.get(step, ())) for step in STEPS}
    return {step: statistics for step, statistics in found.items() if statistics is not None}


_GAUGES = ("dropped", "queue_age", "queue age", "age_ms", "lost")


def queues(stages: Mapping[str, Sequence[Heard]]) -> dict[str, dict[str, float]]:
    """The largest drops and queue ages that each node reported in `diagnostics`."""
    worst: dict[str, dict[str, float]] = {}
    for heard in stages.get("diagnostics", ()):
        for status in heard.message.status:
            for pair in status.values:
                if not any(word in pair.key for word in _GAUGES):
                    continue
                try:
                    value = float(pair.value)
                except ValueError:
                    continue
                node = worst.setdefault(status.name, {})
                node[pair.key] = max(node.get(pair.key, value), value)
    return worst


def _ns(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _name(kind: Any, value: Any) -> str:
    try:
        return str(kind(int(value)).name)
    except ValueError:
        return f"UNKNOWN ({value})"
