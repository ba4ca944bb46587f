# SPDX-License-Identifier: Apache-2.0
"""The HTTP services: documented bodies, wrong instances among good ones, limits."""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import json
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from fastapi import testclient
from PIL import Image
from sockets import free_port
from test_competition_wire import wav

from turret_ai.act.services.app import Stages, create_app
from turret_ai.act.services.cannon import Cannon, parse_heading
from turret_ai.errors import InputError
from turret_ai.see import images
from turret_ai.types import (
    Box,
    Command,
    CommandField,
    CommandStatus,
    Hypothesis,
    ImageArray,
    Location,
    LocationStatus,
    Transcription,
    TranscriptStatus,
)


class Ears:
    """Tells the length of what it hears."""

    def transcribe(self, samples: np.ndarray) -> Transcription:
        if not samples.any():
            return Transcription(TranscriptStatus.EMPTY, reason="digital silence")
        return Transcription(TranscriptStatus.FINAL, f"{len(samples)} samples")


class Mind:
    """Takes the text as target; stumbles over one word."""

    def parse(self, hypotheses: str | Sequence[Hypothesis]) -> Command:
        assert isinstance(hypotheses, str)
        if hypotheses == "stumble":
            raise ZeroDivisionError
        return Command(
            CommandStatus.OK, CommandField("065"), CommandField("EMP"), CommandField(hypotheses)
        )


class Eyes:
    """Finds everything but ghosts; counts the pictures."""

    pictures = 0

    def locate_all(self, rgb: ImageArray, captions: Sequence[str]) -> list[Location]:
        assert rgb.ndim == 3
        self.pictures += 1
        if "stumble" in captions:
            raise ZeroDivisionError
        nothing = Location(LocationStatus.NOT_FOUND)
        box = Location(LocationStatus.FOUND, Box(1.4, 2.6, 30, 40))
        return [nothing if "ghost" in caption else box for caption in captions]


class Sky:
    """A world of one colour that tells where the camera looks."""

    def render(self, camera: object, yaw: float, pitch: float) -> ImageArray:
        image = np.zeros((8, 8, 3), np.uint8)
        image[..., 0] = round((yaw + 3.2) * 30)
        return image


@pytest.fixture
def eyes() -> Eyes:
    return Eyes()


@pytest.fixture
def client(eyes: Eyes) -> object:
    cannon = Cannon(Sky(), speed=0.0)  # type: ignore[arg-type]
    app = create_app(Stages(Ears(), Mind(), eyes, cannon), max_body=100_000)
    return testclient.TestClient(app, raise_server_exceptions=False)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


TONE = (np.sin(np.arange(1600)) * 9000).astype(np.int16)
PICTURE = b64(images.encode(np.full((40, 60, 3), 99, np.uint8)))


def test_health(client) -> None:  # type: ignore[no-untyped-def]
    assert client.get("/health").json() == {"health": "ok"}


def test_stt_answers_a_batch(client) -> None:  # type: ignore[no-untyped-def]
    batch = [{"key": 0, "b64": b64(wav(TONE))}, {"b64": b64(wav(np.repeat(TONE, 3), 48_000))}]
    reply = client.post("/stt", json={"instances": batch})
    assert reply.json() == {"predictions": ["1600 samples", "1600 samples"]}


def test_extract_answers_a_batch(client) -> None:  # type: ignore[no-untyped-def]
    reply = client.post("/extract", json={"instances": [{"transcript": "red drone"}]})
    expected = {"heading": "065", "tool": "EMP", "target": "red drone"}
    assert reply.json() == {"predictions": [expected]}


def test_identify_answers_a_batch_and_searches_an_image_once(client, eyes: Eyes) -> None:  # type: ignore[no-untyped-def]
    batch = [{"b64": PICTURE, "caption": text} for text in ("red drone", "a ghost", "jet")]
    reply = client.post("/identify", json={"instances": batch})
    assert reply.json() == {"predictions": [[1, 3, 30, 40], [0, 0, 0, 0], [1, 3, 30, 40]]}
    assert eyes.pictures == 1


def test_the_cannon_turns_and_shows_what_it_sees(client) -> None:  # type: ignore[no-untyped-def]
    reply = client.post("/send_heading", json={"heading": "095"})
    assert reply.headers["content-type"] == "image/jpeg"
    first = images.decode(reply.content)
    client.post("/reset_cannon")
    second = images.decode(client.post("/send_heading", json={"heading": "360"}).content)
    assert abs(int(first[0, 0, 0]) - int(second[0, 0, 0])) > 20


