# SPDX-License-Identifier: Apache-2.0
"""The locator node: an image and a command in, the target's box out."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from turret_ai.see.locator import Candidates, SeeSettings
from turret_ai.see.lookout import Look, Lookout
from turret_ai.types import ImageArray, Location, LocationStatus
from turret_ai.units import seconds_to_ns


class LocatorParameters(SeeSettings):
    """The see stage's settings are the node's parameters."""

    ahead_max_age: float = Field(
        1.8,
        ge=0.0,
        le=10.0,
        description="s that a picture may be old that was looked at while the operator still "
        "spoke; 0: none is",
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a picture holds. rgb: the picture; seconds: how long looking took."""

    candidates: Candidates
    rgb: ImageArray
    seconds: float


@dataclass(frozen=True, slots=True)
class _Search:
    """One image to look at, one that was looked at, or a caption to encode ahead (image None)."""

    look: Look
    image: Image | None
    seen: _Seen | None = None


_WARM_UP = _Search(Look("", "", 0), None)


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
        self._ahead: _Search | None = None
        self._looks = self.create_worker(self._look, self._on_error, on_drop=self._on_drop)
        self._choices = self.create_worker(self._choose, self._on_error, on_drop=self._on_drop)
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
            self._looks.put(_WARM_UP)

    def on_cleanup(self) -> None:
        self.locator = None

    def describe(self) -> Mapping[str, object]:
        return self.locator.describe() if self.locator is not None else {}

    def reset(self) -> None:
        self._looks.clear()
        self._choices.clear()
        with self._looking:
            self._ahead = None
            waiting = self._lookout.reset()
        for utterance_id, caption in waiting:
            if self.ledger.is_open(utterance_id):  # the controller must not wait for it
                self._on_drop(_Search(Look(utterance_id, caption, 0), Image()), "reset")

    def _on_command(self, message: TurretCommand) -> None:
        if not (self.active and message.target):
            return
        name, caption = message.utterance_id, message.target
        self._choices.put(_Search(Look(name, caption, 0, message.partial), None))
        if message.partial:
            self._lookout.on_guess(name)
            return
        self.ledger.answered(name, to_ns(message.header.stamp))
        with self._looking:
            due = self._lookout.on_command(name, caption)
        self._on_due(due)

    def _on_state(self, message: TurretState) -> None:
        stamp_ns = to_ns(message.header.stamp)
        searching = message.phase == TurretState.SEARCHING
        with self._looking:
            name, at_goal = message.utterance_id, message.at_goal
            due = self._lookout.on_turret(searching, name, stamp_ns, at_goal)
        self._on_due(due)

    def _on_image(self, message: Image) -> None:
        if not self.receive():
            return
        with self._looking:
            look = self._lookout.on_image(to_ns(message.header.stamp), self._looks.busy)
        if look is None:
            return
        if not look.ahead:
            self.ledger.working(look.utterance_id, 0)
        self._looks.put(_Search(look, message))

    def _look(self, search: _Search) -> None:
        """Find whatever a picture holds; in the thread of the looks."""
        locator, look, image = self.locator, search.look, search.image
        if search is _WARM_UP and locator is not None:
            locator.warm_up()
            self._cold = False
            return
        if locator is None or image is None:
            raise InputError("there are no models: the node is not configured")
        started = time.perf_counter()
        rgb = images.from_message(image)
        candidates = locator.look(rgb)
        search = replace(search, seen=_Seen(candidates, rgb, time.perf_counter() - started))
        if look.ahead:
            with self._looking:
                self._ahead = search
                self._lookout.on_looked(look)
            self._serve(search)
        elif self._looks.stale:
            self._on_drop(search, "reset")
        else:
            self._choices.put(search)

    def _on_due(self, due: Look | None) -> None:
        """A look ahead is to be the answer: at once where it has ended, else when it does."""
        if due is None:
            return
        self.ledger.working(due.utterance_id, 0)
        seen = self._ahead
        if seen is not None:
            self._serve(seen)

    def _serve(self, search: _Search) -> None:
        """If a look ahead is due, choose of what it found."""
        with self._looking:
            due = self._lookout.take(search.look)
        if due is not None:
            self._choices.put(replace(search, look=due))

    def _choose(self, search: _Search) -> None:
        """Answer with the candidate that fits the caption, in the thread of the choices."""
        locator, look, seen = self.locator, search.look, search.seen
        if locator is None:
            raise InputError("there are no models: the node is not configured")
        if search.image is None or seen is None:
            locator.prepare(look.caption)
            return
        started = time.perf_counter()
        location = locator.choose(seen.candidates, [look.caption])[0]
        if self._choices.stale:
            self._on_drop(search, "reset")
        elif look.ahead and location.status is not LocationStatus.FOUND:
            with self._looking:  # a newer picture may show it better
                self._lookout.look_again(look)
        else:
            seconds = seen.seconds + time.perf_counter() - started
            self._publish(search, location, seconds, seen.rgb)

    def _publish(
        self, search: _Search, location: Location, seconds: float, rgb: ImageArray | None
    ) -> None:
        image, look = search.image, search.look
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
                seconds,
            )
        )
        self.ledger.answered(look.utterance_id, 0)
        self.health.count(location.status.name)
        self.get_logger().info(
            f"{look.utterance_id}: {look.caption!r} {location.status.name} "
            f"in {seconds * 1e3:.0f} ms{' ahead' * look.ahead} {location.reason}".rstrip()
        )
        if rgb is not None and self._annotated.get_subscription_count():
            picture = draw.annotate(rgb, location, look.caption)
            stamp_ns = to_ns(header.stamp)
            self._annotated.publish(images.to_message(picture, stamp_ns, header.frame_id))

    def _on_error(self, error: Exception, search: _Search) -> None:
        self.get_logger().error(f"{search.look.utterance_id}: {error}")
        self.health.count("errors")
        self._give_up(search, f"the search failed: {error}")

    def _on_drop(self, search: _Search, why: str) -> None:
        self._give_up(search, f"the search was dropped: {why}")

    def _give_up(self, search: _Search, reason: str) -> None:
        look = search.look
        if search.image is None:
            return
        if look.ahead and not look.caption:  # nobody waits for it, or another picture serves
            with self._looking:
                self._lookout.look_again(look)
            return
        self._publish(search, Location(LocationStatus.NOT_FOUND, reason=reason), 0.0, None)
