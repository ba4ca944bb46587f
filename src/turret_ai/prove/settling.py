"""When the recorded turret stood still for an utterance: which picture is to be searched.

A recording can't be steered: the turret moved as the recorded system told it. So the instant is
taken from that system's `turret/state`; without it, from the joints.
"""

from __future__ import annotations

from collections.abc import Sequence

from turret_ai.aim.joints import JointSample, SettleDetector
from turret_ai.aim.limits import Goal
from turret_ai.aim.settings import SettleSettings
from turret_ai.prove.timeline import Settled, Timeline
from turret_ai.units import heading_to_yaw, wrap

_SAME_UTTERANCE_NS = 1_500_000_000
"""How far the begin of an utterance may differ between the recorded ears and ours."""


def recorded_id(timeline: Timeline, stamp_ns: int) -> str:
    """The recorded system's id of the utterance that began then, "" if it heard none."""
    best, distance = "", _SAME_UTTERANCE_NS
    for heard in timeline.stages.get("transcript", ()):
        stamp = heard.message.header.stamp
        away = abs(int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec) - stamp_ns)
        if heard.message.utterance_id and away < distance:
            best, distance = heard.message.utterance_id, away
    return best


def find(
    timeline: Timeline,
    settle: SettleSettings,
    utterance_id: str,
    begin_ns: int,
    end_ns: int,
    until_ns: int,
    heading: str,
) -> tuple[Settled | None, str]:
    """The instant from which pictures may be searched for an utterance.

    Args:
        utterance_id: the recorded system's, "" if unknown.
        begin_ns, end_ns: first and last sample of the utterance.
        until_ns: when the next utterance ends.
        heading: three digits, or "" to search where the camera looks.

    Returns:
        (instant, remark); None with the reason as remark.
    """
    for settled in timeline.settled:
        same = utterance_id and settled.utterance_id == utterance_id
        inside = begin_ns < settled.stamp_ns < until_ns
        if same or (not utterance_id and inside):
            return settled, ""
    samples = [(s, log) for s, log in timeline.joint_log if end_ns <= s.stamp_ns < until_ns]
    if not samples:
        if timeline.joint_log:
            return None, "no joint states after the utterance"
        return Settled(end_ns, end_ns, ""), "no joint states: the first picture was taken"
    if heading:
        there = _still(samples, settle, heading_to_yaw(float(heading)))
        if there is not None:
            return there, ""
        moving = next((i for i, (s, _) in enumerate(samples) if s.speed > settle.rate), 0)
        somewhere = _still(samples[moving:], settle, None) or _still(samples, settle, None)
        remark = f"the recorded camera never stood at heading {heading}"
        return somewhere, remark
    still = _still(samples, settle, None)
    return still, "" if still else "the recorded camera never stood still"


def _still(
    samples: Sequence[tuple[JointSample, int]], settle: SettleSettings, yaw: float | None
) -> Settled | None:
    """The first sample at which the turret had stood for the hold time, at a yaw or anywhere."""
    detector = SettleDetector(settle)
    for sample, log_ns in samples:
        # The joint may be full turns away from the direction, and any pitch may be searched.
        goal_yaw = sample.yaw if yaw is None else sample.yaw + wrap(yaw - sample.yaw)
        if detector.update(sample, Goal(goal_yaw, sample.pitch)):
            return Settled(sample.stamp_ns, log_ns, "")
    return None
