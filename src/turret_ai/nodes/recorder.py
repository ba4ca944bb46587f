# SPDX-License-Identifier: Apache-2.0
"""The recorder node: topics of the graph, as raw bytes, into a bag."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from turret_ai.errors import InputError
from turret_ai.prove.topics import SPECS
from turret_ai.prove.writer import BagWriter, Recorder, offered_qos
from turret_ai.ros import Node, raw
from turret_ai.ros.dds.messages import describe
from turret_ai.ros.discovery import Published, Topics
from turret_ai.ros.process import ask_for_time
from turret_ai.ros.topics import Topic
from turret_ai.settings import Settings

_IMAGE = "sensor_msgs/msg/Image"
_COMPRESSED = "sensor_msgs/msg/CompressedImage"
_DEPTHS = {_IMAGE: 10, _COMPRESSED: 30}
"""Messages that may wait for this process; images are large, others come in bursts."""
_DEPTH = 1000

_COMPLETION_S = 90.0
"""How long what waits for the disk may take after Ctrl-C."""


class RecorderParameters(Settings):
    """What is recorded, and where to."""

    output: str = Field("", description="folder of the bag; empty: turret_DATE-TIME")
    storage: Literal["mcap", "sqlite3"] = Field("mcap", description="format of the bag")
    compress: bool = Field(False, description="compress an mcap bag by zstd while recording")
    topics: list[str] = Field([], description="topics to record; empty: those of the graph")
    all: bool = Field(False, description="every topic that is published and whose type is known")
    images: bool = Field(True, description="also camera images")
    jpeg_quality: int = Field(
        0, ge=0, le=100, description="keep raw images as JPEG of this quality; 0: as they are"
    )
    memory: int = Field(
        256, ge=8, le=65536, description="MiB that may wait for the disk before messages are lost"
    )


class BagRecorder(Node):
    """Adapts its quality of service to the publishers; completes the bag when it ends."""

    def __init__(self, overrides: Mapping[str, Any] | None = None, **node_options: Any) -> None:
        super().__init__(
            "recorder", parameters=RecorderParameters, overrides=overrides, **node_options
        )
        self._ended = True  # nothing to complete yet
        ask_for_time(_COMPLETION_S)
        p = self.parameters
        self.path = Path(p.output or time.strftime("turret_%Y-%m-%d_%H-%M-%S"))
        self._writer = BagWriter(self.path, p.storage, p.compress)
        convert = _jpeg(p.jpeg_quality) if p.jpeg_quality else None
        self.recorder = Recorder(
            self._writer, capacity_bytes=p.memory * 2**20, convert=convert, clock=self.now_ns
        )
        self._subscriptions_by_topic: dict[str, tuple[Any, raw.RawSubscription]] = {}
        self._refused: set[str] = set()
        self._ended = False
        self._topics = Topics(self)
        self._wanted = self._listed()
        for name, spec in self._wanted.items():
            if spec and not self._is_second(name):
                self._subscribe(Published(name, spec.type, spec.reliable, spec.latched))
        self._look()
        self.create_timer(0.2, self._look)

    def _listed(self) -> dict[str, Topic | None]:
        """Absolute names of what shall be recorded, with their specification where known."""
        p = self.parameters
        known = {self.resolve_topic_name(spec.name): spec for spec in SPECS}
        if p.topics:
            names = [self.resolve_topic_name(name) for name in p.topics]
            return {name: known.get(name) for name in names}
        return {
            name: spec
            for name, spec in known.items()
            if p.images or spec.type not in (_IMAGE, _COMPRESSED)
        }

    def _look(self) -> None:
        """Subscribe to what has appeared, and again to what offers another quality of service."""
        published = self._topics.published()
        for name, topic in published.items():
            if self._is_second(name) and name.removesuffix("/compressed") in published:
                continue
            if (name in self._wanted or self.parameters.all) and name not in self._refused:
                self._subscribe(topic)

    def _is_second(self, name: str) -> bool:
        """Whether it is a topic of compressed pictures that nobody named: the raw ones are
        recorded, where there are any."""
        p = self.parameters
        return name.endswith("/compressed") and not p.topics and not p.all

    def _subscribe(self, topic: Published) -> None:
        before = self._subscriptions_by_topic.get(topic.name)
        if before is not None and before[0] == topic:
            return
        try:
            describe(topic.type)
            self._check_type(topic)
            stored = self._stored(topic.name, topic.type)
            offered = offered_qos(topic.reliable, 10, topic.latched)
            self._writer.add_topic(*stored, offered)
            profile = topic.reading_profile(_DEPTHS.get(topic.type, _DEPTH))
            subscription = raw.subscribe(
                self, topic.name, topic.type, lambda data: self._put(stored[0], data), profile
            )
        except InputError as error:
            self._refused.add(topic.name)
            self.get_logger().warning(f"{topic.name} is not recorded: {error}")
            return
        if before is not None:
            before[1].close()
        self._subscriptions_by_topic[topic.name] = topic, subscription

    def _check_type(self, topic: Published) -> None:
        spec = self._wanted.get(topic.name)
        if spec is not None and spec.type != topic.type:
            raise InputError(f"it is {topic.type}, expected {spec.type}")

    def _stored(self, name: str, kind: str) -> tuple[str, str]:
        """Name and type in the bag."""
        if kind == _IMAGE and self.parameters.jpeg_quality:
            return f"{name}/compressed", _COMPRESSED
        return name, kind

    @property
    def counts(self) -> Mapping[str, int]:
        """Messages written so far, by topic."""
        return self._writer.counts

    def _put(self, topic: str, data: bytes) -> None:
        self.recorder.put(topic, data)

    def destroy_node(self) -> None:
        if not self._ended:
            self._ended = True
            self._topics.close()
            for _, subscription in self._subscriptions_by_topic.values():
                subscription.close()
            try:
                self.recorder.close()
            except InputError as error:
                self.get_logger().error(str(error))
            lost = sum(self.recorder.lost.values())
            text = f"{sum(self._writer.counts.values())} messages in {self.path}, {lost} lost"
            (self.get_logger().error if lost else self.get_logger().info)(text)
        super().destroy_node()


def _jpeg(quality: int) -> Any:
    """A conversion of raw images to compressed ones, in the recorder's own thread."""
    from turret_ai.ros.dds.messages import from_cdr, message_class, to_cdr
    from turret_ai.ros.images import from_message
    from turret_ai.see.images import encode

    def convert(topic: str, data: bytes) -> bytes:
        if not topic.endswith("/compressed"):
            return data
        image = from_cdr(data, _IMAGE)
        compressed = message_class(_COMPRESSED)(
            header=image.header, format="jpeg", data=encode(from_message(image), ".jpg", quality)
        )
        return bytes(to_cdr(compressed, _COMPRESSED))

    return convert