@pytest.mark.parametrize("heading", ["", "9x", "361", "1234", 95, None, "٣٣"])
def test_headings_that_are_none_are_refused(client, heading: object) -> None:  # type: ignore[no-untyped-def]
    reply = client.post("/send_heading", json={"heading": heading})
    assert reply.status_code == 422
    assert "heading" in reply.json()["error"]
    with pytest.raises(InputError):
        parse_heading(heading)


BAD = [None, 5, "text", [], {}, {"b64": 5}, {"b64": "no base64!"}, {"b64": b64(b"no file")}]


@pytest.mark.parametrize("bad", BAD)
def test_a_wrong_instance_spoils_no_other(client, bad: object) -> None:  # type: ignore[no-untyped-def]
    good = {
        "/stt": ({"b64": b64(wav(TONE))}, "1600 samples"),
        "/extract": ({"transcript": "jet"}, {"heading": "065", "tool": "EMP", "target": "jet"}),
        "/identify": ({"b64": PICTURE, "caption": "jet"}, [1, 3, 30, 40]),
    }
    for path, (instance, expected) in good.items():
        reply = client.post(path, json={"instances": [instance, bad, instance]})
        assert reply.status_code == 200
        body = reply.json()
        assert [body["predictions"][i] for i in (0, 2)] == [expected, expected]
        assert [each["instance"] for each in body["errors"]] == [1]
        assert body["errors"][0]["error"]


def test_a_stage_that_stumbles_over_one_instance_answers_the_others(client) -> None:  # type: ignore[no-untyped-def]
    batch = [{"transcript": "stumble"}, {"transcript": "jet"}]
    body = client.post("/extract", json={"instances": batch}).json()
    assert body["predictions"][1]["target"] == "jet"
    assert body["errors"] == [{"instance": 0, "error": "failed: ZeroDivisionError"}]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"instances": 5}', b'{"instance": []}', b"\xff"]
)
def test_bodies_that_are_none_get_an_error_in_json(client, content: bytes) -> None:  # type: ignore[no-untyped-def]
    headers = {"content-type": "application/json"}
    for path in ("/stt", "/extract", "/identify"):
        reply = client.post(path, content=content, headers=headers)
        assert reply.status_code == 422
        assert set(reply.json()) == {"error"}


def test_a_body_cut_at_any_byte_gets_an_error_in_json(client) -> None:  # type: ignore[no-untyped-def]
    body = b'{"instances":[{"transcript":"jet"}]}'
    headers = {"content-type": "application/json"}
    for length in range(len(body)):
        reply = client.post("/extract", content=body[:length], headers=headers)
        assert reply.status_code == 422
        assert reply.json()["error"]


def test_large_bodies_are_refused(client) -> None:  # type: ignore[no-untyped-def]
    reply = client.post("/extract", content=b"x" * 100_001)
    assert reply.status_code == 413
    assert "100000" in reply.json()["error"]


def test_large_bodies_of_unknown_length_are_refused_on_the_way(client) -> None:  # type: ignore[no-untyped-def]
    pieces = (b"x" * 10_000 for _ in range(20))
    reply = client.post("/extract", content=pieces, headers={"content-type": "application/json"})
    assert reply.status_code == 413


def test_a_stage_that_is_not_served_has_no_route() -> None:
    client = testclient.TestClient(create_app(Stages(understander=Mind())))
    assert client.post("/stt", json={"instances": []}).status_code == 404
    assert client.post("/extract", json={"instances": []}).json() == {"predictions": []}


NESTED = b'{"instances": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (NESTED, {}, 422),
        (b'{"instances": [' + b"9" * 6000 + b"]}", {}, 422),
        ('{"instances": [{"transcript": "caf\xe9"}]}'.encode("latin-1"), {}, 422),
        (b"{}", {"content-encoding": "br"}, 415),
        (b"{}", {"content-encoding": "gzip"}, 422),
        (gzip.compress(b"{}")[:-4], {"content-encoding": "gzip"}, 422),
        (gzip.compress(b" " * 200_000), {"content-encoding": "gzip"}, 413),
        (b"{}", {"content-type": "application/json; charset=klingon"}, 422),
        (b'"\\ud800"', {}, 422),
        (b'{"instances": 1, "\\ud800": 2}', {}, 422),
    ],
    ids=itertools.count(),
)
def test_every_refusal_has_the_documented_body(client, content, headers, status) -> None:  # type: ignore[no-untyped-def]
    reply = client.post(
        "/extract", content=content, headers={"content-type": "application/json", **headers}
    )
    assert reply.status_code == status
    assert list(reply.json()) == ["error"]
    assert "object at 0x" not in reply.text and "Traceback" not in reply.text


