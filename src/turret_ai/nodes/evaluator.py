# SPDX-License-Identifier: Apache-2.0
"""The evaluator node: scores a live graph, such as one that a bag is played to."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from turret_ai.errors import TurretError
from turret_ai.nodes.roster import SETTLED_S, Roster
from turret_ai.prove import evaluation, outputs, tolerance, truth
from turret_ai.prove.results import Truth
from turret_ai.prove.thumbnail import Thumbnail, thumbnail
from turret_ai.prove.timeline import Heard, Timeline
from turret_ai.ros import Node, images, interfaces, topics
from turret_ai.ros.discovery import Topics
from turret_ai.ros.interfaces import (
    GroundTruth,
    Image,
)
from turret_ai.ros.process import ask_for_time, end_with
from turret_ai.ros.time import to_ns
from turret_ai.settings import Settings

_STAGES = (
    topics.TRANSCRIPT,
    topics.COMMAND,
    topics.TARGET_BBOX,
    topics.DETECTIONS,
    topics.ENGAGEMENT,
    topics.DIAGNOSTICS,
    topics.SPOKEN,
)
_MOST_DIAGNOSTICS = 10_000
_COMPLETION_S = 60.0
"""How long scoring and writing may take after Ctrl-C."""


class EvaluatorParameters(Settings):
    """What is compared, and where the results go."""

    output: str = Field("turret-evaluation", description="folder of the results")
    name: str = Field("live", description="of the evaluation, for its report")
    truth: str = Field("", description="truth of the utterances, JSON lines in their order")
    baseline: str = Field("", description="figures that must be reached: YAML, JSON or a result")
    pictures: bool = Field(True, description="keep the searched images for the report")
    resume: str = Field(
        "", description="service of a paused player (rosbag2_interfaces/srv/Resume); empty: none"
    )
    wait_for: list[str] = Field(
        ["audio", "camera/image_raw", "joint_states"],
        description="topics that need a subscriber before the player is resumed",
    )
    wait: float = Field(
        60.0, gt=0.0, le=3600.0, description="s to wait for them; then it is resumed all the same"
    )


class Evaluator(Node):
    """Collects what the stages say, and writes the results when it ends."""

    def __init__(self, overrides: Mapping[str, Any] | None = None, **node_options: Any) -> None:
        """
        Raises:
            InputError: the truth or the baseline can't be used.
        """
        super().__init__(
            "evaluator", parameters=EvaluatorParameters, overrides=overrides, **node_options
        )
        self._written = True  # nothing to write yet
        ask_for_time(_COMPLETION_S)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        p = self.parameters
        self._truths: list[Truth] = truth.from_file(p.truth) if p.truth else []
        self._limits = tolerance.read_limits(p.baseline) if p.baseline else []
        self._timeline = Timeline({})
        self._stages: dict[str, list[Heard]] = {topic.name: [] for topic in _STAGES}
        self._images: deque[Image] = deque(maxlen=8)
        self._pictures: dict[int, Thumbnail] = {}
        self._written = False
        for topic in _STAGES:
            topic.subscribe(self, self._keeper(topic.name))
        topics.GROUND_TRUTH.subscribe(self, self._on_truth)
        if p.pictures:
            topics.IMAGE.subscribe(self, self._on_image)
        if p.resume:
            # Not a timer: the paused player's clock stands, and timers follow it.
            kind = interfaces.service("rosbag2_interfaces/srv/Resume")
            client = self.create_client(kind, p.resume)
            self._roster = Roster(self)
            self._thread = threading.Thread(
                target=self._resume, args=(client, kind), name="evaluator", daemon=True
            )
            self._thread.start()

    # -- what the stages say ---------------------------------------------------------------------

    def _keeper(self, name: str) -> Any:
        def keep(message: Any) -> None:
            now = self.now_ns()
            heard = self._stages[name]
            heard.append(Heard(now, message))
            if name == "diagnostics" and len(heard) > _MOST_DIAGNOSTICS:
                del heard[: _MOST_DIAGNOSTICS // 2]
            if name == "target_bbox":
                self._keep_picture(to_ns(message.header.stamp))
            self._timeline.start_ns = self._timeline.start_ns or now
            self._timeline.end_ns = max(self._timeline.end_ns, now)

        return keep

    def heard(self, topic: str) -> list[Heard]:
        """What was said on a topic so far."""
        return self._stages[topic]

    def _on_truth(self, message: GroundTruth) -> None:
        self._timeline.truth[to_ns(message.header.stamp)] = message

    def _on_image(self, message: Image) -> None:
        self._images.append(message)

    def _keep_picture(self, stamp_ns: int) -> None:
        for message in self._images:
            if to_ns(message.header.stamp) == stamp_ns:
                try:
                    self._pictures[stamp_ns] = thumbnail(images.from_message(message))
                except TurretError as error:
                    self.get_logger().warning(f"a searched image can't be shown: {error}")

    # -- the paused player -----------------------------------------------------------------------

    def _resume(self, client: Any, kind: Any) -> None:
        """Let the player begin as soon as the stages listen."""
        topics = Topics(self)
        names = [self.resolve_topic_name(name) for name in self.parameters.wait_for]
        began = well_since = time.monotonic()
        lonely, pending = names, self._roster.pending()
        while time.monotonic() - began < self.parameters.wait:
            lonely = [name for name in names if not topics.subscribers(name)]
            pending = self._roster.pending()
            if lonely or pending or not client.service_is_ready():
                well_since = time.monotonic()
            elif time.monotonic() - well_since > SETTLED_S:
                break
            if self._stop.wait(0.2):
                return
        if lonely:
            self.get_logger().warning(f"nobody subscribes to {', '.join(lonely)}")
        if pending:
            self.get_logger().warning(f"not active: {', '.join(pending)}")
        self.get_logger().info(f"the player begins after {time.monotonic() - began:.1f} s")
        client.call_async(kind.Request())
        topics.close()

    # -- the end ---------------------------------------------------------------------------------

    def evaluate(self) -> evaluation.Evaluation:
        """Score what was collected so far."""
        self._timeline.stages = self._stages
        truths = self._truths or truth.from_timeline(self._timeline)
        name = self.parameters.name
        return evaluation.of_messages(name, self._stages, self._timeline, truths)

    def write(self, found: evaluation.Evaluation | None = None) -> outputs.Written:
        """Score what was collected (unless that is done) and write all files.

        Raises:
            InputError: a file can't be written.
        """
        self._written = True
        found = found or self.evaluate()
        pictures = {
            s.answer.key: self._pictures[s.answer.image_ns]
            for s in found.scored
            if s.answer is not None and s.answer.image_ns in self._pictures
        }
        folder = Path(self.parameters.output)
        return outputs.write(found, folder, pictures, limits=self._limits)

    def destroy_node(self) -> None:
        if not self._written:
            self._stop.set()
            if self._thread is not None:
                self._thread.join(1.0)
            try:
                written = self.write()
                word = "passed" if written.passed else "failed"
                end_with(0 if written.passed else 1)
                self.get_logger().info(f"{word}: {written.folder / outputs.REPORT}")
            except TurretError as error:
                end_with(1)
                self.get_logger().error(str(error))
        super().destroy_node()
