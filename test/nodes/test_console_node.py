# SPDX-License-Identifier: Apache-2.0
"""The console node with a real controller, simulator and commander: what a page does is done."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from probe import Probe, free_domain, node_process

from turret_ai.ros import qos
from turret_ai.ros.interfaces import (
    AudioDataStamped,
    AudioInfo,
    Detection2D,
    Detection2DArray,
    Engagement,
    Header,
)
from turret_ai.ros.time import to_msg

sys.path.append(str(Path(__file__).resolve().parents[1] / "console"))
from conversation import Conversation


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[int, str]]:
    domain, port = free_domain(), free_port()
    with contextlib.ExitStack() as stack:
        for name, parameters in (
            ("controller", {"deadlines__see": 4.0}),
            ("commander", {}),
            ("simulator", {"camera__width": 320, "camera__height": 180}),
            ("console", {"port": port}),
        ):
            stack.enter_context(node_process(domain, name, **parameters))  # type: ignore[arg-type]
        yield domain, f"http://127.0.0.1:{port}"


@pytest.fixture
def page(address: tuple[int, str]) -> Iterator[Conversation]:
    with Conversation(address[1], patience=60.0) as made:
        wanted = {"controller", "commander", "simulator", "console"}

        def active() -> set[str]:
            stages = made.sections.get("stages", [])
            return {each["stage"] for each in stages if each["state"] == "active"}

        assert made.until(lambda: wanted <= active() and made.turret.get("connected"))
        yield made


def test_the_page_sees_pictures_with_their_age_and_the_place_of_the_aim(page: Conversation) -> None:
    assert page.until(lambda: page.frames >= 3)
    assert page.header["size"] == [320, 180]
    assert page.header["aim"] == pytest.approx([160.0, 90.0], abs=0.5)
    assert 0.0 <= page.header["age"] < 5000.0


def test_a_typed_command_is_understood_and_slewn_to_and_stop_ends_it(page: Conversation) -> None:
    page.say(type="arm", armed=True, confirmed=True)
    assert page.until(lambda: page.turret["armed"])
    page.say(type="say", text="Heading is one eight zero, tool is EMP, target is grey drone.")
    assert page.until(lambda: page.turret["phase"] == "SLEWING" and page.turret["moving"])
    fields = page.turn["command"]["fields"]
    assert (fields["heading"]["value"], fields["tool"]["value"]) == ("180", "EMP")
    page.say(type="stop")
    assert page.until(page.ended("stop"))
    assert page.outcome("stop") == "CANCELLED" and page.outcome("typed") == "SUPERSEDED"
    assert page.until(lambda: not page.turret["moving"] and not page.turret["armed"])
    assert abs(page.turret["now"]["heading"] - 180.0) > 5.0, "it stopped on the way"


def test_a_clicked_candidate_is_aimed_at(address: tuple[int, str], page: Conversation) -> None:
    probe = Probe(address[0])
    try:
        detections = probe.create_publisher(Detection2DArray, "detections", qos.STAGE)
        assert probe.until(lambda: detections.get_subscription_count() >= 1)
        found = Detection2D()
        found.bbox.center.position.x, found.bbox.center.position.y = 200.0, 60.0
        found.bbox.size_x, found.bbox.size_y = 20.0, 10.0
        header = Header(stamp=to_msg(probe.now_ns()))
        detections.publish(Detection2DArray(header=header, detections=[found]))
        assert page.until(lambda: page.header.get("boxes"))
        before = page.turret["now"]
        page.say(type="pick", search=page.header["search"], candidate=0)
        assert page.until(page.ended("pick"))
        assert page.outcome("pick") == "AIMED"
        assert page.until(lambda: page.turret["at_goal"])
        after = page.turret["now"]
        assert 0.0 < (after["heading"] - before["heading"]) % 360.0 < 40.0, "to the right"
        assert after["elevation"] > before["elevation"] + 2.0, "and up"
    finally:
        probe.close()


def test_what_is_spoken_is_one_marked_utterance_at_the_rate_of_the_stream(
    address: tuple[int, str], page: Conversation
) -> None:
    probe = Probe(address[0])
    try:
        infos = probe.create_publisher(AudioInfo, "audio_info", qos.LATCHED)
        chunks = probe.collect(AudioDataStamped, "audio", qos.AUDIO)
        assert probe.until(lambda: infos.get_subscription_count() >= 1)
        infos.publish(AudioInfo(channels=1, sample_rate=8000, sample_format="S16LE"))
        probe.until(lambda: False, timeout=0.5)
        page.say(type="talk", rate=16000)
        assert page.until(lambda: any(w["type"] == "talk" and w["on"] for w in page.words))
        for _ in range(10):
            page.hear(bytes(1280))
        page.say(type="talk_end")
        assert probe.until(lambda: chunks and not len(chunks[-1].audio.data))
        names = {each.header.frame_id for each in chunks}
        assert len(names) == 1 and names.pop().startswith("utterance/console_talk_")
        samples = sum(len(each.audio.data) for each in chunks) // 2
        assert samples == pytest.approx(0.4 * 8000, abs=10)
    finally:
        probe.close()


def test_a_stop_in_mid_sentence_ends_what_is_being_said(
    address: tuple[int, str], page: Conversation
) -> None:
    probe = Probe(address[0])
    try:
        ends = probe.collect(Engagement, "engagement")
        page.say(type="talk", rate=16000)
        page.hear(bytes(1280))
        assert page.until(lambda: any(w["type"] == "talk" and w["on"] for w in page.words))
        probe.until(lambda: False, timeout=0.5)
        page.say(type="stop")
        assert probe.until(lambda: len(ends) >= 2)
        assert {end.outcome for end in ends} == {Engagement.CANCELLED}
        assert any(end.utterance_id.startswith("console_talk_") for end in ends)
    finally:
        probe.close()


def test_reset_says_who_did_not_answer(page: Conversation) -> None:
    page.say(type="reset")
    assert page.until(lambda: any(w["type"] == "problem" for w in page.words))
    problem = next(w["text"] for w in page.words if w["type"] == "problem")
    assert "locator" in problem and "transcriber" in problem and "controller" not in problem


def test_a_port_that_is_taken_ends_the_node_with_a_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with node_process(free_domain(), "console", port=port) as process:
            assert process.popen.wait(40) == 2
    assert f"port {port}" in process.output and "Traceback" not in process.output


def test_beyond_loopback_the_log_names_the_file_and_never_the_token(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    port = free_port()
    with node_process(free_domain(), "console", host="0.0.0.0", port=port) as process:
        stranger = Conversation(f"http://127.0.0.1:{port}", patience=40.0)
        with stranger, pytest.raises(AssertionError, match="4401"):
            stranger.until(lambda: False, 10.0)
        process.stop()
    secret = (tmp_path / "turret_ai" / "console_token").read_text().strip()
    assert "console_token" in process.output and secret not in process.output
