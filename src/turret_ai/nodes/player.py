# SPDX-License-Identifier: Apache-2.0
"""The player node: a bag back onto live topics, raw, in its own pace or another one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from turret_ai.errors import InputError
from turret_ai.nodes.roster import SETTLED_S, Roster
from turret_ai.prove.bag import Bag, BagRecord
from turret_ai.prove.topics import SPECS, resolve
from turret_ai.ros import Node, images, qos, raw, topics
from turret_ai.ros.interfaces import Clock
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.see.images import decode
from turret_ai.settings import Settings
from turret_ai.units import ns_to_seconds, seconds_to_ns

_COMPRESSED = "sensor_msgs/msg/CompressedImage"


class PlayerParameters(Settings):
    """What is played, and how."""

    bag: str = Field("", description="bag folder, .mcap or .db3 file")
    topics: list[str] = Field(
        [], description="topics to play; empty: inputs and truth, so that live stages answer"
    )
    all: bool = Field(False, description="play every topic, the recorded stages' outputs too")
    rate: float = Field(1.0, gt=0.0, le=100.0, description="speed; 2: twice as fast")
    start: float = Field(0.0, ge=0.0, description="s of the recording to leave out")
    duration: float = Field(0.0, ge=0.0, description="s of the recording to play; 0: to its end")
    loop: bool = Field(False, description="begin again at the end")
    clock: float = Field(
        100.0, ge=0.0, le=1000.0, description="Hz of /clock, the recording's time; 0: none"
    )
    wait: float = Field(
        30.0,
        ge=0.0,
        le=3600.0,
        description="s to wait until every played input has a subscriber and the stages are "
        "active; 0: begin at once",
    )
    end_delay: float = Field(1.0, ge=0.0, le=60.0, description="s to stay after the last message")


class Player(Node):
    """Publishes recorded messages unchanged; ends the process when the recording is over."""

    def __init__(
        self,
        overrides: Mapping[str, Any] | None = None,
        on_finished: Callable[[], object] | None = None,
        **node_options: Any,
    ) -> None:
        """on_finished: called in the playing thread at the end; default: end this process."""
        super().__init__("player", parameters=PlayerParameters, overrides=overrides, **node_options)
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._on_finished = on_finished or (lambda: os.kill(os.getpid(), signal.SIGINT))
        self.bag = Bag(self.parameters.bag)
        self.played = 0
        self.position_ns = 0
        self.finished = threading.Event()
        self._pictures: dict[str, Any] = {}
        self._roster = Roster(self)
        self._outlets = self._advertise()
        self._clock_publisher = topics.CLOCK.advertise(self) if self.parameters.clock else None
        for problem in self.bag.problems:
            self.get_logger().warning(problem)
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self._thread.start()

    def _advertise(self) -> dict[str, raw.RawPublisher]:
        found = resolve(self.bag.topics)
        chosen = {
            absolute: next(spec for spec in SPECS if spec.name == name)
            for name, absolute in found.items()
        }
        wanted = [self.resolve_topic_name(name) for name in self.parameters.topics] or [
            name
            for name, spec in chosen.items()
            if spec.role in ("input", "truth") or self.parameters.all
        ]
        if self.parameters.all:
            wanted = [name for name in self.bag.topics if name != "/clock"]
        publishers = {}
        for name in wanted:
            topic = self.bag.topics.get(name)
            if topic is None:
                raise InputError(f"{name} is not in the bag; it holds {', '.join(self.bag.topics)}")
            if not topic.count and not self.bag.problems:
                continue
            profile = getattr(qos, chosen[name].qos) if name in chosen else qos.STAGE
            publishers[name] = raw.advertise(self, name, topic.type, profile)
        if not publishers:
            raise InputError(f"{self.bag.path} holds nothing to play")
        for name in list(publishers):
            plain = name.removesuffix("/compressed")
            if self.bag.topics[name].type == _COMPRESSED and plain not in self.bag.topics:
                # Live stages take raw pictures; nothing else in the graph would decode these.
                self._pictures[name] = topics.IMAGE.advertise(self, plain)
        return publishers

    @property
    def topics(self) -> tuple[str, ...]:
        """What is played."""
        return tuple(self._outlets)

    # -- the playing thread ----------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self._wait_for_listeners():
                while not self._stop.is_set():
                    self._play_once()
                    if not self.parameters.loop:
                        break
                self._stop.wait(self.parameters.end_delay)
        except Exception as error:
            self.get_logger().error(f"playing failed: {error}")
        finally:
            self.finished.set()
            if not self._stop.is_set():
                self.get_logger().info(f"{self.played} messages played")
                self._on_finished()

    def _wait_for_listeners(self) -> bool:
        """Until each input is heard by someone, and every stage that is there is active.

        Returns:
            False where the player was asked to stop.
        """
        counts: dict[str, Callable[[], int]] = {
            name: outlet.count for name, outlet in self._outlets.items() if "truth" not in name
        }
        for name, publisher in self._pictures.items():
            counts[name] = publisher.get_subscription_count
        end = time.monotonic() + self.parameters.wait
        well_since = time.monotonic()
        while not self._stop.is_set():
            lonely = [name for name, count in counts.items() if not count()]
            pending = self._roster.pending()
            now = time.monotonic()
            if lonely or pending:
                well_since = now
            if now - well_since > SETTLED_S or not self.parameters.wait:
                return True
            if now >= end:
                if pending:
                    self.get_logger().warning(f"not active: {', '.join(pending)}")
                if len(lonely) == len(counts):
                    self.get_logger().warning("nobody subscribes to what is played")
                elif lonely:
                    self.get_logger().info(f"nobody subscribes to {', '.join(lonely)}")
                return True
            self._stop.wait(0.05)
        return False

    def _play_once(self) -> None:
        p = self.parameters
        first = next(self.bag.records(self._outlets), None)
        if first is None:
            return
        begin = first.log_ns + seconds_to_ns(p.start)
        end = begin + seconds_to_ns(p.duration) if p.duration else None
        started = time.monotonic()
        for record in self.bag.records(self._outlets, begin, end):
            due = started + ns_to_seconds(record.log_ns - begin) / p.rate
            if not self._sleep_until(due, started, begin):
                return
            self.position_ns = record.log_ns - first.log_ns
            self._tick(record.log_ns)
            self._outlets[record.topic].publish(record.raw)
            if record.topic in self._pictures:
                self._publish_picture(record)
            self.played += 1

    def _publish_picture(self, record: BagRecord) -> None:
        """A compressed picture, decoded, with its own stamp."""
        try:
            message = self.bag.decode(record)
            rgb = decode(bytes(message.data), record.topic)
        except InputError as error:
            self.get_logger().warning(f"a picture is left out: {error}")
            return
        stamp_ns, frame = to_ns(message.header.stamp), message.header.frame_id
        self._pictures[record.topic].publish(images.to_message(rgb, stamp_ns, frame))

    def _sleep_until(self, due: float, started: float, begin_ns: int) -> bool:
        """Sleep, ticking the clock; False: asked to stop."""
        step = 1.0 / self.parameters.clock if self._clock_publisher else 3600.0
        while (left := due - time.monotonic()) > 0:
            if self._stop.wait(min(left, step)):
                return False
            passed = (min(time.monotonic(), due) - started) * self.parameters.rate
            self._tick(begin_ns + seconds_to_ns(passed))
        return not self._stop.is_set()

    def _tick(self, now_ns: int) -> None:
        if self._clock_publisher is not None:
            self._clock_publisher.publish(Clock(clock=to_msg(now_ns)))

    def destroy_node(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2.0)
            self.bag.close()
        super().destroy_node()
