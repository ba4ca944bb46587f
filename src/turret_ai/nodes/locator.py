# SPDX-License-Identifier: Apache-2.0
"""The locator node: an image and a command in, the target's box out."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from turret_ai.errors import InputError
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage, is_on_cpu
from turret_ai.ros import images, topics
from turret_ai.ros.interfaces import (
    Image,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.time import to_ns
from turret_ai.see import draw
from turret_ai.see import locator as see_locator
from turret_ai.see.locator import SeeSettings
from turret_ai.see.lookout import Look, Lookout
from turret_ai.types import ImageArray, Location, LocationStatus
from turret_ai.units import seconds_to_ns


class LocatorParameters(SeeSettings):
    """The see stage's settings are the node's parameters."""

    ahead_max_age: float = Field(
        1.8,
        ge=0.0,
        le=10.0,
        description="s that a picture may be old that was searched while the operator still spoke; "
        "0: none is",
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """One image to search, or a caption to encode ahead (image None)."""

    look: Look
    image: Image | None


_WARM_UP = _Search(Look("", "", 0), None)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search gave. seconds: how long it took."""

    search: _Search
    location: Location
    rgb: ImageArray | None
    seconds: float


class Locator(Stage):
    """Searches the first image that was exposed after the camera had settled.

    Where the operator has said heading and target already, it looks ahead while the rest is said.
    """

    adjustable = True

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("locator", LocatorParameters, overrides)
        self.locator: see_locator.Locator | None = None
        self._cold = False
        self._lookout = Lookout()
        self._looking = threading.Lock()
        self._ahead: _Found | None = None
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
        self._cold = is_on_cpu(locator.describe())
        if not self._cold:
            self.doing = "warming up"
            locator.warm_up()
        self._lookout = Lookout(seconds_to_ns(self.parameters.ahead_max_age))
        self.locator = locator

    def on_activate(self) -> None:
        if self._cold:
            self._worker.put(_WARM_UP)

    def on_cleanup(self) -> None:
        self.locator = None

    def describe(self) -> Mapping[str, object]:
        return self.locator.describe() if self.locator is not None else {}

    def reset(self) -> None:
        self._worker.clear()
        with self._looking:
            self._ahead = None
            waiting = self._lookout.reset()
        for utterance_id, caption in waiting:
            if self.ledger.is_open(utterance_id):  # the controller must not wait for it
                self._on_drop(_Search(Look(utterance_id, caption, 0), Image()), "reset")

    def _on_command(self, message: TurretCommand) -> None:
        if not (self.active and message.target):
            return
        look = Look(message.utterance_id, message.target, 0, message.partial)
        if message.partial:
            self._lookout.on_guess(look.utterance_id, look.caption)
        else:
            self._lookout.on_command(look.utterance_id, look.caption)
            self.ledger.answered(message.utterance_id, to_ns(message.header.stamp))
        self._worker.put(_Search(look, None))

    def _on_state(self, message: TurretState) -> None:
        stamp_ns = to_ns(message.header.stamp)
        searching = message.phase == TurretState.SEARCHING
        with self._looking:
            name, at_goal = message.utterance_id, message.at_goal
            due = self._lookout.on_turret(searching, name, stamp_ns, at_goal)
            if due is None:
                return
            found = self._ahead
        self.ledger.working(due.utterance_id, 0)
        if found is not None and found.search.look == due:
            self._serve(found)

    def _on_image(self, message: Image) -> None:
        if not self.receive():
            return
        with self._looking:
            look = self._lookout.on_image(to_ns(message.header.stamp), self._worker.busy)
        if look is None:
            return
        if not look.ahead:
            self.ledger.working(look.utterance_id, 0)
        self._worker.put(_Search(look, message))

    def _search(self, search: _Search) -> None:
        locator, look = self.locator, search.look
        if locator is None:
            raise InputError("there are no models: the node is not configured")
        if search is _WARM_UP:
            locator.warm_up()
            self._cold = False
            return
        if search.image is None:
            locator.prepare(look.caption)
            return
        started = time.perf_counter()
        rgb = images.from_message(search.image)
        location = locator.locate(rgb, look.caption)
        found = _Found(search, location, rgb, time.perf_counter() - started)
        if look.ahead:
            self._on_ahead(found)
        elif self._worker.stale:
            self._on_drop(search, "reset")
        else:
            self._publish(found)

    def _on_ahead(self, found: _Found) -> None:
        with self._looking:
            self._ahead = found
            self._lookout.on_answer(found.search.look)
        self._serve(found)

    def _serve(self, found: _Found) -> None:
        """If it is due, answer with what was found ahead; where that is no find, search anew."""
        look = found.search.look
        with self._looking:
            if not self._lookout.take(look):
                return
            if found.location.status is not LocationStatus.FOUND:
                self._lookout.look_again(look)
                return
        self._publish(found)

    def _publish(self, found: _Found) -> None:
        image, look, location = found.search.image, found.search.look, found.location
        assert image is not None
        header = image.header
        self._candidates.publish(convert.candidates_to_message(location, header))
        self._boxes.publish(
            convert.location_to_message(
                location,
                look.utterance_id,
                look.caption,
                header,
                (image.width, image.height),
                found.seconds,
            )
        )
        self.ledger.answered(look.utterance_id, 0)
        self.health.count(location.status.name)
        self.get_logger().info(
            f"{look.utterance_id}: {look.caption!r} {location.status.name} "
            f"in {found.seconds * 1e3:.0f} ms{' ahead' * look.ahead} {location.reason}".rstrip()
        )
        if found.rgb is not None and self._annotated.get_subscription_count():
            picture = draw.annotate(found.rgb, location, look.caption)
            stamp_ns = to_ns(header.stamp)
            self._annotated.publish(images.to_message(picture, stamp_ns, header.frame_id))

    def _on_error(self, error: Exception, search: _Search) -> None:
        self.get_logger().error(f"{search.look.utterance_id}: {error}")
        self.health.count("errors")
        self._give_up(search, f"the search failed: {error}")

    def _on_drop(self, search: _Search, why: str) -> None:
        self._give_up(search, f"the search was dropped: {why}")

    def _give_up(self, search: _Search, reason: str) -> None:
        if search.image is None:
            return
        found = _Found(search, Location(LocationStatus.NOT_FOUND, reason=reason), None, 0.0)
        if search.look.ahead:
            self._on_ahead(found)  # which serves no search: another picture does
        else:
            self._publish(found)
