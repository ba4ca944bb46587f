# SPDX-License-Identifier: Apache-2.0
"""Each page gets the newest of everything, and none holds up another."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from typing import Any

import pytest

from turret_ai.console.viewers import FRAMES_AHEAD, StalledError, Viewer, Viewers, pack

PATIENCE_S = 0.6


class Page:
    """A page that takes in what it is sent, if it likes."""

    def __init__(self, viewers: Viewers, *, answers: bool = True) -> None:
        self.answers = answers
        self.frames: list[bytes] = []
        self.sections: dict[str, Any] = {}
        self.words: list[dict[str, Any]] = []
        self.messages = 0
        self.viewer = Viewer(self.take)
        self.viewers = viewers

    async def take(self, message: str | bytes) -> None:
        self.messages += 1
        if isinstance(message, bytes):
            self.frames.append(message)
        else:
            told = json.loads(message)
            self.sections |= told.get("sections", {})
            if "type" in told:
                self.words.append(told)
        if self.answers:
            self.viewer.acknowledge(self.messages)

    async def look(self) -> None:
        with self.viewers.joined(self.viewer):
            await self.viewers.feed(self.viewer)


@contextlib.asynccontextmanager
async def looking(*pages: Page):
    tasks = [asyncio.ensure_future(page.look()) for page in pages]
    await asyncio.sleep(0.01)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_page_that_comes_gets_all_there_is_and_later_only_what_is_new() -> None:
    viewers = Viewers(32, PATIENCE_S)
    viewers.update({"turn": "1", "turret": "2"}, 10)
    page = Page(viewers)
    async with looking(page):
        await asyncio.sleep(0.1)
        assert page.sections == {"turn": 1, "turret": 2}
        page.sections.clear()
        viewers.update({"turn": "1", "turret": "3"}, 10)
        await asyncio.sleep(0.2)
        assert page.sections == {"turret": 3}
    assert viewers.count == 0


async def test_a_page_that_is_busy_misses_pictures_and_gets_the_newest_afterwards() -> None:
    viewers = Viewers(32, PATIENCE_S)
    page = Page(viewers, answers=False)
    async with looking(page):
        for number in range(20):
            viewers.show(b"%d" % number)
            await asyncio.sleep(0.005)
        assert len(page.frames) <= FRAMES_AHEAD
        page.answers = True
        page.viewer.acknowledge(page.messages)
        await asyncio.sleep(0.05)
        assert page.frames[-1] == b"19" and len(page.frames) <= FRAMES_AHEAD + 1
        assert page.viewer.dropped >= 15


async def test_a_page_that_takes_nothing_in_is_dropped_and_the_others_go_on() -> None:
    viewers = Viewers(32, PATIENCE_S)
    stalled, others = Page(viewers, answers=False), [Page(viewers) for _ in range(10)]
    async with looking(stalled, *others) as tasks:
        for number in range(20):
            viewers.show(b"%d" % number)
            await asyncio.sleep(0.05)
        assert isinstance(tasks[0].exception(), StalledError)
        assert viewers.count == 10 and viewers.stalled == 1
        assert all(len(page.frames) >= 18 for page in others)


@pytest.mark.parametrize(("pages", "least", "most"), [(1, 15, 20), (10, 3, 8)])
async def test_many_pages_share_so_many_pictures_a_second_and_get_the_last_one(
    pages: int, least: int, most: int
) -> None:
    viewers = Viewers(32, PATIENCE_S, pictures_hz=40.0)
    looks = [Page(viewers) for _ in range(pages)]
    async with looking(*looks):
        for number in range(20):
            viewers.show(b"%d" % number)
            await asyncio.sleep(0.05)
        assert all(least <= len(page.frames) <= most for page in looks)
        await asyncio.sleep(0.6)
        assert {page.frames[-1] for page in looks} == {b"19"}


async def test_a_socket_that_blocks_is_dropped_too() -> None:
    viewers = Viewers(32, PATIENCE_S)

    async def never(_message: str | bytes) -> None:
        await asyncio.sleep(3600)

    viewers.update({"turn": "1"}, 10)
    with viewers.joined(viewer := Viewer(never)), pytest.raises(StalledError):
        await asyncio.wait_for(viewers.feed(viewer), 5.0)


async def test_a_page_that_nobody_sees_gets_no_pictures_but_stays_alive() -> None:
    viewers = Viewers(32, PATIENCE_S)
    page = Page(viewers)
    page.viewer.wants_frames = False
    async with looking(page):
        assert not viewers.wants_frames
        viewers.show(b"picture")
        await asyncio.sleep(1.2)
        assert not page.frames and page.messages >= 1


async def test_words_for_one_page_reach_it_alone_and_the_log_keeps_the_newest() -> None:
    viewers = Viewers(32, PATIENCE_S)
    one, other = Page(viewers), Page(viewers)
    viewers.update({f"log:{number}": str(number) for number in range(1, 9)}, 3)
    async with looking(one, other):
        one.viewer.tell({"type": "done"})
        await asyncio.sleep(0.1)
        assert one.words == [{"type": "done"}] and not other.words
        assert sorted(other.sections) == ["log:6", "log:7", "log:8"]


async def test_an_acknowledgement_of_more_than_was_sent_counts_as_all_of_it() -> None:
    viewers = Viewers(32, PATIENCE_S)
    page = Page(viewers, answers=False)
    await page.viewer.send("{}", 1.0)
    page.viewer.acknowledge(10**9)
    page.viewer.acknowledge(0)
    assert page.viewer.ahead == 0
    await page.viewer.send("{}", 1.0)
    assert page.viewer.ahead == 1


def test_a_picture_is_one_message_with_its_header_in_front() -> None:
    message = pack({"size": [4, 3]}, b"jpeg")
    (length,) = struct.unpack_from("<I", message)
    assert json.loads(message[4 : 4 + length]) == {"size": [4, 3]}
    assert message[4 + length :] == b"jpeg"
