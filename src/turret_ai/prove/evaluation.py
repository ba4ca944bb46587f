# SPDX-License-Identifier: Apache-2.0
"""One evaluation as a document: what was answered, what was true, and the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from turret_ai.prove import recorded, truth
from turret_ai.prove.bag import Bag
from turret_ai.prove.environment import versions
from turret_ai.prove.latency import Statistics
from turret_ai.prove.lockstep import Run
from turret_ai.prove.records import Record
from turret_ai.prove.results import Answer, Truth
from turret_ai.prove.score import Scored, metrics, score_utterance
from turret_ai.prove.timeline import Heard, Timeline
from turret_ai.units import seconds_to_ns

FORMAT = 1
"""Of the result file; raised when a field changes its meaning."""

PASSED, FAILED = "passed", "failed"

_BEGIN_S = 0.5
"""Who speaks that soon had begun before the recording."""


@dataclass(slots=True)
class Evaluation:
    """Everything that the result files and the report show.

    problems: why the evaluation counts as failed. recorded: the recorded system's own answers.
    stage_seconds: the machine's time for each call of a stage; step_seconds: of each step of the
    recorded turns. wall_seconds, cpu_seconds: of the whole evaluation without loading the models;
    on a busy machine only the processor's time tells its cost. queues: drops and queue ages that
    the recorded nodes reported.
    """

    name: str
    scored: list[Scored]
    recorded: list[Scored] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    topics: dict[str, Record] = field(default_factory=dict)
    seconds: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    stage_seconds: dict[str, Statistics] = field(default_factory=dict)
    step_seconds: dict[str, Statistics] = field(default_factory=dict)
    queues: dict[str, dict[str, float]] = field(default_factory=dict)
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    source: str = "recording"
    """What the seconds are of."""

    @property
    def status(self) -> str:
        """Whether everything could be evaluated."""
        return FAILED if self.problems else PASSED

    @property
    def metrics(self) -> dict[str, float]:
        """The run's figures."""
        return metrics(self.scored)

    @property
    def recorded_metrics(self) -> dict[str, float]:
        """Those of the recorded system."""
        return metrics(self.recorded)

    @property
    def speed(self) -> float | None:
        """How many times faster than real time the evaluation ran."""
        return self.seconds / self.wall_seconds if self.wall_seconds else None

    def as_result(self) -> Record:
        """The result file: the same bytes for the same bag, models and versions."""
        return {
            "format": FORMAT,
            "name": self.name,
            "status": self.status,
            "problems": self.problems,
            "recording": {"seconds": self.seconds, "topics": self.topics},
            "settings": self.settings,
            "versions": versions(),
            "metrics": self.metrics,
            "utterances": [scored.as_record() for scored in self.scored],
            "recorded": {
                "metrics": self.recorded_metrics,
                "utterances": [scored.as_record() for scored in self.recorded],
                "step_seconds": {n: s.as_dict() for n, s in self.step_seconds.items()},
                "queues": self.queues,
            },
        }

    def as_timings(self) -> Record:
        """What differs from run to run."""
        return {
            "format": FORMAT,
            "name": self.name,
            "recording_seconds": self.seconds,
            "wall_seconds": self.wall_seconds,
            "cpu_seconds": self.cpu_seconds,
            "times_real_time": self.speed,
            "stage_seconds": {name: s.as_dict() for name, s in self.stage_seconds.items()},
        }


def of_run(
    bag: Bag, run: Run, truths: Sequence[Truth] | None, settings: Mapping[str, Any]
) -> Evaluation:
    """Score a run over a bag.

    Args:
        truths: from a file; None: what the simulator recorded in the bag, if anything.
    """
    timeline = run.timeline
    known = truth.from_timeline(timeline) if truths is None else list(truths)
    problems = [*run.problems, *_miscounted(run.answers, known, timeline)]
    before = recorded.answers(timeline.stages)
    statistics = {name: Statistics.of(times) for name, times in run.seconds.items()}
    return Evaluation(
        bag.path.name,
        score_all(run.answers, known, timeline),
        score_all(before, known, timeline) if before else [],
        problems,
        {
            topic.name: {"type": topic.type, "messages": topic.count, "problem": topic.problem}
            for topic in bag.topics.values()
        },
        timeline.seconds,
        settings,
        {name: value for name, value in statistics.items() if value is not None},
        recorded.step_times(timeline.stages),
        recorded.queues(timeline.stages),
        run.wall_seconds,
        run.cpu_seconds,
    )


def of_messages(
    name: str, stages: Mapping[str, Sequence[Heard]], timeline: Timeline, truths: Sequence[Truth]
) -> Evaluation:
    """Score the messages of a live system; `timeline` holds the truth of the pictures."""
    given = recorded.answers(stages)
    problems = [] if given else ["no utterance was heard"]
    problems += _miscounted(given, truths, timeline)
    return Evaluation(
        name,
        score_all(given, truths, timeline),
        problems=problems,
        seconds=timeline.seconds,
        step_seconds=recorded.step_times(stages),
        queues=recorded.queues(stages),
    )


def _miscounted(
    answers: Sequence[Answer], truths: Sequence[Truth], timeline: Timeline
) -> list[str]:
    """In words, that other utterances were heard than spoken.

    Noise and words after a command may be heard or not. A sentence in whose midst the recording
    began has no truth in it, and counts as little.
    """
    if not truths:
        return []
    pairs = truth.pair(answers, truths)
    missed = any(answer is None for answer, _ in pairs)
    surplus = [a for a, true in pairs if a and not true and a.transcript_status != "EMPTY"]
    if surplus and surplus[0] is answers[0]:
        begun = surplus[0].stamp_ns - timeline.start_ns < seconds_to_ns(_BEGIN_S)
        surplus = surplus[begun:]
    if not missed and not surplus:
        return []
    return [f"{len(answers)} utterances were heard, the truth has {len(truths)}"]


def score_all(
    answers: Sequence[Answer], truths: Sequence[Truth], timeline: Timeline
) -> list[Scored]:
    """Pair answers with truths and score each pair; answers without truth stay in the list."""
    if not truths:
        return [score_utterance(answer, None) for answer in answers]
    return [
        score_utterance(
            answer,
            true and truth.with_boxes(true, timeline, answer.image_ns if answer else None),
        )
        for answer, true in truth.pair(answers, truths)
    ]