@pytest.mark.parametrize("path", ["/nowhere", "/extract"])
def test_another_path_or_method_has_the_documented_body_too(client, path: str) -> None:  # type: ignore[no-untyped-def]
    assert list(client.get(path).json()) == ["error"]


BODY = '{"instances": [{"transcript": "caf\xe9"}]}'


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (BODY.encode(), {}),
        (BODY.encode(), {"content-type": "application/x-www-form-urlencoded"}),
        (BODY.encode("utf-8-sig"), {}),
        (BODY.encode("utf-16"), {}),
        (BODY.encode("latin-1"), {"content-type": "application/json; charset=ISO-8859-1"}),
        (gzip.compress(BODY.encode()), {"content-encoding": "gzip"}),
        (zlib.compress(BODY.encode()), {"content-encoding": "deflate"}),
        (zlib.compress(BODY.encode())[2:-4], {"content-encoding": "deflate"}),
    ],
)
def test_a_body_is_read_as_clients_send_it(client, content: bytes, headers: dict) -> None:  # type: ignore[no-untyped-def, type-arg]
    reply = client.post("/extract", content=content, headers=headers)
    assert reply.json()["predictions"][0]["target"] == "caf\xe9"


def test_half_a_character_spoils_only_its_own_instance(client, eyes: Eyes) -> None:  # type: ignore[no-untyped-def]
    captions = ["jet", "half \ud800", "jet"]
    batch = [{"b64": PICTURE, "caption": caption} for caption in captions]
    reply = client.post("/identify", content=json.dumps({"instances": batch}))
    box = [1, 3, 30, 40]
    assert reply.json()["predictions"] == [box, [0, 0, 0, 0], box]
    assert [each["instance"] for each in reply.json()["errors"]] == [1]
    assert eyes.pictures == 1


def test_a_caption_that_fails_leaves_its_picture_s_others_their_boxes(client) -> None:  # type: ignore[no-untyped-def]
    batch = [{"b64": PICTURE, "caption": caption} for caption in ("jet", "stumble", "jet")]
    body = client.post("/identify", json={"instances": batch}).json()
    assert body["predictions"] == [[1, 3, 30, 40], [0, 0, 0, 0], [1, 3, 30, 40]]
    assert body["errors"] == [{"instance": 1, "error": "failed: ZeroDivisionError"}]


def wrapped(text: str) -> str:
    return "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76))


@pytest.mark.parametrize(
    "form",
    [
        lambda text: f"data:audio/wav;base64,{text}",
        lambda text: f"data:;base64,{text}",
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: text.rstrip("="),
        wrapped,
        lambda text: f"  {text}\n",
    ],
)
def test_base64_is_read_as_people_send_it(client, form) -> None:  # type: ignore[no-untyped-def]
    noise = np.random.default_rng(0).integers(-9000, 9000, 1601).astype(np.int16)
    text = b64(wav(noise))
    assert "+" in text and "/" in text
    reply = client.post("/stt", json={"instances": [{"b64": form(text)}]})
    assert reply.json() == {"predictions": ["1601 samples"]}


@pytest.mark.parametrize("bad", ["data:audio/wav,abc", "abcde", "@@@@", "dat\xe4"])
def test_what_is_no_base64_is_said_without_internals(client, bad: str) -> None:  # type: ignore[no-untyped-def]
    body = client.post("/stt", json={"instances": [{"b64": bad}]}).json()
    assert body["errors"][0]["error"].startswith("b64 is")


def test_a_box_is_given_in_the_pixels_that_were_sent(client) -> None:  # type: ignore[no-untyped-def]
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its left side: 60 wide, 40 high when stored
    file = io.BytesIO()
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(file, "PNG", exif=exif)
    batch = [{"b64": b64(file.getvalue()), "caption": "jet"}]
    # The eyes see it upright, 40 wide, and box (1.4, 2.6, 30, 40) in it.
    reply = client.post("/identify", json={"instances": batch})
    assert reply.json() == {"predictions": [[3, 9, 40, 30]]}


def test_a_client_that_never_finishes_its_request_does_not_keep_the_server() -> None:
    port = free_port()
    words = ["-m", "turret_ai.cli.app", "serve", "extract", "--port", str(port)]
    with subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE, text=True) as server:
        try:
            client = _connected(port, server)
            client.sendall(b"POST /extract HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            time.sleep(0.2)
            server.send_signal(signal.SIGINT)
            # As a shell tells of Ctrl-C, or orderly: it ended by itself.
            assert server.wait(30.0) in (0, 130)
            client.close()
        finally:
            server.kill()


def _connected(port: int, server: subprocess.Popen[str]) -> socket.socket:
    end = time.monotonic() + 60.0
    while time.monotonic() < end and server.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), 5.0)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")
