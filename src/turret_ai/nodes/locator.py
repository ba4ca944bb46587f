# SPDX-License-Identifier: Apache-2.0
"""The locator node: an image and a command in, the target's box out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turret_ai.errors import InputError
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import images, topics
from turret_ai.ros.interfaces import (
    Header,
    Image,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.time import to_ns
from turret_ai.see import draw
from turret_ai.see import locator as see_locator
from turret_ai.see.locator import SeeSettings
from turret_ai.see.lookout import Lookout
from turret_ai.types import Location, LocationStatus


class LocatorParameters(SeeSettings):
    """The see stage's settings are the node's parameters."""


@dataclass(frozen=True, slots=True)
class _Search:
    """One image to search, or a caption to encode ahead (image None)."""

    utterance_id: str
    caption: str
    image: Image | None


class Locator(Stage):
    """Searches the first image that was exposed after the camera had settled."""

    adjustable = True

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("locator", LocatorParameters, overrides)
        self.locator: see_locator.Locator | None = None
        self._lookout = Lookout()
        self._worker = self.create_worker(self._search, self._on_error, on_drop=self._on_drop)
        self._boxes = topics.TARGET_BBOX.advertise(self)
        self._candidates = topics.DETECTIONS.advertise(self)
        self._annotated = topics.ANNOTATED_IMAGE.advertise(self)
        topics.COMMAND.subscribe(self, self._on_command)
        topics.TURRET_STATE.subscribe(self, self._on_state)
        topics.IMAGE.subscribe(self, self._on_image)
        self.follow_engagements()

    def on_configure(self) -> None:
        self.doing = "loading the detectors and matchers"
        locator = see_locator.load(self.parameters)
        self.doing = "warming up"
        locator.warm_up()
        self.locator = locator

    def on_cleanup(self) -> None:
        self.locator = None

    def describe(self) -> Mapping[str, object]:
        return self.locator.describe() if self.locator is not None else {}

    def reset(self) -> None:
        self._worker.clear()
        for utterance_id, caption in self._lookout.reset():
            if self.ledger.is_open(utterance_id):  # the controller must not wait for it
                self._on_drop(_Search(utterance_id, caption, Image()), "reset")

    def _on_command(self, message: TurretCommand) -> None:
        if self.active and not message.partial and message.target:
            self._lookout.on_command(message.utterance_id, message.target)
            self.ledger.answered(message.utterance_id, to_ns(message.header.stamp))
            self._worker.put(_Search(message.utterance_id, message.target, None))

    def _on_state(self, message: TurretState) -> None:
        searching = message.phase == TurretState.SEARCHING
        self._lookout.on_turret(searching, message.utterance_id, to_ns(message.header.stamp))

    def _on_image(self, message: Image) -> None:
        if not self.receive():
            return
        wanted = self._lookout.on_image(to_ns(message.header.stamp))
        if wanted is not None:
            self.ledger.working(wanted[0], 0)
            self._worker.put(_Search(*wanted, message))

    def _search(self, search: _Search) -> None:
        locator = self.locator
        if locator is None:
            raise InputError("there are no models: the node is not configured")
        if search.image is None:
            locator.prepare(search.caption)
            return
        started = time.perf_counter()
        rgb = images.from_message(search.image)
        location = locator.locate(rgb, search.caption)
        if self._worker.stale:
            self._on_drop(search, "reset")
            return
        self._publish(search, search.image.header, location, time.perf_counter() - started)
        if self._annotated.get_subscription_count():
            picture = draw.annotate(rgb, location, search.caption)
            stamp_ns = to_ns(search.image.header.stamp)
            frame = search.image.header.frame_id
            self._annotated.publish(images.to_message(picture, stamp_ns, frame))

    def _publish(
        self, search: _Search, image_header: Header, location: Location, seconds: float
    ) -> None:
        assert search.image is not None
        size = (search.image.width, search.image.height)
        self._candidates.publish(convert.candidates_to_message(location, image_header))
        self._boxes.publish(
            convert.location_to_message(
                location, search.utterance_id, search.caption, image_header, size, seconds
            )
        )
        self.ledger.answered(search.utterance_id, 0)
        self.health.count(location.status.name)
        self.get_logger().info(
            f"{search.utterance_id}: {search.caption!r} {location.status.name} "
            f"in {seconds * 1e3:.0f} ms {location.reason}".rstrip()
        )

    def _on_error(self, error: Exception, search: _Search) -> None:
        self.get_logger().error(f"{search.utterance_id}: {error}")
        self.health.count("errors")
        self._give_up(search, f"the search failed: {error}")

    def _on_drop(self, search: _Search, why: str) -> None:
        self._give_up(search, f"the search was dropped: {why}")

    def _give_up(self, search: _Search, reason: str) -> None:
        if search.image is not None:
            failed = Location(LocationStatus.NOT_FOUND, reason=reason)
            self._publish(search, search.image.header, failed, 0.0)
